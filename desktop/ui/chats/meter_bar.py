"""How full the context is: a thin bar with its figures."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from desktop.core.texts import Texts
from desktop.ui.labels import label
from desktop.ui.theme import Theme

_BAR = QSize(64, 4)
_NEARLY = 0.8  # of the context: from here on it is said with colour too


class MeterBar(QWidget):
    """A thin bar and its figures, such as `1,234 / 4,096`."""

    def __init__(self, theme: Theme, texts: Texts) -> None:
        super().__init__()
        self.setObjectName("contextMeter")
        self._theme, self._texts = theme, texts
        self._share, self._tone = 0.0, "accent"
        self._figures = label(tone="quiet", size=0.88)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addSpacing(_BAR.width() + 8)
        layout.addWidget(self._figures)
        theme.changed.connect(self.update)
        self.hide()

    def show_count(self, tokens: int, limit: int, most: int) -> None:
        """Show that so many of `limit` tokens are taken; over `most` the oldest turns go."""
        self._share = min(tokens / max(limit, 1), 1.0)
        over = tokens > most
        self._tone = "bad" if over else "busy" if self._share > _NEARLY else "accent"
        facts = {
            "tokens": f"{tokens:,}",
            "limit": f"{limit:,}",
            "left": f"{max(limit - tokens, 0):,}",
        }
        self._figures.setText(self._texts("context.figures", **facts))
        explained = self._texts("context.over" if over else "context.explained", **facts)
        self.setToolTip(explained)
        self.setAccessibleName(explained)
        self.show()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Paint the bar left of the figures."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        colours = self._theme.colours
        y = (self.height() - _BAR.height()) / 2
        for share, colour in ((1.0, colours.line), (self._share, getattr(colours, self._tone))):
            painter.setBrush(QColor(colour))
            width = max(_BAR.width() * share, _BAR.height())
            painter.drawRoundedRect(QRectF(0, y, width, _BAR.height()), 2, 2)
