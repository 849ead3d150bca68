"""Cuts streaming Markdown into segments that never change again once they are closed.

This is what makes a long reply cheap: only the open segment is parsed and laid out again, and an
open segment stays small (a list item, eight rows of a table, a piece of code that is only appended
to). The cuts depend on whole lines, never on how the text was chunked.
"""

from __future__ import annotations

import re

from desktop.ui.transcript import lines as ln
from desktop.ui.transcript.machine import LONGEST_TEXT, Machine, Segment

# A row may be longer: cut in the middle it would not be one.
_LONGEST_ROW = 10 * LONGEST_TEXT

_SENTENCE_END = re.compile(r".*(?:[。！？；]|[.!?;]\s)", re.DOTALL)


class Splitter:
    """Takes a reply's text in any chunks and keeps its segments."""

    def __init__(self) -> None:
        self._machine = Machine()
        self._partial = ""
        self._preview: list[Segment] = []

    @property
    def segments(self) -> list[Segment]:
        """All segments: closed ones first, then what is still open."""
        return [*self._machine.closed, *self._preview]

    @property
    def count(self) -> int:
        """How many segments there are."""
        return len(self._machine.closed) + len(self._preview)

    def at(self, index: int) -> Segment:
        """Return one segment."""
        closed = self._machine.closed
        return closed[index] if index < len(closed) else self._preview[index - len(closed)]

    def since(self, index: int) -> list[Segment]:
        """Return the segments from this one on."""
        return [*self._machine.closed[index:], *self._preview]

    def feed(self, text: str) -> int:
        """Add text; returns the index of the first segment that is new or has changed."""
        unchanged = len(self._machine.closed)
        *lines, self._partial = (self._partial + _clean(text)).split("\n")
        for line in lines:
            self._machine.take(self._cut(line))
        self._partial = self._cut(self._partial)
        self._look_ahead()
        return unchanged

    def finish(self) -> int:
        """Close everything; returns the index of the first segment that has changed."""
        unchanged = len(self._machine.closed)
        if self._partial:
            self._machine.take(self._partial)
        self._machine.close()
        self._partial, self._preview = "", []
        return unchanged

    def _cut(self, line: str) -> str:
        """Return what is left of an endless line after its full sentences became segments."""
        machine = self._machine
        longest = _LONGEST_ROW if line.startswith("|") else LONGEST_TEXT
        while len(line) > longest and not (
            machine.open is not None and machine.open.kind in ("code", "maths", "table")
        ):
            end = _SENTENCE_END.match(line[:longest])
            cut = end.end() if end else longest
            machine.take(line[:cut])
            line = machine.cut() + line[cut:]
        return line

    def _look_ahead(self) -> None:
        """Show the unfinished line where it will probably stand."""
        ahead = self._machine.fork()
        if self._partial and not ln.ONLY_MARKUP.match(self._partial):
            ahead.take(self._partial)
        self._preview = ahead.closed
        if ahead.open is not None and not ahead.open.empty:
            self._preview = [*ahead.closed, ahead.open.segment(closed=False)]


def split(text: str) -> list[Segment]:
    """Return the segments of a whole text."""
    splitter = Splitter()
    splitter.feed(text)
    splitter.finish()
    return splitter.segments


def _clean(text: str) -> str:
    """Return the text without what is no text: carriage returns and NUL."""
    return text.replace("\r", "").replace("\0", "\ufffd")


def balanced(source: str) -> str:
    """Return open Markdown with its last `**` or backtick closed, so that no marker flickers."""
    last = source.rpartition("\n")[2]
    if last.count("`") % 2:
        return source + "`"
    plain = re.sub(r"`[^`]*`", "", last).lstrip(" *-+") if "`" in last else last
    if plain.count("**") % 2:
        return source[:-2] if source.endswith("**") else source.rstrip() + "**"
    return source
