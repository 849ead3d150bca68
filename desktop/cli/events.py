"""From the core's threads to the command's own: events in order, and questions for the person.

A question is asked by the command's thread, because that is the main one: Ctrl-C arrives there,
and what is redrawn on the terminal can be taken away first.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

from desktop.cli.output import Output
from desktop.core.events import Event

Answer = TypeVar("Answer")

# A wait without a limit cannot be interrupted by Ctrl-C on Windows.
_WAIT_S = 0.5


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question on its way to the person, and its answer on the way back."""

    question: Callable[[], Any]
    answer: Future[Any] = field(default_factory=Future)


class EventQueue:
    """Where the core's threads put events and questions, and the command's thread takes them."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Event | _Asked] = queue.SimpleQueue()
        self._turn = threading.Lock()  # between the last `ask` and `close`
        self._closed = False

    def put(self, event: Event) -> None:
        """Add an event, from any thread."""
        self._queue.put(event)

    def ask(self, question: Callable[[], Answer]) -> Answer | None:
        """Have the command's thread ask, and wait for the answer; from any other thread.

        Returns:
            The answer, or None where it was interrupted or nobody takes questions any more.
        """
        asked = _Asked(question)
        with self._turn:
            if self._closed:
                return None
            self._queue.put(asked)
        try:
            answer: Answer = asked.answer.result()
        except CancelledError:
            return None
        return answer

    def taken(self, output: Output) -> Iterator[Event]:
        """Yield events for ever, in the command's thread; Ctrl-C gets through.

        Questions are asked on the way, with the output out of the way.
        """
        while True:
            try:
                item = self._queue.get(timeout=_WAIT_S)
            except queue.Empty:
                continue
            if isinstance(item, _Asked):
                output.make_way()
                _put_to_person(item)
            else:
                yield item

    def close(self) -> None:
        """Let nobody wait for an answer any more."""
        with self._turn:
            self._closed = True
        while not self._queue.empty():
            item = self._queue.get()
            if isinstance(item, _Asked):
                item.answer.cancel()


def _put_to_person(asked: _Asked) -> None:
    """Answer the question; whatever stops the person from answering is no answer."""
    try:
        asked.answer.set_result(asked.question())
    except BaseException:
        asked.answer.cancel()
        raise
