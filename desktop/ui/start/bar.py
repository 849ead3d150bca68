"""A thin progress bar: a share, or a slow shuttle where nobody can tell how far it is."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt, QTimerEvent
from PySide6.QtGui import QColor, QHideEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QProgressBar, QSizePolicy

from desktop.ui.theme import Theme

_STEPS = 1000
_FRAME_MS = 40
_FRAMES = 60  # of one way of the shuttle


class Bar(QProgressBar):
    """Progress in the theme's colours; a QProgressBar, so that screen readers know what it is."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._share: float | None = 0.0
        self._tone = "accent"
        self._frame = 0
        self._clock = 0
        self.setRange(0, _STEPS)
        self.setTextVisible(False)
        self.setFixedHeight(6)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_share(self, share: float | None, tone: str) -> None:
        """Show a share from 0 to 1, or that it is not known, in a colour of the theme."""
        self._share, self._tone = share, tone
        self.setValue(round((share or 0.0) * _STEPS))
        if share is None and not self._clock:
            self._clock = self.startTimer(_FRAME_MS)
        elif share is not None:
            self._rest()
        self.update()

    def _rest(self) -> None:
        if self._clock:
            self.killTimer(self._clock)
            self._clock = 0

    def timerEvent(self, event: QTimerEvent) -> None:  # noqa: N802
        """Move the shuttle."""
        self._frame = (self._frame + 1) % (2 * _FRAMES)
        if self.isVisible():
            self.update()

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802
        """Cost nothing while hidden."""
        self._rest()
        super().hideEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Paint trough and share."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        box = QRectF(self.rect())
        painter.setBrush(QColor(self._theme.colours.line))
        painter.drawRoundedRect(box, 3, 3)
        painter.setBrush(QColor(getattr(self._theme.colours, self._tone)))
        if self._share is None:
            there = self._frame / _FRAMES
            there = there if there <= 1 else 2 - there
            eased = there * there * (3 - 2 * there)
            box = QRectF(eased * box.width() * 0.75, 0, box.width() * 0.25, box.height())
        else:
            box.setWidth(box.width() * self._share)
        if box.width() >= 1:
            painter.drawRoundedRect(box, 3, 3)
