"""`chat`: one streamed reply, or a conversation in the terminal."""

from __future__ import annotations

import sys
from contextlib import closing

import click

from desktop.cli.events import EventQueue
from desktop.cli.invocation import Invocation
from desktop.cli.output import Output
from desktop.cli.session import opened_session, until_ready
from desktop.cli.wishes import wishes
from desktop.core.chat.ask import Ask
from desktop.core.chat.replies import Replies
from desktop.core.chat.turn import Turn
from desktop.core.errors import AppError, NothingRunning, ReplyFailed
from desktop.core.events import Delta, Endpoint, PhaseChanged, ReplyBroken, ReplyDone, ReplyEvent
from desktop.core.phases import Phase

_PROMPT = "› "
_MAX_PROMPT = 10_000_000  # characters; more than any context, and a bound all the same


def chat_on(call: Invocation, output: Output, prompt: str | None) -> int:
    """Join the run and talk to its model."""
    if prompt == "-":
        prompt = sys.stdin.read(_MAX_PROMPT)
    events = EventQueue()
    with closing(Replies(events.put)) as replies:
        replies.warm_up()  # half a second of imports, beside the connection
        with opened_session(call, wishes(call), events, join_only=True) as session:
            endpoint = until_ready(session, events, output)
            if prompt is None:
                return converse(replies, endpoint, events, output)
            ask(replies, endpoint, [Turn("user", prompt)], events, output)
            return 0


def ask(
    replies: Replies,
    endpoint: Endpoint,
    messages: list[Turn],
    events: EventQueue,
    output: Output,
) -> str:
    """Stream one reply to the output and return its text.

    Raises:
        ReplyFailed: the reply broke.
        AppError: the session under it failed, or its run was stopped.
        KeyboardInterrupt: Ctrl-C; the reply is stopped on the host too.
    """
    number = replies.send(endpoint, Ask(tuple(messages)))
    try:
        return _streamed(number, events, output)
    except KeyboardInterrupt:
        replies.cancel(number)
        _streamed(number, events, output)  # up to its end, so that the next line begins anew
        raise


def _streamed(number: int, events: EventQueue, output: Output) -> str:
    """Show a reply up to its end, and nothing of another one; return its text."""
    parts: list[str] = []
    for event in events.taken(output):
        if isinstance(event, ReplyEvent) and event.reply != number:
            continue  # of a reply that was cancelled
        output.event(event)
        match event:
            case Delta(text=text):
                parts.append(text)
            case ReplyDone():
                break
            case ReplyBroken(error=error):
                raise error
            case PhaseChanged(phase=Phase.FAILED, error=failure):
                raise failure or AppError("unexpected", detail="")
            case PhaseChanged(phase=Phase.OFF):
                raise NothingRunning("nothing-running")
    return "".join(parts)


def converse(replies: Replies, endpoint: Endpoint, events: EventQueue, output: Output) -> int:
    """Ask and answer until end of input; Ctrl-C stops a reply, and at the prompt the chat.

    A reply that breaks (a prompt that is too long) is shown and forgotten; the chat goes on.
    """
    messages: list[Turn] = []
    while (line := _next_line()) is not None:
        messages.append(Turn("user", line))
        try:
            text = ask(replies, endpoint, messages, events, output)
        except KeyboardInterrupt:
            messages.pop()
        except ReplyFailed as error:
            output.error(error)
            messages.pop()
        else:
            messages.append(Turn("assistant", text))
    return 0


def _next_line() -> str | None:
    """Return what is typed next, without empty lines; None at the end of input or at Ctrl-C."""
    while True:
        try:
            line = input(_prompt())
        except (KeyboardInterrupt, EOFError):
            return None
        if line.strip():
            return line


def _prompt() -> str:
    """Return the prompt for `input`, which shows it on stdout: only replies go into a pipe."""
    if not sys.stdin.isatty():
        return ""
    if sys.stdout.isatty():
        return _PROMPT
    click.echo(_PROMPT, nl=False, err=True)
    return ""
