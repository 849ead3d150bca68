"""The quiet line under a message: its figures, and which of its versions is shown.

The buttons of a message's actions appear on it: see `actions.py`.
"""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QTextDocument

from desktop.ui.transcript.block import Block
from desktop.ui.transcript.look import Look
from desktop.ui.transcript.shown import Action, Shown

HEIGHT = 28.0
_ARROW = 22.0  # width of an arrow of the stepper
_SPACE = 10.0


class FooterBlock(Block):
    """The last block of every message.

    Attributes:
        reserved: pixels that buttons take at the line's end.
    """

    gap = 2.0

    def __init__(self, look: Look, shown: Shown) -> None:
        super().__init__(look)
        self.shown = shown
        self.reserved = 0.0

    def source(self) -> str:
        """Return nothing: these are not words of the conversation."""
        return ""

    def fill(self, document: QTextDocument) -> None:
        """Leave the document empty; the line is painted."""

    def estimate(self, width: float) -> float:
        """Return the line's height."""
        return HEIGHT

    def outer_height(self, document_height: float) -> float:
        """Return the line's height."""
        return HEIGHT

    # -- the stepper "‹ 2/3 ›" -------------------------------------------------------------------

    @property
    def _right(self) -> bool:
        return self.shown.role == "user"

    def _count(self) -> str:
        index, count = self.shown.branch
        return f"{index}/{count}" if count > 1 else ""

    def stepper_width(self) -> float:
        """Return the width of the stepper, 0 where there is one version."""
        text = self._count()
        if not text:
            return 0.0
        return 2 * _ARROW + QFontMetricsF(self.look.small).horizontalAdvance(text)

    def _stepper(self, width: float) -> QRectF:
        whole = self.stepper_width()
        return QRectF(width - whole if self._right else -_ARROW / 3, 0, whole, HEIGHT)

    def step_at(self, point: QPointF, width: float) -> Action | None:
        """Return what the arrow under a point does."""
        box = self._stepper(width)
        index, count = self.shown.branch
        if not box.contains(point):
            return None
        if point.x() < box.left() + _ARROW and index > 1:
            return Action.PREVIOUS
        if point.x() > box.right() - _ARROW and index < count:
            return Action.NEXT
        return None

    def hotspot(self, point: QPointF, width: float) -> bool:
        """Tell whether an arrow is under the point."""
        return self.step_at(point, width) is not None

    def decorate(self, painter: QPainter, width: float) -> None:
        """Paint the stepper and the figures."""
        painter.setFont(self.look.small)
        box = self._stepper(width)
        left = 0.0
        if count := self._count():
            index, last = self.shown.branch
            middle = Qt.AlignmentFlag.AlignCenter
            painter.setPen(self.look.colour("quiet"))
            painter.drawText(box, middle, count)
            for sign, usable, side in (
                ("‹", index > 1, QRectF(box.left(), -1, _ARROW, HEIGHT)),
                ("›", index < last, QRectF(box.right() - _ARROW, -1, _ARROW, HEIGHT)),
            ):
                painter.setPen(self.look.colour("accent" if usable else "line"))
                painter.drawText(side, middle, sign)
            left = box.right() + _SPACE
        if not self._right and self.shown.figures:
            room = QRectF(left, 0, width - left - self.reserved, HEIGHT)
            metrics = QFontMetricsF(self.look.small)
            text = metrics.elidedText(
                self.shown.figures, Qt.TextElideMode.ElideRight, max(room.width(), 0)
            )
            painter.setPen(self.look.colour("quiet"))
            painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, text)
