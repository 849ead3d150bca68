"""The rows of the sidebar as Qt asks for them."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt, Signal

from desktop.core.texts import Texts
from desktop.ui.chats.listing import Row

Index = QModelIndex | QPersistentModelIndex
ROW = Qt.ItemDataRole.UserRole


class Rows(QAbstractListModel):
    """The rows as Qt asks for them.

    Signals:
        renamed: a conversation is to be called this.
    """

    renamed = Signal(str, str)

    def __init__(self, texts: Texts) -> None:
        super().__init__()
        self._texts = texts
        self.rows: Sequence[Row] = ()

    def put(self, rows: Sequence[Row]) -> None:
        """Have these rows."""
        if rows != self.rows:
            self.beginResetModel()
            self.rows = rows
            self.endResetModel()

    def find(self, conversation: str, message: str = "") -> QModelIndex:
        """Return where a conversation stands, or this hit in it, or an invalid index."""
        there = [
            (row.message != message, number)
            for number, row in enumerate(self.rows)
            if row.conversation == conversation and conversation
        ]
        return self.index(min(there)[1]) if there else QModelIndex()

    def rowCount(self, parent: Index | None = None) -> int:  # noqa: N802
        """Return how many there are."""
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return a row, or its words."""
        row = self.rows[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.EditRole:
                return row.text
            case Qt.ItemDataRole.AccessibleTextRole:
                return self._spoken(row)
            case Qt.ItemDataRole.ToolTipRole if not row.is_heading:
                return row.text
            case _ if role == ROW:
                return row
        return None

    def _spoken(self, row: Row) -> str:
        words = [row.text]
        for has, key in (
            (row.pinned, "chats.is-pinned"),
            (row.streaming, "chats.is-streaming"),
            (row.draft, "chats.has-draft"),
        ):
            words += [self._texts[key]] if has else []
        return ", ".join([*words, row.snippet] if row.snippet else words)

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:  # noqa: N802
        """Rename a conversation."""
        title = str(value).strip()
        row = self.rows[index.row()]
        if role != Qt.ItemDataRole.EditRole or not title or title == row.text:
            return False
        self.renamed.emit(row.conversation, title)
        return True

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Let conversations be chosen and renamed; headings only divide."""
        if self.rows[index.row()].is_heading:
            return Qt.ItemFlag.NoItemFlags
        flag = Qt.ItemFlag
        return flag.ItemIsEnabled | flag.ItemIsSelectable | flag.ItemIsEditable
