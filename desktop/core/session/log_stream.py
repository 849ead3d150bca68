"""The host's logs as they grow, for as long as somebody looks at them.

A verb of its own over the session's connection, on a thread of its own: the watch is not slowed.
It ends with the connection and begins anew with the next one, from the ends of the logs; what was
heard last is kept meanwhile.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from desktop.core.agent.answers import Message
from desktop.core.errors import AppError, Cancelled
from desktop.core.events import Logged, LogLine, SessionEvent
from desktop.core.ssh.attempt import Abandon
from remote import wire

if TYPE_CHECKING:
    from desktop.core.agent.client import Agent

MOST_LINES = 5000
FIRST_LINES = 1000  # of each log, when it begins
_MOST_MESSAGES = 20_000  # of a fetch: a host that goes on for ever has no more to say
_CHARS = 4000  # of a line, as the agent cuts it
_JOIN_S = 2.0


class LogStream:
    """Follows the logs of one host. Calls come from any thread and return at once."""

    def __init__(self, say: Callable[[SessionEvent], None]) -> None:
        """Take who is told."""
        self._say = say
        self._lock = threading.Lock()  # held while it is told: what is told last is what is so
        self._lines: deque[LogLine] = deque(maxlen=MOST_LINES)
        self._wanted = False
        self._agent: Agent | None = None
        self._reading: Abandon | None = None
        self._threads: list[threading.Thread] = []

    @property
    def lines(self) -> tuple[LogLine, ...]:
        """The last lines that are known."""
        with self._lock:
            return tuple(self._lines)

    def follow(self, *, wanted: bool) -> None:
        """Follow from now on, beginning with what is known; or no more."""
        with self._lock:
            if wanted == self._wanted:
                return
            self._wanted = wanted
            if wanted:
                live = self._agent is not None
                self._say(Logged(tuple(self._lines), anew=True, live=live))
        if wanted:
            self._begin()
        else:
            self._end()

    def attach(self, agent: Agent) -> None:
        """There is a connection to a host with a run."""
        with self._lock:
            self._agent = agent
        self._begin()

    def detach(self) -> None:
        """The connection is gone, or done with."""
        with self._lock:
            self._agent = None
        self._end()

    def take(self, messages: Iterable[Message]) -> None:
        """Have these lines in place of what is known: fetched once, nothing follows them.

        They came too late where the logs are followed by now.
        """
        lines = deque(_lines(islice(messages, _MOST_MESSAGES)), maxlen=MOST_LINES)
        with self._lock:
            if self._agent is not None:
                return
            self._lines = lines
            self._say(Logged(tuple(lines), anew=True, live=False))

    def close(self) -> None:
        """End the thread."""
        self.detach()
        with self._lock:
            threads = tuple(self._threads)
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(_JOIN_S)

    def _begin(self) -> None:
        with self._lock:
            if not self._wanted or self._agent is None or self._reading is not None:
                return
            self._reading = Abandon()
            thread = threading.Thread(
                target=self._read, args=(self._agent, self._reading), name="log", daemon=True
            )
            self._threads = [each for each in self._threads if each.is_alive()]
            self._threads.append(thread)
            thread.start()

    def _end(self) -> None:
        with self._lock:
            reading, self._reading = self._reading, None
        if reading is not None:
            reading.fire()

    def _read(self, agent: Agent, reading: Abandon) -> None:
        anew = True
        try:
            for line in _lines(agent.logs(lines=FIRST_LINES, follow=True, abandon=reading)):
                self._tell(line, reading, anew=anew)
                anew = False
        except (AppError, Cancelled):
            pass  # the story tells of a lost connection; without a run there is nothing to follow
        with self._lock:
            if self._reading is reading:
                self._reading = None
            if self._wanted and self._reading is None:
                self._say(Logged((), live=False))

    def _tell(self, line: LogLine, reading: Abandon, *, anew: bool) -> None:
        with self._lock:
            if self._reading is not reading:
                return  # nobody looks, or somebody else reads by now
            if anew:
                self._lines.clear()
            self._lines.append(line)
            self._say(Logged((line,), anew=anew))


def _lines(messages: Iterable[Message]) -> Iterator[LogLine]:
    for message in messages:
        task, text = wire.text(message, "task", 50), wire.text(message, "line", _CHARS)
        if message["kind"] == "log" and task and text is not None:
            yield LogLine(task, text)
