"""A choice of a few words, with our own arrow: a style sheet takes the native one away."""

from __future__ import annotations

from PySide6.QtGui import QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QComboBox

from desktop.ui import icons
from desktop.ui.theme import Theme

_ARROW, _FROM_EDGE = 11, 20


class Choice(QComboBox):
    """A combo box; the wheel scrolls what is around it and changes nothing."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Paint the arrow over it."""
        super().paintEvent(event)
        painter = QPainter(self)
        arrow = icons.pixmap("chevron", self._theme.colours.quiet, _ARROW, self.devicePixelRatioF())
        painter.drawPixmap(self.width() - _FROM_EDGE, (self.height() - _ARROW) // 2, arrow)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        """Leave it to what is around."""
        event.ignore()
