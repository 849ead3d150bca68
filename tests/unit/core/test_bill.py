import pytest

from desktop.core.bill import cost, money


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
