"""Blocks of Markdown that grow: a reply, or what the model thought before it."""

from __future__ import annotations

from typing import Any

from desktop.ui.transcript.block import Block
from desktop.ui.transcript.code import CodeBlock, Fence
from desktop.ui.transcript.columns import Columns
from desktop.ui.transcript.lines import MARKER, RULE, defines
from desktop.ui.transcript.look import Look
from desktop.ui.transcript.machine import Segment
from desktop.ui.transcript.plain import RuleBlock
from desktop.ui.transcript.rich import MathsBlock, RichBlock
from desktop.ui.transcript.segments import Splitter
from desktop.ui.transcript.table import TableBlock

_COLUMNS = 2.5  # by which an item is indented: two under a dot, three under a number
_DEEPEST = 6  # levels of indentation


class Growing:
    """Markdown and its blocks.

    Attributes:
        blocks: top to bottom.
    """

    def __init__(self, look: Look, *, inset: float = 0.0, quiet: bool = False) -> None:
        self.blocks: list[Block] = []
        self._look = look
        self._inset, self._quiet = inset, quiet
        self._splitter = Splitter()
        self._references: dict[str, Any] = {}

    def renew(self, look: Look) -> None:
        """Draw all of it with another look."""
        self._look = look
        for block, segment in zip(self.blocks, self._splitter.segments, strict=True):
            block.renew(look)
            block.inset = self._inset_of(segment)

    def _inset_of(self, segment: Segment) -> float:
        """Return how far to the right a block stands: what is in an item, under its text."""
        levels = max(round(segment.indent / _COLUMNS), 1) if segment.indent else 0
        return self._inset + min(levels, _DEEPEST) * self._look.indent

    def feed(self, text: str) -> int:
        """Add text; returns the index of the first block that is new or has changed."""
        return self._show(self._splitter.feed(text))

    def finish(self) -> int:
        """Close everything; returns the index of the first block that has changed."""
        return self._show(self._splitter.finish())

    def _show(self, changed: int) -> int:
        """Bring the blocks in line with the segments from index `changed` on."""
        segments = self._splitter.since(changed)
        changed = min(changed, self._define(changed, segments))
        for index, segment in enumerate(self._splitter.since(changed), start=changed):
            if index >= len(self.blocks):
                self.blocks.append(self._made(index, segment))
            elif not self._updated(self.blocks[index], segment):
                self.blocks[index] = self._made(index, segment)
        del self.blocks[self._splitter.count :]
        return changed

    @staticmethod
    def _updated(block: Block, segment: Segment) -> bool:
        if isinstance(block, RichBlock | CodeBlock | TableBlock | MathsBlock):
            return block.update(segment)
        return False

    def _define(self, first: int, segments: list[Segment]) -> int:
        """Collect the definitions of links in segments that have closed.

        Returns:
            The index of the first block that is drawn anew because a link of its own is known now.
        """
        before = len(self._references.get("references", ()))
        for segment in segments:
            if not segment.closed:
                break
            if segment.kind in ("text", "quote", "item") and defines(segment.source):
                from desktop.ui.transcript.markdown import parse  # noqa: PLC0415 - slow

                parse(segment.source, self._references)
        if len(self._references.get("references", ())) == before:
            return first
        refers = [
            index
            for index, block in enumerate(self.blocks)
            if isinstance(block, RichBlock | TableBlock) and block.refers
        ]
        for index in refers:
            self.blocks[index].renew(self._look)
        return min([first, *refers])

    def _made(self, index: int, segment: Segment) -> Block:
        above = self.blocks[index - 1] if index else None
        made = self._of_kind(index, segment, above)
        made.inset = self._inset_of(segment)
        if self._quiet and made.tone == "text":
            made.tone = "quiet"
        return made

    def _of_kind(self, index: int, segment: Segment, above: Block | None) -> Block:
        if segment.kind == "code":
            joins = segment.part > 0 and isinstance(above, CodeBlock)
            fence = above.fence if joins and isinstance(above, CodeBlock) else None
            return CodeBlock(self._look, segment, fence or Fence(segment.language))
        if segment.kind == "table":
            joined = above if segment.part > 0 and isinstance(above, TableBlock) else None
            columns = (
                joined.columns if joined else Columns(self._look, segment.head, segment.source)
            )
            return TableBlock(self._look, segment, self._references, columns)
        if segment.kind == "text" and segment.closed and RULE.match(segment.source):
            return RuleBlock(self._look)
        if segment.kind == "maths":
            return MathsBlock(self._look, segment)
        begins = segment.kind == "item" and not self._goes_on(index, segment)
        return RichBlock(self._look, segment, self._references, begins=begins)

    def _goes_on(self, index: int, item: Segment) -> bool:
        """Tell whether an item belongs to the same list as what stands above it."""
        for place in range(index - 1, -1, -1):
            above = self._splitter.at(place)
            if above.kind == "item" and not above.part:
                return _sign(above.source) == _sign(item.source)
            if not above.indent:
                return False
        return False


def _sign(item: str) -> str:
    """Return the sign of an item's marker: items with another one are of another list."""
    marker = MARKER.match(item)
    return marker[2][-1] if marker is not None else ""
