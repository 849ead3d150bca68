"""The diary at work: what is heard is in the file soon, whatever happens to app and disk."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from queue import Queue

import pytest

from desktop.core.diary import fold
from desktop.core.diary.diary import Diary
from desktop.core.diary.entry import About, Entry
from desktop.core.diary.store import read
from desktop.core.errors import AgentRefused, ConnectionLost, StorageError
from desktop.core.events import (
    Ended,
    Endpoint,
    Event,
    Fact,
    PhaseChanged,
    Ready,
    Sample,
    Surveyed,
    Surveying,
    TaskChanged,
)
from desktop.core.phases import Phase
from tests.helpers.command import ROOT
from tests.helpers.waiting import until

ABOUT = About("o/m", 2.0, "CNY")
RUN, OTHER_RUN = "20261123120000000-abcd", "20261123180000000-efgh"
BEGIN: tuple[Event, ...] = (PhaseChanged(Phase.CONNECTING), TaskChanged("connect", "done"))
END: tuple[Event, ...] = (Ended("stopped", "asked"), PhaseChanged(Phase.OFF))


class Clock:
    def __init__(self) -> None:
        self.now = 1_795_435_200.0

    def __call__(self) -> float:
        return self.now


def ready(run: str = RUN) -> Ready:
    return Ready(Endpoint("http://127.0.0.1:8000/v1", "pk", "o/m", 4096, run, "0.19"))


def sample(tokens: int) -> Sample:
    return Sample((), 0.0, 0, 0, None, None, tokens, tokens, 1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "diary.db"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def opened(path: Path, clock: Clock) -> Iterator[Callable[..., Diary]]:
    """Give what opens a diary at the path; all are closed afterwards."""
    made: list[Diary] = []

    def open_(
        tell: Callable[[StorageError], None] = lambda _: None,
        interval_s: float = 15.0,
        on_changed: Callable[[], None] = lambda: None,
    ) -> Diary:
        made.append(Diary(path, clock, tell, interval_s, on_changed))
        made[-1].begin()
        return made[-1]

    yield open_
    for each in made:
        each.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "diary"]


def test_a_session_is_in_the_file_once_it_is_over(
    opened: Callable[..., Diary], clock: Clock, path: Path
) -> None:
    diary = opened()
    diary.hear("box", ABOUT, [*BEGIN, ready()])
    clock.now += 3600
    diary.hear("box", ABOUT, [sample(4600), *END])
    until(lambda: any(each.ended for each in read(path)))
    (entry,) = read(path)
    assert (entry.host, entry.because, entry.rented_s()) == ("box", "asked", 3600)


def test_what_goes_on_is_written_every_interval_and_can_be_read_meanwhile(
    opened: Callable[..., Diary], path: Path
) -> None:
    diary = opened(interval_s=0.05)
    diary.hear("box", ABOUT, [*BEGIN, ready(), sample(10)])
    until(lambda: any(each.generated == 10 for each in read(path)))
    diary.hear("box", ABOUT, [sample(70)])
    until(lambda: any(each.generated == 70 for each in read(path)))
    entry = diary.entry("box")
    assert entry is not None
    assert entry.is_open


def test_between_two_writings_the_disk_is_left_alone(
    opened: Callable[..., Diary], path: Path
) -> None:
    diary = opened(interval_s=1000.0)
    diary.hear("box", ABOUT, [*BEGIN, ready()])
    until(lambda: any(each.ready for each in read(path)))
    diary.hear("box", ABOUT, [sample(10)])
    until(lambda: (entry := diary.entry("box")) is not None and entry.generated == 10)
    assert [each.generated for each in read(path)] == [None]
    diary.close()
    assert [each.generated for each in read(path)] == [10]


def test_who_shows_a_bill_hears_when_it_begins_is_priced_and_ends(
    opened: Callable[..., Diary],
) -> None:
    told: Queue[tuple[bool, bool, float]] = Queue()

    def changed() -> None:
        if entry := diary.entry("box"):  # None as soon as the file is open
            told.put((entry.ready is not None, entry.is_open, entry.rate))

    diary = opened(on_changed=changed)
    diary.hear("box", ABOUT, BEGIN)
    assert told.get(timeout=5) == (False, True, 2.0)
    diary.hear("box", ABOUT, [ready()])
    assert told.get(timeout=5) == (True, True, 2.0)
    dearer = About("o/m", 3.0, "CNY")
    diary.price("box", dearer)
    assert told.get(timeout=5) == (True, True, 3.0)
    diary.hear("box", dearer, [sample(10), sample(70), *END])
    assert told.get(timeout=5) == (True, False, 3.0), "not with each sample"
    diary.close()
    assert told.empty()


def test_what_is_not_written_yet_is_listed_all_the_same(opened: Callable[..., Diary]) -> None:
    diary = opened()
    diary.hear("box", ABOUT, [*BEGIN, ready(), sample(10)])
    until(lambda: any(each.generated == 10 for each in diary.entries()))


def test_a_host_that_was_not_reached_is_in_no_list(
    opened: Callable[..., Diary], path: Path
) -> None:
    diary = opened()
    lost = ConnectionLost("connection-lost", host="h")
    diary.hear("box", ABOUT, [PhaseChanged(Phase.CONNECTING), PhaseChanged(Phase.FAILED, lost)])
    until(lambda: (entry := diary.entry("box")) is not None and not entry.is_open)
    assert diary.entries() == []
    diary.close()
    assert read(path) == []


def test_two_hosts_have_a_session_each(opened: Callable[..., Diary]) -> None:
    diary = opened()
    diary.hear("one", ABOUT, BEGIN)
    diary.hear("two", About("o/n", 0.5, "USD"), BEGIN)
    diary.hear("one", ABOUT, END)
    diary.close()
    found = {each.host: (each.because, each.currency) for each in diary.entries()}
    assert found == {"one": ("asked", "CNY"), "two": ("left", "USD")}


def test_a_second_start_is_a_second_session(opened: Callable[..., Diary]) -> None:
    diary = opened()
    diary.hear("box", ABOUT, [*BEGIN, Fact("run", RUN), ready(), *END])
    diary.hear("box", ABOUT, [*BEGIN, Fact("run", OTHER_RUN), ready(OTHER_RUN), *END])
    diary.close()
    assert sorted(each.run for each in diary.entries()) == [RUN, OTHER_RUN]


def test_a_run_that_is_joined_after_a_restart_of_the_app_goes_on_in_its_row(
    opened: Callable[..., Diary], clock: Clock
) -> None:
    first = opened()
    first.hear("box", ABOUT, [*BEGIN, Fact("run", RUN), ready(), sample(100)])
    first.close()
    clock.now += 7200
    second = opened()
    second.hear("box", ABOUT, [*BEGIN, Fact("run", RUN), ready(), sample(160), *END])
    second.close()
    (entry,) = second.entries()
    assert (entry.generated, entry.rented_s(), entry.because) == (160, 7200, "asked")


def test_another_run_in_the_same_session_is_another_row(
    opened: Callable[..., Diary], clock: Clock
) -> None:
    diary = opened()
    diary.hear("box", ABOUT, [*BEGIN, Fact("run", RUN), ready()])
    clock.now += 600
    diary.hear("box", ABOUT, [TaskChanged("connect", "done"), Fact("run", OTHER_RUN), *END])
    diary.close()
    found = {each.run: (each.because, each.rented_s()) for each in diary.entries()}
    assert found == {RUN: ("lost", 0.0), OTHER_RUN: ("asked", 0.0)}


def test_a_power_off_after_the_stop_belongs_to_the_session_before(
    opened: Callable[..., Diary], clock: Clock
) -> None:
    diary = opened()
    diary.hear("box", ABOUT, [*BEGIN, Fact("run", RUN), ready(), *END])
    clock.now += 1800
    off = Ended("stopped", "asked", powered_off=True)
    diary.hear("box", ABOUT, [*BEGIN, off, PhaseChanged(Phase.OFF)])
    diary.close()
    (entry,) = diary.entries()
    assert (entry.rented_s(), entry.because) == (1800, "powered-off")


def test_a_try_that_did_not_reach_the_host_hides_no_bill(opened: Callable[..., Diary]) -> None:
    diary = opened()
    diary.hear("box", ABOUT, [*BEGIN, Fact("run", RUN), ready(), *END])
    silent = PhaseChanged(Phase.FAILED, ConnectionLost("connection-lost"))
    diary.hear("box", ABOUT, [PhaseChanged(Phase.CONNECTING), silent] * 2)
    diary.close()
    entry = diary.entry("box")
    assert entry is not None
    assert (entry.run, entry.because) == (RUN, "asked")


def test_what_was_left_running_is_known_at_the_next_start(
    opened: Callable[..., Diary], clock: Clock
) -> None:
    first = opened()
    assert first.left("box") is None
    first.hear("box", ABOUT, [*BEGIN, Fact("run", RUN), ready()])
    first.hear("lab", ABOUT, [*BEGIN, Fact("run", OTHER_RUN), ready(OTHER_RUN), *END])
    first.close()
    clock.now += 7200
    told: Queue[None] = Queue()
    second = opened(on_changed=lambda: told.put(None))
    told.get(timeout=5)
    left = second.left("box")
    assert left is not None
    assert left.run == RUN
    assert second.entry("box") == left, "its bill is shown"
    assert (second.left("lab"), second.entry("lab")) == (None, None), "it was seen to stop"
    silent = PhaseChanged(Phase.FAILED, ConnectionLost("connection-lost"))
    second.hear("box", ABOUT, [PhaseChanged(Phase.CONNECTING), silent])
    second.price("box", About("o/m", 3.0, "CNY"))
    told.get(timeout=5)
    left = second.left("box")
    assert left is not None, "nobody has looked"
    assert left.rate == 3.0
    second.close()
    third = opened()
    third.hear("box", ABOUT, [*BEGIN, PhaseChanged(Phase.OFF)])  # given up before anything was seen
    third.close()
    assert third.left("box") == left
    fourth = opened()
    fourth.hear("box", ABOUT, [*BEGIN, Fact("run", RUN), ready()])
    until(lambda: fourth.left("box") is None)


@pytest.mark.parametrize(
    "since",
    [
        (Fact("run", OTHER_RUN), *END),
        END,
        (Ended("stopped", "asked", powered_off=True), PhaseChanged(Phase.OFF)),
    ],
)
def test_what_was_seen_of_a_host_since_ends_what_was_left_there(
    opened: Callable[..., Diary], clock: Clock, since: tuple[Event, ...]
) -> None:
    first = opened()
    first.hear("box", ABOUT, [*BEGIN, Fact("run", RUN), ready()])
    first.close()
    clock.now += 7200
    second = opened()
    second.hear("box", ABOUT, [*BEGIN, *since])
    second.close()
    assert second.left("box") is None
    (before,) = (each for each in second.entries() if each.run == RUN)
    assert before.rented_s() == 0, "nobody knows what the host did meanwhile"
    third = opened()
    third.close()
    assert third.left("box") is None


def test_what_is_settled_is_no_more_left(opened: Callable[..., Diary]) -> None:
    first = opened()
    first.hear("box", ABOUT, [*BEGIN, Fact("run", RUN), ready()])
    first.close()
    second = opened()
    second.settle("box", "lost")
    second.settle("box", "lost")
    second.close()
    assert (second.left("box"), second.entry("box")) == (None, None)
    assert [each.because for each in second.entries()] == ["lost"]


def test_a_look_at_a_host_is_no_session_and_the_one_before_stays_the_newest(
    opened: Callable[..., Diary],
) -> None:
    diary = opened()
    diary.hear("box", ABOUT, [*BEGIN, Fact("run", RUN), ready(), *END])
    look = [Surveying(), TaskChanged("connect", "done"), PhaseChanged(Phase.CHECKING)]
    over = [Surveyed({}), PhaseChanged(Phase.OFF)]
    diary.hear("box", ABOUT, [PhaseChanged(Phase.CONNECTING), *look, *over])
    diary.close()
    assert [each.run for each in diary.entries()] == [RUN]
    entry = diary.entry("box")
    assert entry is not None
    assert entry.run == RUN


LOOK: tuple[Event, ...] = (
    PhaseChanged(Phase.CONNECTING),
    Surveying(),
    TaskChanged("connect", "done"),
    Surveyed({}),
    PhaseChanged(Phase.OFF),
)


@pytest.mark.parametrize(("chosen_s", "paid_s"), [(600, 600 + 60), (3599, 3599 + 60), (3601, 60)])
def test_who_chose_a_model_while_the_host_was_up_has_paid_for_that_too(
    opened: Callable[..., Diary], clock: Clock, chosen_s: float, paid_s: float
) -> None:
    diary = opened()
    diary.hear("box", ABOUT, LOOK)
    clock.now += chosen_s
    diary.hear("box", ABOUT, [*BEGIN, Fact("run", RUN)])
    clock.now += 60
    diary.hear("box", ABOUT, END)
    clock.now += 60
    diary.hear("box", ABOUT, [*BEGIN, Fact("run", OTHER_RUN), *END])
    diary.close()
    assert {each.run: each.rented_s() for each in diary.entries()} == {RUN: paid_s, OTHER_RUN: 0}


def test_a_look_that_did_not_reach_its_host_costs_nothing(
    opened: Callable[..., Diary], clock: Clock
) -> None:
    diary = opened()
    lost = PhaseChanged(Phase.FAILED, ConnectionLost("connection-lost"))
    diary.hear("box", ABOUT, [PhaseChanged(Phase.CONNECTING), Surveying(), lost])
    clock.now += 600
    diary.hear("box", ABOUT, [*BEGIN, Fact("run", RUN), *END])
    diary.close()
    assert [each.rented_s() for each in diary.entries()] == [0]


def test_a_failure_a_look_and_another_try_are_one_session(
    opened: Callable[..., Diary], clock: Clock
) -> None:
    diary = opened()
    failed = PhaseChanged(Phase.FAILED, AgentRefused("engine.out-of-memory"))
    diary.hear("box", ABOUT, [*BEGIN, Fact("run", RUN), failed])
    clock.now += 600
    diary.hear("box", ABOUT, LOOK)
    clock.now += 600
    diary.hear("box", ABOUT, [*BEGIN, Fact("run", OTHER_RUN), *END])
    diary.close()
    assert [(each.run, each.rented_s()) for each in diary.entries()] == [(OTHER_RUN, 1200)]


def test_a_session_that_was_left_without_a_word_ends_where_the_next_begins(
    opened: Callable[..., Diary], clock: Clock
) -> None:
    diary = opened()
    diary.hear("box", ABOUT, [*BEGIN, Fact("run", RUN), ready()])
    clock.now += 30
    diary.hear("box", About("o/other", 2.0, "CNY"), [*BEGIN, Fact("run", OTHER_RUN), *END])
    diary.close()
    found = {each.run: (each.because, each.rented_s()) for each in diary.entries()}
    assert found == {RUN: ("left", 30.0), OTHER_RUN: ("asked", 0.0)}


def test_a_session_begun_anew_on_the_same_run_stays_one(
    opened: Callable[..., Diary], clock: Clock
) -> None:
    diary = opened()
    diary.hear("box", ABOUT, [*BEGIN, Fact("run", RUN), ready()])
    clock.now += 30
    diary.hear("box", ABOUT, [*BEGIN, Fact("run", RUN), *END])
    diary.close()
    assert [(each.because, each.rented_s()) for each in diary.entries()] == [("asked", 30.0)]


FAILED = PhaseChanged(Phase.FAILED, AgentRefused("preflight.model-does-not-fit"))


@pytest.mark.parametrize(("pause", "rows"), [(300, 1), (5 * 3600, 2)])
def test_a_failure_and_the_next_try_are_one_session_unless_hours_lie_between(
    opened: Callable[..., Diary], clock: Clock, pause: float, rows: int
) -> None:
    diary = opened()
    diary.hear("box", ABOUT, [*BEGIN, Fact("run", RUN), Ended("failed"), FAILED])
    clock.now += pause
    diary.hear("box", ABOUT, [*BEGIN, Fact("run", OTHER_RUN), ready(OTHER_RUN), sample(9), *END])
    diary.close()
    found = diary.entries()
    assert len(found) == rows
    assert sum(each.rented_s() for each in found) == (pause if rows == 1 else 0)
    assert (found[0].run, found[0].generated, found[0].because) == (OTHER_RUN, 9, "asked")


def test_a_failure_of_the_connection_and_a_new_run_are_two_sessions(
    opened: Callable[..., Diary], clock: Clock
) -> None:
    diary = opened()
    gone = PhaseChanged(Phase.FAILED, ConnectionLost("connection-lost", host="h"))
    diary.hear("box", ABOUT, [*BEGIN, Fact("run", RUN), ready(), gone])
    clock.now += 300
    diary.hear("box", ABOUT, [*BEGIN, Fact("run", OTHER_RUN), *END])
    diary.close()
    assert sorted(each.because for each in diary.entries()) == ["asked", "failed"]


def test_a_host_that_says_absurd_numbers_costs_no_diary(opened: Callable[..., Diary]) -> None:
    diary = opened()
    absurd = [sample(2**63 - 1), sample(0), sample(2**63 - 1)]
    diary.hear("box", ABOUT, [*BEGIN, Fact("run", RUN), ready(), *absurd])
    diary.hear("other", ABOUT, [*BEGIN, *END])
    diary.close()
    assert {each.host for each in diary.entries()} == {"box", "other"}


def test_a_price_that_is_typed_later_is_the_sessions(opened: Callable[..., Diary]) -> None:
    diary = opened()
    diary.hear("box", About("o/m"), BEGIN)
    diary.price("box", ABOUT)
    diary.close()
    assert [each.rate for each in diary.entries()] == [2.0]


def test_a_host_that_the_app_lets_go_of_is_closed_at_that_time(
    opened: Callable[..., Diary], clock: Clock, path: Path
) -> None:
    diary = opened()
    diary.hear("box", ABOUT, BEGIN)
    clock.now += 10
    diary.leave("box")
    until(lambda: any(each.because == "left" for each in read(path)))


def test_a_file_of_a_newer_version_is_told_of_once_and_the_bill_goes_on(
    path: Path, opened: Callable[..., Diary]
) -> None:
    opened().close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    heard: list[str] = []
    diary = opened(lambda error: heard.append(error.code), 0.01)
    diary.hear("box", ABOUT, [*BEGIN, ready()])
    diary.hear("box", ABOUT, [sample(5)])
    until(lambda: (entry := diary.entry("box")) is not None and entry.generated == 5)
    diary.close()
    assert heard == ["storage-newer"]


def test_what_a_disk_refuses_is_written_once_it_takes_it(
    path: Path, opened: Callable[..., Diary]
) -> None:
    path.mkdir()  # in the way
    heard: list[str] = []
    diary = opened(lambda error: heard.append(error.code), 0.02)
    diary.hear("box", ABOUT, [*BEGIN, ready()])
    until(lambda: bool(heard))
    path.rmdir()
    until(lambda: path.exists() and bool(read(path)))
    assert heard == ["storage-not-writable"]


def test_a_diary_that_heard_nothing_and_was_not_begun_makes_no_file(path: Path) -> None:
    Diary(path).close()
    assert not path.exists()


_KILLED = f"""
import sys
from pathlib import Path
from tests.helpers.waiting import until
from tests.unit.core.diary import test_diary as told
from desktop.core.diary.diary import Diary
from desktop.core.diary.store import read
from desktop.core.events import Fact
path = Path(sys.argv[1])
diary = Diary(path, told.Clock(), interval_s=0.01)
diary.begin()
diary.hear("box", told.ABOUT, [*told.BEGIN, Fact("run", {RUN!r}), told.ready(), told.sample(42)])
until(lambda: any(each.generated == 42 for each in read(path)))
print("written", flush=True)
sys.stdin.read()
"""


def test_an_app_that_was_killed_left_what_it_knew(path: Path, opened: Callable[..., Diary]) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _KILLED, str(path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as app:
        assert app.stdout is not None
        assert app.stdout.readline() == "written\n"
        os.kill(app.pid, signal.SIGKILL)
    diary = opened()
    diary.close()
    (entry,) = diary.entries()
    assert (entry.because, entry.generated, entry.ended) == ("cut", 42, entry.seen)
    assert diary.left("box") == entry, "and its run"


def test_a_bug_in_one_event_loses_no_other(
    opened: Callable[..., Diary], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    after = fold.after

    def odd(entry: Entry, event: Event, at: float) -> Entry:
        if event == Fact("odd", 1):
            raise ValueError("odd")
        return after(entry, event, at)

    monkeypatch.setattr(fold, "after", odd)
    diary = opened()
    diary.hear("box", ABOUT, [*BEGIN, Fact("odd", 1), Fact("run", RUN), ready(), *END])
    diary.close()
    assert [(each.run, each.because) for each in diary.entries()] == [(RUN, "asked")]
    assert "not in the diary" in caplog.text
    caplog.clear()
