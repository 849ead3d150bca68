"""What a person looks for in the transcript: the places, which of them is the current one."""

from __future__ import annotations

from collections.abc import Sequence

from desktop.ui.transcript import find
from desktop.ui.transcript.block import Span, Tint
from desktop.ui.transcript.flow import Seen
from desktop.ui.transcript.section import Section


class Finding:
    """One search, none while its text is empty."""

    def __init__(self) -> None:
        self._text = ""
        self._found: list[find.Match] = []
        self._here = -1

    def seek(self, sections: Sequence[Section], text: str) -> int:
        """Look for a text; returns how many places there are, `find.MOST` at most."""
        self._text, self._here = text, -1
        self._found = find.matches(sections, text)
        return len(self._found)

    def clear(self) -> None:
        """Look for nothing any more."""
        self._text, self._found, self._here = "", [], -1

    @property
    def number(self) -> int:
        """The current place, counted from 1; 0 where there is none."""
        return self._here + 1

    @property
    def current(self) -> find.Match | None:
        """The current place."""
        return self._found[self._here] if 0 <= self._here < len(self._found) else None

    def go_near(self, seen: Seen, sections: Sequence[Section]) -> find.Match | None:
        """Make the first place at or after a block the current one, and return it."""
        hidden = len(sections[seen.section].folded) if seen.index else 0
        if self._found:
            self._here = find.nearest(self._found, seen.section, seen.index + hidden)
        return self.current

    def step(self, by: int) -> find.Match | None:
        """Go to another place, around the end, and return it."""
        if self._found:
            self._here = (self._here + by) % len(self._found)
        return self.current

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
