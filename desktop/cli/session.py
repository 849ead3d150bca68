"""A session driven from a command: events come to the command's own thread, in order.

Ctrl-C leaves the host working; the next `up` joins it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import click

from desktop.cli.events import EventQueue
from desktop.cli.invocation import Invocation
from desktop.cli.output import Output
from desktop.cli.plain import plain
from desktop.cli.prompts import RelayedPrompts, TerminalPrompts
from desktop.core.api_keys import ApiKeys
from desktop.core.errors import AppError, NothingRunning
from desktop.core.events import Endpoint, PhaseChanged, Ready
from desktop.core.local_ports import LocalPorts
from desktop.core.phases import Phase
from desktop.core.session.dial import Dial, dialler
from desktop.core.session.session import Session
from desktop.core.session.wishes import Wishes
from desktop.core.ssh.connection import Connection
from desktop.core.ssh.known_hosts import KnownHosts
from desktop.core.texts import Texts
from desktop.system.keyring import Keyring
from desktop.system.network import NetlinkWatcher
from desktop.system.wake import SleepWatcher, Watcher


@contextmanager
def opened_session(
    call: Invocation,
    wished: Wishes,
    events: EventQueue,
    *,
    join_only: bool = False,
    patience_s: float = 0.0,
) -> Iterator[Session]:
    """Give a session that is closed at the end; the host works on.

    While it is open the laptop's sleep and its network are watched, as the app does.

    Args:
        call: the command line.
        wished: which host, and what is to run there.
        events: gets what the session says.
        join_only: never start a run.
        patience_s: how long a host that may still be starting is tried for the first time.
    """
    dial = session_dialler(call, wished, events, forwarding=True)
    emit = LocalPorts(call.paths.local_ports, call.settings.local_port).keeping(
        "" if wished.local_port else wished.name, events.put
    )
    session = Session(
        wished,
        emit,
        dial,
        join_only=join_only,
        patience_s=patience_s,
        api_key=lambda: ApiKeys(Keyring()).of(wished.name),
    )
    with ExitStack() as stack:
        stack.callback(session.close)
        stack.callback(events.close)
        for watcher in _watchers(session.look_again):
            watcher.start()
            stack.callback(watcher.stop)
        yield session


def _watchers(look_again: Callable[[], None]) -> list[Watcher]:
    """Return those that need no Qt; where it takes Qt, the probes of the connection have to do."""
    watchers: list[Watcher] = [SleepWatcher(look_again)]
    if sys.platform == "linux":
        watchers.append(NetlinkWatcher(look_again))
    return watchers


def session_dialler(
    call: Invocation, wished: Wishes, events: EventQueue, *, forwarding: bool = False
) -> Dial:
    """Return how another thread connects; the person is asked by the command's own."""
    _note_unsupported(call, wished)
    prompts = RelayedPrompts(TerminalPrompts(call.language), events)
    known_hosts = KnownHosts(call.paths.known_hosts)
    return dialler(wished, prompts, known_hosts, call.password, forwarding=forwarding)


@contextmanager
def opened_connection(call: Invocation, wished: Wishes) -> Iterator[Connection]:
    """Give a connection for a command that only asks the agent something."""
    _note_unsupported(call, wished)
    prompts = TerminalPrompts(call.language)
    connection = dialler(wished, prompts, KnownHosts(call.paths.known_hosts), call.password)()
    try:
        yield connection
    finally:
        connection.close()


def _note_unsupported(call: Invocation, wished: Wishes) -> None:
    """Name what the SSH config wishes for this host and does not get, once, on stderr."""
    if settings := wished.destination.unsupported:
        said = plain("; ".join(settings))
        click.echo(Texts(call.language)("cli.ssh-config-note", settings=said), err=True)


def until_ready(session: Session, events: EventQueue, output: Output) -> Endpoint:
    """Start the session and return the endpoint once the model answers.

    Raises:
        AppError: what the session failed with.
        NothingRunning: the run was stopped from elsewhere.
    """
    session.start()
    for event in events.taken(output):
        output.event(event)
        match event:
            case Ready(endpoint=endpoint):
                return endpoint
            case PhaseChanged(phase=Phase.FAILED, error=error):
                raise error or AppError("unexpected", detail="")
            case PhaseChanged(phase=Phase.OFF):
                raise NothingRunning("nothing-running")
    raise AssertionError("the events never end")


def until_over(events: EventQueue, output: Output) -> None:
    """Show events until the session is OFF; raises AppError with what it failed with instead."""
    for event in events.taken(output):
        output.event(event)
        match event:
            case PhaseChanged(phase=Phase.FAILED, error=error):
                raise error or AppError("unexpected", detail="")
            case PhaseChanged(phase=Phase.OFF):
                return
    raise AssertionError("the events never end")
