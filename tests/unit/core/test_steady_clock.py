import time

from desktop.core.steady_clock import SteadyClock, lasting


class Clocks:
    """A wall clock that people set, and one that only goes on."""

    def __init__(self) -> None:
        self.wall, self.gone = 1_000_000.0, 50.0

    def pass_(self, seconds: float) -> None:
        self.wall += seconds
        self.gone += seconds


def made(clocks: Clocks) -> SteadyClock:
    return SteadyClock(lambda: clocks.wall, lambda: clocks.gone)


def test_it_says_the_time_of_day() -> None:
    clocks = Clocks()
    clock = made(clocks)
    clocks.pass_(30)
    assert clock() == 1_000_030


def test_a_wall_clock_that_is_set_moves_it_in_neither_direction() -> None:
    clocks = Clocks()
    clock = made(clocks)
    clocks.wall -= 7200
    clocks.pass_(10)
    assert clock() == 1_000_010
    clocks.wall += 86_400
    assert clock() == 1_000_010


def test_the_systems_own_clock_goes_on_and_is_no_slower_than_the_monotonic_one() -> None:
    before, monotonic = lasting(), time.monotonic()
    while time.monotonic() < monotonic + 0.02:
        pass
    assert lasting() - before >= 0.02
