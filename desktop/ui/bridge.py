"""The one file where threads meet Qt.

    core: post(event) ─┐                       ┌─ deliver([event, …]) once per batch
                       ├─ queue ─ one wake-up ─┤
    core: ask(work) ───┘                       └─ work() in the GUI thread, its result back

Waking is a posted event, never a signal per item. While a reply streams, its deltas wake nobody:
a timer drains the queue twenty-five times a second, so that a fast model costs one rendering per
tick and not one per token. The end of a reply wakes at once: its last words are delivered and
painted, then the end itself, which is kept on a disk that may be slow.
"""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from typing import Any, TypeVar, cast

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, QTimer

from desktop.core.events import (
    Delta,
    Event,
    Reasoning,
    ReplyBroken,
    ReplyDone,
    ReplyStarted,
)
from desktop.ui.intents import FromHost

# What a session says comes with its host; the number of a reply tells whose it is.
Item = FromHost | Event
T = TypeVar("T")

TICK_MS = 40
_WAKE = QEvent.Type(QEvent.registerEventType())
_END = ReplyDone | ReplyBroken
_AFTER_PAINTING = Qt.EventPriority.LowEventPriority.value  # behind the updates that were asked for


class Bridge(QObject):
    """Queues what the core's threads say and hands it over in the GUI thread, in order."""

    def __init__(self, deliver: Callable[[list[Item]], None]) -> None:
        """Take the function that gets each batch, in the GUI thread."""
        super().__init__()
        self._deliver = deliver
        self._events: deque[Item] = deque()
        self._work: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        self._woken = False
        self._closed = False
        self._streaming: frozenset[int] = frozenset()
        self._flowing = False  # words of a reply have come since none streamed
        self._timer = QTimer(self, interval=TICK_MS)
        self._timer.timeout.connect(self._drain)

    def post(self, event: Item) -> None:
        """Queue an event; from any thread, returns at once."""
        self._events.append(event)
        ticking = isinstance(event, Delta | Reasoning) and event.reply in self._streaming
        if not ticking:
            self._wake()

    def ask(self, work: Callable[[], T]) -> T:
        """Run `work` in the GUI thread and return its result; blocks the calling thread.

        Raises:
            CancelledError: the app is closing, nobody will answer.
        """
        answer: Future[Any] = Future()
        self._work.append((work, answer))
        if self._closed:
            raise CancelledError
        self._wake()
        return cast("T", answer.result())

    def close(self) -> None:
        """Deliver nothing more and release every thread that waits for an answer."""
        self._closed = True
        self._timer.stop()
        while self._work:
            self._work.popleft()[1].cancel()

    def _wake(self, priority: int = Qt.EventPriority.NormalEventPriority.value) -> None:
        # Two threads may both post: the second wake-up then finds an empty queue.
        if not self._woken and not self._closed:
            self._woken = True
            QCoreApplication.postEvent(self, QEvent(_WAKE), priority)

    def event(self, event: QEvent) -> bool:
        """Drain the queue when woken."""
        if event.type() != _WAKE:
            return super().event(event)
        self._woken = False  # before draining: what comes from now on wakes again
        self._drain()
        return True

    def _drain(self) -> None:
        if self._closed:
            return
        while self._work:
            self._answer(*self._work.popleft())
        batch: list[Item] = []
        while self._events:
            if batch and isinstance(self._events[0], _END):
                break
            batch.append(self._events.popleft())
        self._follow(batch)
        if batch:
            self._deliver(batch)
        if self._events:
            self._wake(_AFTER_PAINTING)

    def _answer(self, work: Callable[[], Any], answer: Future[Any]) -> None:
        try:
            answer.set_result(work())
        except Exception as error:  # noqa: BLE001 - it belongs to the thread that asked
            answer.set_exception(error)

    def _follow(self, batch: list[Item]) -> None:
        """Tick while at least one reply streams."""
        streaming = set(self._streaming)
        for event in batch:
            if isinstance(event, ReplyStarted):
                streaming.add(event.reply)
            elif isinstance(event, _END):
                streaming.discard(event.reply)
        self._streaming = frozenset(streaming)
        self._spare_collector(batch)
        if streaming and not self._timer.isActive():
            self._timer.start()
        elif not streaming and self._timer.isActive():
            self._timer.stop()

    def _spare_collector(self, batch: list[Item]) -> None:
        """Leave the collector of garbage only what a stream makes.

        A full collection over everything, the client's modules included, takes a tenth of a second,
        and Python begins one wherever it likes.
        """
        flowing = any(isinstance(event, Delta | Reasoning) for event in batch)
        if flowing and not self._flowing:
            gc.freeze()
        self._flowing = bool(self._streaming) and (flowing or self._flowing)
