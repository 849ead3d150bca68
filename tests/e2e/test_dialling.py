"""A try to connect over real sockets: given up wherever it hangs, patient, quiet when told so."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

import pytest

from desktop.core.agent.client import Agent
from desktop.core.errors import Cancelled, PythonMissing
from desktop.core.events import Event, PhaseChanged, Retrying
from desktop.core.phases import Phase
from desktop.core.session.dial import dialler
from desktop.core.session.session import Session
from desktop.core.session.wishes import Wishes
from desktop.core.ssh.attempt import Abandon, Attempt, PersonNeeded
from desktop.core.ssh.connection import Connection, connect
from desktop.core.ssh.credentials import Credentials
from desktop.core.ssh.destination import Destination
from desktop.core.ssh.liveness import Silence
from desktop.core.ssh.prompts import HostKeyQuestion
from tests.helpers.person import Person
from tests.helpers.sshd import Sshd

pytestmark = pytest.mark.usefixtures("no_keys_of_this_machine")

AT_ONCE = 1.0  # seconds; the steps that are given up here would take 10 to 60


class SilentPort:
    """A port that takes a connection, says one thing at most, and then nothing."""

    def __init__(self, says: bytes = b"") -> None:
        self._says = says
        self.reached = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> SilentPort:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        with suppress(OSError):
            sock, _ = self._listener.accept()
            with sock:
                sock.sendall(self._says)
                self.reached.set()
                while sock.recv(4096):
                    pass


def is_given_up_at_once(
    where: Destination, sshd: Sshd, reached: threading.Event, person: Person | None = None
) -> bool:
    """Connect, give it up once it has come to where it hangs, and tell whether it ended at once."""
    abandon, caught = Abandon(), list[BaseException]()

    def dial() -> None:
        try:
            connect(
                where, sshd.credentials, person or Person(), sshd.known_hosts(), abandon=abandon
            ).close()
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            caught.append(error)

    dialling = threading.Thread(target=dial)
    dialling.start()
    assert reached.wait(10)
    began = time.monotonic()
    abandon.fire()
    dialling.join(10)
    assert [type(error) for error in caught] == [Cancelled]
    return time.monotonic() - began < AT_ONCE


@pytest.mark.parametrize("says", [b"", b"SSH-2.0-OpenSSH_9.2\r\n"], ids=["greeting", "keys"])
def test_it_is_given_up_while_a_port_is_silent(sshd: Sshd, says: bytes) -> None:
    with SilentPort(says) as silent:
        where = replace(sshd.destination, port=silent.port)
        assert is_given_up_at_once(where, sshd, silent.reached)


def test_it_is_given_up_while_a_proxy_is_silent(sshd: Sshd) -> None:
    with SilentPort() as silent:
        where = replace(sshd.destination, proxy=f"socks5://127.0.0.1:{silent.port}")
        assert is_given_up_at_once(where, sshd, silent.reached)


def test_it_is_given_up_behind_a_jump_host(sshd: Sshd) -> None:
    with SilentPort() as silent:
        hop = replace(sshd.destination, identity_files=(sshd.identity,))
        where = replace(sshd.destination, port=silent.port, via=hop)
        assert is_given_up_at_once(where, sshd, silent.reached)


def test_it_is_given_up_while_nobody_answers_tcp(sshd: Sshd) -> None:
    with full_port() as port:
        begun = threading.Event()
        threading.Timer(0.2, begun.set).start()
        assert is_given_up_at_once(replace(sshd.destination, port=port), sshd, begun)


@contextmanager
def full_port() -> Iterator[int]:
    """Yield a port whose queue is full: Linux drops what comes then, as a dead route does."""
    with socket.socket() as server, socket.socket() as one, socket.socket() as two:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for sock in (one, two):
            sock.setblocking(False)
            sock.connect_ex(server.getsockname())
        yield server.getsockname()[1]


def test_it_is_given_up_while_the_host_hangs_in_the_middle_of_the_login(sshd: Sshd) -> None:
    frozen = threading.Event()

    class Freezing(Person):
        def accept_host_key(self, question: HostKeyQuestion) -> bool:
            sshd.freeze()
            frozen.set()
            return super().accept_host_key(question)

    asking = replace(sshd.destination, identity_files=(sshd.identity,))
    server = _Asking(sshd)
    try:
        assert is_given_up_at_once(asking, server, frozen, Freezing())  # type: ignore[arg-type]
    finally:
        sshd.thaw()


class _Asking:
    """The same server, for somebody who asks about its key."""

    def __init__(self, sshd: Sshd) -> None:
        self.credentials = Credentials(identity=sshd.identity)
        self.known_hosts = sshd.known_hosts


def test_a_dead_host_is_noticed_sooner_while_a_tunnel_is_open(
    sshd: Sshd, connection: Connection
) -> None:
    connection._liveness._silence = Silence(interval=600, count=1, busy_interval=0.2)
    with socket.create_server(("127.0.0.1", 0)) as service:
        channel = connection.open_tunnel("127.0.0.1", service.getsockname()[1])
        sshd.freeze()
        try:
            assert connection.wait_closed(8)
        finally:
            sshd.thaw()
        channel.close()


def test_a_tunnel_that_is_closed_is_nobody_who_waits(connection: Connection) -> None:
    with socket.create_server(("127.0.0.1", 0)) as service:
        channel = connection.open_tunnel("127.0.0.1", service.getsockname()[1])
        assert connection._has_tunnels()
        channel.close()
        assert not connection._has_tunnels()


@pytest.fixture
def person() -> Person:
    return Person()


def test_a_quiet_try_asks_nobody_and_sends_no_secret(sshd: Sshd, person: Person) -> None:
    wishes = Wishes(sshd.destination, identity=sshd.identity)
    dial = dialler(wishes, person, sshd.known_hosts())
    with pytest.raises(PersonNeeded) as caught:
        dial(Attempt(quiet=True))
    assert caught.value.code == "host-key-unknown"
    assert person.asked == []
    assert not any("Accepted" in line or "Failed" in line for line in sshd.log)
    dial().close()
    dial(Attempt(quiet=True)).close()  # nothing is left to be asked


def test_a_host_that_was_just_powered_on_is_waited_for_and_said_so(
    sshd: Sshd, person: Person
) -> None:
    sshd.stop()
    told: list[Retrying] = []
    over = threading.Event()
    start: Callable[[], None] = sshd.start
    starting = threading.Thread(target=start)

    def emit(event: Event) -> None:
        if isinstance(event, Retrying):
            told.append(event)
            if len(told) == 2:
                starting.start()
        if isinstance(event, PhaseChanged) and event.phase is Phase.FAILED:
            over.set()

    def deploy(_connection: Connection) -> Agent:
        raise PythonMissing("python-missing")  # as far as this test goes

    wishes = Wishes(sshd.destination, identity=sshd.identity, accept_new_host_key=True)
    dial = dialler(wishes, person, sshd.known_hosts())
    session = Session(wishes, emit, dial, deploy, patience_s=60.0)
    session.start()
    try:
        assert over.wait(20)
    finally:
        session.close()
        starting.join()
    codes = [event.error.code for event in told if event.error is not None]
    assert codes[:2] == ["host-refused"] * 2
    assert all(event.left_s is not None and event.left_s > 30 for event in told)
