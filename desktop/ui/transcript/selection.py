"""A selection over all blocks: two ends, each a block and a character in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from desktop.ui.transcript.block import Block, Span


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A character of the transcript."""

    block: int
    character: int


@dataclass(frozen=True, slots=True)
class Selection:
    """From where the mouse went down to where it is."""

    anchor: Place
    cursor: Place

    @property
    def ends(self) -> tuple[Place, Place]:
        """The earlier and the later end."""
        return min(self.anchor, self.cursor), max(self.anchor, self.cursor)

    @property
    def empty(self) -> bool:
        """Tell whether nothing is selected."""
        return self.anchor == self.cursor

    def span(self, index: int, length: int) -> Span | None:
        """Return what is selected of a block, or None."""
        first, last = self.ends
        if self.empty or not first.block <= index <= last.block:
            return None
        start = first.character if index == first.block else 0
        end = last.character if index == last.block else length
        return (start, end) if start < end else None

    def text(self, blocks: Sequence[Block]) -> str:
        """Return what copying gives: Markdown for whole blocks, plain text for parts."""
        first, last = self.ends
        parts = []
        for index in range(first.block, min(last.block + 1, len(blocks))):
            block = blocks[index]
            span = self.span(index, block.length())
            if span is not None and (text := block.selected_text(span)):
                parts.append(text)
        return "\n\n".join(parts)


def everything(blocks: Sequence[Block]) -> Selection | None:
    """Return the selection of all there is, or None of nothing."""
    if not blocks:
        return None
    return Selection(Place(0, 0), Place(len(blocks) - 1, blocks[-1].length()))
