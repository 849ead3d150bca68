"""The string against a real sshd: trust, the way in, and every way to fail."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.core.errors import (
    AppError,
    AuthenticationFailed,
    HostKeyChanged,
    HostKeyUnknown,
    HostUnreachable,
)
from desktop.core.session.dial import dialler
from desktop.core.session.wishes import Wishes
from desktop.core.ssh.connection import Credentials, Timeouts, connect
from desktop.core.ssh.destination import Destination
from desktop.core.ssh.known_hosts import KnownHosts, lookup_name
from desktop.core.ssh.prompts import HostKeyQuestion, SecretQuestion
from tests.helpers.person import Person
from tests.helpers.recording_server import RecordingServer
from tests.helpers.sshd import Sshd

pytestmark = pytest.mark.usefixtures("no_keys_of_this_machine")

_SHORT = Timeouts(connect=2.0, greeting=0.5, handshake=2.0, channel=5.0)


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as server:
        yield server


@pytest.fixture
def hosts(tmp_path: Path) -> KnownHosts:
    return KnownHosts(tmp_path / "known_hosts", ())


# Trust


def test_an_unknown_host_key_is_asked_about_once_and_then_pinned(sshd: Sshd) -> None:
    person, hosts = Person(), sshd.known_hosts()
    credentials = Credentials(identity=sshd.identity)
    for _ in range(2):
        connect(sshd.destination, credentials, person, hosts).close()
    where = sshd.destination
    assert person.asked == [
        HostKeyQuestion(where.host, where.port, "ssh-ed25519", sshd.host_fingerprint)
    ]


def test_a_host_key_that_nobody_accepts_ends_the_attempt(
    server: RecordingServer, hosts: KnownHosts
) -> None:
    with pytest.raises(HostKeyUnknown) as caught:
        connect(server.destination, Credentials(password="secret"), Person(accepts=False), hosts)
    assert caught.value.facts["fingerprint"] == server.host_key.fingerprint
    assert server.attempts == []
    assert not hosts.own_file.exists()


def test_no_secret_goes_to_a_host_whose_key_has_changed(
    server: RecordingServer, hosts: KnownHosts, sshd: Sshd
) -> None:
    person = Person()
    connect(sshd.destination, sshd.credentials, person, sshd.known_hosts()).close()
    line = sshd.known_hosts().own_file.read_text()
    hosts.own_file.write_text(line.replace(f":{sshd.port} ", f":{server.port} "))
    with pytest.raises(HostKeyChanged) as caught:
        connect(
            server.destination,
            Credentials(password="secret", accept_new_host_key=True),
            person,
            hosts,
        )
    assert caught.value.code == "host-key-changed"
    assert caught.value.facts["expected"] == sshd.host_fingerprint
    assert caught.value.facts["fingerprint"] == server.host_key.fingerprint
    assert caught.value.facts["source"] == f"{hosts.own_file}:1"
    assert server.attempts == []
    assert person.asked == []


def restart_with_another_key(sshd: Sshd) -> None:
    sshd.stop()
    sshd.rotate_host_key()
    sshd.start()


def test_a_rotated_host_key_is_told_with_both_fingerprints(sshd: Sshd) -> None:
    hosts = sshd.known_hosts()
    connect(sshd.destination, sshd.credentials, Person(), hosts).close()
    old = sshd.host_fingerprint
    sshd.stop()
    sshd.rotate_host_key()
    log = len(sshd.log)
    sshd.start()
    with pytest.raises(HostKeyChanged) as caught:
        connect(sshd.destination, sshd.credentials, Person(), hosts)
    facts = caught.value.facts
    assert (facts["expected"], facts["fingerprint"]) == (old, sshd.host_fingerprint)
    assert not any("Accepted" in line for line in sshd.log[log:])


def test_the_demanded_fingerprint_is_enough_also_after_a_change(sshd: Sshd) -> None:
    hosts = sshd.known_hosts()
    connect(sshd.destination, sshd.credentials, Person(), hosts).close()
    restart_with_another_key(sshd)
    demanding = Credentials(identity=sshd.identity, host_key=sshd.host_fingerprint)
    connect(sshd.destination, demanding, Person(accepts=False), hosts).close()
    connect(sshd.destination, sshd.credentials, Person(accepts=False), hosts).close()


def test_a_key_that_was_compared_once_is_pinned_and_the_next_change_is_one_again(
    sshd: Sshd,
) -> None:
    hosts = sshd.known_hosts()
    connect(sshd.destination, sshd.credentials, Person(), hosts).close()
    restart_with_another_key(sshd)
    wishes = Wishes(sshd.destination, identity=sshd.identity, host_key=sshd.host_key.fingerprint)
    dial = dialler(wishes, Person(), hosts, until_pinned=True)
    dial().close()
    connect(sshd.destination, sshd.credentials, Person(accepts=False), hosts).close()
    restart_with_another_key(sshd)
    with pytest.raises(HostKeyChanged) as caught:
        dial()
    assert caught.value.code == "host-key-changed", "the app asks about that, and not about others"


def test_another_fingerprint_than_the_demanded_one_is_refused(
    server: RecordingServer, hosts: KnownHosts
) -> None:
    demanding = Credentials(
        password="secret", host_key="SHA256:" + "A" * 43, accept_new_host_key=True
    )
    with pytest.raises(HostKeyChanged) as caught:
        connect(server.destination, demanding, Person(), hosts)
    assert caught.value.code == "host-key-mismatch"
    assert server.attempts == []


def test_a_revoked_key_is_refused_whatever_else_is_said(
    server: RecordingServer, hosts: KnownHosts
) -> None:
    hosts.remember(lookup_name("127.0.0.1", server.port), server.host_key)
    hosts.own_file.write_text(f"@revoked {hosts.own_file.read_text()}")
    demanding = Credentials(password="secret", host_key=server.host_key.fingerprint)
    with pytest.raises(HostKeyChanged) as caught:
        connect(server.destination, demanding, Person(), hosts)
    assert caught.value.code == "host-key-revoked"
    assert server.attempts == []


def test_the_pinned_type_of_key_is_asked_for_first(tmp_path: Path) -> None:
    import subprocess

    key = tmp_path / "ecdsa"
    subprocess.run(["ssh-keygen", "-q", "-t", "ecdsa", "-N", "", "-f", str(key)], check=True)
    hosts = KnownHosts(tmp_path / "known_hosts", ())
    with Sshd(tmp_path, extra=f"HostKey {key}") as sshd:
        kind, blob, *_ = key.with_suffix(".pub").read_text().split()
        hosts.own_file.write_text(f"[127.0.0.1]:{sshd.port} {kind} {blob}\n")
        credentials = Credentials(identity=sshd.identity)
        connect(sshd.destination, credentials, Person(accepts=False), hosts).close()


# The way in


def test_a_wrong_password_given_beforehand_is_tried_once(sshd: Sshd) -> None:
    person = Person("never asked for")
    credentials = Credentials(password="wrong", accept_new_host_key=True)
    with pytest.raises(AuthenticationFailed) as caught:
        connect(sshd.destination, credentials, person, sshd.known_hosts())
    assert caught.value.code == "authentication-failed"
    assert caught.value.facts["user"] == sshd.destination.user
    assert person.asked == []
    sshd.wait_for_log("Failed password")
    assert sum("Failed password" in line for line in sshd.log) == 1
    assert "wrong" not in str(caught.value)
    assert "wrong" not in repr(credentials)


def test_a_person_may_mistype_twice(server: RecordingServer, hosts: KnownHosts) -> None:
    person = Person("wrong", "wrong again", "right")
    credentials = Credentials(accept_new_host_key=True)
    connect(server.destination, credentials, person, hosts).close()
    where = server.destination
    assert person.asked == [
        SecretQuestion("password", "root", where.host, where.port, wrong=wrong)
        for wrong in (False, True, True)
    ]


def test_three_wrong_passwords_are_enough(server: RecordingServer, hosts: KnownHosts) -> None:
    with pytest.raises(AuthenticationFailed) as caught:
        connect(
            server.destination,
            Credentials(accept_new_host_key=True),
            Person("a", "b", "c", "d"),
            hosts,
        )
    assert caught.value.code == "authentication-failed"
    assert server.attempts == [("none", ""), *[("password", secret) for secret in "abc"]]


def test_a_host_that_wants_a_password_and_nobody_to_ask(
    server: RecordingServer, hosts: KnownHosts
) -> None:
    with pytest.raises(AuthenticationFailed) as caught:
        connect(server.destination, Credentials(accept_new_host_key=True), Person(), hosts)
    assert caught.value.code == "password-needed"


def test_a_person_who_thinks_longer_than_the_host_waits_is_not_asked_twice(
    server: RecordingServer, hosts: KnownHosts
) -> None:
    def let_the_host_hang_up() -> None:
        server.hang_up()
        for thread in threading.enumerate():
            if thread.name == "ssh-transport":
                thread.join(5)

    person = Person("right", before_answer=let_the_host_hang_up)
    connect(server.destination, Credentials(), person, hosts).close()
    assert len(person.asked) == 2  # the host key, the password
    assert server.connections == 3


def test_a_host_that_hangs_up_after_each_refusal_gets_a_fresh_connection(tmp_path: Path) -> None:
    with Sshd(tmp_path, extra="MaxAuthTries 1") as sshd:
        with pytest.raises(AuthenticationFailed) as caught:
            connect(
                sshd.destination,
                Credentials(accept_new_host_key=True),
                Person("a", "b", "c"),
                sshd.known_hosts(),
            )
        assert caught.value.code == "authentication-failed"


def test_an_encrypted_key_is_opened_with_its_passphrase(tmp_path: Path, sshd: Sshd) -> None:
    import subprocess

    subprocess.run(
        ["ssh-keygen", "-q", "-p", "-P", "", "-N", "opens", "-f", str(sshd.identity)], check=True
    )
    person = Person("wrong", "opens")
    connect(sshd.destination, sshd.credentials, person, sshd.known_hosts()).close()
    first, second = person.asked
    assert isinstance(first, SecretQuestion)
    assert isinstance(second, SecretQuestion)
    assert (first.kind, first.key_path, first.wrong) == ("passphrase", str(sshd.identity), False)
    assert second.wrong


def test_no_passphrase_is_asked_for_a_key_that_the_host_does_not_want(
    tmp_path: Path, server: RecordingServer, hosts: KnownHosts
) -> None:
    import subprocess

    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "x", "-f", str(key)], check=True)
    server.methods = "publickey,password"
    credentials = Credentials(identity=key, password="right", accept_new_host_key=True)
    person = Person()
    connect(server.destination, credentials, person, hosts).close()
    assert person.asked == []


def test_the_usual_keys_are_tried_without_being_named(tmp_path: Path, sshd: Sshd) -> None:
    (tmp_path / ".ssh").mkdir()
    sshd.identity.rename(tmp_path / ".ssh" / "id_ed25519")
    credentials = Credentials(accept_new_host_key=True)
    connect(sshd.destination, credentials, Person(), sshd.known_hosts()).close()


def test_a_key_in_the_agent_opens_the_way(
    tmp_path: Path, sshd: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    import subprocess

    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
    agent = subprocess.Popen(
        ["ssh-agent", "-D", "-a", str(tmp_path / "agent")], stdout=subprocess.PIPE
    )
    try:
        assert agent.stdout is not None
        agent.stdout.readline()  # it listens
        subprocess.run(["ssh-add", "-q", str(sshd.identity)], check=True)
        sshd.identity.unlink()
        credentials = Credentials(accept_new_host_key=True)
        connect(sshd.destination, credentials, Person(), sshd.known_hosts()).close()
    finally:
        agent.kill()
        agent.communicate()


def test_a_named_key_that_is_not_there_is_told(tmp_path: Path, sshd: Sshd) -> None:
    credentials = Credentials(identity=tmp_path / "absent", accept_new_host_key=True)
    with pytest.raises(AuthenticationFailed) as caught:
        connect(sshd.destination, credentials, Person(), sshd.known_hosts())
    assert caught.value.code == "key-unusable"


# No way there


def _code_of(destination: Destination, hosts: KnownHosts) -> str:
    with pytest.raises(AppError) as caught:
        connect(destination, Credentials(password="secret"), Person(), hosts, _SHORT)
    assert isinstance(caught.value, HostUnreachable)
    assert caught.value.facts["host"] == destination.host
    return caught.value.code


def test_a_name_that_does_not_exist(hosts: KnownHosts) -> None:
    assert _code_of(Destination("no-such-host.invalid", 22, "root"), hosts) == "host-not-found"
    assert _code_of(Destination("x" * 100 + ".invalid", 22, "root"), hosts) == "host-not-found"


def test_a_port_where_nobody_listens(hosts: KnownHosts) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        where = Destination("127.0.0.1", bound.getsockname()[1], "root")
        assert _code_of(where, hosts) == "host-refused"


def test_a_port_that_takes_no_more_connections_is_silent(hosts: KnownHosts) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        with socket.create_connection(address):  # fills the queue
            assert _code_of(Destination("127.0.0.1", address[1], "root"), hosts) == "host-silent"


def _answering(answer: bytes, *, then_close: bool) -> tuple[socket.socket, threading.Thread]:
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        sock, _ = listener.accept()
        with sock:
            try:
                sock.sendall(answer)
                while not then_close and sock.recv(1000):
                    pass
            except OSError:
                pass

    thread = threading.Thread(target=serve)
    thread.start()
    return listener, thread


@pytest.mark.parametrize(
    ("answer", "then_close", "code", "heard"),
    [
        (b"", False, "greeting-silent", None),
        (b"", True, "greeting-closed", None),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", True, "not-ssh", "HTTP/1.1 400 Bad Request"),
        (b"\x00" * 100_000, False, "not-ssh", ""),
        (b"garbage without an end", False, "not-ssh", "garbage without an end"),
        (b"SSH-2.0-Fake\r\n", True, "handshake-failed", None),
        (b"SSH-2.0-Fake\r\n" + b"\xff" * 100, False, "handshake-failed", None),
        (b"SSH-2.0-Fake\r\n\x7f\xff\xff\xff" + bytes(60), False, "handshake-failed", None),
        (b"SSH-1.5-Ancient\r\n", False, "ssh-incompatible", None),
    ],
)
def test_a_port_that_speaks_no_ssh(
    answer: bytes, then_close: bool, code: str, heard: str | None, hosts: KnownHosts
) -> None:
    listener, thread = _answering(answer, then_close=then_close)
    where = Destination("127.0.0.1", listener.getsockname()[1], "root")
    with listener, pytest.raises(HostUnreachable) as caught:
        connect(where, Credentials(password="secret"), Person(), hosts, _SHORT)
    thread.join()
    assert caught.value.code == code
    if heard is not None:
        assert caught.value.facts["heard"] == heard
