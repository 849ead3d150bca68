"""A session on a laptop at the other end of a cable, and what a test wants to know of it.

What is counted as heard is what the host's `watch` gave the session: its lines by their `seq`.
"""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from desktop.core.agent.client import Agent
from desktop.core.agent.deploy import deploy
from desktop.core.errors import AppError
from desktop.core.events import (
    Endpoint,
    Event,
    PhaseChanged,
    Ready,
    Retrying,
)
from desktop.core.phases import Phase
from desktop.core.session.dial import Dial, dialler
from desktop.core.session.session import Session
from desktop.core.session.wishes import Wishes
from desktop.core.ssh.attempt import ORDINARY, Attempt
from desktop.core.ssh.connection import Connection
from desktop.core.ssh.forward import IDLE_WORKERS
from desktop.core.ssh.known_hosts import KnownHosts
from desktop.core.ssh.liveness import Silence
from tests.e2e.conftest import Box
from tests.helpers.cable import Cable
from tests.helpers.person import Person
from tests.helpers.streaming import Streaming
from tests.helpers.waiting import until

NAME = "rented.example"
STREAM_TOKENS = 1900
STREAMING = (f"--scripted-reply-tokens={STREAM_TOKENS}", "--scripted-tokens-per-s=25")  # 76 s
QUICK = (0.5, 2)  # our probes' interval and count, so that a dead peer is noticed within 1.5 s


@dataclass(frozen=True)
class Use:
    """Threads and descriptors of this process."""

    threads: int
    files: int

    def is_within(self, other: Use) -> bool:
        """Tell whether it is no more of either."""
        return self.threads <= other.threads and self.files <= other.files


@dataclass
class Traveller:
    """A session on the laptop at the other end of the cable.

    Attributes:
        heard: `seq` of each line of the journal that the session was given, in order.
        idle: what this process used before it started.
    """

    box: Box
    cable: Cable
    session: Session
    person: Person
    wishes: Wishes
    dial_to: Callable[[Wishes], Dial]
    events: list[Event]
    changed: threading.Condition
    heard: list[int]
    idle: Use = Use(0, 0)
    streams: list[Streaming] = field(default_factory=list)

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

    def until_ready(
        self, times: int = 1, seconds: float = 120.0, answer_seconds: float = 10.0
    ) -> Endpoint:
        """Wait for the so-manieth time that it is ready, with an engine that answers."""
        with self.changed:
            self.changed.wait_for(lambda: len(self.ready_events) >= times or self.is_over, seconds)
        assert len(self.ready_events) >= times, self.events[-10:]
        endpoint = self.ready_events[-1]
        assert self.ask(endpoint, answer_seconds) == http.client.OK
        return endpoint

    @property
    def is_over(self) -> bool:
        return self.session.phase in (Phase.FAILED, Phase.OFF) and len(self.phases) > 0

    def until_phase(self, phase: Phase, seconds: float = 30.0) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: self.session.phase is phase, seconds), self.phases

    def ask(self, endpoint: Endpoint, seconds: float = 10.0) -> int:
        return self.cable.laptop.run(_ask, endpoint, seconds)

    def move_to(self, port: int) -> None:
        """Do as a person does who pastes a line with another port."""
        there = replace(self.wishes.destination, port=port)
        self.wishes = replace(self.wishes, destination=there)
        self.session.move(self.wishes, self.dial_to(self.wishes))

    def begin_stream(self, tokens: int = STREAM_TOKENS) -> Streaming:
        """Have a reply stream, and return it once its first words are there."""
        stream = self.ask_beside(tokens)
        until(lambda: stream.size > 0)
        return stream

    def ask_beside(self, tokens: int) -> Streaming:
        """Ask for a reply on a thread of its own, and return at once."""
        stream = Streaming(self.ready_events[-1], tokens)
        self.streams.append(stream)
        self.cable.laptop.run(stream.start)
        return stream

    @property
    def retries(self) -> list[Retrying]:
        return [event for event in list(self.events) if isinstance(event, Retrying)]

    @property
    def written(self) -> list[object]:
        """`seq` of each line that is in the host's journal."""
        return [line["seq"] for line in self.box.journal]

    @property
    def has_heard_everything_once(self) -> bool:
        """Whether the session was given every line, in order, and none of them twice."""
        written = self.written
        return self.heard == written == list(range(1, len(written) + 1))

    def use(self) -> Use:
        """Return what this process uses; a forward may keep a few idle workers for the next."""
        names = [thread.name for thread in threading.enumerate()]
        threads = len(names) - min(names.count("forward-up"), IDLE_WORKERS)
        return Use(threads, len(list(Path("/proc/self/fd").iterdir())))

    def at_rest(self) -> Use:
        """Return the same once it has not changed for half a second."""
        seen: list[Use] = []

        def has_settled() -> bool:
            seen.append(self.use())
            return len(seen) > 25 and len(set(seen[-25:])) == 1

        until(has_settled)
        return seen[-1]

    def go_home(self) -> None:
        """Undo every fault, stop the run and end the session, wherever a test left them."""
        self.cable.mend()
        if self.box.sshd._process is None:
            self.box.sshd.start()  # who takes the box down needs it
        self.box.sshd.thaw()
        for stream in self.streams:
            stream.stop()
        try:
            if self.session.phase is Phase.READY:
                self.session.stop()
                self.until_phase(Phase.OFF)
        finally:
            self.session.close()
        until(lambda: self.use().is_within(self.idle))


class _HeardAgent(Agent):
    """An agent that notes what its watch gives."""

    def __init__(self, agent: Agent, connection: Connection, heard: list[int]) -> None:
        super().__init__(connection, agent._command, agent.hello)
        self._heard = heard

    def watch(self, run: str, after: int, *argv: Any, **kwargs: Any) -> Iterator[dict[str, Any]]:
        for message in super().watch(run, after, *argv, **kwargs):
            if "seq" in message:
                self._heard.append(message["seq"])
            yield message


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
    events: list[Event] = []
    changed = threading.Condition()

    def emit(event: Event) -> None:
        with changed:
            events.append(event)
            changed.notify_all()

    def dial_to(wishes: Wishes) -> Dial:
        return _hurrying(wishes, person, box.sshd.known_hosts(), quick=quick)

    heard: list[int] = []
    session = Session(
        wishes,
        emit,
        dial_to(wishes),
        lambda connection: _HeardAgent(deploy(connection), connection, heard),
    )
    return Traveller(box, cable, session, person, wishes, dial_to, events, changed, heard)


def _hurrying(wishes: Wishes, person: Person, known_hosts: KnownHosts, *, quick: bool) -> Dial:
    """Return the session's own way to dial; its connections probe quickly where wished."""
    dial = dialler(wishes, person, known_hosts, forwarding=True)

    def dial_and_hurry(attempt: Attempt = ORDINARY) -> Connection:
        connection = dial(attempt)
        if quick:
            connection._liveness._silence = Silence(*QUICK)
        return connection

    return dial_and_hurry
