"""The field of the system prompt."""

from __future__ import annotations

from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QPlainTextEdit

from desktop.core.texts import Texts

_HEIGHT = 104


class PromptField(QPlainTextEdit):
    """Some lines of plain text."""

    def __init__(self, texts: Texts) -> None:
        super().__init__()
        self.setObjectName("systemField")
        self.setProperty("field", "true")
        self.setTabChangesFocus(True)
        self.setFixedHeight(_HEIGHT)
        self.setAccessibleName(texts["tune.system"])
        self.setPlaceholderText(texts["tune.system-help"])

    def text(self) -> str:
        """Return what is in it."""
        return self.toPlainText()

    def take(self, text: str) -> None:
        """Hold this text instead; Ctrl+Z brings back what was there."""
        cursor = self.textCursor()
        cursor.select(QTextCursor.SelectionType.Document)
        cursor.insertText(text)
