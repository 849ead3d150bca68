"""A reply that is under way: what has come of it, and what it comes to in the end."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

from desktop.core.chat.conversation import Message, Outcome
from desktop.core.events import Endpoint, ReplyDone, Usage


@dataclass(slots=True)
class UnderWay:
    """One reply, from the request to its end.

    Attributes:
        message: with all that has come.
        endpoint: where it comes from.
        before: how the part ended from which it goes on; None for a reply that is asked for anew.
        began: when it was asked for, by `time.monotonic`.
    """

    message: Message
    endpoint: Endpoint
    before: Outcome | None = None
    began: float = field(default_factory=time.monotonic)
    _thinking: tuple[float, float] | None = None

    def grow(self, content: str = "", reasoning: str = "") -> Message:
        """Take what came, and return the message as it is now."""
        if reasoning:
            now = time.monotonic()
            self._thinking = (now if self._thinking is None else self._thinking[0], now)
        was = self.message
        thought = was.reasoning_s
        if content and not was.content and thought is None:  # what it thought is whole now
            thought = self._thought_s
        self.message = replace(
            was,
            content=was.content + content,
            reasoning=was.reasoning + reasoning,
            reasoning_s=thought,
        )
        return self.message

    def leave_out(self, turns: int) -> Message:
        """Note that the model did not read so many turns; return the message as it is now."""
        self.message = replace(self.message, left_out=turns)
        return self.message

    @property
    def _thought_s(self) -> float | None:
        """How long it thought in this part; None where it did not."""
        return None if self._thinking is None else self._thinking[1] - self._thinking[0]

    @property
    def seconds(self) -> float:
        """How long it has taken up to now."""
        return time.monotonic() - self.began

    def ended(self, outcome: Outcome, reasoning_s: float | None = None) -> Message:
        """Return the message as it is kept, with how all of it ended."""
        thought = self.message.reasoning_s
        if self._thinking is not None or not thought:
            thought = self._thought_s if reasoning_s is None else reasoning_s
        whole = outcome if self.before is None else joined(self.before, outcome)
        return replace(self.message, outcome=whole, reasoning_s=thought)


def outcome_of(done: ReplyDone) -> Outcome:
    """Return what is kept of a reply's end."""
    return Outcome(
        done.finish_reason,
        usage=done.usage,
        ttft_s=done.ttft_s,
        tokens_per_s=done.tokens_per_s,
    )


def joined(before: Outcome, after: Outcome) -> Outcome:
    """Return the outcome of a reply that came in two parts.

    It ended as the second one did. Tokens are told where both parts were counted; nobody counts
    those of a part that the connection cut.
    """
    cost, currency = after.cost, after.currency
    if before.cost is not None and before.currency == (currency or before.currency):
        cost, currency = before.cost + (cost or 0.0), before.currency
    return replace(
        after,
        usage=_both(before.usage, after.usage),
        ttft_s=after.ttft_s if before.ttft_s is None else before.ttft_s,
        cost=cost,
        currency=currency,
    )


def _both(first: Usage | None, second: Usage | None) -> Usage | None:
    if first is None or second is None:
        return None
    return Usage(first.prompt_tokens, first.completion_tokens + second.completion_tokens)
