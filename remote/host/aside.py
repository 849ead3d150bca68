"""A question that may never be answered, asked beside the others.

A name server that is away, a driver that hangs: the thread is left to itself then, and it ends with
the process, so that nobody waits longer than was said.
"""

import threading
import time
from typing import Callable, Generic, List, TypeVar

from remote.task import Cancelled

T = TypeVar("T")
_POLL_SECONDS = 0.1


class Aside(Generic[T]):
    """Asks in a thread of its own from the moment it is made."""

    def __init__(self, ask: Callable[[], T], otherwise: T) -> None:
        self._ask = ask
        self._otherwise = otherwise
        self._answers: List[T] = []
        self._failures: List[BaseException] = []
        self._thread = threading.Thread(target=self._work, name="aside", daemon=True)
        self._thread.start()

    def answer(self, deadline: float, cancelled: threading.Event) -> T:
        """Return the answer, or `otherwise` when there is none until `deadline` (monotonic).

        Raises:
            Cancelled: the run is being stopped.
            Exception: whatever the question raised.
        """
        while self._thread.is_alive():
            left = deadline - time.monotonic()
            if left <= 0:
                return self._otherwise
            if cancelled.is_set():
                raise Cancelled
            self._thread.join(min(left, _POLL_SECONDS))
        if self._failures:
            raise self._failures[0]
        return self._answers[0]

    def _work(self) -> None:
        try:
            self._answers.append(self._ask())
        except BaseException as error:  # noqa: BLE001 - raised again where the answer is awaited
            self._failures.append(error)
