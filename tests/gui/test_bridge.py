import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError

import pytest
from pytestqt.qtbot import QtBot

from desktop.core.events import Delta, Event, Fact, ReplyDone, ReplyStarted
from desktop.ui.bridge import Bridge


class Inbox:
    """Batches as they came, and the thread they came in."""

    def __init__(self) -> None:
        self.batches: list[list[Event]] = []
        self.threads: set[int] = set()

    def __call__(self, batch: list[Event]) -> None:
        self.batches.append(batch)
        self.threads.add(threading.get_ident())

    @property
    def events(self) -> list[Event]:
        return [event for batch in self.batches for event in batch]


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def bridge(qapp: object, inbox: Inbox) -> Iterator[Bridge]:
    made = Bridge(inbox)
    yield made
    made.close()


def run(work: object) -> threading.Thread:
    thread = threading.Thread(target=work)  # type: ignore[arg-type]
    thread.start()
    return thread


def test_events_of_another_thread_come_in_order_in_the_gui_thread(
    qtbot: QtBot, bridge: Bridge, inbox: Inbox
) -> None:
    sent: list[Event] = [Fact("n", number) for number in range(2000)]
    thread = run(lambda: [bridge.post(event) for event in sent])
    qtbot.waitUntil(lambda: len(inbox.events) == len(sent))
    thread.join()
    assert inbox.events == sent
    assert inbox.threads == {threading.get_ident()}


def test_a_burst_is_one_batch(qtbot: QtBot, bridge: Bridge, inbox: Inbox) -> None:
    for number in range(500):
        bridge.post(Fact("n", number))
    qtbot.waitUntil(lambda: bool(inbox.batches))
    assert [len(batch) for batch in inbox.batches] == [500]


def test_deltas_come_by_the_tick_until_the_reply_is_over(
    qtbot: QtBot, bridge: Bridge, inbox: Inbox
) -> None:
    bridge.post(ReplyStarted(1))
    qtbot.waitUntil(lambda: len(inbox.events) == 1)
    for _ in range(100):
        bridge.post(Delta(1, "x"))
    qtbot.waitUntil(lambda: len(inbox.events) == 101)
    assert len(inbox.batches) == 2
    bridge.post(ReplyDone(1, "stop", None, None, None))
    qtbot.waitUntil(lambda: len(inbox.events) == 102)
    assert not bridge._timer.isActive()


def test_asking_runs_in_the_gui_thread_and_returns_its_result(qtbot: QtBot, bridge: Bridge) -> None:
    answers: list[int] = []
    thread = run(lambda: answers.append(bridge.ask(threading.get_ident)))
    qtbot.waitUntil(lambda: bool(answers))
    thread.join()
    assert answers == [threading.get_ident()]


def test_an_exception_belongs_to_the_thread_that_asked(qtbot: QtBot, bridge: Bridge) -> None:
    seen: list[BaseException] = []

    def ask() -> None:
        try:
            bridge.ask(lambda: 1 / 0)
        except ZeroDivisionError as error:
            seen.append(error)

    thread = run(ask)
    qtbot.waitUntil(lambda: bool(seen))
    thread.join()


def test_closing_releases_who_waits_and_delivers_nothing_more(
    qtbot: QtBot, bridge: Bridge, inbox: Inbox
) -> None:
    cancelled = threading.Event()

    def ask() -> None:
        try:
            bridge.ask(lambda: None)
        except CancelledError:
            cancelled.set()

    thread = run(ask)
    qtbot.waitUntil(lambda: bool(bridge._work) or cancelled.is_set())
    bridge.close()
    assert cancelled.wait(5)
    thread.join()
    bridge.post(Fact("late", 1))
    with pytest.raises(CancelledError):
        bridge.ask(lambda: None)
    assert inbox.batches == []
