"""How wide the columns of a table are: as wide as they ask for, and no word is broken."""

from __future__ import annotations

import re
import unicodedata
from typing import TypeVar

from PySide6.QtGui import QFontMetricsF

from desktop.ui.transcript.lines import cells
from desktop.ui.transcript.look import Look

SHOWN_OF_CELL = 1000  # characters; copying gives all of them
PAD = 9.0  # of Qt's cells, on all sides
_NARROWEST = 4.0  # ems: a column is not made narrower to fit
_LONGEST_WORD = 12.0  # ems that a column gives to what cannot be broken
_MOST_COLUMNS = 60  # more say nothing to a reader, and each cell is laid out
# Pieces of text between which a line may be broken: Chinese anywhere but beside its punctuation.
_PIECES = re.compile(
    r"[（《“「『【]*(?:[^\s\u3000-\uffef]+|[\u3400-\u9fff\uac00-\ud7ff])[^\w\s（《“「『【]*"
)
_WIDEST = 26.0  # ems that a column asks for at most before its text wraps
_MARKUP = re.compile(r"\*\*|__|`|~~|\]\([^)]*\)|[$\\]")
_ALIGNED = {(True, True): "center", (False, True): "right", (True, False): "left"}


T = TypeVar("T")


class Columns:
    """The columns of one table, however many blocks show it.

    Attributes:
        shift: by how many pixels the table is moved sideways.
        rightwards: its first column is the rightmost.
    """

    def __init__(self, look: Look, head: str, rows: str) -> None:
        self.shift = 0.0
        header, delimiters = head.split("\n")
        self.titles = cells(header)
        self.rightwards = _is_rightwards(header)
        plain = "right" if self.rightwards else "left"
        self._alignments = [
            _ALIGNED.get((cell.startswith(":"), cell.endswith(":")), plain)
            for cell in cells(delimiters)[:_MOST_COLUMNS]
        ]
        self._rows = [self.titles]
        self.measure(look, rows)

    @property
    def count(self) -> int:
        """How many columns are shown: as many as the delimiter row has, as GitHub counts."""
        return len(self._alignments)

    def measure(self, look: Look, rows: str) -> None:
        """Find how wide the columns would like to be: as the first rows are."""
        bold = look.body.__class__(look.body)
        bold.setBold(True)
        metrics, em = QFontMetricsF(bold), look.em
        self._comfort = _LONGEST_WORD * em
        self._rows = [self.titles, *(cells(row) for row in rows.split("\n") if row)]
        self.naturals = [em] * self.count
        self._narrowest = [0.0] * self.count
        for row in self._rows:
            for index, cell in enumerate(row[: self.count]):
                text = _MARKUP.sub("", cell[:SHOWN_OF_CELL])
                width = metrics.horizontalAdvance(text) + 0.6 * em
                self.naturals[index] = max(self.naturals[index], min(width, _WIDEST * em))
                longest = max(_PIECES.findall(text), key=len, default="")
                word = metrics.horizontalAdvance(longest) + 0.6 * em
                self._narrowest[index] = max(self._narrowest[index], min(word, _LONGEST_WORD * em))
        self._narrowest = [
            min(natural, max(narrowest, _NARROWEST * em))
            for natural, narrowest in zip(self.naturals, self._narrowest, strict=True)
        ]

    def alignment(self, index: int) -> str:
        """Return "left", "center" or "right"."""
        return self._alignments[index]

    def placed(self, cells: list[T]) -> list[T]:
        """Return what each column has as it stands from left to right; Qt mirrors no tables."""
        return cells[::-1] if self.rightwards else cells

    def widths(self, width: float) -> list[float]:
        """Return the columns' widths inside their padding, for a table of this width."""
        room = width - 2 * PAD * self.count
        if sum(self._narrowest) > room:  # it has to be moved sideways, so nothing need be cramped
            return [min(natural, self._comfort) for natural in self.naturals]
        return shared(self.naturals, self._narrowest, room)

    def whole(self, width: float) -> float:
        """Return how wide the table is where the column has this width."""
        return sum(self.widths(width)) + 2 * PAD * self.count


def _is_rightwards(text: str) -> bool:
    """Tell whether most letters of a text are read from right to left."""
    kinds = [unicodedata.bidirectional(letter) for letter in text]
    return sum(kind in ("R", "AL") for kind in kinds) > kinds.count("L")


def shared(naturals: list[float], narrowest: list[float], room: float) -> list[float]:
    """Return widths that fill the room, or overflow it where the narrowest do.

    Spare room goes to the columns by their natural widths. Where there is too little, columns that
    ask for less than an equal share get what they ask for, and the others share the rest.
    """
    total = sum(naturals)
    if total <= room:
        return [natural * room / total for natural in naturals]
    widths = [0.0] * len(naturals)
    left = room
    for taken, index in enumerate(sorted(range(len(naturals)), key=naturals.__getitem__)):
        share = left / (len(naturals) - taken)
        widths[index] = max(min(naturals[index], share), narrowest[index])
        left -= widths[index]
    return widths
