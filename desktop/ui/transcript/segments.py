"""Cuts streaming Markdown into segments that never change again once they are closed.

This is what makes a long reply cheap: only the open segment is parsed and laid out again, and an
open segment stays small (each top-level list item is its own, a code block is only appended to).
The cuts depend on whole lines, never on how the text was chunked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Literal

Kind = Literal["text", "item", "quote", "code"]

# A paragraph without a line break is closed at a sentence's end from here on: only degenerate
# output is that long, and laying it out again on every tick would miss the frame.
LONGEST_LINE = 2400

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})\s*([^`]*)$")
_MARKER = re.compile(r"( {0,3})([-*+]|\d{1,9}[.)])( {1,4}(?=\S)|\s*$| (?= {4}))")
_HEADING = re.compile(r" {0,3}#{1,6}(\s|$)")
_RULE = re.compile(r" {0,3}([-*_])\s*(\1\s*){2,}$")
_QUOTE = re.compile(r" {0,3}>")
_SENTENCE_END = re.compile(r".*(?:[。！？；]|[.!?;]\s)", re.DOTALL)
# A line that so far is only markup: showing it would make a heading of the line above ("-", "=").
_ONLY_MARKUP = re.compile(r"\s*(?:[-=*+_#>`~|]+|\d{1,9}[.)]?)\s*$")


@dataclass(frozen=True, slots=True)
class Segment:
    """One block of a reply.

    Attributes:
        kind: "code" is fenced code, its `source` without the fences; the others are Markdown.
        source: the text; of an open segment, the text so far.
        language: of fenced code, as written.
        closed: nothing will change any more.
    """

    kind: Kind
    source: str
    language: str = ""
    closed: bool = False


@dataclass(slots=True)
class _Open:
    """The segment that lines are still added to."""

    kind: Kind
    lines: list[str]
    language: str = ""
    fence: str = ""  # that opened the code, or a code block inside an item
    indent: int = 0  # of the content of an item
    blank: bool = False  # the last line was blank

    def segment(self, *, closed: bool) -> Segment:
        source = "\n".join(self.lines)
        if self.kind != "code":
            source = source.rstrip("\n")
        return Segment(self.kind, source, self.language, closed)


@dataclass(slots=True)
class _Machine:
    """Takes lines, gives closed segments."""

    closed: list[Segment] = field(default_factory=list)
    open: _Open | None = None

    def fork(self) -> _Machine:
        """Return a machine in the same state, to try a line on."""
        if self.open is None:
            return _Machine()
        return _Machine(open=replace(self.open, lines=[*self.open.lines]))

    def take(self, line: str) -> None:
        """Add one line, without its line break."""
        if self.open is None or not self._continues(self.open, line):
            self.close()
            self._begin(line)

    def close(self) -> None:
        """Close the open segment."""
        if self.open is not None:
            self.closed.append(self.open.segment(closed=True))
            self.open = None

    def _begin(self, line: str) -> None:
        if not line.strip():
            return
        if fence := _FENCE.match(line):
            words = fence[2].split()
            self.open = _Open("code", [], words[0][:40] if words else "", fence[1])
        elif _QUOTE.match(line):
            self.open = _Open("quote", [line])
        elif _HEADING.match(line) or _RULE.match(line):
            self.closed.append(Segment("text", line, closed=True))
        elif marker := _MARKER.match(line):
            self.open = _Open("item", [line], indent=_content_indent(marker))
        else:
            self.open = _Open("text", [line])

    def _continues(self, now: _Open, line: str) -> bool:
        """Add the line to the open segment, or tell that it belongs to another."""
        if now.kind == "code":
            if _closes(now.fence, line):
                self.close()
            else:
                now.lines.append(line)
            return True
        belongs = self._in_item(now, line) if now.kind == "item" else self._in_text(now, line)
        if belongs:
            now.lines.append(line)
            now.blank = not line.strip()
        return belongs

    def _in_item(self, now: _Open, line: str) -> bool:
        if not line.strip():
            return True
        if _indent(line) < now.indent:
            return not now.blank and not now.fence and not _starts_something(line)
        inner = line[now.indent :]
        if now.fence:
            now.fence = "" if _closes(now.fence, inner) else now.fence
        elif fence := _FENCE.match(inner):
            now.fence = fence[1]
        return True

    def _in_text(self, now: _Open, line: str) -> bool:
        if not line.strip():
            return False
        if now.kind == "quote" and _QUOTE.match(line):
            return True
        # "---" under text is a heading's underline; over a quote or alone it is a rule.
        if now.kind == "text" and set(line.strip()) == {"-"}:
            return True
        return not _starts_something(line, in_paragraph=True)


def _content_indent(marker: re.Match[str]) -> int:
    padding = len(marker[3]) if marker[3].strip("\n") else 1
    return len(marker[1]) + len(marker[2]) + max(padding, 1)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _closes(fence: str, line: str) -> bool:
    stripped = line.strip()
    return _indent(line) < 4 and len(stripped) >= len(fence) and not stripped.strip(fence[0])


def _starts_something(line: str, *, in_paragraph: bool = False) -> bool:
    if any(pattern.match(line) for pattern in (_FENCE, _HEADING, _RULE, _QUOTE)):
        return True
    marker = _MARKER.match(line)
    if marker is None:
        return False
    # CommonMark: a list interrupts a paragraph only with text, and with the number 1.
    begins_with_one = not marker[2][0].isdigit() or marker[2][:-1] == "1"
    return not in_paragraph or (begins_with_one and bool(line[marker.end() :].strip()))


class Splitter:
    """Takes a reply's text in any chunks and keeps its segments."""

    def __init__(self) -> None:
        self._machine = _Machine()
        self._partial = ""
        self._preview: list[Segment] = []

    @property
    def segments(self) -> list[Segment]:
        """All segments: closed ones first, then what is still open."""
        return [*self._machine.closed, *self._preview]

    def feed(self, text: str) -> int:
        """Add text; returns the index of the first segment that is new or has changed."""
        unchanged = len(self._machine.closed)
        *lines, self._partial = (self._partial + text.replace("\r", "")).split("\n")
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
        """Return what is left of an endless line after its full sentences became paragraphs."""
        now = self._machine.open
        if now is not None and now.kind != "text":
            return line
        while len(line) > LONGEST_LINE and not line.startswith(("|", " ", "-", "*", ">")):
            end = _SENTENCE_END.match(line[:LONGEST_LINE])
            cut = end.end() if end else LONGEST_LINE
            self._machine.take(line[:cut])
            self._machine.close()
            line = line[cut:]
        return line

    def _look_ahead(self) -> None:
        """Show the unfinished line where it will probably stand."""
        ahead = self._machine.fork()
        if self._partial and not _ONLY_MARKUP.match(self._partial):
            ahead.take(self._partial)
        self._preview = ahead.closed
        if ahead.open is not None:
            self._preview = [*ahead.closed, ahead.open.segment(closed=False)]


def balanced(source: str) -> str:
    """Return open Markdown with its last `**` or backtick closed, so that no marker flickers."""
    last = source.rpartition("\n")[2]
    if last.count("`") % 2:
        return source + "`"
    plain = re.sub(r"`[^`]*`", "", last).lstrip(" *-+") if "`" in last else last
    if plain.count("**") % 2:
        return source[:-2] if source.endswith("**") else source.rstrip() + "**"
    return source
