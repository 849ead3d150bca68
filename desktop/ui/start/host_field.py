"""The field for the provider's line, which may be pasted with the password's line under it.

A field of one line turns a line end into a space, so that a password would become a part of the
line: shown, and saved with it. So what comes by the clipboard or by a drag is taken apart first.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import (
    QClipboard,
    QContextMenuEvent,
    QDropEvent,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
)
from PySide6.QtWidgets import QLineEdit

from desktop.core.ssh.paste import split_paste


class HostField(QLineEdit):
    """Holds the line; the password that came with it is kept beside, and never shown.

    Signals:
        password_taken: whether there is one now.
    """

    password_taken = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self._password = ""
        self.textEdited.connect(lambda _: self._keep(""))  # another line: another host

    def whole(self) -> str:
        """Return the line, and the password in a line of its own where one was pasted."""
        line = self.text().strip()
        return f"{line}\n{self._password}" if self._password and line else line

    def resume(self, other: HostField) -> None:
        """Go on with what stands in another one, the password too."""
        self.setText(other.text())
        self._keep(other._password)

    def take(self, text: str) -> None:
        """Insert what was pasted, as typing would: in place of what is selected."""
        pasted = split_paste(text)
        self.insert(pasted.line)
        self._keep(pasted.password or "")

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt\'s name
        """Paste by the keys."""
        if event.matches(QKeySequence.StandardKey.Paste):
            self.take(QGuiApplication.clipboard().text())
        else:
            super().keyPressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt\'s name
        """Paste by the middle button, where the desktop has that."""
        clipboard = QGuiApplication.clipboard()
        if event.button() is Qt.MouseButton.MiddleButton and clipboard.supportsSelection():
            self.setCursorPosition(self.cursorPositionAt(event.position().toPoint()))
            self.take(clipboard.text(QClipboard.Mode.Selection))
        else:
            super().mouseReleaseEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802 - Qt\'s name
        """Take what is dropped."""
        self.take(event.mimeData().text())
        event.acceptProposedAction()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:  # noqa: N802 - Qt\'s name
        """Show the usual menu, whose "Paste" takes lines apart too."""
        menu = self.createStandardContextMenu()
        for action in menu.actions():
            if action.objectName() == "edit-paste":
                action.triggered.disconnect()
                action.triggered.connect(lambda: self.take(QGuiApplication.clipboard().text()))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())

    def _keep(self, password: str) -> None:
        if password != self._password:
            self._password = password
            self.password_taken.emit(bool(password))
