"""What a session's events make of its entry, in quiet times and in odd ones."""

from __future__ import annotations

import calendar
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.core.diary import fold
from desktop.core.diary.entry import About, Entry
from desktop.core.diary.fold import after, begun, closed, continued, named, powered_off
from desktop.core.diary.totals import Totals
from desktop.core.errors import AgentRefused, ConnectionLost
from desktop.core.events import (
    Ended,
    Endpoint,
    Event,
    Fact,
    PhaseChanged,
    Progress,
    Ready,
    Restarting,
    Retrying,
    Sample,
    Surveyed,
    TaskChanged,
)
from desktop.core.phases import Phase

T = float(calendar.timegm((2026, 11, 23, 12, 0, 0)))
ABOUT = About("01ai/Yi-34B-Chat-4bits", 2.0, "CNY")
READY = Ready(Endpoint("http://127.0.0.1:8000/v1", "pk", "o/m", 4096, "r", "0.19"))
CONNECTED = TaskChanged("connect", "done")
LOST = ConnectionLost("connection-lost", host="h")
HOUR = 3600.0


def sample(tokens: int | None = 0, running: int = 0, waiting: int = 0) -> Sample:
    prompt = None if tokens is None else tokens * 2
    return Sample((), 0.0, running, waiting, None, None, tokens, prompt, None)


def told(*script: tuple[float, Event], entry: Entry | None = None) -> Entry:
    """Return the entry after events at times after T."""
    made = entry or begun("e", "box", ABOUT, T)
    for at, event in script:
        made = after(made, event, T + at)
    return made


def serving(*more: tuple[float, Event]) -> Entry:
    """Connected at 2 s, ready at 100 s."""
    return told(
        (0, PhaseChanged(Phase.CONNECTING)),
        (2, CONNECTED),
        (50, Progress("model-files", 1, 2, "bytes")),
        (100, PhaseChanged(Phase.READY)),
        (100, READY),
        *more,
    )


def watched(begin: float, end: float, tokens: int = 0) -> list[tuple[float, Event]]:
    """Return samples every two seconds with nothing to do."""
    return [(at, sample(tokens)) for at in range(int(begin), int(end) + 1, 2)]


def test_the_bill_runs_from_the_first_contact_to_the_stop() -> None:
    entry = serving(
        *watched(102, 700),
        (701, Ended("stopped", "asked")),
        (701, PhaseChanged(Phase.OFF)),
    )
    assert entry.rented_s() == 699
    assert entry.cost() == pytest.approx(2.0 * 699 / HOUR)
    assert (entry.because, entry.ended, entry.ready) == ("asked", T + 701, T + 100)
    assert not entry.bill_ended


def test_a_host_that_was_never_reached_costs_nothing() -> None:
    entry = told((0, PhaseChanged(Phase.CONNECTING)), (9, PhaseChanged(Phase.FAILED, LOST)))
    assert (entry.reached, entry.rented_s(), entry.because) == (None, 0.0, "failed")


def test_while_it_goes_on_the_bill_goes_on_with_the_clock_in_sleep_too() -> None:
    assert serving().rented_s(T + 8 * HOUR) == 8 * HOUR - 2


def test_only_a_power_off_that_was_seen_ends_the_bill() -> None:
    off = serving(
        (200, Ended("stopped", "asked", powered_off=True)), (200, PhaseChanged(Phase.OFF))
    )
    assert off.bill_ended
    assert off.because == "powered-off"


def test_a_session_over_which_the_laptop_slept_is_paid_for_once_the_run_is_seen_again() -> None:
    night = [
        (8 * HOUR, PhaseChanged(Phase.RECONNECTING, LOST)),
        (8 * HOUR + 1, CONNECTED),
        (8 * HOUR + 3, PhaseChanged(Phase.READY)),
        (8 * HOUR + 3, READY),
    ]
    entry = serving(*watched(102, 110), *night)
    assert entry.rented_s() == 8 * HOUR + 1


def test_a_host_that_is_gone_after_a_night_is_paid_until_it_was_seen_last() -> None:
    entry = serving(
        *watched(102, 110),
        (8 * HOUR, sample()),  # heard before the sleep, read after it
        (8 * HOUR + 1, PhaseChanged(Phase.RECONNECTING, LOST)),
        (8 * HOUR + 60, Retrying(3, 8.0, LOST)),
        (8 * HOUR + 70, PhaseChanged(Phase.STOPPING)),
        (8 * HOUR + 80, PhaseChanged(Phase.FAILED, LOST)),
    )
    assert (entry.ended, entry.code) == (T + 110, "connection-lost")


def test_a_host_that_was_rebooted_meanwhile_is_not_paid_for_the_gap() -> None:
    entry = serving(
        *watched(102, 110),
        (200, PhaseChanged(Phase.RECONNECTING, LOST)),
        (9 * HOUR, CONNECTED),
        (9 * HOUR + 1, TaskChanged("deploy", "done")),
        (9 * HOUR + 2, Progress("model-files", 2, 2, "bytes")),  # the dead run's journal
        (9 * HOUR + 2, Ended("lost")),
        (9 * HOUR + 2, PhaseChanged(Phase.FAILED, AgentRefused("run-lost"))),
    )
    assert (entry.ended, entry.because) == (T + 110, "lost")


def test_a_run_that_goes_on_talking_after_a_gap_was_there_all_the_time() -> None:
    entry = told(
        (2, CONNECTED),
        (HOUR, PhaseChanged(Phase.RECONNECTING, LOST)),
        (HOUR + 5, CONNECTED),
        (HOUR + 6, Progress("model-files", 1, 2, "bytes")),
        (HOUR + 20, Progress("model-files", 1.5, 2, "bytes")),
    )
    assert entry.seen == T + HOUR + 20


def test_tokens_count_while_nobody_looks() -> None:
    entry = serving(
        (102, sample(10)),
        (103, PhaseChanged(Phase.RECONNECTING, LOST)),
        (5000, CONNECTED),
        (5001, READY),
        (5003, sample(5000)),
    )
    assert (entry.generated, entry.prompt, entry.requests) == (5000, 10_000, None)


def test_an_engine_that_was_started_again_counts_from_nothing() -> None:
    crash = Restarting(AgentRefused("engine.crashed"))
    entry = serving((102, sample(500)), (104, crash), (160, READY), (162, sample(30)))
    assert entry.generated == 530


def test_an_engine_that_tells_nothing_leaves_the_tokens_unknown() -> None:
    entry = serving((102, sample(None)), (104, sample(None)))
    assert entry.generated is None
    assert entry.per_thousand() is None
    assert entry.idle_s == 4


def test_what_a_run_did_before_this_laptop_came_is_none_of_its_session() -> None:
    earlier, now = "20261123090000000-abcd", "20261123120030000-abcd"
    joined = told(
        (2, READY),
        (4, sample(900)),
        (6, sample(950)),
        entry=named(begun("e", "b", ABOUT, T), earlier),
    )
    fresh = told((2, READY), (4, sample(26)), entry=named(begun("e", "b", ABOUT, T), now))
    odd = told((2, READY), (4, sample(26)), entry=named(begun("e", "b", ABOUT, T), "odd"))
    assert (joined.generated, fresh.generated, odd.generated) == (50, 26, 26)


def test_idle_is_ready_time_between_two_looks_without_a_request() -> None:
    entry = serving(
        *watched(102, 110),
        (112, sample(0, running=1)),
        (114, sample(40, waiting=1)),
        (116, sample(90)),
        *watched(118, 120, 90),
    )
    assert entry.idle_s == 10 + 4  # until 110, and from 116 on
    assert entry.idle_cost == pytest.approx(2.0 * 14 / HOUR)


def test_a_gap_was_idle_where_the_counters_stood_still_and_busy_where_they_moved() -> None:
    gap = [(200, PhaseChanged(Phase.RECONNECTING, LOST)), (4000, CONNECTED), (4001, READY)]
    still = serving((102, sample(7)), *gap, (4002, sample(7)))
    moved = serving((102, sample(7)), *gap, (4002, sample(8)))
    unknown = serving((102, sample(None)), *gap, (4002, sample(None)))
    assert still.idle_s == 4002 - 102
    assert moved.idle_s == 0
    assert unknown.idle_s == 2


def test_a_failure_of_the_run_has_its_code() -> None:
    error = AgentRefused("engine.out-of-memory")
    entry = serving((110, Ended("failed")), (110, PhaseChanged(Phase.FAILED, error)))
    assert (entry.because, entry.code, entry.ended) == ("failed", "engine.out-of-memory", T + 110)


@pytest.mark.parametrize("because", ["asked", "lease", "idle", "limit", "spending"])
def test_why_the_host_stopped_it_is_kept(because: str) -> None:
    entry = serving((110, Ended("stopped", because)), (110, PhaseChanged(Phase.OFF)))
    assert entry.because == because


def test_an_app_that_leaves_closes_with_what_it_knows() -> None:
    ready = closed(serving(*watched(102, 110)), "left", T + 111)
    away = closed(serving((120, PhaseChanged(Phase.RECONNECTING))), "left", T + 999)
    told_before = closed(serving((120, Ended("stopped", "idle"))), "left", T + 121)
    assert (ready.ended, ready.because) == (T + 111, "left")
    assert away.ended == T + 100
    assert told_before.because == "idle"


def test_a_host_seen_to_be_off_later_was_rented_until_then() -> None:
    ended = serving((200, Ended("stopped", "asked")), (200, PhaseChanged(Phase.OFF)))
    off = powered_off(ended, T + 1000)
    assert (off.rented_s(), off.bill_ended) == (998, True)


def test_an_entry_that_goes_on_after_a_restart_of_the_app_is_one_and_counts_the_time_between() -> (
    None
):
    before = closed(serving(*watched(102, 110, 70)), "left", T + 111)
    fresh = told((7202, CONNECTED), entry=begun("f", "box", replace(ABOUT, rate=3.0), T + 7200))
    entry = told((7203, READY), (7205, sample(170)), entry=continued(before, fresh))
    assert (entry.id, entry.because, entry.is_open) == ("e", "", True)
    assert entry.rented_s() == 7203
    assert (entry.generated, entry.rate, entry.ready) == (170, 3.0, T + 100)


def test_a_clock_set_back_between_two_starts_makes_no_session_shorter() -> None:
    before = closed(serving(*watched(102, 110)), "left", T + 111)
    fresh = told((-3598, CONNECTED), entry=begun("f", "box", ABOUT, T - 3600))
    entry = told((-3590, READY), entry=continued(before, fresh))
    assert entry.rented_s() == pytest.approx(109 + 10)
    assert entry.ready is not None
    assert entry.reached is not None
    assert entry.ready - entry.reached == 98


def test_a_card_is_named_once_and_several_alike_are_counted() -> None:
    one = told((3, Fact("gpu.0.name", " NVIDIA\nRTX 4090 ")))
    two = told((3, Fact("gpu.0.name", "A100")), (3, Fact("gpu.1.name", "A100")))
    mixed = told((3, Fact("gpu.0.name", "A100")), (3, Fact("gpu.1.name", "T4")))
    odd = told((3, Fact("gpu.0.name", ["x"])), (3, Fact("gpu.0.memory_total", 5)))
    shown = [entry.card for entry in (one, two, mixed, odd)]
    assert shown == ["NVIDIA RTX 4090", "2 × A100", "A100 + T4", ""]


def test_a_rate_that_is_typed_while_it_runs_counts_from_the_beginning() -> None:
    entry = begun("e", "box", About("m"), T)
    assert entry.per_thousand() is None
    priced = fold.priced(entry, ABOUT)
    assert (priced.rate, priced.currency) == (2.0, "CNY")
    assert fold.priced(priced, About("m")).rate == 2.0


def test_a_look_at_the_host_begins_no_session_and_proves_nothing() -> None:
    assert not fold.begins(Surveyed({}))
    assert not fold.begins(PhaseChanged(Phase.OFF))
    assert not fold.begins(PhaseChanged(Phase.CHECKING))
    assert fold.begins(PhaseChanged(Phase.CONNECTING))
    entry = serving()
    assert after(entry, Surveyed({}), T + 900) == entry


EVENTS = st.sampled_from(
    [
        CONNECTED,
        READY,
        TaskChanged("deploy", "done"),
        PhaseChanged(Phase.READY),
        PhaseChanged(Phase.RECONNECTING, LOST),
        Progress("serve", 1, 2, "steps"),
        Restarting(AgentRefused("engine.crashed")),
        sample(5),
        sample(900, running=1),
        sample(None),
        Fact("gpu.0.name", "A100"),
    ]
)


@given(st.lists(st.tuples(st.floats(-1e5, 1e5), EVENTS), max_size=30))
def test_no_order_of_events_and_no_clock_make_an_entry_impossible(
    script: list[tuple[float, Event]],
) -> None:
    entry = told((0, CONNECTED))
    for at, event in script:
        later = after(entry, event, T + at)
        assert later.seen >= entry.seen
        assert (later.generated or 0) >= (entry.generated or 0)
        entry = later
    entry = closed(entry, "left", T)
    assert entry.ended is not None
    assert 0 <= entry.rented_s() <= 2e5
    assert entry.idle_s <= entry.rented_s() + 1e-6
    assert isinstance(entry.engine, Totals)
