"""The list of models, by mouse and by keys."""

from __future__ import annotations

from PySide6.QtCore import QItemSelection, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QListView, QSizePolicy

from desktop.core.planner.offers import Offer
from desktop.core.texts import Texts
from desktop.ui.planner.row_painter import RowPainter
from desktop.ui.planner.rows import OFFER, Rows
from desktop.ui.theme import Theme

_LEAST_ROWS = 1.6  # the half one says that there are more
_AROUND = 10  # frame and padding


class ModelList(QListView):
    """One model is always chosen, where there is one.

    Signals:
        chosen: this offer is in front.
        taken: Enter or a double click: start with it.
    """

    chosen = Signal(object)
    taken = Signal()

    def __init__(self, theme: Theme, texts: Texts) -> None:
        super().__init__()
        self.setObjectName("modelList")
        self.setAccessibleName(texts["plan.models"])
        self._rows = Rows(texts)
        self.setModel(self._rows)
        self._most = 0  # rows that there ever were
        self.setItemDelegate(RowPainter(theme, texts, self))
        self.setMouseTracking(True)
        self.setUniformItemSizes(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.verticalScrollBar().setSingleStep(24)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.selectionModel().selectionChanged.connect(self._choose)
        self.doubleClicked.connect(lambda _: self.taken.emit())
        theme.changed.connect(self.viewport().update)

    @property
    def offer(self) -> Offer | None:
        """The chosen one."""
        found: Offer | None = self.currentIndex().data(OFFER)
        return found

    def show_offers(self, offered: list[Offer], model: str) -> None:
        """List these, this model chosen, or the first one where it is not among them."""
        self._rows.show_offers(offered)
        row = max(0, self._rows.row_of(model)) if offered else -1
        self.setCurrentIndex(self._rows.index(row, 0))
        self._most = max(self._most, len(offered))  # what is under it stays where it is
        self.setMaximumHeight(self._most * self._row_height() + _AROUND)
        self.updateGeometry()
        self.scrollTo(self.currentIndex())

    def walk(self, step: int) -> None:
        """Choose the next model, or the one before."""
        row = self.currentIndex().row() + step
        if 0 <= row < self._rows.rowCount():
            self.setCurrentIndex(self._rows.index(row, 0))

    def _choose(self, _on: QItemSelection, _off: QItemSelection) -> None:
        self.chosen.emit(self.offer)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Take the chosen one by Enter, or walk."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.taken.emit()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Keep the chosen one in sight."""
        super().resizeEvent(event)
        self.scrollTo(self.currentIndex())

    def sizeHint(self) -> QSize:  # noqa: N802
        """Ask for the least; the page gives it what is left."""
        return self.minimumSizeHint()

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Return the least height at which one sees that there are more."""
        rows = min(_LEAST_ROWS, self._most or 1)
        return QSize(200, int(rows * self._row_height()) + _AROUND)

    def _row_height(self) -> int:
        return max(self.sizeHintForRow(0), 40)
