"""Asks once what a host costs an hour, and at which cost its model is to be stopped."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QWidget

from desktop.core.bill import CURRENCIES, Price, cost, money, parse_price, seconds_for
from desktop.core.providers import Provider
from desktop.core.texts import Texts
from desktop.ui.chats.choice import Choice
from desktop.ui.dialogs import Question
from desktop.ui.diary.wording import span
from desktop.ui.labels import button, label, set_property
from desktop.ui.theme import Theme

_DAY_S = 24 * 3600
_LONGEST = 40
_DEFAULT = {"zh": "CNY", "en": "USD"}


class RateDialog(Question):
    """A price, a currency, a limit; what was understood stands under each field.

    Signals:
        chosen: rate an hour, its currency, and the limit; 0 for no price, and for no limit.
    """

    chosen = Signal(float, str, float)

    def __init__(
        self,
        parent: QWidget,
        theme: Theme,
        texts: Texts,
        name: str,
        provider: Provider | None,
        rate: float = 0.0,
        currency: str = "",
        spending_limit: float = 0.0,
    ) -> None:
        """Take what is known of the host.

        Args:
            parent: the window.
            theme: its look.
            texts: its language.
            name: the host's.
            provider: who rents it out, where that is known.
            rate: as it was typed before; 0 = not yet.
            currency: likewise.
            spending_limit: likewise; 0 = none.
        """
        super().__init__(parent, texts, texts("rate.title", name=name), texts["rate.accept"])
        self.setObjectName("rateDialog")
        usual = provider.currency if provider is not None else _DEFAULT[texts.language]
        self._price = _field("rateField", texts["rate.price"], texts["rate.price-example"], rate)
        self._currency = self._currencies(theme, currency or usual)
        self._limit = _field(
            "limitField", texts["rate.limit"], texts["rate.limit-none"], spending_limit
        )
        self._understood, self._limited = _said("rateUnderstood", 1), _said("limitUnderstood", 2)
        self._arrange(provider)
        self.confirm.setDefault(True)
        self._price.textChanged.connect(self._typed)
        self._limit.textChanged.connect(self._show)
        self._currency.currentIndexChanged.connect(self._show)
        self.accepted.connect(self._choose)
        self._show()
        self._price.setFocus()

    def _currencies(self, theme: Theme, chosen: str) -> Choice:
        made = Choice(theme)
        made.setObjectName("rateCurrency")
        made.setAccessibleName(self.texts["rate.currency"])
        for code in dict.fromkeys((chosen.upper(), *CURRENCIES)):
            made.addItem(code, code)
        return made

    def _arrange(self, provider: Provider | None) -> None:
        body, texts = self.body, self.texts
        body.addWidget(label(texts["rate.text"], tone="quiet", wrap=True))
        body.addSpacing(4)
        body.addWidget(_title(texts["rate.price"], self._price))
        line = QHBoxLayout()
        line.addWidget(self._price, 1)
        line.addWidget(self._currency)
        body.addLayout(line)
        body.addWidget(self._understood)
        if provider is not None and provider.rates:
            self._offer(provider)
        body.addSpacing(8)
        body.addWidget(_title(texts["rate.limit"], self._limit))
        body.addWidget(self._limit)
        body.addWidget(self._limited)

    def _offer(self, provider: Provider) -> None:
        """Offer what others pay there; a click takes it over."""
        texts = self.texts
        usual = texts("rate.usual", provider=provider.name[texts.language])
        self.body.addWidget(label(usual, tone="quiet", size=0.92, wrap=True))
        line = QHBoxLayout()
        line.setSpacing(14)
        for card, price in provider.rates.items():
            said = texts("rate.offer", card=card, money=money(price, provider.currency))
            offer = button(said, "link", "offerButton")
            taken = Price(price, provider.currency)
            offer.clicked.connect(lambda _=False, taken=taken: self._take(taken))
            line.addWidget(offer)
        line.addStretch(1)
        self.body.addLayout(line)

    # -- what is typed -----------------------------------------------------------------------------

    def _take(self, price: Price) -> None:
        self._price.setText(_figures(price.amount))
        self._choose_currency(price.currency)

    def _typed(self, text: str) -> None:
        """Follow a currency that is typed with the price."""
        found = parse_price(text)
        if found is not None and found.currency:
            self._choose_currency(found.currency)
        self._show()

    def _choose_currency(self, code: str) -> None:
        if (index := self._currency.findData(code)) >= 0:
            self._currency.setCurrentIndex(index)

    def _amount(self, field: QLineEdit) -> float | None:
        """Return what a field says: 0 for nothing, None for what is no price."""
        text = field.text().strip()
        found = parse_price(text) if text else Price(0.0)
        return None if found is None else found.amount

    def _show(self) -> None:
        rate, limit = self._amount(self._price), self._amount(self._limit)
        _say(self._understood, self._price, *self._about_rate(rate))
        _say(self._limited, self._limit, *self._about_limit(rate, limit))
        good = rate is not None and limit is not None and (rate > 0 or limit == 0)
        self.confirm.setEnabled(good)

    def _about_rate(self, rate: float | None) -> tuple[str, bool]:
        texts, code = self.texts, self._code()
        if rate is None:
            return texts["rate.wrong"], True
        if rate == 0:
            return texts["rate.unknown"], False
        hour = texts("amount.per-hour", money=money(rate, code))
        return texts("rate.understood", rate=hour, day=money(cost(rate, _DAY_S), code)), False

    def _about_limit(self, rate: float | None, limit: float | None) -> tuple[str, bool]:
        texts = self.texts
        if limit is None:
            return texts["rate.limit-wrong"], True
        if limit == 0:
            return texts["rate.limit-off"], False
        if rate is None:
            return "", False  # the price is said to be wrong already
        seconds = seconds_for(limit, rate)
        if seconds is None:
            return texts["rate.limit-needs-price"], True
        return texts("rate.limit-understood", time=span(seconds, texts)), False

    def _code(self) -> str:
        return str(self._currency.currentData() or "")

    def _choose(self) -> None:
        rate, limit = self._amount(self._price), self._amount(self._limit)
        self.chosen.emit(rate or 0.0, self._code() if rate else "", limit or 0.0)


def _field(name: str, said: str, example: str, value: float) -> QLineEdit:
    made = QLineEdit(_figures(value) if value else "")
    made.setObjectName(name)
    made.setAccessibleName(said)
    made.setPlaceholderText(example)
    made.setMaxLength(_LONGEST)
    made.setProperty("dense", "true")
    return made


def _figures(value: float) -> str:
    """Return an amount as it is typed: "1.98", "2", "0.345"."""
    return f"{value:.4f}".rstrip("0").rstrip(".")


def _title(text: str, field: QLineEdit) -> QLabel:
    made = label(text, bold=True)
    made.setBuddy(field)
    return made


def _said(name: str, lines: int) -> QLabel:
    made = label(tone="quiet", size=0.92, wrap=True)
    made.setObjectName(name)
    # All its lines from the start: the dialog does not grow while one types.
    made.setMinimumHeight(made.fontMetrics().lineSpacing() * lines + 2)
    made.setAlignment(Qt.AlignmentFlag.AlignTop)
    return made


def _say(where: QLabel, field: QLineEdit, text: str, wrong: bool) -> None:
    where.setText(text)
    set_property(where, "tone", "bad" if wrong else "quiet")
    set_property(field, "wrong", "true" if wrong else "")
    field.setAccessibleDescription(text)
