"""What a person looks for in the transcript: the places, which of them is the current one.

A long conversation is searched in slices, from what is read on and around the end, so that the
nearest place is known at once and no frame is missed.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence

from desktop.ui.transcript import find
from desktop.ui.transcript.block import Span, Tint
from desktop.ui.transcript.flow import Seen
from desktop.ui.transcript.section import Section


class Finding:
    """One search, none while its text is empty."""

    def __init__(self) -> None:
        self._text = ""
        self._found: list[find.Match] = []
        self._current: find.Match | None = None
        self._from = (0, 0, 0)
        self._again = False  # what is read has changed meanwhile
        self._unseen = False  # the current place is another one, and nobody went there
        self._steps: Iterator[list[find.Match]] | None = None

    def seek(self, sections: Sequence[Section], text: str, seen: Seen | None) -> None:
        """Begin to look for a text, from what is seen on."""
        self.clear()
        self._text = text
        if seen is not None:
            hidden = len(sections[seen.section].folded) if seen.index else 0
            self._from = (seen.section, seen.index + hidden, 0)
        self._steps = find.matches(sections, text, self._from[0])

    def seek_again(self, before: Sequence[Section], after: Sequence[Section]) -> None:
        """Look for the same text in other messages, from the current place on.

        Nothing is gone to: where the current place is another one then, `step` goes there first.
        """
        gone_to = self._current if not self._unseen else None
        place = self._from if gone_to is None else _order(gone_to)
        held = before[place[0]] if place[0] < len(before) else None
        text, again = self._text, self._again or self._current is not None or not self.searching
        self.clear()
        self._text, self._again = text, again
        known = after.index(held) if held in after else min(place[0], len(after))
        self._from = (known, *place[1:]) if held in after else (known, 0, 0)
        self._unseen = again and (gone_to is None or held not in after)
        self._steps = find.matches(after, text, known)

    def advance(self, until: float) -> None:
        """Look on until a time of the performance counter."""
        while self._steps is not None:
            found = next(self._steps, None)
            if found is None or len(self._found) >= find.MOST:
                self._steps = None
            elif found:
                self._take(found)
            if time.perf_counter() > until:
                break

    def _take(self, found: list[find.Match]) -> None:
        """Put the matches of a block at their place."""
        at = bisect_left(self._found, _place(found[0]), key=_place)
        self._found[at:at] = found
        del self._found[find.MOST :]

    def clear(self) -> None:
        """Look for nothing any more."""
        self._text, self._found, self._current, self._steps = "", [], None, None
        self._from = (0, 0, 0)
        self._again = self._unseen = False

    @property
    def sought(self) -> bool:
        """Tell whether there is a text to look for."""
        return bool(self._text)

    @property
    def searching(self) -> bool:
        """Tell whether there may be more places."""
        return self._steps is not None

    @property
    def count(self) -> int:
        """How many places were found so far, `find.MOST` at most."""
        return len(self._found)

    @property
    def number(self) -> int:
        """The current place, counted from 1; 0 where there is none."""
        if self._current is None:
            return 0
        return bisect_left(self._found, _order(self._current), key=_order) + 1

    @property
    def current(self) -> find.Match | None:
        """The current place."""
        return self._current

    def go_near(self) -> find.Match | None:
        """Make the first place at or after where one began the current one, and return it.

        Returns:
            None while it is not known, where there is none, and where one did not ask to go.
        """
        at = bisect_left(self._found, self._from, key=_order)
        if at < len(self._found):
            self._current = self._found[at]
        elif self._found and not self.searching:
            self._current = self._found[0]
        if self._again and self._current is not None:
            self._unseen = self._unseen or _order(self._current) != self._from
            return None
        return self._current

    def step(self, by: int) -> find.Match | None:
        """Go to another place, around the end, and return it; 0 stays at the current one."""
        if not self._found or not by:
            return self._current
        stays = self._unseen and by > 0 and self._current is not None
        self._unseen = False
        if not stays:
            here = self.number - 1 if self._current is not None else -min(by, 1)
            self._current = self._found[(here + by) % len(self._found)]
        return self._current

    def span(self, match: find.Match) -> Span | None:
        """Return which characters of its block a place is; lays the block's text out."""
        spans = match.block.occurrences(self._text)
        return spans[min(match.nth, len(spans) - 1)] if spans else None

    def tints(self, seen: Seen) -> list[Tint]:
        """Return what is behind the text of a block that is laid out."""
        if not self._text or seen.block.document is None:
            return []
        tints: list[Tint] = [(span, "found") for span in seen.block.occurrences(self._text)]
        match = self.current
        if tints and match is not None and match.block is seen.block:
            tints.append((tints[min(match.nth, len(tints) - 1)][0], "found-here"))
        return tints


def _place(match: find.Match) -> tuple[int, int]:
    return match.section, match.place


def _order(match: find.Match) -> tuple[int, int, int]:
    return match.section, match.place, match.nth
