"""Which of the two side columns there is room for: the list at the left, the settings at the right.

What is wanted is remembered; in a narrow window a column shows only while it was just asked for.
"""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QWidget

from desktop.ui.chats.remembered import Remembered

NARROW = 760  # pixels for the list and what is read beside it
_LEAST = 520  # for what is read: where there is less, the settings lie over it


class Sides:
    """Shows and hides the columns.

    Attributes:
        needed: whether there is anything to list.
        setup: whether the settings are shown.
    """

    def __init__(
        self,
        row: QHBoxLayout,
        sidebar: QWidget,
        setup: QWidget,
        remembered: Remembered,
        home: QWidget,
    ) -> None:
        """Take the columns; from a list that hides the keyboard goes to `home`."""
        self._row, self._home = row, home
        self._sidebar, self._panel, self._remembered = sidebar, setup, remembered
        self.needed = False
        self.setup = False
        self._drawn = False  # in a narrow window: out for the moment
        setup.hide()

    def fit(self, width: int) -> None:
        """Show what there is room for."""
        self._place_panel(width)
        self._panel.setVisible(self.setup)
        if not self._is_narrow(width):
            self._drawn = False
        shown = self.needed and self._wants(width)
        held = self._sidebar.window().focusWidget()
        if not shown and held is not None and self._sidebar.isAncestorOf(held):
            self._home.setFocus()
        self._sidebar.setVisible(shown)

    def toggle_sidebar(self, width: int) -> None:
        """Show the list, or hide it."""
        if self._is_narrow(width):
            self._drawn = not self._drawn
        else:
            self._remembered.keep(sidebar=not self._remembered.memory.sidebar)
        self.fit(width)

    def show_sidebar(self, width: int) -> None:
        """Show the list."""
        if not self._wants(width):
            self.toggle_sidebar(width)

    def toggle_setup(self, width: int) -> None:
        """Show the settings, or hide them."""
        self.setup = not self.setup
        self.fit(width)

    def chosen(self, width: int) -> None:
        """Put the list away in a narrow window: something was chosen from it."""
        self._drawn = False
        self.fit(width)

    def _place_panel(self, width: int) -> None:
        """Put the settings beside what is read, or over it where there is no room."""
        lies_over = width - self._panel.width() < _LEAST
        if lies_over:
            self._row.removeWidget(self._panel)
            window = self._panel.parentWidget()
            height = window.height() if window is not None else 0
            self._panel.setGeometry(width - self._panel.width(), 0, self._panel.width(), height)
            self._panel.raise_()
        elif self._row.indexOf(self._panel) < 0:
            self._row.addWidget(self._panel)

    def _wants(self, width: int) -> bool:
        return self._drawn if self._is_narrow(width) else self._remembered.memory.sidebar

    def _is_narrow(self, width: int) -> bool:
        beside = self._panel.width() if self.setup else 0
        return width - beside < NARROW
