"""One try to connect: how it is made, and how another thread gives it up, wherever it waits."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from desktop.core.errors import Cancelled, ConnectionFailed


class Abandon:
    """Gives up a try to connect; safe from any thread and more than once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_fired = False
        self._cuts: list[Callable[[], object]] = []

    @property
    def is_fired(self) -> bool:
        """Whether nobody waits for the connection any more."""
        return self._is_fired

    def fire(self) -> None:
        """Give it up: whatever it waits for is cut off."""
        with self._lock:
            self._is_fired = True
            cuts = list(self._cuts)
        for cut in cuts:
            cut()

    def check(self) -> None:
        """Raise Cancelled where it was given up."""
        if self._is_fired:
            raise Cancelled

    @contextmanager
    def by(self, cut: Callable[[], object]) -> Iterator[None]:
        """Have `cut` called, on another thread, if it is given up inside; it must not wait.

        Raises:
            Cancelled: it was given up before, or what is inside failed for that reason.
        """
        with self._lock:
            self.check()
            self._cuts.append(cut)
        try:
            yield
        except Exception as error:
            if self._is_fired:
                raise Cancelled from error
            raise
        finally:
            with self._lock:
                self._cuts.remove(cut)


@dataclass(frozen=True, slots=True)
class Attempt:
    """How one try is made.

    Attributes:
        quick: short of patience, for there is another try after it.
        quiet: nobody may be asked anything; PersonNeeded where somebody would have to be.
        abandon: gives it up.
        asking: set while a person is being asked, which takes as long as it takes.
    """

    quick: bool = False
    quiet: bool = False
    abandon: Abandon = field(default_factory=Abandon, compare=False)
    asking: threading.Event = field(default_factory=threading.Event, compare=False)


ORDINARY = Attempt()  # of who connects once: nobody gives it up


class PersonNeeded(ConnectionFailed):
    """A quiet try came to a question; with the code and the facts of what it is about."""
