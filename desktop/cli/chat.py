"""`chat`: one streamed reply, or a conversation in the terminal."""

from __future__ import annotations

import sys
from contextlib import closing

import click

from desktop.cli.options import Invocation, wishes
from desktop.cli.output import Output
from desktop.cli.session import EventQueue, opened_session, until, until_ready
from desktop.core.chat.message import Message
from desktop.core.chat.replies import Replies
from desktop.core.events import Delta, Endpoint, Event, PhaseChanged, ReplyBroken, ReplyDone
from desktop.core.phases import Phase

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
            if prompt is not None:
                ask(replies, endpoint, [Message("user", prompt)], events, output)
                return 0
            return converse(replies, endpoint, events, output)


def ask(
    replies: Replies,
    endpoint: Endpoint,
    messages: list[Message],
    events: EventQueue,
    output: Output,
) -> str:
    """Stream one reply to the output and return its text.

    Raises:
        AppError: the reply broke, or the session under it failed.
        KeyboardInterrupt: Ctrl-C; the reply is stopped on the host too.
    """
    parts: list[str] = []

    def over(event: Event) -> bool:
        if isinstance(event, Delta):
            parts.append(event.text)
        return isinstance(event, ReplyDone | ReplyBroken) or _failed(event)

    number = replies.send(endpoint, messages)
    try:
        last = until(events, output, over)
    except KeyboardInterrupt:
        replies.cancel(number)
        raise
    if isinstance(last, ReplyBroken | PhaseChanged) and last.error is not None:
        raise last.error
    return "".join(parts)


def _failed(event: Event) -> bool:
    return isinstance(event, PhaseChanged) and event.phase is Phase.FAILED


def converse(replies: Replies, endpoint: Endpoint, events: EventQueue, output: Output) -> int:
    """Ask and answer until end of input; Ctrl-C stops a reply, and at the prompt the chat."""
    messages: list[Message] = []
    while True:
        try:
            line = click.prompt("›", prompt_suffix=" ", err=True)
        except (click.Abort, EOFError):
            return 0
        messages.append(Message("user", line))
        try:
            messages.append(Message("assistant", ask(replies, endpoint, messages, events, output)))
        except KeyboardInterrupt:
            messages.pop()
