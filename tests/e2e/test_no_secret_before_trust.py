"""No secret goes to a host whose key was not accepted, whatever the path to it.

The host is one that writes down every request to authenticate: it must not see a single one, not
even the one for nothing with which a client asks what there is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from desktop.core.errors import AppError, HostKeyChanged, HostKeyUnknown
from desktop.core.events import PhaseChanged
from desktop.core.phases import Phase
from desktop.core.session.dial import dialler
from desktop.core.session.session import Session
from desktop.core.session.wishes import Wishes
from desktop.core.ssh.connection import Credentials, connect
from desktop.core.ssh.known_hosts import KnownHosts, lookup_name
from desktop.core.ssh.prompts import HostKeyQuestion
from tests.e2e.conftest import Box
from tests.helpers.person import Person
from tests.helpers.recording_server import RecordingServer
from tests.helpers.sshd import Sshd
from tests.helpers.waiting import until

pytestmark = pytest.mark.usefixtures("no_keys_of_this_machine")

_PASSWORD = Credentials(password="right")
_ANOTHER_KEY = "SHA256:" + "A" * 43


@pytest.fixture(params=["password", "keyboard-interactive", "publickey,password"])
def server(request: pytest.FixtureRequest) -> Iterator[RecordingServer]:
    with RecordingServer(methods=request.param) as server:
        yield server


@pytest.fixture
def hosts(tmp_path: Path) -> KnownHosts:
    return KnownHosts(tmp_path / "hosts", ())


@dataclass(frozen=True)
class Distrust:
    """A reason not to trust the server: how it comes about, and what is said of it."""

    code: str
    prepare: Callable[[RecordingServer, KnownHosts], None] = lambda server, hosts: None
    credentials: Credentials = _PASSWORD


def _pin_another(server: RecordingServer, hosts: KnownHosts) -> None:
    with RecordingServer() as other:
        hosts.remember(lookup_name("127.0.0.1", server.port), other.host_key)


def _revoke(server: RecordingServer, hosts: KnownHosts) -> None:
    hosts.remember(lookup_name("127.0.0.1", server.port), server.host_key)
    hosts.own_file.write_text(f"@revoked {hosts.own_file.read_text()}")


_TRUSTING = replace(_PASSWORD, accept_new_host_key=True)
_REASONS = [
    Distrust("host-key-unknown"),
    Distrust("host-key-changed", _pin_another, _TRUSTING),
    Distrust("host-key-revoked", _revoke, _TRUSTING),
    Distrust("host-key-mismatch", credentials=replace(_TRUSTING, host_key=_ANOTHER_KEY)),
]


@pytest.mark.parametrize("reason", _REASONS, ids=lambda reason: reason.code)
def test_a_host_that_is_not_trusted_is_told_nothing(
    server: RecordingServer, hosts: KnownHosts, reason: Distrust
) -> None:
    reason.prepare(server, hosts)
    person = Person("right", accepts=False, codes=[["right"]])
    with pytest.raises((HostKeyUnknown, HostKeyChanged)) as caught:
        connect(server.destination, reason.credentials, person, hosts)
    assert caught.value.code == reason.code
    assert server.connections == 1
    assert server.attempts == []
    assert all(isinstance(question, HostKeyQuestion) for question in person.asked)


def test_the_server_does_see_what_a_trusted_host_is_told(hosts: KnownHosts) -> None:
    with RecordingServer() as server:
        connect(server.destination, _TRUSTING, Person(), hosts).close()
        assert server.attempts == [("none", ""), ("password", "right")]


def test_a_jump_host_that_is_declined_is_told_nothing(
    server: RecordingServer, hosts: KnownHosts, sshd: Sshd
) -> None:
    jump = replace(server.destination, password="right")
    where = replace(sshd.destination, via=jump)
    with pytest.raises(HostKeyUnknown):
        connect(where, _PASSWORD, Person("right", accepts=False), hosts)
    assert server.connections == 1
    assert server.attempts == []


def test_a_host_behind_a_jump_host_is_told_nothing_when_it_is_declined(
    server: RecordingServer, hosts: KnownHosts, sshd: Sshd
) -> None:
    hosts.remember(lookup_name("127.0.0.1", sshd.port), sshd.host_key)
    jump = replace(sshd.destination, identity_files=(sshd.identity,))
    with pytest.raises(HostKeyUnknown):
        connect(
            replace(server.destination, via=jump), _PASSWORD, Person("right", accepts=False), hosts
        )
    assert server.connections == 1
    assert server.attempts == []


def test_a_host_that_changed_its_key_while_away_is_not_told_the_remembered_password(
    hosts: KnownHosts,
) -> None:
    with RecordingServer() as server:
        person = Person("right")
        dial = dialler(Wishes(server.destination), person, hosts)
        dial().close()
        told, asked = list(server.attempts), list(person.asked)
        server.change_host_key()
        with pytest.raises(HostKeyChanged):
            dial()
        assert (server.attempts, person.asked) == (told, asked)
        assert server.connections == 2


def test_a_session_that_reconnects_tells_nothing_to_another_host_in_its_place(
    box: Box, tmp_path: Path
) -> None:
    where = replace(box.sshd.destination, password="right", identity_files=(box.sshd.identity,))
    wishes = Wishes(
        where,
        model=box.model,
        hub=box.hub.url,
        data_dir=str(box.data),
        engine_env=str(box.engine),
        accept_new_host_key=True,
    )
    failures: list[AppError] = []
    phases: list[Phase] = []

    def note(event: object) -> None:
        if isinstance(event, PhaseChanged):
            phases.append(event.phase)
            if event.phase is Phase.FAILED and event.error is not None:
                failures.append(event.error)

    person = Person("right")
    session = Session(wishes, note, dialler(wishes, person, KnownHosts(tmp_path / "hosts", ())))
    try:
        session.start()
        until(lambda: session.phase is Phase.READY, 120)
        box.sshd.stop()
        with RecordingServer(port=box.sshd.port) as server:
            until(lambda: bool(failures), 60)
            assert Phase.RECONNECTING in phases
            assert failures[0].code == "host-key-changed"
            assert server.connections >= 1
            assert server.attempts == []
            assert person.asked == []
    finally:
        session.close()
        box.sshd.start()  # who takes the box down needs it
