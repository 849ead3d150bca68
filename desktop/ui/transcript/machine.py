"""Which line belongs to which segment: a state machine that takes whole lines."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Literal

from desktop.ui.transcript import lines as ln

Kind = Literal["text", "item", "quote", "code", "table", "maths", "footnote"]

# What is longer than this is cut where a sentence, a paragraph or an inner item ends, and at twice
# that length wherever a line ends: only degenerate output is so long, and laying it out again on
# every tick would miss the frame.
LONGEST_TEXT = 2400
LONGEST_MATHS = 4000  # characters: what never closes by then is no formula
_A_LINE = 16  # characters: a line that is shorter takes as long to lay out as one of so many
TABLE_ROWS = 8  # of a segment: what can be laid out within a frame (facts: 8 rows 5 ms, 16 rows 14)
_TABLE_CELLS = 64  # of a segment: a table that is wide has fewer rows in each
CODE_LINES = 120  # of a segment: a document that a resize wraps within a frame


@dataclass(frozen=True, slots=True)
class Segment:
    """One block of a reply.

    Attributes:
        kind: what it is. "code" and "maths" are without their fences; the others are Markdown.
        source: the text; of an open segment, the text so far.
        language: of fenced code, as written; of a footnote, its label.
        closed: nothing will change any more.
        head: of a table, its header and delimiter rows; of a further part of a quote that was cut
            inside code, the fence to open again.
        part: which piece of one table, code, item or quote it is; 0 is the first.
        number: of an item of an ordered list, what it is counted as.
        indent: of what stands in an item under its first line, by how many columns it is indented.
    """

    kind: Kind
    source: str
    language: str = ""
    closed: bool = False
    head: str = ""
    part: int = 0
    number: int | None = None
    indent: int = 0

    def markdown(self) -> str:
        """Return what is to be parsed of it: without the marks that stand at its side."""
        if self.kind == "text":
            return self.source
        lines = self.source.split("\n")
        if self.kind == "quote":
            lines = [*self.head.splitlines(), *map(_in_bar, lines)]
        elif self.part:
            lines = [ln.dedented(line, self.indent) for line in lines]
        elif self.kind == "footnote":
            lines = f"[^{self.language}] {self.source.lstrip()}".split("\n")
        return "\n".join(ln.formulas_joined(lines, closed=self.closed))


@dataclass(slots=True)
class Open:
    """The segment that lines are still added to."""

    kind: Kind
    lines: list[str]
    language: str = ""
    fence: str = ""  # that opened the code, the maths, or code inside a quote
    indent: int = 0  # of the content of an item, or of code inside it
    inner: int = 0  # the same, of the item inside it that came last
    blank: bool = False  # the last line was blank
    last: str = ""  # the last line
    head: str = ""
    part: int = 0
    number: int | None = None
    size: int = 0  # characters of its lines, each counted as `_A_LINE` at least
    rows: int = TABLE_ROWS  # of a table's segment
    outer: Open | None = None  # the item or footnote that code stands in
    opening: str = ""  # of a quote, the line that opened the code inside it

    def add(self, line: str) -> None:
        """Take a line."""
        self.lines.append(line)
        self.size += max(len(line), _A_LINE)
        self.last, self.blank = line, not line.strip()

    @property
    def empty(self) -> bool:
        """Tell whether it is a further part to which nothing was added yet."""
        parts = self.kind in ("item", "quote", "footnote")
        return parts and self.part > 0 and not any(line.strip(" \t>") for line in self.lines)

    def segment(self, *, closed: bool) -> Segment:
        """Return it as it is now."""
        source = "\n".join(self.lines)
        if self.kind == "maths":
            source = source.strip().removeprefix(self.fence)
        elif self.kind != "code":
            source = source.strip("\n") if self.part else source.rstrip("\n")
        indent = self.indent if self.kind == "code" or self.part else 0
        return Segment(
            self.kind, source, self.language, closed, self.head, self.part, self.number, indent
        )

    def further(self) -> Open:
        """Return the next part of it, which has no lines yet."""
        head = self.opening if self.fence else ""
        return replace(self, lines=[], size=0, part=self.part + 1, head=head)


@dataclass(slots=True)
class Machine:
    """Takes lines, gives closed segments."""

    closed: list[Segment] = field(default_factory=list)
    open: Open | None = None
    counted: tuple[str, int] | None = None  # delimiter and number of the last item of a list
    plain: bool = False  # maths that never closed is read again as text

    def fork(self) -> Machine:
        """Return a machine in the same state, to try a line on."""
        return Machine(open=_copied(self.open), counted=self.counted, plain=self.plain)

    def take(self, line: str) -> None:
        """Add one line, without its line break."""
        now = self.open
        if now is not None and now.kind == "maths" and not line.strip():
            self._take_back(now)
            now = self.open
        if now is None or not self._continues(now, line):
            self.close()
            self._begin(line)

    def close(self) -> None:
        """Close the open segment."""
        now = self.open
        if now is not None and now.kind == "maths":
            self._take_back(now)
            now = self.open
        if now is not None:
            self._emit(now)
        self.open = None

    def cut(self) -> str:
        """Close the open text in the middle of a line; returns what the line goes on with."""
        now = self.open
        if now is None or now.kind in ("code", "maths", "table"):
            return ""
        self._emit(now)
        self.open = None if now.kind == "text" else now.further()
        if now.kind == "text":
            return "    " if ln.indent(now.lines[0]) >= 4 else ""
        return "> " if now.kind == "quote" else " " * now.indent

    def _emit(self, now: Open) -> None:
        if not now.empty:
            self.closed.append(now.segment(closed=True))

    def _take_back(self, maths: Open) -> None:
        """Read what began like a formula and never ended as text."""
        self.open, self.plain = None, True
        for line in maths.lines:
            self.take(line)
        self.plain = False

    # -- what a line begins --------------------------------------------------------------------

    def _begin(self, line: str) -> None:
        if not line.strip():
            return
        counted, self.counted = self.counted, None
        if fence := ln.FENCE.match(line):
            self.open = _code(fence)
        elif not self.plain and (maths := ln.maths_opening(line)):
            self._begin_maths(line, *maths)
        elif ln.QUOTE.match(line):
            self.open = Open("quote", [])
            self._in_quote(self.open, line)
        elif ln.HEADING.match(line) or ln.RULE.match(line):
            self.closed.append(Segment("text", line, closed=True))
        elif note := ln.FOOTNOTE.match(line):
            self.open = Open("footnote", [], note[1], indent=2, inner=2)
            self.open.add(line[note.end() :])
        elif marker := ln.MARKER.match(line):
            self._begin_item(line, marker, counted)
        else:
            self.open = Open("text", [])
            self.open.add(line)

    def _begin_maths(self, line: str, delimiter: str, whole: bool) -> None:
        if whole:
            self.closed.append(Segment("maths", ln.formula([line]), closed=True))
        else:
            self.open = Open("maths", [], fence=delimiter)
            self.open.add(line)

    def _begin_item(
        self, line: str, marker: re.Match[str], counted: tuple[str, int] | None
    ) -> None:
        sign, number = marker[2][-1], None
        if marker[2][0].isdigit():
            number = int(marker[2][:-1])
            if counted is not None and counted[0] == sign:
                number = counted[1] + 1
        self.counted = (sign, number or 0)
        indent, rest = ln.content_indent(marker), line[marker.end() :]
        self.open = Open("item", [], indent=indent, inner=indent, number=number)
        if fence := ln.FENCE.match(rest):
            self.open.add(line[: marker.end()].rstrip())
            self._begin_inner_code(self.open, fence, indent)
        else:
            self.open.add(line)

    def _begin_inner_code(self, now: Open, fence: re.Match[str], indent: int) -> None:
        self._emit(now)
        self.open = _code(fence, indent, now.further())

    # -- what a line goes on with --------------------------------------------------------------

    def _continues(self, now: Open, line: str) -> bool:
        """Add the line to the open segment, or tell that it belongs to another."""
        match now.kind:
            case "code":
                return self._in_code(now, line)
            case "maths":
                self._in_maths(now, line)
                return True
            case "table":
                return self._in_table(now, line)
            case "item" | "footnote":
                return self._in_item(now, line)
            case "quote":
                return self._in_quote(now, line)
            case _:
                return self._becomes_table(now, line) or self._in_text(now, line)

    def _in_code(self, now: Open, line: str) -> bool:
        if now.outer is not None:
            if line.strip() and ln.indent(line) < now.outer.indent:
                return False  # the item is over, and its code with it
            line = ln.dedented(line, now.indent)
        if ln.closes(now.fence, line):
            self.close()
            self.open = now.outer
            return True
        if len(now.lines) >= CODE_LINES:
            self._emit(now)
            now.lines, now.part = [], now.part + 1
        now.lines.append(line)
        return True

    def _in_maths(self, now: Open, line: str) -> None:
        now.add(line)
        if ln.maths_closing(now.fence, line):
            self.closed.append(Segment("maths", ln.formula(now.lines), closed=True))
            self.open = None
        elif now.size > LONGEST_MATHS:
            self._take_back(now)

    def _in_table(self, now: Open, line: str) -> bool:
        if not line.strip() or ln.starts_something(line) or ln.indent(line) >= 4:
            return False
        if len(now.lines) >= now.rows:
            self._emit(now)
            now.lines, now.part = [], now.part + 1
        now.lines.append(line)
        return True

    def _becomes_table(self, now: Open, line: str) -> bool:
        """Make a table of the last line and this one, where this one rules it off."""
        if not ln.heads_table(now.last, line):
            return False
        header = now.lines.pop()
        if now.lines:
            self._emit(now)
        rows = max(min(_TABLE_CELLS // ln.columns(line), TABLE_ROWS), 1)
        self.open = Open("table", [], head=f"{header.strip()}\n{line.strip()}", rows=rows)
        return True

    def _in_item(self, now: Open, line: str) -> bool:
        if not self._belongs_to_item(now, line):
            return False
        inside = ln.indent(line) >= now.indent
        if inside and ln.indent(line) - now.inner < 4 and (fence := ln.FENCE.match(line.lstrip())):
            self._begin_inner_code(now, fence, ln.indent(line))
            return True
        marker = ln.MARKER.match(line.lstrip()) if inside else None
        if now.size > LONGEST_TEXT * (1 if marker or not line.strip() else 2):
            self._emit(now)
            self.open = now = now.further()
        if marker:
            now.inner = ln.indent(line) + ln.content_indent(marker)
        now.add(line)
        return True

    @staticmethod
    def _belongs_to_item(now: Open, line: str) -> bool:
        bare = now.kind == "item" and not now.part and ln.only_marker(now.lines[0])
        if not line.strip():
            # An item may begin with at most one blank line.
            return not (now.blank and bare and not "".join(now.lines[1:]).strip())
        if ln.indent(line) < now.indent:
            return not (now.blank or not now.lines or ln.starts_something(line))
        return not (now.blank and bare and len(now.lines) > 1 and _only_blank(now.lines[1:]))

    def _in_quote(self, now: Open, line: str) -> bool:
        if not ln.QUOTE.match(line) and (now.fence or not ln.lazy(now.last, line)):
            return False
        inner = ln.unquoted(line)
        if now.size > LONGEST_TEXT * (2 if inner.strip() else 1):
            self._emit(now)
            self.open = now = now.further()
        if now.fence:
            now.fence = "" if ln.closes(now.fence, inner) else now.fence
        elif fence := ln.FENCE.match(inner):
            now.fence, now.opening = fence[1], inner
        now.add(line)
        return True

    def _in_text(self, now: Open, line: str) -> bool:
        if not self._belongs_to_text(now, line):
            return False
        now.add(line)
        if now.size > LONGEST_TEXT:
            self.close()
        return True

    def _belongs_to_text(self, now: Open, line: str) -> bool:
        if not line.strip():
            return False
        if ln.indent(now.lines[0]) >= 4:  # indented code
            return ln.indent(line) >= 4
        # "---" under text is a heading's underline; over a quote or alone it is a rule.
        if set(line.strip()) == {"-"} and ln.indent(line) < 4:
            return True
        if self.plain and ln.maths_opening(line):
            return True
        return not ln.starts_something(line, in_paragraph=True)


def _code(fence: re.Match[str], indent: int = 0, outer: Open | None = None) -> Open:
    words = fence[2].split()
    language = words[0][:40] if words else ""
    return Open("code", [], language, fence[1], indent=indent, outer=outer)


def _in_bar(line: str) -> str:
    """Return a line of a quote; one without the mark makes no heading of the line above it."""
    inner = ln.unquoted(line)
    return f"\\{inner.lstrip()}" if inner is line and not line.strip(" =") else inner


def _copied(now: Open | None) -> Open | None:
    return now and replace(now, lines=[*now.lines], outer=_copied(now.outer))


def _only_blank(lines: list[str]) -> bool:
    return not any(line.strip() for line in lines)
