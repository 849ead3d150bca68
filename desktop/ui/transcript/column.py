"""The blocks of one message, one under the other: heights guessed until seen, tops as sums."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from desktop.ui.transcript.block import Block


class Column:
    """A column of blocks.

    Attributes:
        blocks: all of them, top to bottom.
        height: of all of them with the gaps above them, in pixels.
    """

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.height = 0.0
        self._width = 0.0
        self._heights: list[float] = []
        self._measured: list[bool] = []
        self._tops: list[float] = []

    def splice(self, start: int, blocks: Sequence[Block]) -> None:
        """Replace the blocks from `start` on; what stays the same block keeps its height."""
        old = self.blocks[start:]
        heights = [
            self._heights[start + i]
            if i < len(old) and old[i] is block
            else block.estimate(self._width - block.inset)
            for i, block in enumerate(blocks)
        ]
        self.blocks[start:] = blocks
        self._heights[start:] = heights
        self._measured[start:] = [False] * len(blocks)
        self._sum(start)

    @property
    def width(self) -> float:
        """Of the column, in pixels."""
        return self._width

    def set_width(self, width: float) -> None:
        """Lay everything out anew at another width, as it comes into sight."""
        if width != self._width:
            self._width = width
            self.forget()

    def forget(self) -> None:
        """Guess every height again."""
        self._heights = [block.estimate(self._width - block.inset) for block in self.blocks]
        self._measured = [False] * len(self.blocks)
        self._sum(0)

    def touch(self, index: int) -> None:
        """Measure a block again: its content has changed."""
        self._measured[index] = False

    def settle(self, top: float, bottom: float, until: float) -> tuple[float, bool, list[Block]]:
        """Lay out what stands between two heights, until a time of the performance counter.

        Returns:
            By how much what is seen has moved down because blocks above its edge turned out
            taller or shorter than guessed; whether all of it is laid out; and what was.
        """
        shift = drift = 0.0  # above what is seen; above the block at hand
        laid: list[Block] = []
        index, changed = self.at(top), -1
        whole = True
        while index < len(self.blocks) and self._tops[index] + drift < bottom + shift:
            if not self._measured[index]:
                if laid and time.perf_counter() > until:
                    whole = False
                    break
                block = self.blocks[index]
                delta = block.lay_out(self._width - block.inset) - self._heights[index]
                if self._tops[index] + drift < top + shift:
                    shift += delta
                drift += delta
                self._heights[index] += delta
                self._measured[index] = True
                changed = index if changed < 0 else changed
                laid.append(block)
            index += 1
        if drift:
            self._sum(changed)
        return shift, whole, laid

    def release(self, block: Block) -> None:
        """Forget the document of a block that is far away; its height stays as it was."""
        block.release()
        if block in self.blocks:
            self._measured[self.blocks.index(block)] = False

    def at(self, y: float) -> int:
        """Return the index of the block at a height, or the nearest."""
        return max(bisect_right(self._tops, y) - 1, 0)

    def top(self, index: int) -> float:
        """Return where a block begins."""
        return self._tops[index]

    def between(self, top: float, bottom: float) -> Iterator[tuple[int, Block, float]]:
        """Yield index, block and top of all blocks that touch a range of heights."""
        for index in range(self.at(top), len(self.blocks)):
            at = self._tops[index]
            if at >= bottom:
                return
            if at + self._heights[index] > top:  # not only the gap under it
                yield index, self.blocks[index], at

    def _sum(self, start: int) -> None:
        """Recompute where the blocks from `start` on begin, their gaps above them."""
        end = self._tops[start - 1] + self._heights[start - 1] if start else 0.0
        tops = []
        for block, height in zip(self.blocks[start:], self._heights[start:], strict=True):
            tops.append(end + block.gap)
            end += block.gap + height
        self._tops[start:] = tops
        self.height = end
