"""Where messages stand: guessed until seen, positions as prefix sums. No painting here."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice

from desktop.ui.transcript.block import Block
from desktop.ui.transcript.section import Section

# Documents kept laid out at once: more than any screen shows, and a few pages around it.
_MOST_DOCUMENTS = 300
_DROPPED = 12  # of them at once: more would show in the frame


@dataclass(frozen=True, slots=True)
class Settled:
    """What laying out has come to.

    Attributes:
        shift: by how much what is seen has moved down because something above its edge turned out
            taller or shorter than guessed: scroll by as much and nothing jumps.
        whole: everything in sight is laid out.
        any: something was laid out.
    """

    shift: float
    whole: bool
    any: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """A block at its place.

    Attributes:
        section: index of its message.
        index: of the block in it.
        block: itself.
        top: from the beginning of the flow, in pixels.
    """

    section: int
    index: int
    block: Block
    top: float


class Flow:
    """Messages, one under the other.

    Attributes:
        sections: all of them, top to bottom.
        height: of all of them, in pixels.
    """

    def __init__(self) -> None:
        self.sections: list[Section] = []
        self.height = 0.0
        self._width = 0.0
        self._tops: list[float] = []
        self._built: dict[Block, Section] = {}  # least recently laid out first

    @property
    def built(self) -> list[Block]:
        """The blocks that have a document."""
        return list(self._built)

    def put(self, sections: Sequence[Section]) -> None:
        """Hold these sections from now on."""
        self.sections = list(sections)
        kept = set(self.sections)
        self._built = {block: at for block, at in self._built.items() if at in kept}
        for section in self.sections:
            section.set_width(self._width)
        self.sum(0)

    def set_width(self, width: float) -> None:
        """Lay everything out anew at another width, as it comes into sight."""
        if width == self._width:
            return
        first, self._width = not self._width, width
        if first:  # later on, heights stay until a section is seen again
            self.put(self.sections)

    def sum(self, start: int) -> None:
        """Recompute where the sections from `start` on begin."""
        begin = self._tops[start - 1] + self.sections[start - 1].height if start else 0.0
        ends = list(accumulate((s.height for s in self.sections[start:]), initial=begin))
        self._tops[start:] = ends[:-1]
        self.height = ends[-1]

    def settle(self, top: float, bottom: float, until: float) -> Settled:
        """Open and lay out what stands between two heights, until a time."""
        shift = drift = 0.0  # above what is seen; above the section at hand
        first = index = self.at(top)
        whole, laid = True, False
        while index < len(self.sections) and self._tops[index] + drift < bottom + shift:
            section = self.sections[index]
            before = section.height
            start = self._tops[index] + drift
            shift += section.make_ready(self._width, top + shift - start, until)
            moved, done, blocks = section.column.settle(
                top + shift - start, bottom + shift - start, until
            )
            shift += moved
            drift += section.height - before
            laid = laid or bool(blocks)
            for block in blocks:
                self._built.pop(block, None)
                self._built[block] = section
            index += 1
            if not (done and section.whole):
                whole = False
                break
        if drift:
            self._shift(first, index, drift)
        self._thin(top + shift, bottom + shift)
        return Settled(shift, whole, laid)

    def _shift(self, first: int, end: int, drift: float) -> None:
        """Move on what stands under sections whose heights have changed."""
        top = self._tops[first]
        for index in range(first, end):
            self._tops[index] = top
            top += self.sections[index].height
        self._tops[end:] = [top + drift for top in self._tops[end:]]
        self.height += drift

    def redo(self, block: Block) -> None:
        """Lay a block out again: a formula of its own has come."""
        section = self._built.get(block)
        if section is not None:
            section.column.release(block)

    def at(self, y: float) -> int:
        """Return the index of the section at a height, or the nearest."""
        return max(bisect_right(self._tops, y) - 1, 0)

    def top(self, section: int) -> float:
        """Return where a section begins."""
        return self._tops[section]

    def block_top(self, section: int, index: int) -> float:
        """Return where a block begins."""
        return self._tops[section] + self.sections[section].column.top(index)

    def between(self, top: float, bottom: float) -> Iterator[Seen]:
        """Yield the blocks that touch a range of heights."""
        for index in range(self.at(top), len(self.sections)):
            start = self._tops[index]
            if start >= bottom:
                return
            column = self.sections[index].column
            for inner, block, at in column.between(top - start, bottom - start):
                yield Seen(index, inner, block, start + at)

    def find(self, y: float) -> Seen | None:
        """Return the block at a height, or the nearest of its message."""
        if not self.sections:
            return None
        index = self.at(y)
        column = self.sections[index].column
        if not column.blocks:
            return None
        inner = column.at(y - self._tops[index])
        return Seen(index, inner, column.blocks[inner], self._tops[index] + column.top(inner))

    def _thin(self, top: float, bottom: float) -> None:
        """Drop some of the documents that were laid out longest ago, apart from what is near."""
        over = min(len(self._built) - _MOST_DOCUMENTS, _DROPPED)
        if over <= 0:
            return
        page = bottom - top
        near = {id(seen.block) for seen in self.between(top - 2 * page, bottom + 2 * page)}
        far = (block for block in self._built if id(block) not in near)
        for block in list(islice(far, over)):
            self._built.pop(block).column.release(block)
