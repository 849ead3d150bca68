"""A model that nobody asks anything is asked about once, in the window, and can be let be."""

from __future__ import annotations

from desktop.core.events import PhaseChanged, Ready, Sample
from desktop.core.phases import Phase
from desktop.ui.idle_watch import IdleWatch
from desktop.ui.intents import HostKey
from tests.helpers.screens import ENDPOINT, Clock

BOX = HostKey("box")


def resting() -> Sample:
    return Sample((), 0.0, 0, 0, 0.0, 0.0, 100, 100, 1)


def watch(clock: Clock, minutes: int = 15) -> tuple[IdleWatch, list[tuple[str, float]], list[str]]:
    made = IdleWatch(clock, lambda: minutes)
    due: list[tuple[str, float]] = []
    over: list[str] = []
    made.due.connect(lambda key, seconds: due.append((key, seconds)))
    made.over.connect(over.append)
    made.hear(BOX, [PhaseChanged(Phase.READY), Ready(ENDPOINT), resting()])
    return made, due, over


def rest(made: IdleWatch, clock: Clock, minutes: float) -> None:
    clock.now += minutes * 60
    made.hear(BOX, [resting()])
    made.look()


def test_it_asks_once_after_the_wished_time(qapp: object) -> None:
    clock = Clock()
    made, due, _ = watch(clock)
    rest(made, clock, 14)
    assert due == []
    rest(made, clock, 2)
    assert due == [(BOX, 16 * 60)]
    rest(made, clock, 20)
    assert len(due) == 1


def test_a_request_takes_the_question_back(qapp: object) -> None:
    clock = Clock()
    made, _, over = watch(clock)
    rest(made, clock, 16)
    made.hear(BOX, [Sample((), 0.1, 1, 0, 30.0, 0.0, 130, 120, 1)])
    made.look()
    assert over == [BOX]


def test_what_is_put_off_comes_again_and_what_is_muted_does_not(qapp: object) -> None:
    clock = Clock()
    made, due, _ = watch(clock)
    rest(made, clock, 16)
    made.snooze(BOX)
    rest(made, clock, 29)
    assert len(due) == 1
    rest(made, clock, 2)
    assert len(due) == 2
    made.mute(BOX)
    rest(made, clock, 600)
    assert len(due) == 2


def test_never_means_never_and_it_rests_when_nothing_runs(qapp: object) -> None:
    clock = Clock()
    made, due, _ = watch(clock, minutes=0)
    rest(made, clock, 600)
    assert due == []
    assert made._timer.isActive()
    made.hear(BOX, [PhaseChanged(Phase.OFF)])
    made.look()
    assert not made._timer.isActive()
