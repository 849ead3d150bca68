"""A small plot of the last hour: a line over a filled ground, under its newest value in words."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QSizePolicy, QVBoxLayout, QWidget

from desktop.ui.labels import label
from desktop.ui.theme import Theme

_HEIGHT = 46
_FAINT = 40  # of 255: the ground under the line
_LINE = 1.6


class Line(QWidget):
    """The line itself; a gap where nothing is known."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._values: Sequence[float | None] = ()
        self._top = 1.0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        theme.changed.connect(self.update)

    @property
    def columns(self) -> int:
        """How many values there is room for: one every two pixels."""
        return max(self.width() // 2, 1)

    def show_values(self, values: Sequence[float | None], top: float) -> None:
        """Draw these, evenly spaced, on a scale from 0 to `top`."""
        self._values, self._top = values, top
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802
        """Ask for little."""
        return QSize(160, _HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Draw the ground line, and each run of known values."""
        colours = self._theme.colours
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(0, _LINE, 0, -1)
        painter.setPen(QPen(QColor(colours.line), 1))
        painter.drawLine(box.bottomLeft(), box.bottomRight())
        for run in runs([self._place(i, v, box) for i, v in enumerate(self._values)]):
            self._draw(painter, run, box)

    def _place(self, index: int, value: float | None, box: QRectF) -> QPointF | None:
        if value is None:
            return None
        x = box.left() + box.width() * index / max(len(self._values) - 1, 1)
        share = min(value / self._top, 1.0) if self._top > 0 else 0.0
        return QPointF(x, box.bottom() - box.height() * share)

    def _draw(self, painter: QPainter, run: list[QPointF], box: QRectF) -> None:
        accent = QColor(self._theme.colours.accent)
        path = QPainterPath(run[0])
        for point in run[1:]:
            path.lineTo(point)
        if len(run) == 1:
            path.lineTo(run[0] + QPointF(1.0, 0.0))
        painter.setPen(QPen(accent, _LINE))
        painter.drawPath(path)
        path.lineTo(run[-1].x(), box.bottom())
        path.lineTo(run[0].x(), box.bottom())
        accent.setAlpha(_FAINT)
        painter.fillPath(path, accent)


def runs(points: Sequence[QPointF | None]) -> list[list[QPointF]]:
    """Return the points in runs, cut where one is missing."""
    found: list[list[QPointF]] = [[]]
    for point in points:
        if point is not None:
            found[-1].append(point)
        elif found[-1]:
            found.append([])
    return [run for run in found if run]


class Plot(QFrame):
    """A card: a name, the newest value, a remark, and the last hour."""

    def __init__(self, name: str, title: str, theme: Theme) -> None:
        super().__init__()
        self.setObjectName(f"{name}Plot")
        self.setProperty("card", "true")
        self._title = title
        self._value = label(size=1.35, bold=True)
        self._remark = label(tone="quiet", size=0.92)
        self.line = Line(theme)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 11, 14, 12)
        layout.setSpacing(3)
        layout.addWidget(label(title, tone="quiet"))
        layout.addWidget(self._value)
        layout.addWidget(self._remark)
        layout.addSpacing(2)
        layout.addWidget(self.line, 1)

    def say(self, value: str, remark: str = "") -> None:
        """Show how it stands now, in words."""
        self._value.setText(value)
        self._remark.setText(remark or " ")
        said = ", ".join(part for part in (value, remark) if part)
        self.setAccessibleName(f"{self._title}: {said}")
