"""A quiet bar that says what was done and can take it back, for a few seconds."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from desktop.core.texts import Texts
from desktop.ui.labels import Elided, button

_SECONDS = 8
_ABOVE = 12  # pixels between it and what it lies above
_WIDEST = 460


class Toast(QFrame):
    """Lies over the window above `anchor`; one at a time, the next one takes its place."""

    def __init__(self, anchor: QWidget, texts: Texts) -> None:
        super().__init__(anchor)
        self._anchor = anchor
        self.setObjectName("toast")
        self._undo: Callable[[], None] | None = None
        self._text = Elided()
        self._button = button(texts["chats.undo"], "link", "undoButton")
        self._button.setToolTip(texts["chats.undo-help"])
        self._button.clicked.connect(self.undo)
        self._button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # it goes away under the click
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 7, 12, 7)
        row.setSpacing(14)
        row.addWidget(self._text, 1)
        row.addWidget(self._button)
        self._timer = QTimer(self, singleShot=True, interval=_SECONDS * 1000)
        self._timer.timeout.connect(self.done)
        self.hide()

    def say(self, text: str, undo: Callable[[], None] | None = None) -> None:
        """Show a sentence, and a button that takes back what it tells."""
        self._undo = undo
        self._text.say(text)
        self.setAccessibleName(text)
        self._button.setVisible(undo is not None)
        self._timer.start()
        self._move_in()
        self.show()
        self.raise_()

    def undo(self) -> None:
        """Take it back."""
        undo, self._undo = self._undo, None
        self.done()
        if undo is not None:
            undo()

    def done(self) -> None:
        """Go away; what was done stays done."""
        self._undo = None
        self._timer.stop()
        self.hide()

    def _move_in(self) -> None:
        """Become a child of the window, whatever page is in front of the anchor."""
        window = self._anchor.window()
        if self.parentWidget() is not window:
            self.setParent(window)
            window.installEventFilter(self)
        self._place()

    def _place(self) -> None:
        anchor, window = self._anchor, self._anchor.window()
        left = anchor.mapTo(window, QPoint(0, 0))
        width = min(max(self.sizeHint().width(), 220), _WIDEST, anchor.width() - 24)
        height = self.sizeHint().height()
        bottom = left.y() if anchor.isVisible() else window.height()
        x = left.x() + (anchor.width() - width) // 2
        self.setGeometry(x, bottom - height - _ABOVE, width, height)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Stay where it is when the window grows."""
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self._place()
        return False
