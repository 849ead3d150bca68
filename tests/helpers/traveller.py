"""A session on a laptop at the other end of a cable, and what a test wants to know of it."""

from __future__ import annotations

import http.client
import threading
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from desktop.core.errors import AppError
from desktop.core.events import (
    Endpoint,
    Event,
    Fact,
    PhaseChanged,
    Progress,
    Ready,
    SessionEvent,
    TaskChanged,
)
from desktop.core.phases import Phase
from desktop.core.session.dial import dialler
from desktop.core.session.reading import to_event
from desktop.core.session.session import Session
from desktop.core.session.wishes import Wishes
from desktop.core.ssh.connection import Connection
from desktop.core.ssh.forward import IDLE_WORKERS
from desktop.core.ssh.liveness import Silence
from tests.e2e.conftest import Box
from tests.helpers.cable import Cable
from tests.helpers.person import Person
from tests.helpers.waiting import until

NAME = "rented.example"
QUICK = (0.5, 2)  # our probes' interval and count, so that a dead peer is noticed within 1.5 s
_OURS = ("connect", "deploy")  # tasks of the laptop: no line of the journal tells of them


@dataclass
class Traveller:
    """A session on the laptop at the other end of the cable."""

    box: Box
    cable: Cable
    session: Session
    person: Person
    events: list[Event]
    changed: threading.Condition
    idle: tuple[int, int] = field(default=(0, 0))

    @property
    def ready_events(self) -> list[Endpoint]:
        return [event.endpoint for event in list(self.events) if isinstance(event, Ready)]

    @property
    def phases(self) -> list[Phase]:
        return [event.phase for event in list(self.events) if isinstance(event, PhaseChanged)]

    @property
    def failure(self) -> AppError | None:
        changes = [event for event in list(self.events) if isinstance(event, PhaseChanged)]
        return changes[-1].error

    def start(self) -> None:
        self.cable.laptop.run(self.session.start)

    def until_ready(self, times: int = 1, seconds: float = 120.0) -> Endpoint:
        """Wait for the so-manieth time that it is ready, with an engine that answers."""
        with self.changed:
            self.changed.wait_for(lambda: len(self.ready_events) >= times or self.is_over, seconds)
        assert len(self.ready_events) >= times, self.events[-10:]
        endpoint = self.ready_events[-1]
        assert self.ask(endpoint) == http.client.OK
        return endpoint

    @property
    def is_over(self) -> bool:
        return self.session.phase in (Phase.FAILED, Phase.OFF) and len(self.phases) > 0

    def until_phase(self, phase: Phase, seconds: float = 30.0) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: self.session.phase is phase, seconds), self.phases

    def ask(self, endpoint: Endpoint, seconds: float = 10.0) -> int:
        return self.cable.laptop.run(_ask, endpoint, seconds)

    def heard(self) -> list[Event]:
        return [event for event in list(self.events) if _is_of_the_journal(event)]

    def written(self) -> list[SessionEvent]:
        told = [to_event(line) for line in self.box.journal]
        return [event for event in told if event is not None and _is_of_the_journal(event)]

    def use(self) -> tuple[int, int]:
        """Return threads and descriptors; a forward may keep a few idle workers for the next."""
        names = [thread.name for thread in threading.enumerate()]
        threads = len(names) - min(names.count("forward-up"), IDLE_WORKERS)
        return threads, len(list(Path("/proc/self/fd").iterdir()))

    def at_rest(self) -> tuple[int, int]:
        """Return threads and descriptors once they have stayed the same for half a second."""
        seen: list[tuple[int, int]] = []

        def has_settled() -> bool:
            seen.append(self.use())
            return len(seen) > 25 and len(set(seen[-25:])) == 1

        until(has_settled)
        return seen[-1]


def _is_of_the_journal(event: Event) -> bool:
    if isinstance(event, TaskChanged | Progress):
        return event.task not in _OURS
    return isinstance(event, Fact)


def _ask(endpoint: Endpoint, seconds: float) -> int:
    url = urlsplit(endpoint.base_url)
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=seconds)
    try:
        headers = {"Authorization": f"Bearer {endpoint.api_key}"}
        connection.request("GET", f"{url.path}/models", headers=headers)
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()


def travel(box: Box, cable: Cable, person: Person, *, quick: bool, by_key: bool) -> Traveller:
    """Put a laptop with a session, not started yet, at the other end of this box's cable.

    Args:
        box: the host; its name leads to the cable's other end.
        cable: between them.
        person: asked by the session.
        quick: probe in short intervals (`QUICK`).
        by_key: log in with the key, else with a password.
    """
    where = replace(box.sshd.destination, host=NAME, identities_only=True)
    wishes = Wishes(
        destination=where,
        model=box.model,
        hub=box.hub.url,
        data_dir=str(box.data),
        engine_env=str(box.engine),
        identity=box.sshd.identity if by_key else None,
        accept_new_host_key=True,
    )
    dial = dialler(wishes, person, box.sshd.known_hosts(), forwarding=True)

    def dial_and_hurry() -> Connection:
        connection = dial()
        if quick:
            connection._liveness._silence = Silence(*QUICK)
        return connection

    events: list[Event] = []
    changed = threading.Condition()

    def emit(event: Event) -> None:
        with changed:
            events.append(event)
            changed.notify_all()

    session = Session(wishes, emit, dial_and_hurry)
    return Traveller(box, cable, session, person, events, changed)
