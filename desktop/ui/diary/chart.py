"""What each of the last days has cost: bars, with the figures that matter written beside them."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFocusEvent, QHelpEvent, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from desktop.core.bill import money
from desktop.core.diary.sums import Day
from desktop.core.texts import Texts
from desktop.ui import fonts
from desktop.ui.theme import Theme

_HEIGHT = 104
_ROUND = 2.0
_LEAST = 2.0  # pixels of a bar that is not nothing


class DaysChart(QWidget):
    """A bar for each day, the last one is today; arrow keys go from day to day."""

    def __init__(self, theme: Theme, texts: Texts) -> None:
        super().__init__()
        self.setObjectName("daysChart")
        self._theme, self._texts = theme, texts
        self._days: Sequence[Day] = ()
        self._currency = ""
        self._marked = -1
        self.setFont(fonts.scaled(self.font(), 0.88))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setMouseTracking(True)
        theme.changed.connect(self.update)

    def show_days(self, days: Sequence[Day], currency: str) -> None:
        """Show these days, in one currency."""
        self._days, self._currency = days, currency
        self._mark(min(self._marked, len(days) - 1))

    def described(self) -> str:
        """Return the chart in words: the days that cost something."""
        title = self._texts("diary.chart", count=len(self._days))
        paid = [self.day_text(day) for day in self._days if day.money > 0]
        return f"{title}: {'; '.join(paid) if paid else self._texts['diary.chart-nothing']}"

    def day_text(self, day: Day) -> str:
        """Return a day and what it cost."""
        return f"{day.date:%m-%d} {money(day.money, self._currency)}"

    def sizeHint(self) -> QSize:  # noqa: N802
        """Ask for room that grows with the letters."""
        return QSize(400, _HEIGHT - 14 + self.fontMetrics().height())

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Let the layout make it narrow, but not flat."""
        return QSize(240, self.sizeHint().height())

    # -- people ------------------------------------------------------------------------------------

    def event(self, event: QEvent) -> bool:
        """Say what the day under the pointer cost."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            at = self._day_at(event.pos().x())
            said = self.day_text(self._days[at]) if at >= 0 else ""
            QToolTip.showText(event.globalPos(), said, self)
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Go from day to day."""
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        if event.key() in steps and self._days:
            self._mark(max(0, min(self._marked + steps[Qt.Key(event.key())], len(self._days) - 1)))
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:  # noqa: N802
        """Begin at today."""
        self._mark(len(self._days) - 1)
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:  # noqa: N802
        """Mark nothing."""
        self._mark(-1)
        super().focusOutEvent(event)

    def _mark(self, index: int) -> None:
        self._marked = index
        said = self.day_text(self._days[index]) if 0 <= index < len(self._days) else ""
        name = said or self._texts("diary.chart", count=len(self._days))
        self.setAccessibleName(name)
        self.setAccessibleDescription(self.described())
        self.update()

    # -- paint -------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Paint the bars, the highest one's figure, and the first and the last day's names."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        plot, colours = self._plot(), self._theme.colours
        painter.setPen(QPen(QColor(colours.line), 1))
        painter.drawLine(plot.bottomLeft(), plot.bottomRight())
        highest = max((day.money for day in self._days), default=0.0)
        for index, day in enumerate(self._days):
            box = self._bar(plot, index, day.money / highest if highest else 0.0)
            if day.money > 0:
                last = index == len(self._days) - 1
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(colours.accent if last else colours.quiet))
                painter.drawRoundedRect(box, _ROUND, _ROUND)
        self._write(painter, plot, highest)

    def _write(self, painter: QPainter, plot: QRectF, highest: float) -> None:
        if not self._days:
            return
        colours, letters = self._theme.colours, self.fontMetrics()
        base = plot.bottom() + letters.ascent() + 4
        painter.setPen(QColor(colours.quiet))
        first, last = f"{self._days[0].date:%m-%d}", self._texts["diary.today"]
        painter.drawText(QPointF(plot.left(), base), first)
        width = letters.horizontalAdvance(last)
        painter.drawText(QPointF(plot.right() - width, base), last)
        painter.setPen(QColor(colours.text))
        if highest <= 0:
            nothing = self._texts["diary.chart-nothing"]
            painter.drawText(plot, Qt.AlignmentFlag.AlignCenter, nothing)
            return
        dearest = max(range(len(self._days)), key=lambda index: self._days[index].money)
        shown = self._marked if self._marked >= 0 else dearest
        self._label(painter, plot, shown, highest)

    def _label(self, painter: QPainter, plot: QRectF, index: int, highest: float) -> None:
        """Write what a day cost over its bar; a marked one gets its date and a frame too."""
        day, letters = self._days[index], self.fontMetrics()
        box = self._bar(plot, index, day.money / highest)
        marked = index == self._marked
        said = self.day_text(day) if marked else money(day.money, self._currency)
        width = letters.horizontalAdvance(said)
        left = min(max(box.center().x() - width / 2, plot.left()), plot.right() - width)
        painter.drawText(QPointF(left, box.top() - letters.descent() - 2), said)
        if marked:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(self._theme.colours.text), 1.5))
            painter.drawRoundedRect(box.adjusted(-2, -2, 2, 2), _ROUND, _ROUND)

    def _plot(self) -> QRectF:
        letters = self.fontMetrics()
        top, bottom = letters.height() + 4, letters.height() + 5
        return QRectF(2, top, max(self.width() - 4, 1), max(self.height() - top - bottom, 1))

    def _bar(self, plot: QRectF, index: int, share: float) -> QRectF:
        step = plot.width() / max(len(self._days), 1)
        height = max(share * plot.height(), _LEAST if share > 0 else 0.0)
        width = min(step * 0.68, 26.0)
        left = plot.left() + index * step + (step - width) / 2
        return QRectF(left, plot.bottom() - height, width, height)

    def _day_at(self, x: float) -> int:
        plot = self._plot()
        if not self._days or not plot.left() <= x <= plot.right():
            return -1
        return min(int((x - plot.left()) / plot.width() * len(self._days)), len(self._days) - 1)
