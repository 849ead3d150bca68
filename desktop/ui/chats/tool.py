"""A small flat button with an icon in the theme's colours and a name for everybody."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QToolButton

from desktop.ui import icons
from desktop.ui.theme import Theme

_BUTTON, _ICON = 30, 17


class ToolButton(QToolButton):
    """One icon; its words are the tooltip and the accessible name."""

    def __init__(self, icon: str, words: str, theme: Theme, name: str, keys: str = "") -> None:
        super().__init__()
        self.setObjectName(name)
        self.setProperty("kind", "tool")
        self._icon, self._theme = icon, theme
        self.setFixedSize(_BUTTON, _BUTTON)
        self.setIconSize(QSize(_ICON, _ICON))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.say(words, keys)
        theme.changed.connect(self._draw)
        self._draw()

    def say(self, words: str, keys: str = "") -> None:
        """Be called this; `keys` do the same."""
        self.setToolTip(f"{words} ({keys})" if keys else words)
        self.setAccessibleName(words)

    def _draw(self) -> None:
        self.setIcon(icons.icon(self._icon, self._theme.colours.quiet, _ICON))
