"""Finding text in all messages, also in those that were never laid out and in folded reasoning."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import unescape

from desktop.ui.transcript.block import Block
from desktop.ui.transcript.section import Section

MOST = 1000  # matches: beyond them the number says nothing
_LONGEST_TO_STRIP = 100_000  # characters: of more than this it would take a frame

_TARGET = re.compile(r"\]\([^)\n]*\)|\]\[[^\]\n]*\]")
_MARKUP = str.maketrans("", "", "*_`~\\$[]<>^|#")


@dataclass(frozen=True, slots=True)
class Match:
    """One place where the text stands.

    Attributes:
        section: index of its message.
        place: of its block among all blocks of the message, those inside a fold too.
        block: the block.
        nth: which match of the block it is.
    """

    section: int
    place: int
    block: Block
    nth: int


def matches(sections: Sequence[Section], text: str, first: int = 0) -> Iterator[list[Match]]:
    """Yield where a text stands, in whatever case, step by step, so that one can stop in between.

    A message is opened only when its source may hold the text, and of a block that was not seen
    the text is parsed, not laid out. A match does not go over the end of a block.

    Args:
        sections: the messages.
        text: what to look for.
        first: the message to begin with; those above it come last.

    Yields:
        The matches of a block, in their order; nothing where a step has found nothing.
    """
    wanted = text.lower()
    if not wanted.strip():
        return
    letters = bare(wanted)
    for index in (*range(first, len(sections)), *range(first)):
        section = sections[index]
        yield []
        if not any(_may_hold(each, wanted, letters) for each in (section.text, section.reasoning)):
            continue
        while not section.whole:
            section.open(0.0)
            yield []
        for place, block in enumerate(section.all_blocks()):
            if _may_hold(block.source(), wanted, letters):
                count = block.read().lower().count(wanted)
                yield [Match(index, place, block, nth) for nth in range(count)]


def _may_hold(source: str, wanted: str, letters: str) -> bool:
    if len(source) > _LONGEST_TO_STRIP:
        return True
    return wanted in source.lower() or letters in bare(source)


def bare(source: str) -> str:
    """Return Markdown without what may be markup: what is read of it holds no other letters."""
    return unescape(_TARGET.sub("", source)).translate(_MARKUP).lower()
