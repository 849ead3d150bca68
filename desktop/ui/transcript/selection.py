"""A selection over all messages: two ends, each a block of a message and a character in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from desktop.ui.transcript.block import Block, Span
from desktop.ui.transcript.section import Section
from desktop.ui.transcript.table import TableBlock

END = 1 << 40  # behind the last block of a message, and the last character of a block


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A character of the transcript."""

    section: int
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

    def span(self, section: int, block: int) -> Span | None:
        """Return what is selected of a block, up to END for all the rest, or None."""
        first, last = self.ends
        here = (section, block)
        if self.empty or not (first.section, first.block) <= here <= (last.section, last.block):
            return None
        start = first.character if here == (first.section, first.block) else 0
        end = last.character if here == (last.section, last.block) else END
        return (start, end) if start < end else None

    def text(self, sections: Sequence[Section]) -> str:
        """Return what copying gives: Markdown for whole blocks, plain text for parts."""
        first, last = self.ends
        parts: list[str] = []
        for index in range(first.section, min(last.section + 1, len(sections))):
            section = sections[index]
            if self._holds(index):
                parts += ["\n\n", section.text]
            else:
                section.open()
                parts += self._of_blocks(index, section)
        return "".join(parts[1:])

    def _holds(self, section: int) -> bool:
        """Tell whether it holds all of a message, whose own text is what to copy then."""
        first, last = self.ends
        return first <= Place(section, 0, 0) and Place(section, END, END) <= last

    def _of_blocks(self, index: int, section: Section) -> list[str]:
        blocks = section.column.blocks
        parts: list[str] = []
        for inner, block in enumerate(blocks):
            span = self.span(index, inner)
            if span is None:
                continue
            if isinstance(block, TableBlock) and not self._holds_table(index, inner, blocks):
                span = max(span[0], 1), span[1]  # its cells, not its Markdown
            text = block.source() if span == (0, END) else block.selected_text(span)
            if text:
                parts += [block.joint, text]
        return parts

    def _holds_table(self, section: int, piece: int, blocks: Sequence[Block]) -> bool:
        """Tell whether it holds all pieces of the table that a block is a piece of."""
        first, last = piece, piece + 1
        while first and blocks[first].follows:
            first -= 1
        while last < len(blocks) and blocks[last].follows:
            last += 1
        return all(self.span(section, each) == (0, END) for each in range(first, last))

    def part(self, section: int, sections: Sequence[Section]) -> str:
        """Return what copying gives of one message, "" where it is none or all of it."""
        if self._holds(section) or section >= len(sections):
            return ""
        sections[section].open()
        return "".join(self._of_blocks(section, sections[section])[1:])


def everything(sections: Sequence[Section]) -> Selection | None:
    """Return the selection of all there is, or None of nothing."""
    if not sections:
        return None
    return Selection(Place(0, 0, 0), Place(len(sections) - 1, END, END))


def message(index: int) -> Selection:
    """Return the selection of one message."""
    return Selection(Place(index, 0, 0), Place(index, END, END))
