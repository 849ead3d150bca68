"""The button with the three dots: everything that opens beside the conversation."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Signal
from PySide6.QtWidgets import QMenu

from desktop.core.texts import Texts
from desktop.ui import shortcuts
from desktop.ui.chats.tool import ToolButton
from desktop.ui.intents import OF_A_HOST, Screen
from desktop.ui.theme import Theme

_GROUPS = (OF_A_HOST, (Screen.DIARY, Screen.SETTINGS, Screen.KEYBOARD))


class MoreButton(ToolButton):
    """Opens a menu of screens; what is about a host is there only where there is one.

    Attributes:
        menu_: what the button opens.

    Signals:
        wanted: a Screen.
        rate_wanted: what the host in front costs is to be typed.
        power_off_wanted: the host in front is to be powered off.
        quitting: the app is to be left.
    """

    wanted = Signal(object)
    rate_wanted = Signal()
    power_off_wanted = Signal()
    quitting = Signal()

    def __init__(self, theme: Theme, texts: Texts) -> None:
        super().__init__("more", texts["menu.more"], theme, "moreButton")
        self._texts = texts
        self._shown: tuple[bool, bool] | None = None
        self.menu_ = QMenu(self)
        self.menu_.setObjectName("moreMenu")
        self.menu_.setAccessibleName(texts["menu.more"])
        self.clicked.connect(self.open)
        self.show_host(there=False)

    def show_host(self, *, there: bool, on: bool = False) -> None:
        """Offer what can be done with a host in front, or without one.

        Args:
            there: a host is in front.
            on: it is on, and can be powered off from here.
        """
        if (there, on) == self._shown:
            return
        self._shown = (there, on)
        self.menu_.clear()
        of_a_host, others = _GROUPS
        if there:
            self._add(of_a_host)
            self.menu_.addAction(self._texts["menu.rate"], self.rate_wanted.emit)
            if on:
                self.menu_.addAction(self._texts["menu.power-off"], self.power_off_wanted.emit)
            self.menu_.addSeparator()
        self._add(others)
        self.menu_.addSeparator()
        self.menu_.addAction(self._texts["menu.quit"], self.quitting.emit)

    def open(self) -> None:
        """Open the menu under the button, its right edge below the button's."""
        width = self.menu_.sizeHint().width()
        self.menu_.popup(self.mapToGlobal(QPoint(self.width() - width, self.height() + 3)))
        self.menu_.setActiveAction(self.menu_.actions()[0])

    def _add(self, screens: tuple[Screen, ...]) -> None:
        for screen in screens:
            name = f"menu.{screen.value}"
            # Shown here, and carried out by the window: two of the same keys would be ambiguous.
            action = self.menu_.addAction(f"{self._texts[name]}\t{shortcuts.of(name)}")
            action.triggered.connect(lambda _=False, screen=screen: self.wanted.emit(screen))
