"""Where one writes: the field, the files that go with it, and one button that sends or stops."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from desktop.core.chat.conversation import Attachment
from desktop.core.texts import Texts
from desktop.ui import icons
from desktop.ui.chats.attached import Attached
from desktop.ui.chats.files import Refused, read
from desktop.ui.chats.meter_bar import MeterBar
from desktop.ui.chats.tool import ToolButton
from desktop.ui.editor import Editor
from desktop.ui.labels import Elided, button, label, set_property
from desktop.ui.theme import Theme
from desktop.ui.transcript.view import COLUMN, MARGIN

_BUTTON = 32
_MOST_FILES = 20
_MOST_CHARACTERS = 4_000_000  # of all files together: more than the longest context holds


@dataclass(frozen=True, slots=True)
class State:
    """What can be done in the composer.

    Attributes:
        sendable: Enter sends.
        later: what is sent waits until the model is ready.
        streaming: a reply comes; the button stops it.
        waiting: the message waits; it can be taken back.
        hint: the quiet line below.
        one_shot: what is typed is the beginning of a text, not a message.
    """

    sendable: bool = False
    later: bool = False
    streaming: bool = False
    waiting: bool = False
    hint: str = ""
    one_shot: bool = False


class Composer(QWidget):
    """The editor in its frame with what belongs to it, and one quiet line below.

    Attributes:
        editor: the field.
        meter: how full the context is.
        editing: whether a message that was said is worded anew.

    Signals:
        sent: `text`; empty only where a file goes with it.
        cancelled: stop the reply.
        taken_back: do not send what waits.
        editing_left: leave the message that is edited as it was.
        typed: text or files are others than before.
        tuned: the conversation's settings are wanted.
        refused: a file could not be attached, in a sentence.
    """

    sent = Signal(str)
    cancelled = Signal()
    taken_back = Signal()
    editing_left = Signal()
    typed = Signal()
    tuned = Signal()
    refused = Signal(str)

    def __init__(self, theme: Theme, texts: Texts) -> None:
        super().__init__()
        self._theme, self._texts = theme, texts
        self._state = State()
        self._filling = False
        self.editing = False
        self.editor = Editor()
        self.editor.setAccessibleName(texts["composer.name"])
        self.meter = MeterBar(theme, texts)
        self._files = Attached(theme, texts)
        self._notice = Elided()
        self._leave = button("", "link", "leaveComposerButton")
        self._attach = ToolButton("attach", texts["attach.name"], theme, "attachButton")
        self._tune = ToolButton("tune", texts["tune.name"], theme, "tuneButton")
        self._button = QPushButton()
        self._button.setObjectName("sendButton")
        self._button.setFixedSize(_BUTTON, _BUTTON)
        for each in (self._button, self._leave):  # a click leaves the keyboard in the field
            each.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._hint = label(tone="quiet", size=0.88)
        self._hint.setObjectName("composerHint")
        self._arrange()
        self._connect()
        self._draw()

    def _connect(self) -> None:
        self.editor.submitted.connect(self._act_on_enter)
        self.editor.escaped.connect(self._escape)
        self.editor.textChanged.connect(self._changed)
        self.editor.filed.connect(self.attach)
        self._files.changed.connect(self._changed)
        self._attach.clicked.connect(self._choose_files)
        self._tune.clicked.connect(self.tuned)
        self._button.clicked.connect(self._act)
        self._leave.clicked.connect(self._escape)
        self._theme.changed.connect(self._draw)

    def _arrange(self) -> None:
        frame = QFrame()
        frame.setObjectName("composerFrame")
        self.editor.focused.connect(
            lambda here: set_property(frame, "focused", "true" if here else "false")
        )
        self._strip = self._make_strip()
        inside = QVBoxLayout(frame)
        inside.setContentsMargins(8, 8, 8, 8)
        inside.setSpacing(6)
        inside.addWidget(self._strip)
        inside.addWidget(self._files)
        row = QHBoxLayout()
        row.setSpacing(4)
        low = Qt.AlignmentFlag.AlignBottom
        row.addWidget(self._attach, 0, low)
        row.addWidget(self.editor, 1, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self._tune, 0, low)
        row.addSpacing(2)
        row.addWidget(self._button, 0, low)
        inside.addLayout(row)
        column = QWidget()
        column.setMaximumWidth(COLUMN + 2 * MARGIN)
        whole = QVBoxLayout(column)
        whole.setContentsMargins(MARGIN, 4, MARGIN, 9)
        whole.setSpacing(6)
        whole.addWidget(frame)
        below = QHBoxLayout()
        below.setContentsMargins(6, 0, 6, 0)
        below.addWidget(self._hint)
        below.addStretch(1)
        below.addWidget(self.meter)
        whole.addLayout(below)
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.addStretch(1)
        line.addWidget(column, 1000)
        line.addStretch(1)

    def _make_strip(self) -> QWidget:
        strip = QWidget()
        row = QHBoxLayout(strip)
        row.setContentsMargins(8, 0, 4, 0)
        row.addWidget(self._notice, 1)
        row.addWidget(self._leave)
        strip.hide()
        return strip

    # -- for the desk ------------------------------------------------------------------------------

    @property
    def text(self) -> str:
        """What is typed: a message is trimmed, the beginning of a text stands as it is."""
        typed = self.editor.toPlainText()
        return typed if self._state.one_shot and typed.strip() else typed.strip()

    @property
    def attachments(self) -> Sequence[Attachment]:
        """The files that go with it."""
        return () if self.editing else self._files.attachments

    def fill(
        self, text: str, attachments: Sequence[Attachment] = (), *, editing: bool = False
    ) -> None:
        """Put this into the field in place of what is there."""
        self.editing = editing
        self._filling = True
        if text != self.editor.toPlainText():
            self.editor.setPlainText(text)
            self.editor.moveCursor(QTextCursor.MoveOperation.End)
        self._files.put(attachments)
        self._filling = False
        self._draw()

    def insert(self, text: str) -> None:
        """Put a paragraph in at the cursor, and the keyboard after it."""
        cursor = self.editor.textCursor()
        if cursor.positionInBlock():
            cursor.insertText("\n")
        cursor.insertText(text)
        self.editor.setTextCursor(cursor)
        self.editor.setFocus()

    def attach(self, paths: Iterable[Path]) -> None:
        """Attach text files; says which of them cannot be."""
        if self.editing or self._state.waiting:
            return
        refused = []
        given = list(paths)
        room = _MOST_FILES - len(self._files.attachments)
        for path in given[:room]:
            found = read(path)
            if isinstance(found, Refused):
                refused.append(self._texts(f"attach.{found.why}", name=found.name))
            elif self._length() + len(found.text) > _MOST_CHARACTERS:
                refused.append(self._texts("attach.too-much", name=found.name))
            else:
                self._files.add(found)
        if len(given) > room:
            refused.append(self._texts("attach.too-many", count=_MOST_FILES))
        if refused:
            self.refused.emit(" ".join(refused))

    def _length(self) -> int:
        return sum(len(each.text) for each in self._files.attachments)

    def show_state(self, state: State) -> None:
        """Show what can be done."""
        self._state = state
        self._hint.setText(state.hint)
        self._draw()

    def show_costs(self, costs: Mapping[Attachment, int | None]) -> None:
        """Show how many tokens each file takes."""
        self._files.show_costs(costs)

    # -- parts -------------------------------------------------------------------------------------

    def _choose_files(self) -> None:
        dialog = QFileDialog(self, self._texts["attach.name"])
        dialog.setObjectName("attachDialog")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.filesSelected.connect(lambda names: self.attach(Path(name) for name in names))
        dialog.open()

    def _changed(self) -> None:
        self._draw_button()
        if not self._filling:
            self.typed.emit()

    def _act_on_enter(self) -> None:
        # Enter never stops a reply or keeps a message back: that would be an accident.
        if not self._state.streaming and not self._state.waiting:
            self._act()

    def _act(self) -> None:
        if self._state.streaming:
            self.cancelled.emit()
        elif self._state.waiting:
            self.taken_back.emit()
        elif self._may_send():
            self.sent.emit(self.text)

    def _may_send(self) -> bool:
        sendable = self._state.sendable and not (self.editing and self._state.later)
        return sendable and bool(self.text or self.attachments)

    def _escape(self) -> None:
        if self._state.waiting:
            self.taken_back.emit()
        elif self.editing:
            self.editing_left.emit()

    def _draw(self) -> None:
        waiting, texts = self._state.waiting, self._texts
        self.editor.setReadOnly(waiting)
        self.editor.setPlaceholderText(
            texts[
                "composer.placeholder-completion"
                if self._state.one_shot
                else "composer.placeholder"
            ]
        )
        self._notice.say(texts["composer.is-waiting" if waiting else "composer.is-editing"])
        self._leave.setText(texts["composer.take-back" if waiting else "composer.leave-editing"])
        self._leave.setAccessibleName(self._leave.text())
        self._strip.setVisible(waiting or self.editing)
        self._files.setVisible(bool(self._files.attachments) and not self.editing)
        self._attach.setEnabled(not waiting and not self.editing)
        self._draw_button()

    def _draw_button(self) -> None:
        state = self._state
        name = "send"
        if state.streaming:
            name = "stop"
        elif state.waiting:
            name = "take-back"
        elif state.later and state.sendable and not self.editing:
            name = "send-later"
        enabled = state.streaming or state.waiting or self._may_send()
        colours = self._theme.colours
        self._button.setEnabled(enabled)
        self._button.setIcon(icons.icon(name, colours.on_accent if enabled else colours.quiet, 18))
        text = self._texts[f"composer.{name}"]
        self._button.setToolTip(text)
        self._button.setAccessibleName(text)
