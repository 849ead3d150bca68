"""A host is paid for from the first time it was reached, over looks, failures and tries."""

from desktop.core.rental import Rental
from desktop.core.spending import SAME_RENTAL_S
from desktop.core.steady_clock import lasting


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_host_that_was_never_reached_has_cost_nothing() -> None:
    assert Rental().spent_s == 0


def test_it_goes_on_from_a_look_over_failures_to_the_end() -> None:
    clock = Clock()
    rental = Rental(clock)
    rental.reached()
    rental.left()
    clock.now += 600
    rental.reached()
    rental.left()
    clock.now += 600
    rental.reached()
    assert rental.spent_s == 1200
    rental.ended()
    rental.reached()
    assert rental.spent_s == 0


def test_after_an_hour_without_a_sight_of_it_nobody_knows_what_it_did() -> None:
    clock = Clock()
    rental = Rental(clock)
    rental.reached()
    rental.left()
    clock.now += SAME_RENTAL_S - 1
    rental.left()  # a look that did not reach it
    clock.now += 2
    rental.reached()
    assert rental.spent_s == 0


def test_a_session_may_be_without_a_connection_for_as_long_as_it_likes() -> None:
    clock = Clock()
    rental = Rental(clock)
    rental.reached()
    clock.now += 5 * SAME_RENTAL_S
    rental.reached()
    assert rental.spent_s == 5 * SAME_RENTAL_S


def test_the_wall_clock_is_not_asked() -> None:
    assert Rental()._clock is lasting
