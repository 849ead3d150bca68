import pytest

from desktop.core.saved import SavedHost
from desktop.core.session.spec import spec_fields
from desktop.core.session.wishes import from_settings
from desktop.core.settings import Settings
from desktop.core.spending import Limit, affordable_s, is_used_up, run_limit
from desktop.core.ssh.destination import Destination
from remote.spec import parse

HOST = Destination("gpu")
YEAR = 366 * 24 * 3600


def test_money_pays_for_time_at_the_rate() -> None:
    assert affordable_s(9.9, 1.98) == 5 * 3600
    assert affordable_s(0.001, 3600) == 1, "a limit is never none"


@pytest.mark.parametrize(("limit", "rate"), [(0, 1.98), (10, 0), (0, 0), (-1, 1), (1, -1)])
def test_without_a_limit_or_a_rate_there_is_no_end(limit: float, rate: float) -> None:
    assert affordable_s(limit, rate) == 0


def test_more_than_the_host_can_count_is_the_most_it_can() -> None:
    assert affordable_s(1_000_000, 0.0001) == YEAR
    assert parse(spec_fields(from_settings(Settings(), HOST, rich()))).limit_seconds == YEAR


def rich() -> SavedHost:
    return SavedHost("gpu", rate=0.0001, spending_limit=1_000_000)


@pytest.mark.parametrize(
    ("limit_s", "affordable", "spent_s", "age_s", "found"),
    [
        (0, 0, 500, 0, Limit(0)),
        (600, 0, 500, 0, Limit(600)),
        (0, 3600, 0, 0, Limit(3600, is_spending=True)),
        (600, 3600, 0, 0, Limit(600)),
        (3600, 3600, 0, 0, Limit(3600)),  # both at once: the limit of time is the plainer one
        # A second run, after one that failed: what it took is gone.
        (0, 3600, 1000, 0, Limit(2600, is_spending=True)),
        (3000, 3600, 1000, 0, Limit(2600, is_spending=True)),
        # A living run that began 200 s after the host was first reached.
        (0, 3600, 1000, 800, Limit(3400, is_spending=True)),
        # One that is older than this laptop's session: its beginning counts.
        (0, 3600, 10, 3000, Limit(3600, is_spending=True)),
        # Nothing is left: it ends at once, and 0 would be for ever.
        (0, 3600, 9000, 0, Limit(1, is_spending=True)),
    ],
)
def test_the_smaller_limit_counts_and_what_was_spent_comes_off(
    limit_s: int, affordable: int, spent_s: float, age_s: float, found: Limit
) -> None:
    assert run_limit(limit_s, affordable, spent_s, age_s) == found


def test_a_limit_is_used_up_once_it_is_reached() -> None:
    assert is_used_up(3600, 3600)
    assert not is_used_up(3600, 3599)
    assert not is_used_up(0, 3600)


def test_a_saved_hosts_limit_travels_with_the_spec() -> None:
    saved = SavedHost("gpu", rate=2.0, spending_limit=1.0)
    assert spec_fields(from_settings(Settings(), HOST, saved))["limit_seconds"] == 1800
    shorter = from_settings(Settings(limit_minutes=10), HOST, saved)
    assert spec_fields(shorter)["limit_seconds"] == 600
    assert spec_fields(from_settings(Settings(), HOST))["limit_seconds"] == 0
