"""The buttons of one message: real ones, so that keys and screen readers find them.

There is one row of them; it moves to the message under the mouse, or the one that keys chose.
"""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from desktop.core.texts import Texts
from desktop.ui import icons
from desktop.ui.theme import Colours
from desktop.ui.transcript.footer import HEIGHT
from desktop.ui.transcript.shown import Action, Shown

_ICON = 16
_BUTTON = 26
# In the order of the row; stepping between versions is the footer's.
_ROW = (
    Action.COPY,
    Action.QUOTE,
    Action.EDIT,
    Action.REGENERATE,
    Action.CONTINUE,
    Action.DELETE,
)


class ActionRow(QWidget):
    """What can be done to one message.

    Signals:
        chosen: an action was pressed, with the message's id.
    """

    chosen = Signal(str, object)

    def __init__(self, parent: QWidget, texts: Texts, colours: Colours) -> None:
        super().__init__(parent)
        self.setObjectName("messageActions")
        self._texts = texts
        self._shown: Shown | None = None
        self._layout = layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        self._buttons = {action: self._make(action) for action in _ROW}
        for button in self._buttons.values():
            layout.addWidget(button)
        self.colour(colours)
        self.setCursor(Qt.CursorShape.ArrowCursor)
        self.hide()

    def _make(self, action: Action) -> QToolButton:
        button = QToolButton(self)
        button.setObjectName(f"message-{action.value}")
        button.setAutoRaise(True)
        button.setFixedSize(_BUTTON, _BUTTON)
        button.setIconSize(QSize(_ICON, _ICON))
        button.setAccessibleName(self._texts[f"message.{action.value}"])
        button.setToolTip(self._texts[f"message.{action.value}"])
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(lambda: self._press(action))
        return button

    def colour(self, colours: Colours) -> None:
        """Take the theme's colours."""
        for action, button in self._buttons.items():
            button.setIcon(icons.icon(f"message-{action.value}", colours.quiet, _ICON))
        self.setStyleSheet(
            "QToolButton { background: transparent; border: none; border-radius: 6px; padding: 0; }"
            f"QToolButton:hover, QToolButton:focus {{ background: {colours.sunken}; }}"
            f"QToolButton:focus {{ border: 1px solid {colours.accent}; }}"
        )

    @property
    def shown(self) -> Shown | None:
        """The message whose actions these are."""
        return self._shown

    def offer(self, shown: Shown) -> None:
        """Take the actions of a message."""
        self._shown = shown
        for action, button in self._buttons.items():
            button.setVisible(action in shown.actions)

    def room(self, shown: Shown) -> float:
        """Return how wide the row is for a message, in pixels."""
        count = sum(action in shown.actions for action in _ROW)
        return count * _BUTTON + max(count - 1, 0) * 2

    def place(self, x: float, y: float) -> None:
        """Stand at a point of the viewport."""
        assert self._shown is not None
        self.setGeometry(round(x), round(y), round(self.room(self._shown)), round(HEIGHT))
        self._layout.activate()  # or the buttons of another message are seen for a frame
        self.show()
        self.raise_()

    def _press(self, action: Action) -> None:
        if self._shown is not None:
            self.chosen.emit(self._shown.id, action)
