"""Finding text in all messages, also in those that were never laid out and in folded reasoning."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import unescape

from desktop.ui.transcript.block import Block
from desktop.ui.transcript.section import Section

MOST = 1000  # matches: beyond them the number says nothing, and looking on would cost a frame

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


def matches(sections: Sequence[Section], text: str) -> list[Match]:
    """Return where a text stands, in whatever case, up to `MOST` places.

    A message is opened only when its source may hold the text, and of a block that was not seen
    the text is parsed, not laid out. A match does not go over the end of a block.
    """
    wanted = text.lower()
    found: list[Match] = []
    if not wanted.strip():
        return found
    letters = bare(wanted)
    for index, section in enumerate(sections):
        if not any(_may_hold(each, wanted, letters) for each in (section.text, section.reasoning)):
            continue
        for place, block in enumerate(section.all_blocks()):
            if not _may_hold(block.source(), wanted, letters):
                continue
            count = block.read().lower().count(wanted)
            found += [Match(index, place, block, nth) for nth in range(count)]
            if len(found) >= MOST:
                return found[:MOST]
    return found


def _may_hold(source: str, wanted: str, letters: str) -> bool:
    return letters in bare(source) or wanted in source.lower()


def bare(source: str) -> str:
    """Return Markdown without what may be markup: what is read of it holds no other letters."""
    return unescape(_TARGET.sub("", source)).translate(_MARKUP).lower()


def nearest(found: Sequence[Match], section: int, place: int) -> int:
    """Return the index of the first match at or after a block, or of the first one."""
    for index, match in enumerate(found):
        if (match.section, match.place) >= (section, place):
            return index
    return 0
