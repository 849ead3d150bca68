"""Neighbouring pieces of one reply become one: text is laid out once per batch."""

from __future__ import annotations

from collections.abc import Iterable

from desktop.core.events import Delta, Event, Reasoning


def merged(batch: Iterable[Event]) -> list[Event]:
    """Return the batch with neighbouring pieces of one reply joined."""
    found: list[Event] = []
    for event in batch:
        last = found[-1] if found else None
        if isinstance(event, Delta) and isinstance(last, Delta) and event.reply == last.reply:
            found[-1] = Delta(event.reply, last.text + event.text)
        elif (
            isinstance(event, Reasoning)
            and isinstance(last, Reasoning)
            and event.reply == last.reply
        ):
            found[-1] = Reasoning(event.reply, last.text + event.text)
        else:
            found.append(event)
    return found
