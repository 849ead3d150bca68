"""What a rental has cost since its host was first reached: an estimate, and called one.

The rate is what the user typed; only the provider knows the bill. The clock is the wall's: a
rental goes on while the laptop sleeps.
"""

from __future__ import annotations

_SIGNS = {"CNY": "¥", "RMB": "¥", "USD": "$", "EUR": "€", "GBP": "£"}
_SECONDS_PER_HOUR = 3600


def cost(rate: float, seconds: float) -> float:
    """Return what so many seconds cost at so much an hour; a clock set back costs nothing."""
    return rate * max(seconds, 0.0) / _SECONDS_PER_HOUR


def money(amount: float, currency: str) -> str:
    """Return an amount as people write it: "¥1.98", "1.98 CHF", "1.98"."""
    sign = _SIGNS.get(currency.upper())
    figures = f"{amount:,.2f}"
    if sign is not None:
        return f"{sign}{figures}"
    return f"{figures} {currency}".rstrip()
