"""The replies that stream just now: each grows its message until it ends.

A reply streams on whatever is read meanwhile; what has come of it is on disk within a second.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import replace
from typing import TYPE_CHECKING

from desktop.core.chat.ask import Ask
from desktop.core.chat.conversation import Message, Outcome
from desktop.core.chat.loaded import Loaded
from desktop.core.chat.under_way import UnderWay
from desktop.core.events import Delta, Endpoint, Reasoning, Trimmed

if TYPE_CHECKING:
    from desktop.core.chat.replies import Replies
    from desktop.core.chat.store.writer import Writer

# What so many seconds at an endpoint cost, where it is known.
Price = Callable[[Endpoint, float], tuple[float, str] | None]


class Streaming:
    """What streams, by the number of its reply."""

    def __init__(
        self, loaded: Loaded, writer: Writer, replies: Callable[[], Replies], price: Price
    ) -> None:
        self._loaded, self._writer, self._replies, self._price = loaded, writer, replies, price
        self._under_way: dict[int, UnderWay] = {}

    def __contains__(self, number: int) -> bool:
        """Tell whether this reply streams."""
        return number in self._under_way

    def __getitem__(self, number: int) -> UnderWay:
        """Return a reply that streams."""
        return self._under_way[number]

    def message_of(self, number: int) -> Message | None:
        """Return the message that a reply streams into, with all that has come."""
        under_way = self._under_way.get(number)
        return None if under_way is None else under_way.message

    def into(self, message: str) -> int | None:
        """Return the reply that streams into a message, or None."""
        found = (n for n, each in self._under_way.items() if each.message.id == message)
        return next(found, None)

    def numbers_in(self, conversation: str) -> list[int]:
        """Return the replies that stream into a conversation, each on a branch of its own."""
        return [
            number
            for number, under_way in self._under_way.items()
            if under_way.message.conversation == conversation
        ]

    def begin(
        self, reply: Message, endpoint: Endpoint, ask: Ask, before: Outcome | None = None
    ) -> int:
        """Ask for a reply that grows this message, and return its number.

        Args:
            reply: as far as it came.
            endpoint: where it comes from.
            ask: what is asked.
            before: how the part ended from which it goes on.
        """
        number = self._replies().send(endpoint, ask)
        self._under_way[number] = UnderWay(reply, endpoint, before)
        return number

    def hear(self, event: Delta | Reasoning | Trimmed) -> None:
        """Take what came of a reply that streams."""
        under_way = self._under_way[event.reply]
        match event:
            case Delta(text=text):
                self.keep(under_way.grow(content=text))
            case Reasoning(text=text):
                self.keep(under_way.grow(reasoning=text))
            case Trimmed(turns=turns):
                self.keep(under_way.leave_out(turns))

    def keep(self, message: Message) -> None:
        """Have this state of a message read from now on, and on disk soon."""
        self._loaded.put(message)
        self._writer.put(message)

    def end(self, number: int, outcome: Outcome, reasoning_s: float | None = None) -> Message:
        """Keep a reply as it is in the end, and return it; it streams no more."""
        under_way = self._under_way.pop(number)
        price = self._price(under_way.endpoint, under_way.seconds)
        if price is not None:
            outcome = replace(outcome, cost=price[0], currency=price[1])
        whole = under_way.ended(outcome, reasoning_s)
        self.keep(whole)
        self._writer.flush()  # a full disk is told by the writer, which tries again
        return whole

    def stop(self, conversation: str) -> None:
        """Stop what streams into a conversation."""
        for number in self.numbers_in(conversation):
            self._replies().cancel(number)

    def comes_from(self, endpoint: Endpoint) -> bool:
        """Tell whether anything streams from an endpoint."""
        return any(under_way.endpoint == endpoint for under_way in self._under_way.values())

    def stop_at(self, endpoint: Endpoint) -> None:
        """Stop what comes from an endpoint."""
        for number, under_way in self._under_way.items():
            if under_way.endpoint == endpoint:
                self._replies().cancel(number)

    def stop_at_once(self, messages: Container[str]) -> None:
        """End what streams into these messages; what still comes is passed over."""
        for number, under_way in list(self._under_way.items()):
            if under_way.message.id in messages:
                self._replies().cancel(number)
                self.end(number, Outcome("cancelled"))

    def close(self) -> None:
        """Keep what came of all of them, as cut: the app ends."""
        for number in list(self._under_way):
            self.end(number, Outcome("cut"))
