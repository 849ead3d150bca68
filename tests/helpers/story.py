"""Stand-ins for a session's connection, agent and engine; the real ones are in e2e."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any, cast

from desktop.core.agent.answers import Hello, HostEndpoint, RunStatus, Started, Stopped
from desktop.core.agent.client import Agent
from desktop.core.errors import ConnectionLost, HostUnreachable
from desktop.core.events import Event, PhaseChanged
from desktop.core.phases import Phase
from desktop.core.session.dial import Dial
from desktop.core.session.wishes import Wishes
from desktop.core.ssh.attempt import ORDINARY, Attempt
from desktop.core.ssh.connection import Connection
from desktop.core.ssh.destination import Destination

Journal = list[dict[str, Any]]

WORK: Journal = [
    {"kind": "task", "task": "preflight", "state": "running", "seq": 1},
    {"kind": "task", "task": "preflight", "state": "done", "seq": 2},
    {"kind": "task", "task": "model-files", "state": "running", "seq": 3},
    {"kind": "task", "task": "serve", "state": "running", "seq": 4},
]
READY = {"kind": "ready", "port": 8000, "model": "a/b", "seq": 5}
WISHES = Wishes(Destination(host="h", port=22, user="root"))
STOPPED = {"kind": "end", "reason": "stopped"}


class Heard:
    """What was emitted, and a way to wait for it."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._changed = threading.Condition()

    def __call__(self, event: Event) -> None:
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    def wait_for(self, wanted: Callable[[Event], bool]) -> Event:
        with self._changed:
            found = self._changed.wait_for(lambda: any(map(wanted, self.events)), 10)
            assert found, self.events
            return next(filter(wanted, self.events))

    def phase(self, phase: Phase) -> PhaseChanged:
        event = self.wait_for(
            lambda event: isinstance(event, PhaseChanged) and event.phase is phase
        )
        return cast("PhaseChanged", event)

    @property
    def phases(self) -> list[Phase]:
        return [event.phase for event in self.events if isinstance(event, PhaseChanged)]


class FakeConnection:
    """Open until it is closed."""

    def __init__(self) -> None:
        self.closed = threading.Event()
        self.poked = threading.Event()

    def when_stalled(self, action: Callable[[], None]) -> None:
        pass

    def poke(self) -> None:
        self.poked.set()

    @property
    def alive(self) -> bool:
        return not self.closed.is_set()

    def cut(self) -> None:
        self.closed.set()

    def close(self) -> None:
        self.closed.set()


class FakeHost:
    """One host: its journal, and what was asked of it.

    Each watch plays the next script: journal lines, or an exception to raise, or an event to wait
    for before going on.
    """

    def __init__(self, *scripts: list[Any], run: RunStatus | None = None) -> None:
        self.scripts = list(scripts)
        self.asked: list[str] = []
        self.cursors: list[int] = []
        self.limits: list[int] = []
        self.hello = Hello("1", "3.8", "", "/root", run)
        self.stop_asked = threading.Event()
        self.connection = FakeConnection()
        self.ports = iter([8000, 8001, 8001])

    def deploy(self, connection: Connection) -> Agent:
        self.connection = cast("FakeConnection", connection)
        return cast("Agent", self)

    def start(self, spec: dict[str, Any], *, join_only: bool = False) -> Started:
        assert spec["api_key"].startswith("pk-")
        self.asked.append("renew" if join_only else "start")
        self.limits.append(spec["limit_seconds"])
        return Started("r1", adopted=False)

    def watch(self, run: str, after: int) -> Iterator[dict[str, Any]]:
        assert run == "r1"
        self.cursors.append(after)
        for step in self.scripts.pop(0):
            if isinstance(step, Exception):
                raise step
            if step == "until stopped":
                assert self.stop_asked.wait(10)
            elif step == "until closed":
                assert self.connection.closed.wait(10)
                raise ConnectionLost("connection-lost")
            else:
                yield step

    def endpoint(self) -> HostEndpoint:
        self.asked.append("endpoint")
        return HostEndpoint("r1", next(self.ports), "pk-1", "a/b", 2048, "0.32.0")

    def stop(self, *, power_off: bool = False) -> Stopped:
        self.asked.append("power off" if power_off else "stop")
        self.stop_asked.set()
        return Stopped(was_running=True, power_off="begun" if power_off else "")


class FakeForward:
    """A forward that keeps its port."""

    port = 8123

    def __init__(self) -> None:
        self.calls: list[str] = []

    def attach(self, connection: Connection, port: int, _more: object = None) -> None:
        self.calls.append(f"attach {port}")

    def detach(self) -> None:
        self.calls.append("detach")

    def close(self) -> None:
        pass


def dialling(*dials: Exception | Callable[[], None] | None) -> Dial:
    """Return a dial that fails in these ways, one after the other, and then connects."""
    tries = list(dials)

    def dial(attempt: Attempt = ORDINARY) -> Connection:
        step = tries.pop(0) if tries else None
        if isinstance(step, Exception):
            raise step
        if step is not None:
            step()
        attempt.abandon.check()
        return cast("Connection", FakeConnection())

    return dial


class Hanging:
    """A try to connect that ends only when it is given up."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.given_up = threading.Event()

    def __call__(self, attempt: Attempt = ORDINARY) -> Connection:
        self.begun.set()
        with attempt.abandon.by(self.given_up.set):
            assert self.given_up.wait(10)
            raise HostUnreachable("host-silent")


def living(state: str = "ready") -> RunStatus:
    return RunStatus("r1", state, "a/b", 8000, "", 0, 5, {}, "", "")
