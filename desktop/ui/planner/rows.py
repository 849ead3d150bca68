"""The models as a list: what a row says to eyes and to screen readers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt

from desktop.core.planner.offers import Offer
from desktop.core.texts import Texts
from desktop.ui.planner import wording

OFFER = Qt.ItemDataRole.UserRole + 1
Index = QModelIndex | QPersistentModelIndex


class Rows(QAbstractListModel):
    """Offers, the best one first."""

    def __init__(self, texts: Texts) -> None:
        super().__init__()
        self._texts = texts
        self._offers: list[Offer] = []

    def show_offers(self, offered: Sequence[Offer]) -> None:
        """List these."""
        self.beginResetModel()
        self._offers = list(offered)
        self.endResetModel()

    def row_of(self, model: str) -> int:
        """Return the row of a model, -1 where it is not listed."""
        rows = (row for row, one in enumerate(self._offers) if one.model.id == model)
        return next(rows, -1)

    def rowCount(self, parent: Index | None = None) -> int:  # noqa: N802
        """Return how many there are."""
        return 0 if parent is not None and parent.isValid() else len(self._offers)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what a row says."""
        if not index.isValid() or index.row() >= len(self._offers):
            return None
        offer = self._offers[index.row()]
        if role == OFFER:
            return offer
        if role == Qt.ItemDataRole.DisplayRole:
            return offer.model.id
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            about = wording.about(offer, self._texts)
            return f"{offer.model.id}: {wording.verdict(offer.plan, self._texts)}. {about}"
        return None
