"""The column at the right, empty until the settings are looked at: 3 MB that few starts need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QVBoxLayout

from desktop.core.chat.conversation import Setup
from desktop.core.texts import Texts
from desktop.ui.theme import Theme

if TYPE_CHECKING:
    from desktop.core.chat.store.store import Store
    from desktop.ui.chats.prompts_menu import Guard
    from desktop.ui.chats.setup_panel import SetupPanel

_WIDTH = 312


class SetupSide(QFrame):
    """Makes the panel when it is shown for the first time.

    Attributes:
        panel: what is in it, or None before that.

    Signals:
        chosen: what is asked from now on.
        closed: it is not wanted any more.
    """

    chosen = Signal(object)
    closed = Signal()

    def __init__(self, store: Store, theme: Theme, texts: Texts, guarded: Guard) -> None:
        super().__init__()
        self.setFixedWidth(_WIDTH)
        self._parts = (store, theme, texts, guarded)
        self._shown = (Setup(), "")
        self.panel: SetupPanel | None = None

    def show_setup(self, setup: Setup, model: str) -> None:
        """Show what a conversation asks of `model`, which the host in front runs."""
        self._shown = (setup, model)
        if self.panel is not None:
            self.panel.show_setup(setup, model)

    def flush(self) -> None:
        """Choose now what was typed a moment ago."""
        if self.panel is not None:
            self.panel.flush()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Have the panel there before anybody sees that it was not."""
        if self.panel is None:
            self._make()
        super().showEvent(event)

    def _make(self) -> None:
        from desktop.ui.chats.setup_panel import SetupPanel  # noqa: PLC0415 - with its first use

        self.panel = SetupPanel(*self._parts)
        self.panel.chosen.connect(self.chosen)
        self.panel.closed.connect(self.closed)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.panel)
        self.panel.show_setup(*self._shown)
        self.panel.show()  # it came after those that a layout shows
