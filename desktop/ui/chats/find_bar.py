"""Looking for words in the conversation in front: Ctrl+F, how often, where."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit

from desktop.core.texts import Texts
from desktop.ui.chats.tool import ToolButton
from desktop.ui.labels import label
from desktop.ui.theme import Theme
from desktop.ui.transcript import find
from desktop.ui.transcript.view import Transcript

_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class FindBar(QFrame):
    """A field, a count, two arrows and a way out; Enter and Shift+Enter step."""

    def __init__(self, transcript: Transcript, theme: Theme, texts: Texts) -> None:
        super().__init__()
        self.setObjectName("findBar")
        self._transcript, self._texts = transcript, texts
        self._field = QLineEdit()
        self._field.setObjectName("findField")
        self._field.setAccessibleName(texts["find.name"])
        self._field.setPlaceholderText(texts["find.name"])
        self._field.setMaximumWidth(320)
        self._field.textChanged.connect(self._look)
        self._count = label(tone="quiet", size=0.92)
        self._count.setMinimumWidth(84)
        previous = ToolButton("up", texts["find.previous"], theme, "findPrevious")
        following = ToolButton("down", texts["find.next"], theme, "findNext")
        close = ToolButton("close", texts["find.close"], theme, "findClose")
        previous.clicked.connect(lambda: self._step(-1))
        following.clicked.connect(lambda: self._step(1))
        close.clicked.connect(self.close_bar)
        transcript.found.connect(self._count_on)
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 5, 10, 5)
        row.setSpacing(6)
        row.addStretch(1)
        row.addWidget(self._field, 2)
        for widget in (self._count, previous, following, close):
            row.addWidget(widget)
        self._found = 0
        self._from = 0  # where one read when one began to look: every key looks from there
        self.hide()

    def open_bar(self) -> None:
        """Ask what to look for."""
        if self.isHidden():
            self._begin()
            self._look(self._field.text())
        self._field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._field.selectAll()

    def seek(self, text: str) -> None:
        """Look for this at once, and leave the keyboard where it is."""
        self._begin()
        if text == self._field.text():
            self._look(text)
        else:
            self._field.setText(text)

    def _begin(self) -> None:
        self._from = self._transcript.verticalScrollBar().value()
        self.show()

    def close_bar(self) -> None:
        """Look for nothing any more."""
        if not self.isHidden():
            held = self.window().focusWidget()
            self._transcript.clear_find()
            self.hide()
            if held is not None and self.isAncestorOf(held):
                self._transcript.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Step on Enter and the arrows, leave on Escape."""
        back = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        if event.key() in _ENTER:
            self._step(-1 if back else 1)
        elif event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            self._step(1 if event.key() == Qt.Key.Key_Down else -1)
        elif event.key() == Qt.Key.Key_Escape:
            self.close_bar()
        else:
            super().keyPressEvent(event)

    def _look(self, text: str) -> None:
        if text.strip():
            self._transcript.verticalScrollBar().setValue(self._from)
        self._transcript.find_text(text)

    def _count_on(self) -> None:
        """Say how far a search has come."""
        self._found = self._transcript.matches
        self._tell(self._transcript.find_next(0))

    def _step(self, by: int) -> None:
        if self._transcript.matches:
            self._tell(self._transcript.find_next(by))

    def _tell(self, here: int) -> None:
        if not self._field.text().strip():
            said = ""
        elif not self._found:
            said = "" if self._transcript.searching else self._texts["find.nothing"]
        else:
            most = "+" if self._found >= find.MOST else ""
            said = self._texts("find.count", here=here, count=f"{self._found:,}{most}")
        self._count.setText(said)
        self._field.setAccessibleDescription(said)
