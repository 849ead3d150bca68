"""Where one writes: grows with the text, Enter sends, the input method is left alone."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from desktop.core.texts import Texts
from desktop.ui import fonts, icons
from desktop.ui.labels import label, set_property
from desktop.ui.theme import Theme
from desktop.ui.transcript.view import COLUMN, MARGIN

_MOST_LINES = 8
_BUTTON = 32
_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class Editor(QPlainTextEdit):
    """A plain text field of one to eight lines.

    Signals:
        submitted: Enter was pressed, and it was not meant for the input method.
        focused: it got or lost the keyboard.
    """

    submitted = Signal()
    focused = Signal(bool)

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
            self.textCursor().insertBlock()
            self.ensureCursorVisible()
        else:
            super().keyPressEvent(event)

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


class Composer(QWidget):
    """The editor in its frame with the button to send or to stop, and one quiet line below.

    Signals:
        sent: this text, trimmed and not empty.
        cancelled: stop the reply.
    """

    sent = Signal(str)
    cancelled = Signal()

    def __init__(self, theme: Theme, texts: Texts) -> None:
        super().__init__()
        self._theme, self._texts = theme, texts
        self._sendable = self._streaming = False
        self.editor = Editor()
        self.editor.setAccessibleName(texts["composer.name"])
        self.editor.setPlaceholderText(texts["composer.placeholder"])
        self.editor.submitted.connect(self._act_on_enter)
        self.editor.textChanged.connect(self._show_button)
        self._button = QPushButton()
        self._button.setObjectName("sendButton")
        self._button.setFixedSize(_BUTTON, _BUTTON)
        self._button.setIconSize(QSize(18, 18))
        self._button.clicked.connect(self._act)
        self._hint = label(tone="quiet", size=0.88)
        self._hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._arrange()
        theme.changed.connect(self._show_button)
        self._show_button()

    def _arrange(self) -> None:
        frame = QFrame()
        frame.setObjectName("composerFrame")
        self.editor.focused.connect(
            lambda here: set_property(frame, "focused", "true" if here else "false")
        )
        row = QHBoxLayout(frame)
        row.setContentsMargins(13, 8, 8, 8)
        row.setSpacing(8)
        row.addWidget(self.editor, 1, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self._button, 0, Qt.AlignmentFlag.AlignBottom)
        column = QWidget()
        column.setMaximumWidth(COLUMN + 2 * MARGIN)
        inside = QVBoxLayout(column)
        inside.setContentsMargins(MARGIN, 4, MARGIN, 9)
        inside.setSpacing(6)
        inside.addWidget(frame)
        inside.addWidget(self._hint)
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.addStretch(1)
        line.addWidget(column, 1000)
        line.addStretch(1)

    def show_state(self, *, sendable: bool, streaming: bool, hint: str) -> None:
        """Show whether Enter sends, whether the button stops a reply, and the line below."""
        self._sendable, self._streaming = sendable, streaming
        self._hint.setText(hint)
        self._show_button()

    def take(self) -> str:
        """Return the text and empty the field."""
        text = self._text()
        self.editor.clear()
        return text

    def _text(self) -> str:
        return self.editor.toPlainText().strip()

    def _act_on_enter(self) -> None:
        if not self._streaming:  # Enter never stops a reply: that would be an accident
            self._act()

    def _act(self) -> None:
        if self._streaming:
            self.cancelled.emit()
        elif self._sendable and self._text():
            self.sent.emit(self._text())

    def _show_button(self) -> None:
        name = "stop" if self._streaming else "send"
        enabled = self._streaming or (self._sendable and bool(self._text()))
        colours = self._theme.colours
        self._button.setEnabled(enabled)
        self._button.setIcon(icons.icon(name, colours.on_accent if enabled else colours.quiet, 18))
        text = self._texts[f"composer.{name}"]
        self._button.setToolTip(text)
        self._button.setAccessibleName(text)
