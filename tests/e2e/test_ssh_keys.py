"""Keys, agents and certificates of every kind, made by ssh-keygen and judged by a real sshd."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.core.errors import AuthenticationFailed
from desktop.core.ssh import agents
from desktop.core.ssh.connection import Credentials, connect
from desktop.core.ssh.destination import Destination
from desktop.core.ssh.known_hosts import KnownHosts
from desktop.core.ssh.prompts import SecretQuestion
from tests.helpers.person import Person
from tests.helpers.recording_server import RecordingServer
from tests.helpers.sshd import Sshd

pytestmark = pytest.mark.usefixtures("no_keys_of_this_machine")

_TRUSTING = Credentials(accept_new_host_key=True)


@pytest.fixture
def sshd_extra(tmp_path: Path) -> str:
    return f"TrustedUserCAKeys {tmp_path}/ca.pub"


@contextmanager
def _agent(path: Path) -> Iterator[Path]:
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(path)], stdout=subprocess.PIPE)
    try:
        assert agent.stdout is not None
        agent.stdout.readline()  # it listens
        yield path
    finally:
        agent.kill()
        agent.communicate()


def _add(agent: Path, key: Path) -> None:
    import os

    environment = os.environ | {"SSH_AUTH_SOCK": str(agent)}
    subprocess.run(["ssh-add", "-q", str(key)], env=environment, check=True)


def _key(path: Path, *options: str, passphrase: str = "") -> Path:
    subprocess.run(["ssh-keygen", "-q", "-N", passphrase, "-f", str(path), *options], check=True)
    return path


def _authorize(sshd: Sshd, key: Path) -> None:
    with (sshd.identity.parent / "authorized_keys").open("a") as file:
        file.write(Path(f"{key}.pub").read_text())


def _certify(folder: Path, key: Path, user: str, *options: str) -> Path:
    if not (folder / "ca").exists():
        _key(folder / "ca", "-t", "ed25519")
    command = ["ssh-keygen", "-q", "-s", str(folder / "ca"), "-I", "test", "-n", user, *options]
    subprocess.run([*command, f"{key}.pub"], check=True)
    return key.with_name(f"{key.name}-cert.pub")


def _enter(where: Destination, credentials: Credentials, hosts: KnownHosts, *secrets: str) -> None:
    person = Person(*secrets)
    connect(where, credentials, person, hosts).close()
    assert len(person.asked) == len(secrets)


_KINDS = [
    ("-t", "ed25519"),
    ("-t", "ecdsa", "-b", "256"),
    ("-t", "ecdsa", "-b", "384"),
    ("-t", "ecdsa", "-b", "521"),
    ("-t", "rsa", "-b", "2048"),
]
_FORMATS: list[tuple[str, ...]] = [(), ("-m", "PEM"), ("-m", "PKCS8")]


@pytest.mark.parametrize("kind", _KINDS, ids=" ".join)
@pytest.mark.parametrize("passphrase", ["", "opens"])
def test_every_kind_of_key_opens_the_way_in_every_format(
    tmp_path: Path, sshd: Sshd, kind: tuple[str, ...], passphrase: str
) -> None:
    for number, form in enumerate(_FORMATS):
        key = _key(tmp_path / f"key{number}", *kind, *form, passphrase=passphrase)
        _authorize(sshd, key)
        credentials = replace(_TRUSTING, identity=key)
        _enter(sshd.destination, credentials, sshd.known_hosts(), *filter(None, [passphrase]))


def test_an_rsa_key_signs_with_sha_2(tmp_path: Path) -> None:
    with Sshd(tmp_path, extra="PubkeyAcceptedAlgorithms rsa-sha2-512") as sshd:
        key = _key(tmp_path / "key", "-t", "rsa", "-b", "2048")
        _authorize(sshd, key)
        _enter(sshd.destination, replace(_TRUSTING, identity=key), sshd.known_hosts())


def test_an_rsa_key_never_signs_with_sha_1(tmp_path: Path) -> None:
    with Sshd(tmp_path, extra="PubkeyAcceptedAlgorithms ssh-rsa") as sshd:
        key = _key(tmp_path / "key", "-t", "rsa", "-b", "2048")
        _authorize(sshd, key)
        with pytest.raises(AuthenticationFailed):
            connect(
                sshd.destination,
                replace(_TRUSTING, identity=key),
                Person(),
                sshd.known_hosts(),
            )


def test_a_passphrase_may_be_mistyped_twice_and_then_the_password_is_asked_for(
    tmp_path: Path, sshd: Sshd
) -> None:
    key = _key(tmp_path / "key", "-t", "ed25519", passphrase="opens")
    _authorize(sshd, key)
    credentials = replace(_TRUSTING, identity=key)
    _enter(sshd.destination, credentials, sshd.known_hosts(), "a", "b", "opens")
    person = Person("a", "b", "c", None)
    with pytest.raises(AuthenticationFailed) as caught:
        connect(sshd.destination, credentials, person, sshd.known_hosts())
    assert caught.value.code == "password-needed"
    kinds = [(each.kind, each.wrong) for each in person.asked if isinstance(each, SecretQuestion)]
    again = [("passphrase", True)] * 2
    assert kinds == [("passphrase", False), *again, ("password", False)]


@pytest.mark.parametrize("kind", _KINDS, ids=" ".join)
def test_a_certificate_beside_its_key_opens_the_way(
    tmp_path: Path, sshd: Sshd, kind: tuple[str, ...]
) -> None:
    key = _key(tmp_path / "key", *kind)
    _certify(tmp_path, key, sshd.destination.user)
    _enter(sshd.destination, replace(_TRUSTING, identity=key), sshd.known_hosts())
    sshd.wait_for_log('Accepted certificate ID "test"')


def test_a_certificate_that_the_config_names_opens_the_way(tmp_path: Path, sshd: Sshd) -> None:
    key = _key(tmp_path / "key", "-t", "ed25519")
    elsewhere = tmp_path / "elsewhere.pub"
    _certify(tmp_path, key, sshd.destination.user).rename(elsewhere)
    where = replace(sshd.destination, identity_files=(key,), certificate_files=(elsewhere,))
    _enter(where, _TRUSTING, sshd.known_hosts())


def test_a_certificate_that_has_run_out_gives_way_to_the_key(tmp_path: Path, sshd: Sshd) -> None:
    key = _key(tmp_path / "key", "-t", "ed25519")
    _certify(tmp_path, key, sshd.destination.user, "-V", "20200101:20200102")
    credentials = replace(_TRUSTING, identity=key)
    with pytest.raises(AuthenticationFailed):
        connect(sshd.destination, credentials, Person(), sshd.known_hosts())
    _authorize(sshd, key)
    _enter(sshd.destination, credentials, sshd.known_hosts())


@pytest.mark.parametrize("kind", _KINDS, ids=" ".join)
@pytest.mark.parametrize("certified", [False, True])
def test_an_agent_signs_with_its_keys_and_certificates(
    tmp_path: Path,
    sshd: Sshd,
    monkeypatch: pytest.MonkeyPatch,
    kind: tuple[str, ...],
    certified: bool,
) -> None:
    key = _key(tmp_path / "key", *kind)
    if certified:
        _certify(tmp_path, key, sshd.destination.user)
    else:
        _authorize(sshd, key)
    with _agent(tmp_path / "agent") as agent:
        _add(agent, key)
        for file in tmp_path.glob("key*"):
            file.unlink()
        monkeypatch.setenv("SSH_AUTH_SOCK", str(agent))
        _enter(sshd.destination, _TRUSTING, sshd.known_hosts())


def test_the_agent_that_the_config_names_is_asked_and_no_other(
    tmp_path: Path, sshd: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = _key(tmp_path / "key", "-t", "ed25519")
    _authorize(sshd, key)
    with _agent(tmp_path / "usual") as usual, _agent(tmp_path / "named") as named:
        monkeypatch.setenv("SSH_AUTH_SOCK", str(usual))
        monkeypatch.setenv("OTHER", str(named))
        _add(named, key)
        hosts = sshd.known_hosts()
        for place in (str(named), "$OTHER"):
            _enter(replace(sshd.destination, agent=place), _TRUSTING, hosts)
        for place in ("", "none", "SSH_AUTH_SOCK", str(tmp_path / "absent")):
            with pytest.raises(AuthenticationFailed):
                connect(replace(sshd.destination, agent=place), _TRUSTING, Person(), hosts)


def test_an_agent_that_never_answers_is_left_alone(
    tmp_path: Path, sshd: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agents, "_SECONDS", 0.2)
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(tmp_path / "mute"))
        mute.listen()
        where = replace(sshd.destination, agent=str(tmp_path / "mute"))
        _enter(where, sshd.credentials, sshd.known_hosts())


def test_nobody_is_asked_for_the_passphrase_of_a_key_that_the_agent_holds(
    tmp_path: Path, sshd: Sshd
) -> None:
    key = _key(tmp_path / "key", "-t", "ed25519")
    _authorize(sshd, key)
    with _agent(tmp_path / "agent") as agent:
        _add(agent, key)
        change = ["ssh-keygen", "-q", "-p", "-P", "", "-N", "locked", "-f", str(key)]
        subprocess.run(change, check=True)
        where = replace(
            sshd.destination, agent=str(agent), identity_files=(key,), identities_only=True
        )
        _enter(where, _TRUSTING, sshd.known_hosts())
        key.unlink()  # only the public half is here: the agent is asked for just this key
        _enter(where, _TRUSTING, sshd.known_hosts())


def test_with_identities_only_the_agents_other_keys_are_not_offered(tmp_path: Path) -> None:
    with _agent(tmp_path / "agent") as agent, RecordingServer(methods="publickey") as server:
        for number in range(3):
            _add(agent, _key(tmp_path / f"other{number}", "-t", "ed25519"))
        mine = _key(tmp_path / "mine", "-t", "ed25519")
        where = replace(
            server.destination, agent=str(agent), identity_files=(mine,), identities_only=True
        )
        with pytest.raises(AuthenticationFailed):
            connect(where, _TRUSTING, Person(), KnownHosts(tmp_path / "hosts", ()))
        assert [method for method, _ in server.attempts] == ["none", "publickey"]


def test_a_pasted_password_is_tried_first_and_asked_for_when_it_is_wrong(tmp_path: Path) -> None:
    with RecordingServer() as server:
        hosts = KnownHosts(tmp_path / "hosts", ())
        where = replace(server.destination, password="right")
        _enter(where, _TRUSTING, hosts)
        assert server.attempts == [("none", ""), ("password", "right")]
        _enter(replace(where, password="old"), _TRUSTING, hosts, "right")
        assert server.attempts[2:] == [("none", ""), ("password", "old"), ("password", "right")]
