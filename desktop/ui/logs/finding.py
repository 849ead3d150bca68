"""Words in a log: found from its end upwards, because what is looked for has mostly just come."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QTextDocument
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPlainTextEdit, QWidget

from desktop.core.texts import Texts
from desktop.ui.chats.tool import ToolButton
from desktop.ui.labels import label, set_property
from desktop.ui.theme import Theme

_LONGEST = 200


class _Field(QLineEdit):
    """Tells by which keys one goes on.

    Signals:
        sought: whether backward.
    """

    sought = Signal(bool)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Find by Enter and Shift+Enter."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.sought.emit(bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
        else:
            super().keyPressEvent(event)


class Finding(QWidget):
    """A field, a button for each direction, and a word where nothing is found.

    Signals:
        found: a place is selected, and in sight.
    """

    found = Signal()

    def __init__(self, view: QPlainTextEdit, theme: Theme, texts: Texts) -> None:
        """Take where the lines are shown."""
        super().__init__()
        self._view, self._texts = view, texts
        self._field = _Field()
        self._field.setObjectName("findInLog")
        self._field.setAccessibleName(texts["logs.find"])
        self._field.setPlaceholderText(texts["logs.find"])
        self._field.setProperty("dense", "true")
        self._field.setMaxLength(_LONGEST)
        self._none = label(tone="quiet", size=0.92)
        self._none.hide()
        previous = ToolButton("up", texts["logs.previous"], theme, "previousLineButton")
        following = ToolButton("down", texts["logs.next"], theme, "nextLineButton")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self._field, 1)
        for widget in (self._none, previous, following):
            layout.addWidget(widget)
        self._field.textChanged.connect(lambda _: self._begin())
        self._field.sought.connect(lambda backward: self._find(backward=backward))
        previous.clicked.connect(lambda: self._find(backward=True))
        following.clicked.connect(lambda: self._find(backward=False))

    def seek(self, text: str) -> None:
        """Find this text."""
        self._field.setText(text)

    def take_keyboard(self) -> None:
        """Let one type what is looked for."""
        self._field.setFocus()
        self._field.selectAll()

    def _begin(self) -> None:
        cursor = self._view.textCursor()
        cursor.movePosition(cursor.MoveOperation.End)
        self._view.setTextCursor(cursor)
        self._find(backward=True)

    def _find(self, *, backward: bool) -> None:
        text = self._field.text()
        found = bool(text) and self._select(text, backward=backward)
        is_missing = bool(text) and not found
        self._none.setText(self._texts["logs.not-found"] if is_missing else "")
        self._none.setVisible(is_missing)
        set_property(self._field, "wrong", "true" if is_missing else "")
        if found:
            self.found.emit()

    def _select(self, text: str, *, backward: bool) -> bool:
        """Select the next place, going on at the other end; return whether there is one."""
        how = QTextDocument.FindFlag.FindBackward if backward else QTextDocument.FindFlag(0)
        if self._view.find(text, how):
            return True
        cursor = self._view.textCursor()
        cursor.movePosition(cursor.MoveOperation.End if backward else cursor.MoveOperation.Start)
        self._view.setTextCursor(cursor)
        return self._view.find(text, how)
