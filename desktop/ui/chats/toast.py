"""A quiet bar that says what was done and can take it back, for a few seconds.

It also says what is under way, for as long as that takes.
"""

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
        self._under_way: tuple[str, Callable[[], None]] | None = None
        self._text = Elided()
        self._texts = texts
        self._button = button(texts["chats.undo"], "link", "undoButton")
        self._button.clicked.connect(self._click)
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
        self._timer.start()
        self._show(text)
        self._button.setVisible(undo is not None)
        self._button.setText(self._texts["chats.undo"])
        self._button.setToolTip(self._texts["chats.undo-help"])

    def stay(self, text: str, stop: Callable[[], None]) -> None:
        """Show what is under way, and a button that stops it, until `stay_no_more`."""
        self._under_way = (text, stop)
        self.done()

    def stay_no_more(self) -> None:
        """Show nothing of it any more."""
        self._under_way = None
        if not self._timer.isActive():
            self.hide()

    def undo(self) -> None:
        """Take it back."""
        undo, self._undo = self._undo, None
        self.done()
        if undo is not None:
            undo()

    def done(self) -> None:
        """Go away; what was done stays done, and what is under way is shown again."""
        self._undo = None
        self._timer.stop()
        if self._under_way is None:
            self.hide()
            return
        self._show(self._under_way[0])
        self._button.setVisible(True)
        self._button.setText(self._texts["chats.stop-transfer"])
        self._button.setToolTip("")

    def _click(self) -> None:
        if self._timer.isActive():
            self.undo()
        elif self._under_way is not None:
            self._under_way[1]()

    def _show(self, text: str) -> None:
        self._text.say(text)
        self.setAccessibleName(text)
        self._move_in()
        self.show()
        self.raise_()

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
