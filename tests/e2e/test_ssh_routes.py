"""The ways to a host that are not straight: hosts, programs, proxies; and who hears what."""

from __future__ import annotations

import base64
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.core.errors import (
    AppError,
    AuthenticationFailed,
    HostKeyChanged,
    HostKeyUnknown,
    HostUnreachable,
)
from desktop.core.ssh.connection import Credentials, Timeouts, connect
from desktop.core.ssh.destination import Destination, resolve
from desktop.core.ssh.known_hosts import KnownHosts, lookup_name
from desktop.core.ssh.prompts import HostKeyQuestion
from desktop.core.ssh.proxying import parse_proxy
from tests.helpers.person import Person
from tests.helpers.proxies import Proxy
from tests.helpers.recording_server import RecordingServer
from tests.helpers.sshd import Sshd

_SHORT = Timeouts(connect=2.0, greeting=1.0, handshake=5.0, channel=5.0)


pytestmark = pytest.mark.usefixtures("no_keys_of_this_machine")


@pytest.fixture
def jump(tmp_path: Path) -> Iterator[Sshd]:
    (tmp_path / "jump").mkdir()
    with Sshd(tmp_path / "jump") as server:
        yield server


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as server:
        yield server


@pytest.fixture
def hosts(tmp_path: Path) -> KnownHosts:
    return KnownHosts(tmp_path / "known_hosts", ())


def _via(where: Destination, *jumps: Sshd) -> Destination:
    """Return the destination behind these hosts, the last of which is next to it."""
    for jump in reversed(jumps):
        last = replace(jump.destination, identity_files=(jump.identity,))
        return replace(where, via=_via(last, *jumps[:-1]) if len(jumps) > 1 else last)
    return where


# Jump hosts


def test_a_host_behind_two_jump_hosts_is_reached_and_each_key_is_asked_about(
    tmp_path: Path, sshd: Sshd, jump: Sshd, hosts: KnownHosts
) -> None:
    (tmp_path / "first").mkdir()
    person = Person()
    with Sshd(tmp_path / "first") as first:
        where = _via(sshd.destination, first, jump)
        with connect(where, Credentials(identity=sshd.identity), person, hosts) as connection:
            assert connection.run("echo here").stdout == b"here\n"
            assert connection.run("head -c 3000000 /dev/zero").stdout == bytes(3_000_000)
        asked = [question.port for question in person.asked]
        assert asked == [first.port, jump.port, sshd.port]
        fingerprints = [
            question.fingerprint
            for question in person.asked
            if isinstance(question, HostKeyQuestion)
        ]
        assert fingerprints == [each.host_fingerprint for each in (first, jump, sshd)]
        for each in (first, jump):  # what makes sshd send small packets at once
            each.wait_for_log("Starting session: command")


def test_the_ssh_config_leads_through_the_jump_host(
    tmp_path: Path, sshd: Sshd, jump: Sshd, hosts: KnownHosts
) -> None:
    config = tmp_path / "config"
    user = sshd.destination.user
    config.write_text(
        f"Host jump\n  HostName 127.0.0.1\n  Port {jump.port}\n  IdentityFile {jump.identity}\n"
        f"Host gpu\n  HostName localhost\n  Port {sshd.port}\n  IdentityFile {sshd.identity}\n"
        f"  ProxyJump {user}@jump\n"
    )
    with connect(resolve("gpu", config), Credentials(), Person(), hosts) as connection:
        assert connection.run("echo here").stdout == b"here\n"
    assert [line.split()[0] for line in hosts.own_file.read_text().splitlines()] == [
        f"[127.0.0.1]:{jump.port}",
        f"[localhost]:{sshd.port}",
    ]


def test_the_end_of_the_jump_host_is_the_end_of_the_connection(
    sshd: Sshd, jump: Sshd, hosts: KnownHosts
) -> None:
    credentials = replace(sshd.credentials)
    lost = threading.Event()
    with connect(_via(sshd.destination, jump), credentials, Person(), hosts) as connection:
        connection.on_lost(lambda _: lost.set())
        jump.cut()
        assert lost.wait(10)
        assert not connection.alive


def test_a_jump_host_that_forbids_forwarding_is_told(
    tmp_path: Path, sshd: Sshd, hosts: KnownHosts
) -> None:
    (tmp_path / "jump").mkdir()
    with Sshd(tmp_path / "jump", forwarding=False) as jump:
        with pytest.raises(HostUnreachable) as caught:
            connect(_via(sshd.destination, jump), sshd.credentials, Person(), hosts)
        assert caught.value.code == "jump-prohibited"
        assert caught.value.facts["via"] == "127.0.0.1"


def test_a_host_that_its_jump_host_cannot_reach_is_told(
    sshd: Sshd, jump: Sshd, hosts: KnownHosts
) -> None:
    sshd.stop()
    with pytest.raises(HostUnreachable) as caught:
        connect(_via(sshd.destination, jump), sshd.credentials, Person(), hosts)
    assert caught.value.code == "jump-failed"
    assert caught.value.facts["port"] == sshd.port


# Secrets


def test_a_jump_host_gets_neither_password_nor_fingerprint_of_the_host_behind(
    server: RecordingServer, sshd: Sshd, hosts: KnownHosts
) -> None:
    where = replace(sshd.destination, via=server.destination, password="pasted")
    credentials = Credentials(
        password="secret", host_key=sshd.host_fingerprint, accept_new_host_key=True
    )
    with pytest.raises(AuthenticationFailed) as caught:
        connect(where, credentials, Person("jump's own"), hosts)
    assert caught.value.facts["port"] == server.port
    assert server.attempts == [("none", ""), ("password", "jump's own")]


def _declined(_server: RecordingServer, _hosts: KnownHosts, bare: Credentials) -> Credentials:
    return bare


def _changed(server: RecordingServer, hosts: KnownHosts, bare: Credentials) -> Credentials:
    with RecordingServer() as other:
        hosts.remember(lookup_name("127.0.0.1", server.port), other.host_key)
    return replace(bare, accept_new_host_key=True)


def _revoked(server: RecordingServer, hosts: KnownHosts, bare: Credentials) -> Credentials:
    key = server.host_key
    hosts.own_file.write_text(f"@revoked * {key.kind} {_base64(key.blob)}\n")
    return replace(bare, accept_new_host_key=True, host_key=server.host_key.fingerprint)


def _mismatch(_server: RecordingServer, _hosts: KnownHosts, bare: Credentials) -> Credentials:
    return replace(bare, accept_new_host_key=True, host_key="SHA256:" + "A" * 43)


@pytest.mark.parametrize("refusal", [_declined, _changed, _revoked, _mismatch])
@pytest.mark.parametrize("source", ["given", "pasted", "typed"])
@pytest.mark.parametrize(
    ("route", "methods"),
    [
        ("direct", "password"),
        ("direct", "keyboard-interactive"),
        ("jump", "password"),
        ("program", "password"),
        ("proxy", "password"),
        ("as the jump host", "password"),
    ],
)
def test_no_password_goes_to_a_host_whose_key_was_not_accepted(
    refusal: object, source: str, route: str, methods: str, hosts: KnownHosts, jump: Sshd
) -> None:
    person = Person("secret", accepts=False)
    with RecordingServer(methods=methods) as server, Proxy() as proxy:
        assert callable(refusal)
        bare = Credentials(password="secret" if source == "given" else None)
        credentials = refusal(server, hosts, bare)
        hosts.own_file.touch()
        jump_key = jump.host_key
        hosts.own_file.write_text(
            hosts.own_file.read_text()
            + f"[127.0.0.1]:{jump.port} {jump_key.kind} {_base64(jump_key.blob)}\n"
        )
        where = replace(server.destination, password="secret" if source == "pasted" else None)
        where = _routed(where, route, jump, proxy)
        if route == "as the jump host":
            where = replace(jump.destination, via=server.destination, password=where.password)
            if refusal is _mismatch:  # the demanded key is that of the host behind
                credentials = replace(credentials, accept_new_host_key=False)
        with pytest.raises((HostKeyChanged, HostKeyUnknown)):
            connect(where, credentials, person, hosts, _SHORT)
        assert server.attempts == []
        assert all(isinstance(question, HostKeyQuestion) for question in person.asked)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _routed(where: Destination, route: str, jump: Sshd, proxy: Proxy) -> Destination:
    if route == "jump":
        return _via(where, jump)
    if route == "program":
        return replace(where, proxy_command=f"{sys.executable} {_PIPE} {where.host} {where.port}")
    if route == "proxy":
        return replace(where, proxy=proxy.url("socks5"))
    return where


# Programs

_PIPE = Path(__file__).parent.parent / "helpers" / "pipe.py"


def test_a_proxy_command_is_the_way_and_ends_with_the_connection(
    sshd: Sshd, tmp_path: Path
) -> None:
    mark = tmp_path / "pid"
    command = f"echo $$ > {mark}; exec {sys.executable} {_PIPE} 127.0.0.1 {sshd.port}"
    where = replace(sshd.destination, proxy_command=f"sh -c '{command}'")
    with connect(where, sshd.credentials, Person(), sshd.known_hosts()) as connection:
        assert connection.run("head -c 3000000 /dev/zero").stdout == bytes(3_000_000)
        assert Path(f"/proc/{int(mark.read_text())}").exists()
    assert not Path(f"/proc/{int(mark.read_text())}").exists()


def test_the_death_of_a_proxy_command_is_noticed(sshd: Sshd, tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    command = f"echo $$ > {mark}; exec {sys.executable} {_PIPE} 127.0.0.1 {sshd.port}"
    where = replace(sshd.destination, proxy_command=f"sh -c '{command}'")
    with connect(where, sshd.credentials, Person(), sshd.known_hosts()) as connection:
        subprocess.run(["kill", "-9", mark.read_text().strip()], check=True)
        assert connection.wait_closed(5)


@pytest.mark.parametrize(
    ("command", "reason"),
    [("echo no way >&2; exit 3", "no way"), ("exit 3", "exit status 3"), ("/no/such", "not found")],
)
def test_a_proxy_command_that_fails_is_told_in_its_own_words(
    command: str, reason: str, hosts: KnownHosts
) -> None:
    where = Destination("gpu", 22, "root", proxy_command=f"sh -c '{command}'")
    with pytest.raises(HostUnreachable) as caught:
        connect(where, Credentials(), Person(), hosts, _SHORT)
    assert caught.value.code == "proxy-command-failed"
    assert reason in caught.value.facts["reason"]


# Proxies


@pytest.mark.parametrize("kind", ["socks5", "http"])
@pytest.mark.parametrize("login", ["", "me:s%3Acret@"])
def test_a_proxy_that_the_user_asked_for_is_the_way(sshd: Sshd, kind: str, login: str) -> None:
    with Proxy(login="me:s:cret" if login else "") as proxy:
        where = replace(sshd.destination, host="localhost", proxy=proxy.url(kind, login))
        with connect(where, sshd.credentials, Person(), sshd.known_hosts()) as connection:
            assert connection.run("echo here").stdout == b"here\n"
        assert proxy.asked == [f"localhost:{sshd.port}"]  # the name, not our idea of its address


@pytest.mark.parametrize("kind", ["socks5", "http"])
def test_a_proxy_that_refuses_is_told_apart_from_one_that_is_not_there(
    kind: str, hosts: KnownHosts
) -> None:
    with Proxy(login="me:right") as proxy:
        for login in ("", "me:wrong@"):
            where = Destination("127.0.0.1", 1, "root", proxy=proxy.url(kind, login))
            assert _code_of(where, hosts) == "proxy-refused"
        where = Destination("127.0.0.1", 1, "root", proxy=proxy.url(kind, "me:right@"))
        assert _code_of(where, hosts) == "proxy-refused"  # nothing listens behind it
    assert _code_of(where, hosts) == "proxy-unreachable"


def test_something_else_than_a_proxy_does_not_hold_us_up(
    server: RecordingServer, hosts: KnownHosts
) -> None:
    for kind in ("socks5", "http"):
        proxy = f"{kind}://127.0.0.1:{server.port}"
        where = Destination("127.0.0.1", 1, "root", proxy=proxy)
        assert _code_of(where, hosts) in ("proxy-refused", "proxy-unreachable")


def _code_of(where: Destination, hosts: KnownHosts) -> str:
    with pytest.raises(AppError) as caught:
        connect(where, Credentials(), Person(), hosts, _SHORT)
    assert "right" not in str(caught.value)
    assert "wrong" not in str(caught.value)
    return caught.value.code


@pytest.mark.parametrize("text", ["", "127.0.0.1:7890", "ftp://x:1", "socks5://", "http://x:99999"])
def test_what_is_no_proxy_is_refused(text: str) -> None:
    with pytest.raises(AppError) as caught:
        parse_proxy(text)
    assert caught.value.code == "destination-bad-proxy"


def test_a_proxys_password_is_not_shown() -> None:
    proxy = parse_proxy("socks5://me:hunter2@127.0.0.1:7890")
    assert "hunter2" not in repr(proxy) + str(proxy)
    assert "hunter2" not in repr(Destination("gpu", proxy="socks5://me:hunter2@127.0.0.1:1"))
