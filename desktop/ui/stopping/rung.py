"""One rung of the ladder: a large button that says what it does, and what comes of it."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from desktop.core.stopping import Rung
from desktop.ui import icons
from desktop.ui.labels import Button, label
from desktop.ui.theme import Theme

_ICON = 20
_LEAST_WIDTH = 240
_EDGE, _GAP = 15, 13  # in pixels: before the icon, and after it
TEXT_AT = _EDGE + _ICON + _GAP  # where the words of every rung begin
_ICONS = {
    Rung.REPLY: "reply-stop",
    Rung.SERVER: "server-stop",
    Rung.POWER_OFF: "power",
    Rung.CONSOLE: "out",
}


class RungButton(Button):
    """As high as its words need."""

    def __init__(self, rung: Rung, theme: Theme, said: str, consequence: str) -> None:
        super().__init__()
        self._rung, self._theme = rung, theme
        self.setObjectName(f"{rung.value}Rung")
        self.setProperty("kind", "rung")
        self.setAccessibleName(said)
        self.setAccessibleDescription(consequence)
        self._icon = QLabel()
        self._icon.setFixedSize(_ICON, _ICON)
        words = QVBoxLayout()
        words.setSpacing(3)
        words.addWidget(label(said, bold=True, wrap=True))
        words.addWidget(label(consequence, tone="quiet", wrap=True))
        self._line = QHBoxLayout(self)
        self._line.setContentsMargins(_EDGE, 12, 16, 13)
        self._line.setSpacing(_GAP)
        self._line.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        self._line.addLayout(words, 1)
        for part in self.findChildren(QWidget):
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        policy = self.sizePolicy()
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        theme.changed.connect(self._draw)
        self._draw()

    def hasHeightForWidth(self) -> bool:  # noqa: N802
        """Tell that the words break into lines."""
        return True

    def heightForWidth(self, width: int) -> int:  # noqa: N802
        """Return the height of the words at a width."""
        return self._line.heightForWidth(width)

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return the room for the words."""
        return self._line.sizeHint()

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Return the least room for the words, which break wherever they have to."""
        return QSize(_LEAST_WIDTH, self._line.minimumSize().height())

    def _draw(self) -> None:
        colour, ratio = self._theme.colours.accent, self.devicePixelRatioF()
        self._icon.setPixmap(icons.pixmap(_ICONS[self._rung], colour, _ICON, ratio))
