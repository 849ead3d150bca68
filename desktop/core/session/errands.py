"""One verb for a host of which no story is told: after a failure, or a stop.

Each dials a connection of its own and is done; they take turns. The story may begin meanwhile: the
agent lets the two wait for each other.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from desktop.core.errors import AppError, Cancelled
from desktop.core.events import SessionEvent, Tidied, Tidying
from desktop.core.session.log_stream import FIRST_LINES, LogStream
from desktop.core.ssh.attempt import Abandon, Attempt
from desktop.core.ssh.dialled import Dial

if TYPE_CHECKING:
    from desktop.core.agent.client import Agent
    from desktop.core.ssh.connection import Connection

_JOIN_S = 5.0


class Errands:
    """What is fetched from a host, or done there, beside its story."""

    def __init__(
        self,
        dial: Dial,
        deploy: Callable[[Connection], Agent],
        say: Callable[[SessionEvent], None],
    ) -> None:
        """Take how the host is reached, and who is told."""
        self._dial, self._deploy, self._say = dial, deploy, say
        self._lock = threading.Lock()
        self._threads: dict[str, threading.Thread] = {}  # by errand: none is run twice at once
        self._turn = threading.Lock()
        self._abandon = Abandon()

    def lead_to(self, dial: Dial) -> None:
        """Dial otherwise from now on."""
        self._dial = dial

    def tidy(self) -> None:
        """Remove what is half there: Tidying, then Tidied. May ask the person for a password."""
        self._begin("tidy", self._tidy)

    def fetch_log(self, log: LogStream) -> None:
        """Have the ends of the logs, where the host can be reached without asking anybody."""
        self._begin("log", lambda: self._fetch_log(log))

    def close(self) -> None:
        """Give up what is under way."""
        self._abandon.fire()
        with self._lock:
            threads = tuple(self._threads.values())
        for thread in threads:
            thread.join(_JOIN_S)

    def _begin(self, name: str, errand: Callable[[], None]) -> None:
        with self._lock:
            under_way = self._threads.get(name)
            if self._abandon.is_fired or (under_way is not None and under_way.is_alive()):
                return
            thread = threading.Thread(
                target=self._in_turn, args=(errand,), name=f"errand-{name}", daemon=True
            )
            self._threads[name] = thread
            thread.start()

    def _in_turn(self, errand: Callable[[], None]) -> None:
        with self._turn:
            if not self._abandon.is_fired:
                errand()

    @contextmanager
    def _there(self, *, quiet: bool) -> Iterator[Agent]:
        attempt = Attempt(quiet=quiet, abandon=self._abandon)
        with (
            closing(self._dial(attempt)) as connection,
            self._abandon.by(connection.cut),
        ):
            yield self._deploy(connection)

    def _tidy(self) -> None:
        self._say(Tidying())
        try:
            with self._there(quiet=False) as agent:
                cleaned = agent.clean()
            self._say(Tidied(cleaned.bytes, cleaned.files))
        except Cancelled:
            return
        except AppError as error:
            self._say(Tidied(error=error))
        except Exception as error:  # noqa: BLE001 - the top of the thread: a bug is shown, not lost
            self._say(Tidied(error=AppError("unexpected", detail=repr(error))))

    def _fetch_log(self, log: LogStream) -> None:
        try:
            with self._there(quiet=True) as agent:
                log.take(agent.logs(lines=FIRST_LINES))
        except (AppError, Cancelled):
            return  # what is known is shown already
