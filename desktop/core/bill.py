"""What a rental has cost since its host was first reached: an estimate, and called one.

The rate is what the user typed; only the provider knows the bill. Header, diary and idle prompt
all count with what is here.
"""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass

CURRENCIES = ("CNY", "USD", "EUR", "GBP", "HKD", "TWD", "JPY", "KRW", "SGD", "INR")
HIGHEST = 1_000_000.0  # a price or limit above is a slip of the finger (setting_values has it too)
_SIGNS = {"CNY": "¥", "RMB": "¥", "USD": "$", "EUR": "€", "GBP": "£"}
_SECONDS_PER_HOUR = 3600
_FINE = 0.1  # below it two decimals hide the price of a thousand tokens
_LONGEST = 40
_CURRENCY_OF = {
    "¥": "CNY", "元": "CNY", "块": "CNY", "RMB": "CNY", "人民币": "CNY", "YUAN": "CNY",
    "$": "USD", "US$": "USD", "HK$": "HKD", "NT$": "TWD", "S$": "SGD", "美元": "USD",
    "港元": "HKD", "日元": "JPY", "欧元": "EUR", "€": "EUR", "£": "GBP", "₩": "KRW", "₹": "INR",
    **{code: code for code in CURRENCIES},
}  # fmt: skip
_PER_HOUR = re.compile(r"(?:/|每|per|an?\b)\s*(?:h|hr|hour|小时|时)\s*$", re.IGNORECASE)
_AMOUNT = re.compile(r"\d[\d.,'’ ]*|[.,]\d+")


@dataclass(frozen=True, slots=True)
class Price:
    """An amount that somebody typed.

    Attributes:
        amount: in the currency's main unit, 0 to `HIGHEST`.
        currency: its code, or "" where none was typed.
    """

    amount: float
    currency: str = ""


def cost(rate: float, seconds: float) -> float:
    """Return what so many seconds cost at so much an hour; a clock set back costs nothing."""
    return rate * max(seconds, 0.0) / _SECONDS_PER_HOUR


def seconds_for(amount: float, rate: float) -> float | None:
    """Return how long so much money lasts at so much an hour, None at no known rate."""
    return amount / rate * _SECONDS_PER_HOUR if rate > 0 else None


def per_thousand(amount: float, tokens: int | float | None) -> float | None:
    """Return what a thousand tokens have cost; None where there were none, or nobody counted."""
    return amount / tokens * 1000 if tokens else None


def money(amount: float, currency: str) -> str:
    """Return an amount as people write it: "¥1.98", "1.98 CHF", "1.98"."""
    return _with_currency(f"{amount:,.2f}", currency)


def fine_money(amount: float, currency: str) -> str:
    """Return an amount that may be a fraction of a cent, with two figures: "¥0.0043"."""
    if not 0 < amount < _FINE:
        return money(amount, currency)
    places = 1 - math.floor(math.log10(amount))
    return _with_currency(f"{amount:.{min(places, 8)}f}", currency)


def parse_price(text: str) -> Price | None:
    """Return the price in what a person typed, or None: "1.98", "1,98", "¥1.98/h", "2 元/小时".

    One comma or point is the decimal mark, whichever it is: what was understood is shown beside
    the field. Where both stand, the last one is; the same one several times groups thousands.
    """
    plain = unicodedata.normalize("NFKC", text[: _LONGEST * 2]).strip()
    plain = _PER_HOUR.sub("", plain.replace("\xa5", "¥")).strip()
    found = _AMOUNT.search(plain)
    if found is None or len(plain) > _LONGEST:
        return None
    amount = _amount(found.group())
    around = (plain[: found.start()] + " " + plain[found.end() :]).strip().upper()
    currency = _CURRENCY_OF.get(around) if around else ""
    if amount is None or currency is None or amount > HIGHEST:
        return None
    return Price(amount, currency)


def _amount(digits: str) -> float | None:
    bare = re.sub(r"['’ ]", "", digits)
    marks = [mark for mark in bare if mark in ".,"]
    if marks:
        last = marks[-1]
        groups = len(marks) > 1 and len(set(marks)) == 1
        whole, _, rest = bare.rpartition(last)
        if groups:
            whole, rest = whole + rest, ""
        if last in whole and not groups:  # 1,2.3.4
            return None
        bare = whole.replace(",", "").replace(".", "") + "." + rest
    try:
        return float(bare)
    except ValueError:
        return None


def _with_currency(figures: str, currency: str) -> str:
    sign = _SIGNS.get(currency.upper())
    if sign is not None:
        return f"{sign}{figures}"
    return f"{figures} {currency}".rstrip()
