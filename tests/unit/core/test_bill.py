import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.core.bill import (
    HIGHEST,
    Price,
    cost,
    fine_money,
    money,
    parse_price,
    per_thousand,
    seconds_for,
)


def test_an_hour_costs_the_rate() -> None:
    assert cost(1.98, 3600) == pytest.approx(1.98)
    assert cost(1.98, 20 * 60) == pytest.approx(0.66)


def test_a_clock_that_was_set_back_earns_nothing() -> None:
    assert cost(1.98, -5) == 0


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (1.98, "CNY", "¥1.98"),
        (0.5, "usd", "$0.50"),
        (1234.5, "EUR", "€1,234.50"),
        (2, "CHF", "2.00 CHF"),
        (2, "", "2.00"),
    ],
)
def test_money_as_people_write_it(amount: float, currency: str, text: str) -> None:
    assert money(amount, currency) == text


def test_a_thousand_tokens_have_their_price() -> None:
    assert per_thousand(1.98, 4600) == pytest.approx(0.4304, abs=1e-4)
    assert per_thousand(1.98, 0) is None
    assert per_thousand(1.98, None) is None


def test_a_limit_lasts_as_long_as_the_rate_lets_it() -> None:
    assert seconds_for(10, 2) == 5 * 3600
    assert seconds_for(10, 0) is None


@pytest.mark.parametrize(
    ("amount", "text"),
    [(1.234, "¥1.23"), (0.43, "¥0.43"), (0.0043, "¥0.0043"), (0.05, "¥0.050"), (0, "¥0.00")],
)
def test_a_fraction_of_a_cent_keeps_two_figures(amount: float, text: str) -> None:
    assert fine_money(amount, "CNY") == text


@pytest.mark.parametrize(
    ("typed", "price"),
    [
        ("1.98", Price(1.98)),
        ("1,98", Price(1.98)),
        (" 2 ", Price(2.0)),
        (".5", Price(0.5)),
        ("¥1.98/h", Price(1.98, "CNY")),
        ("￥1.98 / 小时", Price(1.98, "CNY")),
        ("1.98元/小时", Price(1.98, "CNY")),
        ("１．９８", Price(1.98)),
        ("每小时", None),
        ("$0.44/hr", Price(0.44, "USD")),
        ("0.44 USD per hour", Price(0.44, "USD")),
        ("EUR 2,10 / h", Price(2.1, "EUR")),
        ("HK$ 12", Price(12.0, "HKD")),
        ("1.234,56", Price(1234.56)),
        ("1,234.56", Price(1234.56)),
        ("1 234,56", Price(1234.56)),
        ("1,234,567", None),
        ("1.2.3,4,5", None),
        ("", None),
        ("two", None),
        ("2 apples", None),
        ("-2", None),
        ("1e3", None),
        ("nan", None),
        ("1" * 50, None),
        ("5000000", None),
    ],
)
def test_a_price_is_read_as_people_type_it(typed: str, price: Price | None) -> None:
    assert parse_price(typed) == price


@given(st.text(max_size=60))
def test_whatever_is_typed_is_a_price_in_bounds_or_none(typed: str) -> None:
    found = parse_price(typed)
    assert found is None or 0 <= found.amount <= HIGHEST


@given(st.integers(0, 99_999_999), st.sampled_from(["CNY", "USD", "EUR", "CHF"]))
def test_what_is_shown_can_be_typed_again(cents: int, currency: str) -> None:
    shown = money(cents / 100, "" if currency == "CHF" else currency)
    found = parse_price(shown)
    assert found is not None
    assert found.amount == pytest.approx(cents / 100)
