"""What an hour of the host costs: typed once, with a provider's usual figure to take by a click."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from desktop.core.bill import Price, money, parse_price
from desktop.core.providers import Provider
from desktop.core.texts import Texts
from desktop.ui.labels import button, label

_WIDTH = 118
_MOST_OFFERS = 3
_HOME = "CNY"


class RateField(QWidget):
    """A small field for a price, with what the provider usually takes beside it.

    Signals:
        entered: Enter was pressed.
    """

    entered = Signal()

    def __init__(self, texts: Texts) -> None:
        super().__init__()
        self._texts = texts
        self._currency = _HOME
        self.field = QLineEdit()
        self.field.setObjectName("rateField")
        self.field.setProperty("dense", "true")
        self.field.setFixedWidth(_WIDTH)
        self.field.setMaxLength(40)
        self.field.setAccessibleName(texts["price.name"])
        self.field.setPlaceholderText(texts["price.example"])
        self.field.returnPressed.connect(self.entered)
        self.field.textEdited.connect(lambda _: self._remark.hide())
        self._title = label(texts["price.title"])
        self._title.setBuddy(self.field)
        self._per_hour = label(tone="quiet")
        self._offers = QHBoxLayout()
        self._buttons: list[QPushButton] = []
        self._remark: QLabel = label(
            texts["price.not-understood"], tone="bad", size=0.92, wrap=True
        )
        self._remark.hide()
        self._arrange()
        self._name_currency()

    def _arrange(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        line = QHBoxLayout()
        line.setSpacing(8)
        for widget in (self._title, self.field, self._per_hour):
            line.addWidget(widget)
        line.addSpacing(6)
        self._offers.setSpacing(14)
        line.addLayout(self._offers)
        line.addStretch(1)
        layout.addLayout(line)
        layout.addWidget(self._remark)

    def show_rate(self, rate: float, currency: str) -> None:
        """Show what is known; 0 empties the field."""
        self._currency = currency or self._currency
        self.field.setText(f"{rate:g}" if rate else "")
        self._remark.hide()
        self._name_currency()

    def resume(self, other: RateField) -> None:
        """Go on with what stands in another one."""
        self._currency = other._currency
        self.field.setText(other.field.text())
        self._name_currency()

    def offer(self, provider: Provider | None, card: str = "") -> None:
        """Offer what the provider usually takes, for this card where it is known.

        Args:
            provider: None where nobody is recognised.
            card: as people say it, such as "RTX 4090"; "" for all that have a usual price.
        """
        if provider is not None and not self.field.text():
            self._currency = provider.currency
        self._name_currency()
        for each in self._buttons:
            self._offers.removeWidget(each)
            each.hide()
            each.deleteLater()
        self._buttons = []
        usual = provider.rates if provider is not None else {}
        for name, rate in list(usual.items())[:_MOST_OFFERS]:
            if not card or name == card:
                self._add_offer(name, rate)

    def _add_offer(self, card: str, rate: float) -> None:
        said = self._texts("price.offer", card=card, money=money(rate, self._currency))
        made = button(said, "link", "rateOffer")
        made.setToolTip(self._texts["price.offer-help"])
        made.clicked.connect(lambda: self.show_rate(rate, self._currency))
        self._buttons.append(made)
        self._offers.addWidget(made)
        made.show()  # at once: a layout would do it in its next turn

    def _name_currency(self) -> None:
        sign = money(0, self._currency).replace("0.00", "").strip()
        self._per_hour.setText(self._texts("price.per-hour", currency=sign))

    @property
    def is_understood(self) -> bool:
        """Whether what stands there is a price, or nothing."""
        text = self.field.text().strip()
        return not text or parse_price(text) is not None

    def price(self) -> Price:
        """Return the price; 0 where nothing was typed, or nothing that is one."""
        found = parse_price(self.field.text().strip()) or Price(0.0)
        return Price(found.amount, found.currency or self._currency)

    def complain(self) -> None:
        """Say that what was typed is no price."""
        self._remark.show()
        self.field.setFocus()
