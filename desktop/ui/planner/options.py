"""How a model is to be served, for who wants to say: context, KV cache, card, price."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from desktop.core.amounts import joined
from desktop.core.bill import Price
from desktop.core.planner.machine import Card, usual_cards
from desktop.core.providers import Provider
from desktop.core.texts import Texts
from desktop.ui.chats.choice import Choice
from desktop.ui.labels import button, label
from desktop.ui.planner import wording
from desktop.ui.start.rate_field import RateField
from desktop.ui.theme import Theme

_KV = ("", "auto", "fp8")
_GIB = 1 << 30


class Options(QWidget):
    """The context in front, the rest under "Details".

    Attributes:
        rate: what an hour costs.

    Signals:
        changed: another context, KV cache or card.
        entered: Enter was pressed in a field.
    """

    changed = Signal()
    entered = Signal()

    def __init__(self, theme: Theme, texts: Texts) -> None:
        super().__init__()
        self._texts = texts
        self._length = self._combo(theme, "length")
        self._kv = self._combo(theme, "kv")
        for each in _KV:
            self._kv.addItem(texts[f"plan.kv-{each or 'any'}"], each)
        self._card = self._combo(theme, "card")
        self._card.addItem(texts["plan.card-unknown"], "")
        for name, card in usual_cards().items():
            self._card.addItem(_named(name, card), name)
        self.rate = RateField(texts)
        self.rate.entered.connect(self.entered)
        self._toggle = button(texts["plan.details"], "link", "planDetailsButton")
        self._toggle.clicked.connect(self._turn_details)
        self._card_title = self._title("card", self._card)
        self._more = self._make_more()
        self._arrange()
        self.open_details(opened=False)
        self.offer_cards(offered=False)

    def _combo(self, theme: Theme, name: str) -> Choice:
        combo = Choice(theme)
        combo.setObjectName(f"plan-{name}")
        combo.setAccessibleName(self._texts[f"plan.{name}"])
        combo.activated.connect(lambda _: self.changed.emit())
        return combo

    def _title(self, name: str, combo: Choice) -> QLabel:
        title = label(self._texts[f"plan.{name}"])
        title.setBuddy(combo)
        return title

    def _make_more(self) -> QWidget:
        more = QWidget()
        grid = QGridLayout(more)
        grid.setContentsMargins(0, 4, 0, 0)
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(8)
        grid.addWidget(self._title("kv", self._kv), 0, 0)
        grid.addWidget(self._kv, 0, 1)
        grid.addWidget(self.rate, 1, 0, 1, 3)
        grid.setColumnStretch(2, 1)
        return more

    def _arrange(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        line = QHBoxLayout()
        line.setSpacing(8)
        line.addWidget(self._card_title)
        line.addWidget(self._card)
        line.addWidget(self._title("length", self._length))
        line.addWidget(self._length)
        line.addStretch(1)
        line.addWidget(self._toggle)
        layout.addLayout(line)
        layout.addWidget(self._more)

    # -- what is shown -----------------------------------------------------------------------------

    def open_details(self, *, opened: bool) -> None:
        """Show what few people need, or hide it."""
        self._more.setVisible(opened)
        self._toggle.setText(self._texts["plan.less" if opened else "plan.details"])
        self._toggle.setAccessibleName(self._toggle.text())

    def _turn_details(self) -> None:
        self.open_details(opened=self._more.isHidden())

    def offer_cards(self, *, offered: bool) -> None:
        """Let the card be named, where the host has told of none."""
        self._card.setVisible(offered)
        self._card_title.setVisible(offered)

    def begin(self, length: str, kv: str, price: Price) -> None:
        """Begin with what is asked of the host already."""
        self._wished = int(length) if length.isdigit() else 0
        self._kv.setCurrentIndex(max(0, self._kv.findData(kv)))
        self.rate.show_rate(price.amount, price.currency)

    def resume(self, other: Options) -> None:
        """Go on with what was chosen in another one, whose window goes."""
        self._wished = other.length
        self._length.clear()
        self._kv.setCurrentIndex(other._kv.currentIndex())
        self._card.setCurrentIndex(other._card.currentIndex())
        self.rate.resume(other.rate)
        self.open_details(opened=not other._more.isHidden())

    def offer_lengths(self, longest: int, served: int) -> None:
        """Offer the contexts that the model was made for; the chosen one stays, where it is one.

        Args:
            longest: that it was made for, in tokens.
            served: what "automatic" comes to, 0 where that is not known.
        """
        wished = self.length
        self._length.clear()
        automatic = self._texts["plan.length-auto"]
        known = self._texts("plan.tokens", tokens=wording.tokens(served)) if served else ""
        self._length.addItem(joined(automatic, known), 0)
        for each in sorted({*wording.lengths(longest), *([wished] if wished else [])}):
            self._length.addItem(self._texts("plan.tokens", tokens=wording.tokens(each)), each)
        self._length.setCurrentIndex(max(0, self._length.findData(wished)))

    def offer_rate(self, provider: Provider | None, card: str) -> None:
        """Offer what the provider usually takes for the card."""
        self.rate.offer(provider, card)

    # -- what was chosen ---------------------------------------------------------------------------

    @property
    def length(self) -> int:
        """The context in tokens, 0 for the longest that fits."""
        data = self._length.currentData()
        return self._wished if data is None else int(data)

    @property
    def kv_cache_dtype(self) -> str:
        """How keys and values are kept: "auto", "fp8" or ""."""
        return str(self._kv.currentData() or "")

    @property
    def card(self) -> Card | None:
        """The card that a person has named, where the host has told of none."""
        return usual_cards().get(str(self._card.currentData() or ""))


def _named(name: str, card: Card) -> str:
    size = f"{round((card.memory or 0) / _GIB)} GB"
    return name if size in name else joined(name, size)
