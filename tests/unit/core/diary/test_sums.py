from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.core.diary.entry import Entry
from desktop.core.diary.sums import WITHOUT_RATE, currencies, day_begins, days, period_begins, sums

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp()
HOUR = 3600.0


def entry(
    began: float, hours: float, rate: float = 2.0, currency: str = "CNY", tokens: int | None = None
) -> Entry:
    end = began + hours * HOUR
    return Entry(
        "e", "box", "m", began, end, rate=rate, currency=currency, reached=began, ended=end,
        generated=tokens, idle_s=hours * 600,
    )  # fmt: skip


def test_two_currencies_are_never_added() -> None:
    found = sums([entry(NOON, 1), entry(NOON, 1, 0.5, "USD"), entry(NOON, 2)], NOON)
    assert [(each.currency, each.money, each.sessions) for each in found] == [
        ("CNY", 6.0, 2),
        ("USD", 0.5, 1),
    ]


def test_sessions_without_a_price_count_their_time_and_no_money() -> None:
    (found,) = sums([entry(NOON, 1, 0.0, "CNY", 500)], NOON)
    assert (found.currency, found.money, found.rented_s) == (WITHOUT_RATE, 0.0, HOUR)
    assert found.per_thousand is None


def test_a_session_over_midnight_is_split_between_its_days() -> None:
    late = entry(NOON + 11 * HOUR, 4, tokens=4000)
    midnight = day_begins(date(2026, 11, 24), UTC)
    (first,), (second,) = sums([late], NOON, 0, midnight), sums([late], NOON, midnight)
    assert (first.money, second.money) == (2.0, 6.0)
    assert (first.generated, second.generated) == (1000, 3000)
    assert first.per_thousand == second.per_thousand == 2.0
    assert first.idle_money + second.idle_money == pytest.approx(late.idle_cost)


def test_one_that_goes_on_counts_until_now() -> None:
    going_on = Entry("e", "b", "m", NOON, NOON, rate=2.0, currency="CNY", reached=NOON)
    (found,) = sums([going_on], NOON + 2 * HOUR)
    assert found.money == 4.0


def test_the_last_day_is_today_and_other_currencies_are_left_out() -> None:
    shown = days([entry(NOON, 1), entry(NOON - 24 * HOUR, 2), entry(NOON, 1, 9.0, "USD")],
                 NOON + HOUR, 3, "CNY", UTC)  # fmt: skip
    assert [(each.date.day, each.money) for each in shown] == [(21, 0.0), (22, 4.0), (23, 2.0)]


def test_a_day_of_a_change_of_the_clocks_has_its_own_length() -> None:
    zone = ZoneInfo("Europe/Berlin")
    begin, end = (day_begins(date(2026, 10, 25) + timedelta(days=n), zone) for n in (0, 1))
    assert end - begin == 25 * HOUR
    shown = days([entry(begin, 25)], end - 1, 1, "CNY", zone)
    assert shown[0].money == 50.0


def test_a_period_begins_at_midnight() -> None:
    assert period_begins(NOON, 0, UTC) == NOON - 12 * HOUR
    assert period_begins(NOON, 6, UTC) == NOON - 12 * HOUR - 6 * 24 * HOUR


def test_the_currency_used_last_comes_first() -> None:
    used = [entry(1, 1, 1.0, "USD"), entry(9, 1, 1.0, "CNY"), entry(5, 1, 0.0, "EUR")]
    assert currencies(used) == ("CNY", "USD")


@given(
    st.lists(st.tuples(st.floats(0, 29 * 24), st.floats(0.01, 60)), max_size=8),
    st.integers(0, 23),
)
def test_the_days_of_a_month_come_to_what_the_month_costs(
    sessions: list[tuple[float, float]], hour: int
) -> None:
    now = NOON + hour * HOUR
    entries = [entry(now - ago * HOUR, min(hours, ago)) for ago, hours in sessions if ago > 0.1]
    shown = days(entries, now, 31, "CNY", UTC)
    whole = sum(each.money for each in sums(entries, now))
    assert sum(each.money for each in shown) == pytest.approx(whole)
