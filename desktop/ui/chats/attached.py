"""The files that go with the message being typed: each with its size in tokens, and a way out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from desktop.core.amounts import size
from desktop.core.chat.conversation import Attachment
from desktop.core.texts import Texts
from desktop.ui.chats.tool import ToolButton
from desktop.ui.labels import Elided
from desktop.ui.theme import Theme

_A_ROW = 2
_SMALL = 22


class Attached(QWidget):
    """Chips, two in a row.

    Attributes:
        attachments: what is attached, in the order in which it came.

    Signals:
        changed: one came or went.
    """

    changed = Signal()

    def __init__(self, theme: Theme, texts: Texts) -> None:
        super().__init__()
        self.setObjectName("attachments")
        self._theme, self._texts = theme, texts
        self.attachments: tuple[Attachment, ...] = ()
        self._costs: Mapping[Attachment, int | None] = {}
        self._labels: list[tuple[Attachment, Elided]] = []
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(4, 0, 4, 0)
        self._rows.setSpacing(4)
        self.hide()

    def put(self, attachments: Sequence[Attachment]) -> None:
        """Have these, in place of what is there."""
        if tuple(attachments) != self.attachments:
            self.attachments = tuple(attachments)
            self._draw()
            self.changed.emit()

    def add(self, attachment: Attachment) -> None:
        """Have one more."""
        self.put((*self.attachments, attachment))

    def show_costs(self, costs: Mapping[Attachment, int | None]) -> None:
        """Show how many tokens each takes, where that is known."""
        self._costs = costs
        for attachment, shown in self._labels:
            shown.say(self._words(attachment))

    def _words(self, attachment: Attachment) -> str:
        tokens = self._costs.get(attachment)
        if tokens is None:
            amount = size(len(attachment.text.encode("utf-8", "replace")))
        else:
            amount = self._texts("reply.tokens", count=f"{tokens:,}")
        return f"{attachment.name} ⋅ {amount}"

    def _draw(self) -> None:
        self._labels = []
        while (item := self._rows.takeAt(0)) is not None:
            if (row := item.widget()) is not None:
                row.hide()
                row.deleteLater()
        for at in range(0, len(self.attachments), _A_ROW):
            self._rows.addWidget(self._row(at))
        self.setVisible(bool(self.attachments))

    def _row(self, at: int) -> QWidget:
        made = QWidget()
        row = QHBoxLayout(made)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        for index in range(at, at + _A_ROW):
            if index < len(self.attachments):
                row.addWidget(self._chip(index), 1)
            else:
                row.addStretch(1)
        return made

    def _chip(self, index: int) -> QFrame:
        attachment = self.attachments[index]
        chip = QFrame()
        chip.setObjectName("chip")
        row = QHBoxLayout(chip)
        row.setContentsMargins(9, 2, 3, 2)
        row.setSpacing(4)
        shown = Elided()
        shown.say(self._words(attachment))
        self._labels.append((attachment, shown))
        name = self._texts("attach.remove", name=attachment.name)
        remove = ToolButton("close", name, self._theme, "removeAttachment")
        remove.setFixedSize(_SMALL, _SMALL)
        remove.clicked.connect(lambda: self._remove(index))
        row.addWidget(shown, 1)
        row.addWidget(remove)
        return chip

    def _remove(self, index: int) -> None:
        self.put(tuple(each for at, each in enumerate(self.attachments) if at != index))
