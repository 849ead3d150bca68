"""The field one writes in: grows with the text, Enter sends, the input method is left alone."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QObject, QSize, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QInputMethodEvent,
    QInputMethodQueryEvent,
    QKeyEvent,
    QKeySequence,
    QResizeEvent,
)
from PySide6.QtWidgets import QApplication, QPlainTextEdit, QWidget

from desktop.ui import fonts

_MOST_LINES = 8
_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_COMPOSING = (QEvent.Type.InputMethod, QEvent.Type.InputMethodQuery)
_QUERIES = (
    Qt.InputMethodQuery.ImEnabled,
    Qt.InputMethodQuery.ImCursorRectangle,
    Qt.InputMethodQuery.ImFont,
    Qt.InputMethodQuery.ImCursorPosition,
    Qt.InputMethodQuery.ImSurroundingText,
    Qt.InputMethodQuery.ImCurrentSelection,
    Qt.InputMethodQuery.ImAnchorPosition,
    Qt.InputMethodQuery.ImHints,
)
_CONTROL, _ALT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier
_HELD = _CONTROL | _ALT | Qt.KeyboardModifier.MetaModifier
_WRITING = (Qt.KeyboardModifier.NoModifier, _CONTROL | _ALT)  # both together are AltGr


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
        # Text wraps; Qt shows the bar all the same at some widths, and it hides the last line.
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._placeholder = ""
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

    def setPlaceholderText(self, text: str) -> None:  # noqa: N802
        """Show this while the field is empty, as much of it as one line holds."""
        self._placeholder = text
        self._show_placeholder()

    def _show_placeholder(self) -> None:
        room = self.viewport().width() - 2 * round(self.document().documentMargin())
        shown = self.fontMetrics().elidedText(
            self._placeholder, Qt.TextElideMode.ElideRight, max(room, 0)
        )
        if shown != self.placeholderText():
            super().setPlaceholderText(shown)
            self.viewport().update()  # Qt does not where one takes the place of another

    def type_in(self, text: str) -> None:
        """Take the keyboard, and what was typed while it was elsewhere."""
        if self.isVisible() and not self.isReadOnly():
            self.setFocus()
            self.textCursor().insertText(text)
            self.ensureCursorVisible()

    def compose_for(self, widget: QWidget) -> None:
        """Show what an input method writes while the keyboard is there, and take what it commits.

        The keyboard comes here with the first word that is whole: before, the word would be cut.
        """
        widget.setAttribute(Qt.WidgetAttribute.WA_InputMethodEnabled)
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Take what input methods say to a widget for which this field writes."""
        if event.type() not in _COMPOSING or not self.isVisible() or self.isReadOnly():
            return False
        if isinstance(event, QInputMethodEvent):
            QApplication.sendEvent(self, event)
            if event.commitString():
                self.setFocus()
        elif isinstance(event, QInputMethodQueryEvent) and isinstance(watched, QWidget):
            self._answer(watched, event)
        return True

    def _answer(self, widget: QWidget, event: QInputMethodQueryEvent) -> None:
        """Tell the input method what it asks another widget, such as where its words go."""
        for query in _QUERIES:
            if event.queries() & query:
                value = self.inputMethodQuery(query)
                if query == Qt.InputMethodQuery.ImCursorRectangle:
                    place = self.mapTo(self.window(), value.topLeft())
                    value.moveTopLeft(widget.mapFrom(widget.window(), place))
                event.setValue(query, value)

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
        self._show_placeholder()

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


def typed(event: QKeyEvent) -> str:
    """Return what a key writes, or "" for one that moves, deletes or is a shortcut; so is Space."""
    held = event.modifiers() & _HELD
    text = event.text()
    return text if held in _WRITING and text.isprintable() and not text.isspace() else ""


def files_in(source: QMimeData) -> list[Path]:
    """Return the files that are pasted or dropped."""
    return [Path(url.toLocalFile()) for url in source.urls() if url.isLocalFile()]
