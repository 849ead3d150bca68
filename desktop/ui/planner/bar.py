"""The bar that shows what takes a card's memory: each part in a tone and a pattern of its own."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.core.planner.plan import Plan
from desktop.core.texts import Texts
from desktop.ui import fonts
from desktop.ui.planner import wording
from desktop.ui.planner.wording import Part
from desktop.ui.theme import Colours, Theme

_HEIGHT, _SWATCH, _LINE = 16, 11, 21
_GAP = 18
_ROUND = 4.0


def brush(name: str, colours: Colours) -> QBrush:
    """Return how a part is filled: tone and pattern tell it apart, with or without colour."""
    tones = {
        "held": (colours.quiet, Qt.BrushStyle.BDiagPattern),
        "weights": (colours.accent, Qt.BrushStyle.SolidPattern),
        "kv": (colours.accent, Qt.BrushStyle.Dense5Pattern),
        "overhead": (colours.quiet, Qt.BrushStyle.SolidPattern),
        "free": (colours.line, Qt.BrushStyle.SolidPattern),
    }
    tone, style = tones[name]
    return QBrush(QColor(tone), style)


def paint(painter: QPainter, box: QRectF, plan: Plan, colours: Colours) -> None:
    """Paint the parts into a box; where they are too much, a mark says where the memory ends."""
    outline = QPainterPath()
    outline.addRoundedRect(box, _ROUND, _ROUND)
    painter.save()
    painter.setClipPath(outline)
    painter.fillRect(box, QColor(colours.surface))
    for part, piece in _pieces(box, plan):
        painter.fillRect(piece, brush(part.name, colours))
    painter.restore()
    painter.setPen(QColor(colours.quiet))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPath(outline)
    end = _end(box, plan)
    if end is not None:
        painter.fillRect(QRectF(end - 1, box.top() - 3, 2, box.height() + 6), QColor(colours.bad))


def _whole(plan: Plan) -> int:
    used = sum(part.size for part in wording.parts(plan))
    return max(plan.total, used, 1)


def _pieces(box: QRectF, plan: Plan) -> Iterator[tuple[Part, QRectF]]:
    x, whole = box.left(), _whole(plan)
    for part in wording.parts(plan):
        width = box.width() * part.size / whole
        yield part, QRectF(x, box.top(), max(width - 1, 1), box.height())
        x += width


def _end(box: QRectF, plan: Plan) -> float | None:
    """Return where the memory ends, where more than that is wanted."""
    whole = _whole(plan)
    return None if whole <= plan.total else box.left() + box.width() * plan.total / whole


class MemoryBar(QWidget):
    """The bar of one model, with a legend of amounts under it."""

    def __init__(self, theme: Theme, texts: Texts) -> None:
        super().__init__()
        self.setObjectName("memoryBar")
        self._theme, self._texts = theme, texts
        self._plan: Plan | None = None
        self._font = fonts.scaled(self.font(), 0.92)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    def show_plan(self, plan: Plan) -> None:
        """Show where the memory goes."""
        self._plan = plan
        named = [wording.named(part, plan, self._texts) for part in wording.parts(plan)]
        self.setAccessibleName(", ".join((self._texts["plan.memory"], *named)))
        self.setVisible(bool(named))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802
        """Ask for room for the bar and its legend."""
        return QSize(200, self._height(max(self.width(), 200)))

    def hasHeightForWidth(self) -> bool:  # noqa: N802
        """The legend takes more lines where it is narrow."""
        return True

    def heightForWidth(self, width: int) -> int:  # noqa: N802
        """Return the height of bar and legend."""
        return self._height(width)

    def _height(self, width: int) -> int:
        rows = [y for _, _, _, y in self._legend(width)]
        return _HEIGHT + 6 + (max(rows, default=0) + 1) * _LINE

    def _legend(self, width: int) -> list[tuple[Part, str, int, int]]:
        """Return each part with its text, its place and its row."""
        if self._plan is None:
            return []
        placed: list[tuple[Part, str, int, int]] = []
        x = row = 0
        self.ensurePolished()
        for part in wording.parts(self._plan):
            text = wording.named(part, self._plan, self._texts)
            wide = _SWATCH + 6 + self.fontMetrics().horizontalAdvance(text)
            if x and x + wide > width:
                x, row = 0, row + 1
            placed.append((part, text, x, row))
            x += wide + _GAP
        return placed

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Paint it."""
        if self._plan is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colours = self._theme.colours
        paint(painter, QRectF(0.5, 3.5, self.width() - 1, _HEIGHT - 1), self._plan, colours)
        painter.setFont(self._font)
        for part, text, x, row in self._legend(self.width()):
            y = _HEIGHT + 6 + row * _LINE
            swatch = QRectF(x + 0.5, y + (_LINE - _SWATCH) / 2, _SWATCH, _SWATCH)
            painter.fillRect(swatch, QColor(colours.surface))
            painter.fillRect(swatch, brush(part.name, colours))
            painter.setPen(QColor(colours.quiet))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(swatch)
            box = QRectF(x + _SWATCH + 6, y, self.width() - x, _LINE)
            painter.setPen(QColor(colours.text))
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, text)
