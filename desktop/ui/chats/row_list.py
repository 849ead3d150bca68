"""The list in the sidebar, by mouse and by keys."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QListView

from desktop.core.texts import Texts
from desktop.ui.chats.listing import Row
from desktop.ui.chats.row_painter import RowPainter
from desktop.ui.chats.rows import ROW, Index, Rows
from desktop.ui.editor import typed
from desktop.ui.theme import Theme

_FOR_A_WHILE = (Qt.FocusReason.PopupFocusReason, Qt.FocusReason.ActiveWindowFocusReason)


class RowList(QListView):
    """The list itself: one click or Enter opens, F2 renames, Delete deletes.

    Signals:
        opened: this row.
        deleting: this conversation.
        asked: for the menu at this place, and whether with the mouse.
        typed: what a key writes; it is meant for another field.
        left: the keyboard went to something else in the window.
    """

    opened = Signal(object)
    deleting = Signal(str)
    asked = Signal(QPoint, bool)
    typed = Signal(str)
    left = Signal()

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

    def focusOutEvent(self, event: QFocusEvent) -> None:  # noqa: N802
        """Tell where it went for good: not into a menu, another window or a title."""
        super().focusOutEvent(event)
        if event.reason() not in _FOR_A_WHILE and self.state() != QListView.State.EditingState:
            self.left.emit()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:  # noqa: N802
        """Ask for the menu."""
        self.asked.emit(event.pos(), event.reason() is QContextMenuEvent.Reason.Mouse)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Open, delete, walk; what is written is handed on, rather than looked for among titles."""
        row = self.currentIndex().data(ROW)
        if self.state() == QListView.State.EditingState:  # Enter in the title's field comes by
            super().keyPressEvent(event)
        elif row is not None and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.opened.emit(row)
        elif row is not None and event.key() == Qt.Key.Key_Delete:
            self.deleting.emit(row.conversation)
        elif text := typed(event):
            self.typed.emit(text)
        else:
            super().keyPressEvent(event)
