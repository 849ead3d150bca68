"""What stands above the steps when something is wrong: why, what to do, the last log lines."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPlainTextEdit, QVBoxLayout

from desktop.core.explain import Explanation
from desktop.core.texts import Texts
from desktop.ui import fonts
from desktop.ui.labels import button, label, set_property
from desktop.ui.start.address import AddressBox

_SHOWN_LINES = 10
_KEPT_LINES = 200  # what a host may make us show


class Notice(QFrame):
    """A card with a title, a detail, a hint and a button.

    Attributes:
        address: asks for the host's new address, where that may be what is wrong.

    Signals:
        retried: the button was pressed.
        changed: another host or model is wanted.
        compared: the host's old and new key are to be seen.
    """

    retried = Signal()
    changed = Signal()
    compared = Signal()

    def __init__(self, texts: Texts) -> None:
        super().__init__()
        self.setObjectName("notice")
        self._texts = texts
        self._title = label(size=1.2, bold=True, wrap=True)
        self._detail, self._hint = label(wrap=True), label(tone="quiet", wrap=True)
        for text in (self._detail, self._hint):
            text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._retry = button(texts["action.retry"], "primary", "retryButton")
        self._retry.clicked.connect(self.retried)
        self._change = button(texts["notice.change"], "link", "changeAfterFailureButton")
        self._change.clicked.connect(self.changed)
        self._compare = button(texts["notice.compare"], "link", "compareKeysButton")
        self._compare.clicked.connect(self.compared)
        self._toggle = button(texts["notice.show-log"], "link", "logButton")
        self._toggle.clicked.connect(self._toggle_log)
        self._log = self._make_log()
        self.address = AddressBox(texts)
        self._arrange()

    def _make_log(self) -> QPlainTextEdit:
        log = QPlainTextEdit()
        log.setObjectName("logLines")
        log.setAccessibleName(self._texts["notice.log"])
        log.setReadOnly(True)
        log.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        log.setFont(fonts.monospace(self.font(), 0.88))
        log.setFixedHeight(QFontMetrics(log.font()).lineSpacing() * _SHOWN_LINES + 20)
        log.setVisible(False)
        return log

    def _arrange(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 15, 18, 15)
        layout.setSpacing(6)
        for widget in (self._title, self._detail, self._hint):
            layout.addWidget(widget)
        line = QHBoxLayout()
        line.setContentsMargins(0, 8, 0, 0)
        line.setSpacing(16)
        line.addWidget(self._retry)
        line.addWidget(self._compare)
        line.addWidget(self._change)
        line.addWidget(self._toggle)
        line.addStretch(1)
        layout.addLayout(line)
        layout.addWidget(self._log)
        layout.addWidget(self.address)

    def show_failure(self, why: Explanation, lines: Sequence[str], *, has_keys: bool) -> None:
        """Show an error.

        Args:
            why: in words.
            lines: the last ones of a log, where there are some.
            has_keys: whether there are an old and a new host key to be compared.
        """
        set_property(self, "card", "bad")
        set_property(self._title, "tone", "bad")
        self._say(why.title, why.detail, why.hint)
        self._retry.setText(self._texts["action.retry"])
        text = "\n".join(lines[-_KEPT_LINES:])
        if text != self._log.toPlainText():
            self._log.setPlainText(text)
            self._log.setVisible(False)
        self._change.setVisible(True)
        self._compare.setVisible(has_keys)
        self._toggle.setVisible(bool(text))
        self._name_toggle()

    def show_waiting(self, title: str, countdown: str, hint: str) -> None:
        """Show that the host cannot be reached and when it is tried again."""
        set_property(self, "card", "busy")
        set_property(self._title, "tone", "busy")
        self._say(title, countdown, hint)
        self._retry.setText(self._texts["reconnect.now"])
        self._change.setVisible(False)
        self._compare.setVisible(False)
        self._toggle.setVisible(False)
        self._log.setVisible(False)

    def _say(self, title: str, detail: str, hint: str) -> None:
        for widget, text in ((self._title, title), (self._detail, detail), (self._hint, hint)):
            widget.setText(text)
            widget.setVisible(bool(text))

    def _toggle_log(self) -> None:
        self._log.setVisible(self._log.isHidden())
        self._name_toggle()

    def _name_toggle(self) -> None:
        key = "notice.show-log" if self._log.isHidden() else "notice.hide-log"
        self._toggle.setText(self._texts[key])
