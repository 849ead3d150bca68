import gc
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError

import pytest
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QWidget
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


def test_the_end_of_a_reply_brings_its_last_words_before_the_next_tick(
    qtbot: QtBot, bridge: Bridge, inbox: Inbox
) -> None:
    bridge.post(ReplyStarted(1))
    qtbot.waitUntil(lambda: len(inbox.events) == 1)
    bridge._timer.setInterval(3_600_000)
    bridge.post(Delta(1, "last"))
    bridge.post(ReplyDone(1, "stop", None, None, None))
    qtbot.waitUntil(lambda: len(inbox.events) == 3)
    assert [len(batch) for batch in inbox.batches] == [1, 1, 1]


def test_the_last_words_of_a_reply_are_painted_before_its_end_is_kept(
    qtbot: QtBot, bridge: Bridge, inbox: Inbox
) -> None:
    seen: list[str] = []

    class Shows(QWidget):
        def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
            seen.append("painted")

    shows = Shows()
    qtbot.addWidget(shows)
    shows.show()
    qtbot.waitUntil(lambda: bool(seen))

    def deliver(batch: list[Event]) -> None:
        seen.extend(type(event).__name__ for event in batch)
        shows.update()

    bridge._deliver = deliver
    seen.clear()
    for event in (ReplyStarted(1), Delta(1, "x"), ReplyDone(1, "stop", None, None, None)):
        bridge.post(event)
    qtbot.waitUntil(lambda: len(seen) == 5)
    assert seen == ["ReplyStarted", "Delta", "painted", "ReplyDone", "painted"]


def test_a_full_collection_in_mid_stream_leaves_alone_what_was_there_before(
    qtbot: QtBot, bridge: Bridge, inbox: Inbox
) -> None:
    gc.unfreeze()
    mine = [inbox]
    bridge.post(ReplyStarted(1))
    bridge.post(Delta(1, "x"))
    qtbot.waitUntil(lambda: len(inbox.events) == 2)
    assert not any(each is mine for each in gc.get_objects())
    bridge.post(Delta(1, "y"))
    theirs = [inbox]
    qtbot.waitUntil(lambda: len(inbox.events) == 3)
    assert any(each is theirs for each in gc.get_objects())
    gc.unfreeze()


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
