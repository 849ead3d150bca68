"""A start that a person cancels, wherever it is: it ends in OFF, and the next one goes on.

And what can be done beside it on a real host: its logs followed, and room made on its disk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field

import pytest

from desktop.core.events import (
    Event,
    Logged,
    PhaseChanged,
    Progress,
    Ready,
    TaskChanged,
    Tidied,
    Tidying,
)
from desktop.core.phases import Phase
from desktop.core.session.dial import dialler
from desktop.core.session.session import Session
from desktop.core.session.wishes import Wishes
from desktop.rehearsal.faults import Faults
from desktop.ui.start.journey import Journey, advance
from remote import wire
from tests.e2e.conftest import WEIGHTS, WEIGHTS_BYTES, Box, MakeBox
from tests.helpers.person import Person
from tests.helpers.processes import command_line
from tests.helpers.waiting import until

SECONDS = 180.0
SLOW = Faults(bytes_per_s=2_000_000)


@dataclass
class Start:
    """A session on a box, and everything that it said, folded as the sheet shows it."""

    box: Box
    session: Session = field(init=False)
    events: list[Event] = field(default_factory=list)
    journey: Journey = field(default_factory=Journey)

    def __post_init__(self) -> None:
        sshd = self.box.sshd
        wishes = Wishes(
            destination=sshd.destination,
            model=self.box.model,
            hub=self.box.hub.url,
            data_dir=str(self.box.data),
            engine_env=str(self.box.engine),
            identity=sshd.identity,
            accept_new_host_key=True,
        )
        dial = dialler(wishes, Person(), sshd.known_hosts(), forwarding=True)
        self.session = Session(wishes, self._hear, dial)

    def close(self) -> None:
        self.session.close()

    def _hear(self, event: Event) -> None:
        self.events.append(event)
        self.journey = advance(self.journey, event, 0.0)

    def until(self, wanted: Callable[[Event], bool], after: int = 0) -> Event:
        until(lambda: any(map(wanted, self.events[after:])), SECONDS)
        return next(event for event in self.events[after:] if wanted(event))

    def until_phase(self, phase: Phase) -> None:
        until(lambda: self.journey.phase is phase, SECONDS)

    def lines(self) -> list[str]:
        logged = [event for event in self.events if isinstance(event, Logged)]
        return [line.text for event in logged for line in event.lines]


@pytest.fixture
def start() -> Iterator[Callable[[Box], Start]]:
    with ExitStack() as stack:
        yield lambda box: stack.enter_context(closing(Start(box)))


def is_running(task: str) -> Callable[[Event], bool]:
    return lambda event: event == TaskChanged(task, wire.RUNNING)


def half_fetched(event: Event) -> bool:
    return (
        isinstance(event, Progress)
        and (event.task, event.step) == (wire.MODEL_FILES, "fetch")
        and event.done > WEIGHTS_BYTES / 2
    )


def bytes_fetched(box: Box) -> int:
    return sum(fetch.sent for fetch in box.hub.fetches() if fetch.path == WEIGHTS)


STAGES: dict[str, Callable[[Event], bool]] = {
    "connect": lambda event: event == PhaseChanged(Phase.CONNECTING),
    "check": is_running(wire.PREFLIGHT),
    "install": is_running(wire.HUB_ENVIRONMENT),
    "download": half_fetched,
    "load": is_running(wire.SERVE),
}


@pytest.mark.parametrize("stage", list(STAGES))
def test_a_start_that_is_cancelled_is_off_and_the_next_one_goes_on(
    make_box: MakeBox, start: Callable[[Box], Start], stage: str
) -> None:
    box = make_box(
        "--scripted-startup-s",
        "3",
        faults=SLOW if stage == "download" else None,
        fresh=stage == "install",
    )
    made = start(box)
    made.session.start()
    made.until(STAGES[stage])
    made.session.stop()
    made.until_phase(Phase.OFF)
    assert not any(isinstance(event, Ready) for event in made.events)
    assert made.journey.was_cancelled
    until(lambda: box.processes == [], 10)

    begun, fetched = len(made.events), bytes_fetched(box)
    made.session.start()
    made.until(lambda event: isinstance(event, Ready), begun)
    assert made.session.phase is Phase.READY
    assert made.journey.phase is Phase.READY
    if stage == "download":
        assert fetched > WEIGHTS_BYTES / 2
        assert bytes_fetched(box) < WEIGHTS_BYTES * 1.3, "what was downloaded stays"
    if stage == "load":
        assert TaskChanged(wire.MODEL_FILES, wire.SKIPPED) in made.events[begun:]


def test_what_is_half_fetched_makes_room_where_somebody_asks_for_it(
    make_box: MakeBox, start: Callable[[Box], Start]
) -> None:
    box = make_box(faults=SLOW)
    made = start(box)
    made.session.start()
    made.until(half_fetched)
    made.session.stop()
    made.until_phase(Phase.OFF)
    made.session.tidy()
    tidied = made.until(lambda event: isinstance(event, Tidied))
    assert isinstance(tidied, Tidied)
    assert tidied.error is None
    assert tidied.bytes > WEIGHTS_BYTES / 3
    assert Tidying() in made.events
    made.session.tidy()
    until(lambda: made.events.count(Tidying()) == 2)
    until(lambda: made.events[-1] == Tidied(0, 0))


def test_room_is_not_made_under_a_run_that_works(box: Box, start: Callable[[Box], Start]) -> None:
    made = start(box)
    made.session.start()
    made.until_phase(Phase.READY)
    made.session.tidy()
    tidied = made.until(lambda event: isinstance(event, Tidied))
    assert isinstance(tidied, Tidied)
    assert tidied.error is not None
    assert tidied.error.code == "run.alive"


def followers(box: Box) -> list[int]:
    """Return the processes on the host that follow its logs."""
    return [pid for pid in box.processes if b"\0logs\0" in command_line(pid)]


def test_the_log_is_followed_while_it_is_wanted_and_over_a_cut(
    make_box: MakeBox, start: Callable[[Box], Start]
) -> None:
    box = make_box("--scripted-startup-s", "2")
    made = start(box)
    made.session.follow_log(wanted=True)
    made.session.start()
    made.until(lambda event: isinstance(event, Logged) and bool(event.lines))
    made.until_phase(Phase.READY)
    until(lambda: any("startup complete" in line for line in made.lines()))
    cut = len(made.events)
    box.sshd.cut()
    made.until(lambda event: event == Logged((), live=False), cut)
    made.until(lambda event: isinstance(event, Logged) and event.anew and event.live, cut)
    until(lambda: len(followers(box)) == 1, 10)  # the one before the cut is gone
    made.session.follow_log(wanted=False)
    until(lambda: followers(box) == [], 10)


def test_after_the_end_the_last_lines_are_fetched(
    make_box: MakeBox, start: Callable[[Box], Start]
) -> None:
    box = make_box("--scripted-fail", "traceback")
    made = start(box)
    made.session.start()
    made.until_phase(Phase.FAILED)
    made.session.follow_log(wanted=True)
    assert made.lines() == []
    made.session.fetch_log()
    until(lambda: any("Traceback" in line for line in made.lines()))
    last = [event for event in made.events if isinstance(event, Logged)][-1]
    assert (last.anew, last.live) == (True, False)
