"""The string between the steps: it forks to the two branches and joins after them."""

from __future__ import annotations

from enum import Enum

from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.ui.start.row import ICON
from desktop.ui.theme import Theme

_LEFT = 15 + ICON / 2  # the middle of a plain row's icon
_CORNER = 8.0


class Shape(Enum):
    """How a piece of string runs, and how high it is."""

    STRAIGHT = 14
    FORK = 22
    JOIN = 23


class Strand(QWidget):
    """One piece of string, as wide as the rows. `gap` is between the two branches."""

    def __init__(self, shape: Shape, theme: Theme, gap: int = 0) -> None:
        super().__init__()
        self._shape, self._theme, self._gap = shape, theme, gap
        self.setFixedHeight(shape.value)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Paint it as a hairline with round corners."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(self._theme.colours.line), 2))
        painter.drawLine(QPointF(_LEFT, 0), QPointF(_LEFT, self.height()))
        if self._shape is not Shape.STRAIGHT:
            painter.drawPath(self._branch())

    def _branch(self) -> QPainterPath:
        """Return the way from the left string to the middle of the right branch's icon."""
        right = (self.width() + self._gap) / 2 + _LEFT
        fork = self._shape is Shape.FORK
        near, far = (0.0, float(self.height())) if fork else (float(self.height()), 0.0)
        middle = self.height() / 2
        corner = min(_CORNER, middle) * (1 if fork else -1)
        path = QPainterPath(QPointF(_LEFT, near))
        path.quadTo(_LEFT, middle, _LEFT + abs(corner), middle)
        path.lineTo(right - abs(corner), middle)
        path.quadTo(right, middle, right, middle + corner)
        path.lineTo(right, far)
        return path
