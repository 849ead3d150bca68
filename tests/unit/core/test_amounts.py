import pytest

from desktop.core.amounts import amount, duration, gibibytes, pace, size, size_of
from desktop.core.events import Progress
from desktop.core.texts import Texts


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1500, "1.5 KB"), (2e9, "2 GB"), (1.923e10, "19.2 GB"),
     (2.5e11, "250 GB"), (4.2e15, "4200 TB"), (-1, "0 B")],
)  # fmt: skip
def test_sizes_have_two_or_three_figures(count: float, text: str) -> None:
    assert size(count) == text


def test_both_sizes_are_in_the_unit_of_the_larger() -> None:
    assert size_of(5e8, 1.923e10) == "0.5 / 19.2 GB"
    assert size_of(5e8, None) == "500 MB"


@pytest.mark.parametrize(
    ("seconds", "zh", "en"),
    [(7.4, "7 秒", "7 s"), (200, "3 分 20 秒", "3 min 20 s"), (3900, "1 小时 5 分", "1 h 5 min")],
)
def test_durations_in_both_languages(seconds: float, zh: str, en: str) -> None:
    assert duration(seconds, Texts("zh")) == zh
    assert duration(seconds, Texts("en")) == en


def test_seconds_are_no_amount_and_an_unknown_pace_is_silent() -> None:
    waiting = Progress("serve", 12, None, "seconds")
    assert amount(waiting) == ""
    assert pace(waiting, Texts("en")) == ""


def test_a_little_memory_is_not_none() -> None:
    assert gibibytes(8_000_000) == "7.63 MiB"
    assert gibibytes(18 << 30) == "18.0 GiB"
