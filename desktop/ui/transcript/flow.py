"""Where blocks stand: heights guessed until seen, positions as prefix sums. No painting here."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate

from desktop.ui.transcript.block import Block

# Documents kept laid out at once: more than any screen shows, and a few pages around it.
_MOST_DOCUMENTS = 300


class Flow:
    """A column of blocks.

    Attributes:
        blocks: all of them, top to bottom.
        height: of the whole column, in pixels.
    """

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.height = 0.0
        self._width = 0.0
        self._heights: list[float] = []
        self._measured: list[bool] = []
        self._tops: list[float] = []

    def splice(self, start: int, stop: int, blocks: Sequence[Block]) -> None:
        """Replace the blocks from `start` up to `stop`."""
        self.blocks[start:stop] = blocks
        self._heights[start:stop] = [block.estimate(self._width) for block in blocks]
        self._measured[start:stop] = [False] * len(blocks)
        self._sum()

    def set_width(self, width: float) -> None:
        """Lay everything out anew at another width, as it comes into sight."""
        if width != self._width:
            self._width = width
            self.forget()

    def forget(self) -> None:
        """Guess every height again."""
        self._heights = [block.estimate(self._width) for block in self.blocks]
        self._measured = [False] * len(self.blocks)
        self._sum()

    def touch(self, index: int) -> None:
        """Measure a block again: its content has changed."""
        self._measured[index] = False

    def settle(self, top: float, bottom: float) -> float:
        """Lay out what stands between two heights.

        Returns:
            By how much what is seen has moved down because blocks above its edge turned out
            taller or shorter than guessed: scroll by as much and nothing jumps.
        """
        shift = drift = 0.0  # above what is seen; above the block at hand
        first = index = self.at(top)
        while index < len(self.blocks) and self._tops[index] + drift < bottom + shift:
            if not self._measured[index]:
                found = self.blocks[index].lay_out(self._width)
                delta = found - self._heights[index]
                if self._tops[index] + drift < top + shift:
                    shift += delta
                drift += delta
                self._heights[index], self._measured[index] = found, True
            index += 1
        if drift:
            self._sum()
        self._thin(first, index)
        return shift

    def at(self, y: float) -> int:
        """Return the index of the block at a height, or the nearest."""
        return max(bisect_right(self._tops, y) - 1, 0)

    def top(self, index: int) -> float:
        """Return where a block begins."""
        return self._tops[index]

    def between(self, top: float, bottom: float) -> Iterator[tuple[int, Block, float]]:
        """Yield index, block and top of all blocks that touch a range of heights."""
        for index in range(self.at(top), len(self.blocks)):
            if self._tops[index] >= bottom:
                return
            yield index, self.blocks[index], self._tops[index]

    def _sum(self) -> None:
        """Recompute where every block begins, its gap above it."""
        ends = list(accumulate(b.gap + h for b, h in zip(self.blocks, self._heights, strict=True)))
        self._tops = [end - h for end, h in zip(ends, self._heights, strict=True)]
        self.height = ends[-1] if ends else 0.0

    def _thin(self, first: int, last: int) -> None:
        """Drop the documents farthest from what is seen when there are too many."""
        built = [i for i, block in enumerate(self.blocks) if block.document is not None]
        if len(built) <= _MOST_DOCUMENTS:
            return
        middle = (first + last) // 2
        for index in sorted(built, key=lambda i: -abs(i - middle))[: len(built) // 3]:
            if not first <= index <= last:
                self.blocks[index].release()
                self._measured[index] = False
