"""A session driven from a command: events come to the command's own thread, in order.

Ctrl-C leaves the host working; the next `up` joins it.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from desktop.cli.options import Invocation
from desktop.cli.output import Output
from desktop.cli.prompts import TerminalPrompts
from desktop.core.errors import AppError, Cancelled
from desktop.core.events import Endpoint, Event, PhaseChanged, Ready
from desktop.core.phases import Phase
from desktop.core.session.dial import Dial, dialler
from desktop.core.session.session import Session
from desktop.core.session.wishes import Wishes
from desktop.core.ssh.connection import Connection
from desktop.core.ssh.known_hosts import KnownHosts

# A wait without a limit cannot be interrupted by Ctrl-C on Windows.
_WAIT_S = 0.5


class EventQueue:
    """Where the core's threads put events and the command's thread takes them."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Event] = queue.SimpleQueue()

    def put(self, event: Event) -> None:
        """Add an event, from any thread."""
        self._queue.put(event)

    def __iter__(self) -> Iterator[Event]:
        """Yield events for ever; Ctrl-C gets through."""
        while True:
            try:
                yield self._queue.get(timeout=_WAIT_S)
            except queue.Empty:
                continue


@contextmanager
def opened_session(
    call: Invocation, wished: Wishes, events: EventQueue, *, join_only: bool = False
) -> Iterator[Session]:
    """Give a session that is closed at the end; the host works on."""
    dial = _dialler(call, wished)
    session = Session(wished, events.put, dial, join_only=join_only)
    try:
        yield session
    finally:
        session.close()


@contextmanager
def opened_connection(call: Invocation, wished: Wishes) -> Iterator[Connection]:
    """Give a connection for a command that only asks the agent something."""
    connection = _dialler(call, wished)()
    try:
        yield connection
    finally:
        connection.close()


def _dialler(call: Invocation, wished: Wishes) -> Dial:
    known_hosts = KnownHosts(call.paths.known_hosts)
    return dialler(wished, TerminalPrompts(call.language), known_hosts, call.password)


def until_ready(session: Session, events: EventQueue, output: Output) -> Endpoint:
    """Start the session and return the endpoint once the model answers.

    Raises:
        AppError: what the session failed with.
        Cancelled: the run was stopped from elsewhere.
    """
    session.start()
    for event in events:
        output.event(event)
        match event:
            case Ready(endpoint=endpoint):
                return endpoint
            case PhaseChanged(phase=Phase.FAILED, error=error):
                raise error or AppError("unexpected", detail="")
            case PhaseChanged(phase=Phase.OFF):
                raise Cancelled
    raise AssertionError("the events never end")


def until(events: EventQueue, output: Output, over: Callable[[Event], bool]) -> Event:
    """Show events up to the first one that is `over`, and return that one."""
    for event in events:
        output.event(event)
        if over(event):
            return event
    raise AssertionError("the events never end")
