"""What is shown as it is written: the user's words, our own small notes, and lines that fold."""

from __future__ import annotations

import math
from html import escape

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen, QTextDocument

from desktop.ui.transcript.block import Block
from desktop.ui.transcript.look import Look
from desktop.ui.transcript.spacing import paint_rule, space_lines

_LONGEST_PIECE = 3000  # characters: what is laid out within a frame


class UserBlock(Block):
    """What the user said: plain text in a tinted bubble at the right, or a part of it."""

    _PAD = QPointF(15, 10)
    _WIDEST = 0.82  # of the column
    _ROUND = 14.0

    def __init__(
        self, look: Look, text: str, *, first: bool = True, last: bool = True, joint: str = ""
    ) -> None:
        super().__init__(look)
        self._text = text
        self._first, self._last = first, last
        self.follows = not first
        self.gap = 22.0 if first else 0.0
        self.joint = "\n\n" if first else joint
        self._natural = 0.0  # width of the text without a single wrap

    def source(self) -> str:
        """Return what the user typed."""
        return self._text

    def fill(self, document: QTextDocument) -> None:
        """Put the plain text in."""
        document.setPlainText(self._text)
        space_lines(document, self.look.line_height)
        whole = self._first and self._last
        self._natural = document.idealWidth() + 1 if whole else math.inf

    def inner_width(self, width: float) -> float:
        """Return the width of the text: as narrow as it can be."""
        return min(self._natural, width * self._WIDEST - 2 * self._PAD.x())

    def origin(self, width: float) -> QPointF:
        """Stand at the right edge."""
        top = self._PAD.y() if self._first else 0.0
        return QPointF(width - self.inner_width(width) - self._PAD.x(), top)

    def outer_height(self, document_height: float) -> float:
        """Return the bubble's height."""
        return document_height + (self._first + self._last) * self._PAD.y()

    def decorate(self, painter: QPainter, width: float) -> None:
        """Paint the bubble."""
        bubble = self.inner_width(width) + 2 * self._PAD.x()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.look.colour("tint"))
        over, under = (0.0 if end else 2 * self._ROUND for end in (self._first, self._last))
        box = QRectF(width - bubble, -over, bubble, self._height + over + under)
        painter.save()
        painter.setClipRect(QRectF(0, 0, width, self._height), Qt.ClipOperation.IntersectClip)
        painter.drawRoundedRect(box, self._ROUND, self._ROUND)
        painter.restore()


def said(look: Look, text: str) -> list[UserBlock]:
    """Return the blocks of one bubble: a file that was pasted is cut so that each fits a frame."""
    pieces = _pieces(text)
    last = len(pieces) - 1
    return [
        UserBlock(look, piece, first=index == 0, last=index == last, joint=joint)
        for index, (joint, piece) in enumerate(pieces)
    ]


def _pieces(text: str) -> list[tuple[str, str]]:
    """Return the text in pieces, each with what stood before it: a line's end or nothing."""
    pieces, joint = [], ""
    while len(text) > _LONGEST_PIECE:
        at = text.rfind("\n", 1, _LONGEST_PIECE)
        cut = at if at > 0 else _LONGEST_PIECE
        pieces.append((joint, text[:cut]))
        joint = "\n" if at > 0 else ""
        text = text[cut + len(joint) :]
    return [*pieces, (joint, text)]


class FoldBlock(Block):
    """One quiet line that opens what stands under it: reasoning, a system prompt."""

    gap = 20.0
    tone = "quiet"
    _HEIGHT = 26.0

    def __init__(self, look: Look, title: str) -> None:
        super().__init__(look)
        self.title = title
        self.open = False

    def source(self) -> str:
        """Return nothing: the title is not a word of the conversation."""
        return ""

    def fill(self, document: QTextDocument) -> None:
        """Leave the document empty; the title is painted."""

    def estimate(self, width: float) -> float:
        """Return the line's height."""
        return self._HEIGHT

    def outer_height(self, document_height: float) -> float:
        """Return the line's height."""
        return self._HEIGHT

    def decorate(self, painter: QPainter, width: float) -> None:
        """Paint the title beside a small arrow."""
        paint_arrow(painter, self.look, QPointF(6, self._HEIGHT / 2), is_open=self.open)
        painter.setFont(self.look.small)
        box = QRectF(18, 0, width - 18, self._HEIGHT)
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, self.title)

    def hotspot(self, point: QPointF, width: float) -> bool:
        """Tell whether the title is under the point: all of it opens and closes."""
        return 0 <= point.y() < self._HEIGHT and 0 <= point.x() < width

    def activate(self, point: QPointF, width: float) -> str | None:
        """Open or close it."""
        self.open = not self.open
        return None


def paint_arrow(painter: QPainter, look: Look, middle: QPointF, *, is_open: bool) -> None:
    """Paint the small arrow of a line that folds, and leave its pen for the title."""
    painter.setPen(QPen(look.colour("quiet"), 1.6, c=Qt.PenCapStyle.RoundCap))
    arms = ((-3, -1.5), (3, -1.5), (0, 2.2)) if is_open else ((-1.5, -3), (-1.5, 3), (2.2, 0))
    first, second, tip = (middle + QPointF(*arm) for arm in arms)
    painter.drawPolyline([first, tip, second])


class NoteBlock(Block):
    """One of our own small lines: what a reply waits for, what broke it."""

    gap = 14.0
    tone = "quiet"

    def __init__(self, look: Look, lines: list[str], *, error: bool = False) -> None:
        super().__init__(look)
        self._lines = lines
        self._error = error

    def source(self) -> str:
        """Return nothing: these are not words of the conversation."""
        return ""

    def fill(self, document: QTextDocument) -> None:
        """Put the lines in, the first of an error in bold."""
        document.setDefaultFont(self.look.small)
        lines = [escape(line) for line in self._lines if line]
        if self._error and lines:
            lines[0] = f'<b style="color:{self.look.colours.bad}">{lines[0]}</b>'
        document.setHtml("<br>".join(lines))
        space_lines(document, self.look.line_height * 0.86)

    def origin(self, width: float) -> QPointF:
        """Leave room for an error's bar."""
        return QPointF(16 if self._error else 0, 0)

    def inner_width(self, width: float) -> float:
        """Return the width beside the bar."""
        return width - self.origin(width).x()

    def estimate(self, width: float) -> float:
        """Return one line's height each."""
        return self.look.line_height * len(self._lines)

    def decorate(self, painter: QPainter, width: float) -> None:
        """Paint an error's bar."""
        if self._error:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.look.colour("bad"))
            painter.drawRoundedRect(QRectF(0, 0, 4, self._height), 2, 2)


class RuleBlock(Block):
    """A line between two parts of a reply."""

    gap = 22.0

    def source(self) -> str:
        """Return the Markdown."""
        return "---"

    def visible(self) -> str:
        """Return nothing: there is nothing to read."""
        return ""

    def fill(self, document: QTextDocument) -> None:
        """Leave the document empty; the line is painted."""

    def estimate(self, width: float) -> float:
        """Return the line's height."""
        return 5.0

    def outer_height(self, document_height: float) -> float:
        """Return the line's height and a little air under it."""
        return 5.0

    def decorate(self, painter: QPainter, width: float) -> None:
        """Paint the line."""
        paint_rule(painter, self.look, width, 0.5)
