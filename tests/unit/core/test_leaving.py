"""Quitting is asked about only while something costs money, with what ends that by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from desktop.core.events import Event, PhaseChanged, Surveying, TaskChanged
from desktop.core.leaving import Choice, Ends, choices, costs, left_behind
from desktop.core.phases import Phase
from desktop.core.session.wishes import Wishes
from desktop.core.ssh.destination import Destination
from desktop.core.stopping import Rung, Standing, offer, stands

READY = Standing("box", Phase.READY, is_on=True, rate=1.98, provider="autodl")
PLAIN = replace(READY, provider="runpod")
WISHES = Wishes(Destination("gpu"), lease_seconds=1800)
LIVING = {
    Phase.CHECKING,
    Phase.PREPARING,
    Phase.LOADING,
    Phase.READY,
    Phase.RECONNECTING,
    Phase.STOPPING,
}


@pytest.mark.parametrize("phase", list(Phase))
def test_what_runs_costs_money_priced_or_not(phase: Phase) -> None:
    assert costs(Standing("box", phase)) is (phase in LIVING)


@pytest.mark.parametrize("phase", [Phase.OFF, Phase.FAILED, Phase.CONNECTING])
def test_a_host_that_is_on_costs_money_where_it_has_a_price(phase: Phase) -> None:
    assert costs(Standing("box", phase, is_on=True, rate=1.98))
    assert not costs(Standing("box", phase, is_on=True))
    assert not costs(Standing("box", phase, rate=1.98)), "it was never reached, or is off"


def test_nobody_is_asked_where_nothing_costs_money() -> None:
    assert left_behind([(Standing("box", Phase.OFF), WISHES)]) == ()
    assert left_behind([]) == ()


@pytest.mark.parametrize(
    ("terms", "ends", "seconds", "limit"),
    [
        ({}, Ends.LEASE, 1800, False),
        ({"idle_seconds": 600}, Ends.IDLE, 600, False),
        ({"idle_seconds": 3600}, Ends.LEASE, 1800, False),
        ({"limit_seconds": 600}, Ends.LEASE, 1800, True),
        ({"lease_seconds": 0}, Ends.NEVER, 0, False),
        ({"lease_seconds": 0, "limit_seconds": 900}, Ends.LIMIT, 900, True),
        (
            {"lease_seconds": 0, "spending_seconds": 700, "limit_seconds": 900},
            Ends.LIMIT,
            700,
            True,
        ),
    ],
)
def test_it_is_told_what_ends_the_run(
    terms: dict[str, int], ends: Ends, seconds: int, limit: bool
) -> None:
    (left,) = left_behind([(READY, replace(WISHES, **terms))])  # type: ignore[arg-type]
    assert (left.ends, left.seconds, left.then_off) == (ends, seconds, False)
    assert left.limit is (limit and ends is not Ends.LIMIT)
    assert left.lives


@pytest.mark.parametrize(("standing", "then_off"), [(READY, True), (PLAIN, False)])
def test_the_host_powers_itself_off_only_where_that_is_safe(
    standing: Standing, then_off: bool
) -> None:
    (left,) = left_behind([(standing, replace(WISHES, power_off=True))])
    assert left.then_off is then_off
    (endless,) = left_behind([(standing, replace(WISHES, power_off=True, lease_seconds=0))])
    assert not endless.then_off


@pytest.mark.parametrize(
    ("phase", "ends", "lives"),
    [(Phase.OFF, Ends.NOTHING_RUNS, False), (Phase.FAILED, Ends.UNKNOWN, True)],
)
def test_a_host_without_a_run_ends_by_nothing(phase: Phase, ends: Ends, lives: bool) -> None:
    (left,) = left_behind([(replace(READY, phase=phase), WISHES)])
    assert (left.ends, left.lives) == (ends, lives)


@pytest.mark.parametrize("rate", [1.98, 0.0])
def test_what_was_left_running_is_asked_about_again(rate: float) -> None:
    standing = replace(READY, phase=Phase.OFF, rate=rate, was_left=True)
    (left,) = left_behind([(standing, None)])
    assert (left.ends, left.lives) == (Ends.WAS_LEFT, False)
    assert choices([left]) == (Choice.LEAVE, Choice.POWER_OFF)
    (failed,) = left_behind([(replace(standing, phase=Phase.FAILED), WISHES)])
    assert failed.ends is Ends.UNKNOWN
    (joined,) = left_behind([(replace(standing, phase=Phase.CHECKING), WISHES)])
    assert joined.ends is Ends.LEASE


def test_a_run_whose_terms_nobody_knows_ends_by_nothing_that_we_know() -> None:
    (left,) = left_behind([(READY, None)])
    assert left.ends is Ends.NEVER


@pytest.mark.parametrize(
    ("hosts", "offered"),
    [
        ([READY], (Choice.LEAVE, Choice.STOP, Choice.POWER_OFF)),
        ([PLAIN], (Choice.LEAVE, Choice.STOP)),
        ([PLAIN, READY], (Choice.LEAVE, Choice.STOP, Choice.POWER_OFF)),
        ([replace(READY, phase=Phase.OFF)], (Choice.LEAVE, Choice.POWER_OFF)),
        ([replace(PLAIN, phase=Phase.OFF)], (Choice.LEAVE,)),
    ],
)
def test_only_what_can_be_done_is_offered(
    hosts: list[Standing], offered: tuple[Choice, ...]
) -> None:
    assert choices(left_behind([(host, WISHES) for host in hosts])) == offered


def test_a_look_runs_nothing_and_the_host_that_it_reached_is_on() -> None:
    standing = Standing("box", Phase.OFF, rate=1.98, provider="autodl")
    events: list[Event] = [PhaseChanged(Phase.CONNECTING), Surveying()]
    for event in [*events, TaskChanged("connect", "done"), PhaseChanged(Phase.CHECKING)]:
        standing = stands(standing, event)
    assert standing.looks
    (left,) = left_behind([(standing, WISHES)])
    assert left.ends is Ends.NOTHING_RUNS, "no lease ends what nobody started"
    assert Rung.SERVER not in offer(standing).rungs
    for end in (Phase.OFF, Phase.FAILED):
        over = stands(standing, PhaseChanged(end))
        assert (over.phase, over.looks, over.is_on) == (Phase.OFF, False, True)
    begun = stands(stands(over, PhaseChanged(Phase.CONNECTING)), PhaseChanged(Phase.CHECKING))
    assert (begun.phase, begun.looks) == (Phase.CHECKING, False)
