"""Replies asked for one after the other, by nobody's window: what came of each."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from desktop.core.chat.ask import Ask
from desktop.core.chat.replies import Replies
from desktop.core.events import (
    Counted,
    Delta,
    Endpoint,
    Event,
    Reasoning,
    ReplyBroken,
    ReplyDone,
    Trimmed,
    Usage,
)

_SECONDS = 120.0


@dataclass(frozen=True)
class Heard:
    """One reply that came to its end.

    Attributes:
        text: of the reply.
        reasoning: before it.
        left_out: turns that did not fit.
        finish: why it ended.
        usage: what the engine counted.
    """

    text: str
    reasoning: str
    left_out: int
    finish: str
    usage: Usage


class Listener:
    """Asks, and waits for the answer."""

    def __init__(self, replies: Replies, events: queue.Queue[Event]) -> None:
        self._replies, self._events = replies, events

    def reply(self, endpoint: Endpoint, ask: Ask) -> Heard:
        """Return the reply; raises what broke it."""
        number, seen = self._replies.send(endpoint, ask), list[Event]()
        while not isinstance(end := self._events.get(timeout=_SECONDS), ReplyDone):
            if isinstance(end, ReplyBroken):
                raise end.error
            seen.append(end)
        assert end.reply == number
        assert end.usage is not None
        return Heard(
            text="".join(each.text for each in seen if isinstance(each, Delta)),
            reasoning="".join(each.text for each in seen if isinstance(each, Reasoning)),
            left_out=sum(each.turns for each in seen if isinstance(each, Trimmed)),
            finish=end.finish_reason,
            usage=end.usage,
        )

    def tokens(self, endpoint: Endpoint, ask: Ask) -> int:
        """Return what `/tokenize` counts."""
        self._replies.count(endpoint, ask)
        counted = self._events.get(timeout=_SECONDS)
        assert isinstance(counted, Counted)
        return counted.tokens


@contextmanager
def listener() -> Iterator[Listener]:
    """Yield one with a loop of its own."""
    events: queue.Queue[Event] = queue.Queue()
    with closing(Replies(events.put)) as replies:
        yield Listener(replies, events)
