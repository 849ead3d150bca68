"""The table of sessions: a model that sorts by what is meant, not by how it is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    QSize,
    QSortFilterProxyModel,
    Qt,
)
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from desktop.core.amounts import joined
from desktop.core.bill import fine_money, money
from desktop.core.diary.entry import Entry
from desktop.core.texts import Texts
from desktop.ui.diary import wording

COLUMNS = ("began", "host", "model", "time", "cost", "tokens", "per-thousand", "idle", "end")
_RIGHT = ("time", "cost", "tokens", "per-thousand", "idle")
_ROW_HEIGHT = 30
_STRETCHED = ("model",)  # what is longer is elided, and whole in the tooltip
_LEAST_WIDTH = 56
_LEAST_ROWS = 3
_SHORTEST_S = 60.0  # of idle time that is worth a word
_SORT = Qt.ItemDataRole.UserRole
Index = QModelIndex | QPersistentModelIndex


class SessionsModel(QAbstractTableModel):
    """One row for each session."""

    def __init__(self, texts: Texts) -> None:
        super().__init__()
        self._texts = texts
        self._entries: Sequence[Entry] = ()
        self._now = 0.0

    def show_entries(self, entries: Sequence[Entry], now: float) -> None:
        """Show these; one that goes on is counted until `now`."""
        self.beginResetModel()
        self._entries, self._now = entries, now
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: N802, B008 - Qt's signature
        """Return how many sessions there are."""
        return 0 if parent.isValid() else len(self._entries)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: N802, B008 - likewise
        """Return how many columns there are."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(  # noqa: N802
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Return what stands over a column."""
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self._texts[f"diary.column.{COLUMNS[section]}"]
        return _alignment(COLUMNS[section]) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what stands in a cell, what it is sorted by, or what is said about it."""
        entry, name = self._entries[index.row()], COLUMNS[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return cell(entry, name, self._now, self._texts)
        if role == _SORT:
            return _sorted_by(entry, name, self._now, self._texts)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(name)
        if role == Qt.ItemDataRole.ToolTipRole:
            return told(entry, self._now, self._texts)
        return None


class SessionsTable(QTableView):
    """The newest first; a click on a heading sorts by it."""

    def __init__(self, texts: Texts) -> None:
        super().__init__()
        self.setObjectName("diaryTable")
        self.setAccessibleName(texts["diary.sessions-name"])
        self._model = SessionsModel(texts)
        self._sorted = QSortFilterProxyModel(self)
        self._sorted.setSourceModel(self._model)
        self._sorted.setSortRole(_SORT)
        self.setModel(self._sorted)
        self.setSortingEnabled(True)
        self.sortByColumn(0, Qt.SortOrder.DescendingOrder)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(
            max(_ROW_HEIGHT, round(self.fontMetrics().height() * 1.7))
        )
        rows = self.verticalHeader().defaultSectionSize() * _LEAST_ROWS
        header = self.horizontalHeader()
        self.setMinimumHeight(header.sizeHint().height() + rows)
        header.setHighlightSections(False)
        header.setMinimumSectionSize(_LEAST_WIDTH)
        for column, name in enumerate(COLUMNS):
            mode = QHeaderView.ResizeMode
            header.setSectionResizeMode(
                column, mode.Stretch if name in _STRETCHED else mode.ResizeToContents
            )
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self._offer_sorting(texts)

    def _offer_sorting(self, texts: Texts) -> None:
        """Have a menu that sorts: the headings are out of the keyboard's reach."""
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        for column, name in enumerate(COLUMNS):
            heading = texts[f"diary.column.{name}"]
            action = self.addAction(texts("diary.sort", column=heading))
            action.triggered.connect(lambda _=False, column=column: self._sort(column))

    def _sort(self, column: int) -> None:
        """Sort by a column, the largest first; and the other way round where it is so already."""
        header, order = self.horizontalHeader(), Qt.SortOrder.DescendingOrder
        if (header.sortIndicatorSection(), header.sortIndicatorOrder()) == (column, order):
            order = Qt.SortOrder.AscendingOrder
        self.sortByColumn(column, order)

    def sizeHint(self) -> QSize:  # noqa: N802
        """Ask for no more than the least: it gets the room that is left."""
        return QSize(super().sizeHint().width(), self.minimumHeight())

    def show_entries(self, entries: Sequence[Entry], now: float) -> None:
        """Show these, in the order that was chosen."""
        self._model.show_entries(entries, now)


def cell(entry: Entry, name: str, now: float, texts: Texts) -> str:
    """Return what stands in a cell."""
    has_rate = entry.rate > 0
    price = entry.per_thousand(now)
    cells: dict[str, Callable[[], str]] = {
        "began": lambda: wording.moment(entry.began, now),
        "host": lambda: entry.host,
        "model": lambda: entry.model.rpartition("/")[2],
        "time": lambda: wording.span(entry.rented_s(now), texts),
        "cost": lambda: money(entry.cost(now), entry.currency) if has_rate else "",
        "tokens": lambda: "" if entry.generated is None else wording.count(entry.generated),
        "per-thousand": lambda: "" if price is None else fine_money(price, entry.currency),
        "idle": lambda: wording.span(entry.idle_s, texts) if entry.idle_s >= _SHORTEST_S else "",
        "end": lambda: wording.end(entry, texts),
    }
    return cells[name]() or wording.NOTHING


def told(entry: Entry, now: float, texts: Texts) -> str:
    """Return all about a session, in a few lines."""
    prompt = "" if entry.prompt is None else texts("diary.prompt-tokens", count=f"{entry.prompt:,}")
    requests = (
        "" if entry.requests is None else texts("diary.requests", count=f"{entry.requests:,}")
    )
    rate = (
        texts("amount.per-hour", money=money(entry.rate, entry.currency))
        if entry.rate
        else texts["diary.no-price"]
    )
    lines = (
        entry.model,
        joined(entry.card, rate),
        joined(prompt, requests),
        wording.idle(entry, texts),
        joined(wording.end(entry, texts), entry.code),
        "" if entry.is_open or entry.bill_ended else texts["diary.may-go-on"],
    )
    return "\n".join(line for line in lines if line)


def _sorted_by(entry: Entry, name: str, now: float, texts: Texts) -> float | str:
    """Return what a column is sorted by: what is not known comes below everything."""
    price = entry.per_thousand(now)
    numbers: dict[str, float] = {
        "began": entry.began,
        "time": entry.rented_s(now),
        "cost": entry.cost(now) if entry.rate else -1.0,
        "tokens": float(-1 if entry.generated is None else entry.generated),
        "per-thousand": -1.0 if price is None else price,
        "idle": entry.idle_s,
    }
    return numbers[name] if name in numbers else cell(entry, name, now, texts).casefold()


def _alignment(name: str) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if name in _RIGHT else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter
