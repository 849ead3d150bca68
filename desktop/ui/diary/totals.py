"""Four cards: what today, the last days and everything have cost."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QSizePolicy, QVBoxLayout, QWidget

from desktop.core.amounts import joined
from desktop.core.diary.entry import Entry
from desktop.core.diary.sums import WITHOUT_RATE, Sum, period_begins, sums
from desktop.core.texts import Texts
from desktop.ui.diary import wording
from desktop.ui.labels import Elided, label

# Days before today with which a period begins; None: everything there is.
PERIODS: dict[str, int | None] = {"today": 0, "week": 6, "month": 29, "all": None}
_LINES = 4
_CARD_DIGITS = 22  # that a card should have room for


class Totals(QWidget):
    """A card for each of `PERIODS`."""

    def __init__(self, texts: Texts) -> None:
        super().__init__()
        self._cards = {name: _Card(texts[f"diary.{name}"], name, texts) for name in PERIODS}
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(12)
        self._columns = 0
        self._lay_out(len(PERIODS))

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Have two rows where four cards beside each other would say half of what they have to."""
        super().resizeEvent(event)
        needed = self.fontMetrics().horizontalAdvance("0") * _CARD_DIGITS * len(PERIODS)
        self._lay_out(len(PERIODS) if self.width() >= needed else len(PERIODS) // 2)

    def _lay_out(self, columns: int) -> None:
        if columns == self._columns:
            return
        self._columns = columns
        for place, card in enumerate(self._cards.values()):
            self._grid.addWidget(card, place // columns, place % columns)
        for column in range(len(PERIODS)):
            self._grid.setColumnStretch(column, 1 if column < columns else 0)

    def show_entries(self, entries: Sequence[Entry], now: float) -> None:
        """Show what these come to, each currency for itself."""
        for name, days in PERIODS.items():
            since = float("-inf") if days is None else period_begins(now, days)
            self._cards[name].show_sums(sums(entries, now, since))
        used = max(card.used for card in self._cards.values())
        for card in self._cards.values():
            card.make_room(used)


class _Card(QFrame):
    def __init__(self, title: str, name: str, texts: Texts) -> None:
        super().__init__()
        self.setObjectName(f"total-{name}")
        self.setProperty("card", "true")
        self._title, self._texts = title, texts
        self.used = 0  # lines
        self._money = Elided()
        self._money.setFont(label(size=1.35, bold=True).font())
        self._lines = [_line() for _ in range(_LINES)]
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 10, 14, 11)
        layout.setSpacing(2)
        layout.addWidget(label(title, tone="quiet", size=0.92))
        layout.addWidget(self._money)
        for line in self._lines:
            layout.addWidget(line)

    def show_sums(self, found: Sequence[Sum]) -> None:
        """Show the sums of a period; those of several currencies beside each other, never added."""
        texts = self._texts
        priced = [each for each in found if each.currency != WITHOUT_RATE or each.money]
        paid = joined(*(wording.sum_money(each, texts) for each in priced))
        self._money.say(paid or wording.NOTHING)
        lines = said_of(found, priced, texts)
        for place, line in enumerate(self._lines):
            line.say(lines[place] if place < len(lines) else " ")
        self.used = len(lines)
        spoken = (self._title, paid or texts["diary.chart-nothing"], *lines)
        self.setAccessibleName(", ".join(part for part in spoken if part))

    def make_room(self, lines: int) -> None:
        """Have room for so many lines: all cards are as high as the one that says most."""
        for place, line in enumerate(self._lines):
            line.setVisible(place < lines)


def said_of(found: Sequence[Sum], priced: Sequence[Sum], texts: Texts) -> tuple[str, ...]:
    """Return the lines under the money: all about one currency, or a line for each of several."""
    without = [wording.unpriced(each, texts) for each in found if each not in priced]
    if len(priced) > 1:
        return (*(wording.sum_line(each, texts) for each in priced[:_LINES]), *without)
    lines = wording.sum_lines(priced[0], texts) if priced else ()
    return (*lines, *without)


def _line() -> Elided:
    made = Elided()
    made.setProperty("tone", "quiet")
    made.setFont(label(size=0.92).font())
    return made
