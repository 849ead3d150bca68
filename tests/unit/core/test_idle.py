from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from desktop.core import idle
from desktop.core.errors import AgentRefused, ConnectionLost
from desktop.core.events import Endpoint, Event, PhaseChanged, Ready, Restarting, Sample
from desktop.core.idle import Quiet, after, due
from desktop.core.phases import Phase

READY = Ready(Endpoint("http://127.0.0.1:8000/v1", "pk", "o/m", 4096, "r", "0.19"))
AWAY = PhaseChanged(Phase.RECONNECTING, ConnectionLost("connection-lost", host="h"))
MINUTE = 60.0


def sample(tokens: int | None = 0, running: int = 0, waiting: int = 0) -> Sample:
    return Sample((), 0.0, running, waiting, None, None, tokens, tokens, tokens)


def told(*script: tuple[float, Event], quiet: Quiet | None = None) -> Quiet:
    made = quiet or Quiet()
    for at, event in script:
        made = after(made, event, at)
    return made


def quiet_for(minutes: float) -> Quiet:
    return told((0, READY), (2, sample()), (minutes * MINUTE, sample()))


def test_it_asks_after_the_minutes_of_the_settings() -> None:
    assert not due(quiet_for(14.9), 14.9 * MINUTE, 15)
    assert due(quiet_for(15), 15 * MINUTE, 15)
    assert not due(quiet_for(15), 15 * MINUTE, 0)


def test_it_asks_once_in_a_stretch() -> None:
    asked = idle.asked(quiet_for(15))
    assert not due(asked, 15 * MINUTE, 15)
    assert not due(told((60 * MINUTE, sample()), quiet=asked), 60 * MINUTE, 15)


def test_a_request_begins_a_new_stretch() -> None:
    asked = idle.asked(quiet_for(15))
    again = told((16 * MINUTE, sample(0, running=1)), (17 * MINUTE, sample(9)), quiet=asked)
    assert not due(again, 17 * MINUTE, 15)
    later = told((32 * MINUTE, sample(9)), quiet=again)
    assert due(later, 32 * MINUTE, 15)
    assert idle.quiet_s(later, 32 * MINUTE) == 15 * MINUTE


def test_a_request_between_two_looks_counts_too() -> None:
    quiet = told((14 * MINUTE, sample(40)), (20 * MINUTE, sample(40)), quiet=quiet_for(13))
    assert not due(quiet, 20 * MINUTE, 15)


def test_it_never_asks_while_a_request_runs_or_waits() -> None:
    for busy in (sample(0, running=1), sample(0, waiting=1)):
        quiet = told((40 * MINUTE, busy), quiet=quiet_for(20))
        assert not due(quiet, 40 * MINUTE, 15)
        assert not idle.stands(quiet, 40 * MINUTE)


def test_it_never_asks_while_the_connection_is_gone() -> None:
    quiet = told((16 * MINUTE, AWAY), quiet=quiet_for(15))
    assert not due(quiet, 60 * MINUTE, 15)
    silent = quiet_for(15)  # no sample since: nothing is known of now
    assert not due(silent, 16 * MINUTE, 15)


def test_a_night_without_a_question_to_the_model_is_one_stretch() -> None:
    night = 480 * MINUTE
    quiet = told((16 * MINUTE, AWAY), (night, READY), (night + 2, sample()), quiet=quiet_for(5))
    assert due(quiet, night + 2, 15)
    assert idle.quiet_s(quiet, night + 2) == night + 2


def test_what_others_asked_in_the_night_ends_the_stretch() -> None:
    night = 480 * MINUTE
    back = [(16 * MINUTE, AWAY), (night, READY)]
    asked = told(*back, (night + 2, sample(77)), quiet=quiet_for(5))
    unknown = told(*back, (night + 2, sample(None)), quiet=told((0, READY), (2, sample(None))))
    assert not due(asked, night + 2, 15)
    assert not due(unknown, night + 2, 15)


def test_a_snooze_asks_again_if_it_stays_quiet() -> None:
    snoozed = idle.snoozed(idle.asked(quiet_for(15)), 15 * MINUTE)
    assert not due(told((44 * MINUTE, sample()), quiet=snoozed), 44 * MINUTE, 15)
    assert due(told((45 * MINUTE, sample()), quiet=snoozed), 45 * MINUTE, 15)


def test_a_request_ends_a_snooze() -> None:
    snoozed = idle.snoozed(quiet_for(15), 15 * MINUTE)
    worked = told((16 * MINUTE, sample(0, running=1)), (17 * MINUTE, sample(5)), quiet=snoozed)
    assert due(told((32 * MINUTE, sample(5)), quiet=worked), 32 * MINUTE, 15)


def test_not_again_holds_until_another_session() -> None:
    muted = idle.muted(quiet_for(15))
    kept = told((90 * MINUTE, sample()), quiet=muted)
    assert not due(kept, 90 * MINUTE, 15)
    anew = told(
        (91 * MINUTE, PhaseChanged(Phase.OFF)),
        (92 * MINUTE, READY),
        (92 * MINUTE, sample()),
        (108 * MINUTE, sample()),
        quiet=kept,
    )
    assert due(anew, 108 * MINUTE, 15)


def test_an_engine_that_is_started_again_has_a_new_stretch() -> None:
    crash = Restarting(AgentRefused("engine.crashed"))
    quiet = told(
        (16 * MINUTE, PhaseChanged(Phase.LOADING)),
        (16 * MINUTE, crash),
        (18 * MINUTE, READY),
        (20 * MINUTE, sample()),
        quiet=quiet_for(15),
    )
    assert not due(quiet, 20 * MINUTE, 15)


EVENTS = st.sampled_from(
    [READY, AWAY, PhaseChanged(Phase.READY), sample(), sample(5), sample(5, running=1)]
)


@given(st.lists(st.tuples(st.floats(0, 600), EVENTS), max_size=30))
def test_whatever_happens_it_only_asks_after_a_look_that_found_nothing(
    script: list[tuple[float, Event]],
) -> None:
    quiet, at, last = Quiet(), 0.0, 0.0
    for wait, event in script:
        at += wait
        quiet = after(quiet, event, at)
        if isinstance(event, Sample) and event.running:
            last = at
        if due(quiet, at, 1):
            assert at - last >= MINUTE
            assert isinstance(event, Sample | Ready | PhaseChanged)
            assert not (isinstance(event, Sample) and event.running)
            assert event != AWAY
