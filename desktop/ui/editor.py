"""The field one writes in: grows with the text, Enter sends, the input method is left alone."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QPlainTextEdit

from desktop.ui import fonts

_MOST_LINES = 8
_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class Editor(QPlainTextEdit):
    """A plain text field of one to eight lines.

    Signals:
        submitted: Enter was pressed, and it was not meant for the input method.
        focused: it got or lost the keyboard.
        escaped: Escape was pressed.
        undone: what is to be taken back is not in this field.
        filed: files were pasted or dropped, as a list of paths.
    """

    submitted = Signal()
    focused = Signal(bool)
    escaped = Signal()
    undone = Signal()
    filed = Signal(list)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("composer")
        self.setFont(fonts.reading(self.font()))
        self.setTabChangesFocus(True)
        self.document().setDocumentMargin(3)
        self.document().documentLayout().documentSizeChanged.connect(lambda _: self._fit())
        self._fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Send on Enter; Shift+Enter breaks the line; Enter inside a composition is the IME's."""
        shift = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        if event.key() in _ENTER and not shift and not self._composing():
            self.submitted.emit()
        elif event.key() in _ENTER and shift:
            if not self.isReadOnly():
                self.textCursor().insertBlock()
                self.ensureCursorVisible()
        elif event.matches(QKeySequence.StandardKey.Undo) and not self._can_undo():
            self.undone.emit()
        elif event.key() == Qt.Key.Key_Escape and not self._composing():
            self.escaped.emit()
        else:
            super().keyPressEvent(event)

    def canInsertFromMimeData(self, source: QMimeData) -> bool:  # noqa: N802
        """Take files too."""
        return bool(files_in(source)) or super().canInsertFromMimeData(source)

    def insertFromMimeData(self, source: QMimeData) -> None:  # noqa: N802
        """Hand files on; of anything else only the text is taken."""
        if files := files_in(source):
            self.filed.emit(files)
        elif not self.isReadOnly():
            self.insertPlainText(source.text())

    def _can_undo(self) -> bool:
        return self.document().isUndoAvailable()

    def _composing(self) -> bool:
        return bool(self.textCursor().block().layout().preeditAreaText())

    def focusInEvent(self, event: QFocusEvent) -> None:  # noqa: N802
        """Tell the frame."""
        super().focusInEvent(event)
        self.focused.emit(True)

    def focusOutEvent(self, event: QFocusEvent) -> None:  # noqa: N802
        """Tell the frame."""
        super().focusOutEvent(event)
        self.focused.emit(False)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Fit the height to the wrapping at the new width."""
        super().resizeEvent(event)
        self._fit()

    def sizeHint(self) -> QSize:  # noqa: N802
        """Be as wide as there is room."""
        return QSize(200, self.height())

    def _fit(self) -> None:
        # QPlainTextEdit measures its document in lines.
        lines = min(max(round(self.document().size().height()), 1), _MOST_LINES)
        margins = 2 * round(self.document().documentMargin()) + 2
        self.setFixedHeight(lines * self.fontMetrics().lineSpacing() + margins)
        many = self.document().size().height() > _MOST_LINES
        policy = Qt.ScrollBarPolicy
        self.setVerticalScrollBarPolicy(
            policy.ScrollBarAsNeeded if many else policy.ScrollBarAlwaysOff
        )


def files_in(source: QMimeData) -> list[Path]:
    """Return the files that are pasted or dropped."""
    return [Path(url.toLocalFile()) for url in source.urls() if url.isLocalFile()]
