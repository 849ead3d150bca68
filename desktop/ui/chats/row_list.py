"""The list in the sidebar, by mouse and by keys."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QListView

from desktop.core.texts import Texts
from desktop.ui.chats.listing import Row
from desktop.ui.chats.row_painter import RowPainter
from desktop.ui.chats.rows import ROW, Index, Rows
from desktop.ui.theme import Theme


class RowList(QListView):
    """The list itself: one click or Enter opens, F2 renames, Delete deletes.

    Signals:
        opened: this row.
        deleting: this conversation.
    """

    opened = Signal(object)
    deleting = Signal(str)

    def __init__(self, model: Rows, theme: Theme, texts: Texts) -> None:
        super().__init__()
        self.setObjectName("chatList")
        self.setAccessibleName(texts["chats.name"])
        self.setModel(model)
        self.setItemDelegate(RowPainter(theme, self.font(), self))
        self.setFrameShape(QListView.Shape.NoFrame)
        self.setEditTriggers(
            QListView.EditTrigger.DoubleClicked | QListView.EditTrigger.EditKeyPressed
        )
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.verticalScrollBar().setSingleStep(24)
        self.setMouseTracking(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.clicked.connect(self._click)
        theme.changed.connect(self.viewport().update)

    def _click(self, index: Index) -> None:
        row: Row = index.data(ROW)
        if not row.is_heading:  # Qt tells of those too
            self.opened.emit(row)

    def focusInEvent(self, event: QFocusEvent) -> None:  # noqa: N802
        """Stand on a conversation, that one sees where the keyboard is."""
        super().focusInEvent(event)
        model = self.model()
        rows = (model.index(at, 0) for at in range(model.rowCount()))
        first = next((row for row in rows if not row.data(ROW).is_heading), None)
        if first is not None and not self.selectionModel().hasSelection():
            self.setCurrentIndex(first)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Open, delete, or walk."""
        row = self.currentIndex().data(ROW)
        if row is not None and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.opened.emit(row)
        elif row is not None and event.key() == Qt.Key.Key_Delete:
            self.deleting.emit(row.conversation)
        else:
            super().keyPressEvent(event)
