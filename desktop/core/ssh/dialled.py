"""The connections of one session: the one that stands, and the tries to make another, side by side.

After an outage an old TCP connection stays silent for as long again, and one that a router forgot
for ever, while a new one needs a second (facts on resuming SSH). A try that began during the outage
is no better. So:

- once a connection is late with an answer, another one is dialled beside it. If the old one has
  said nothing by the time the new one stands, it is given up, and whoever dials next finds the new
  one ready. If it has, it stays.
- a try that takes long gets a rival, and gets it at once when the laptop woke up or has another
  network. The first to stand wins, the others are given up.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol
from weakref import WeakSet

from desktop.core.errors import AppError, Cancelled, ConnectionLost
from desktop.core.ssh.attempt import Abandon, Attempt, PersonNeeded

if TYPE_CHECKING:
    from desktop.core.ssh.connection import Connection

RIVAL_SECONDS = 5.0  # a little more than a quick try gives TCP: it hangs somewhere behind that
_PAUSE_SECONDS = 1.0  # from a try that failed to the next, beside one that goes on
_LONGEST_WAIT = 1.0  # between two looks: whether a person is being asked tells nobody
_MOST_TRIES = 2


class Dial(Protocol):
    """Connects, blocking."""

    def __call__(self, attempt: Attempt = ..., /) -> Connection:
        """Return a new connection; raises AppError, or Cancelled when the attempt was given up."""
        ...


@dataclass(eq=False, slots=True)
class _Try:
    """One try that is being made on a thread of its own."""

    attempt: Attempt
    beside: Connection | None = None  # made in case that this one is dead
    began: float = field(default_factory=time.monotonic)


@dataclass(slots=True)
class _Call:
    """Somebody who waits for a connection."""

    quick: bool
    is_new_due: bool = False
    failure: Exception | None = None
    next_at: float = float("inf")


class Dialled:
    """The dial of one session. Calls come from the session's thread, the rest from any."""

    def __init__(self, dial: Dial) -> None:
        """Take the call that connects."""
        self._dial = dial
        self._changed = threading.Condition()
        self._tries: list[_Try] = []  # the oldest first
        self._call: _Call | None = None
        self._standing: Connection | None = None  # and nobody's yet
        self._last: Connection | None = None
        self._spares: set[Abandon] = set()  # being dialled
        self._others: WeakSet[Connection] = WeakSet()  # spares that were handed out
        self._closed = False

    def __call__(
        self, *, quick: bool = False, is_moot: Callable[[], bool] = lambda: False
    ) -> Connection:
        """Return a new connection: the one that was dialled beside the last, where there is one.

        Args:
            quick: do not wait long; there will be another call.
            is_moot: tells that nobody wants it any more; asked again after `look`.

        Raises:
            AppError: what the last try to fail raised.
            Cancelled: it is moot, or all is closed.
        """
        with self._changed:
            call = self._call = _Call(quick)
            try:
                connection = self._wait(call, is_moot)
            finally:
                self._call = None
                self._abandon_tries()
            self._last = connection
        connection.when_stalled(lambda: self._begin_beside(connection))
        return connection

    def spare(self) -> Connection:
        """Return one more connection, which has nothing to do with the others.

        Raises:
            AppError: what the dialling raises; also where a person would have to be asked, or the
                session has no use for it any more.
        """
        attempt = Attempt(quick=True, quiet=True)
        with self._changed:
            if self._last is None:
                raise ConnectionLost("connection-lost", reason="given up")
            self._spares.add(attempt.abandon)
            dial = self._dial
        try:
            connection = dial(attempt)
        except Cancelled as error:
            raise ConnectionLost("connection-lost", reason="given up") from error
        finally:
            with self._changed:
                self._spares.discard(attempt.abandon)
        if attempt.abandon.is_fired:  # at the last moment: it may lead to where we were before
            connection.close()
            raise ConnectionLost("connection-lost", reason="given up")
        with self._changed:
            self._others.add(connection)
        return connection

    def poke(self) -> None:
        """Find out now what stands: for who knows that the computer slept, or has another network.

        From any thread, at once: a try that is being made gets a rival, else the connections
        that stand are asked for a sign of life.
        """
        with self._changed:
            if self._call is not None:
                self._call.is_new_due = True
                self._changed.notify_all()
                return
            connections = [*filter(None, [self._last]), *self._others]
        for connection in connections:
            connection.poke()

    def look(self) -> None:
        """Have who waits ask again whether it is moot."""
        with self._changed:
            self._changed.notify_all()

    def lead_to(self, dial: Dial) -> None:
        """Dial otherwise from now on; what leads or is being dialled elsewhere is given up."""
        with self._changed:
            self._dial = dial
            self._abandon_tries()
            self._abandon_spares()
            standing, self._standing = self._standing, None
            last = self._last
            if self._call is not None:
                self._call.is_new_due = True
            self._changed.notify_all()
        for connection in filter(None, (standing, last)):
            connection.cut()

    def rest(self) -> None:
        """Make and keep nothing beside until the next call: the last connection is done with."""
        with self._changed:
            self._last = None
            self._abandon_tries()
            self._abandon_spares()
            standing, self._standing = self._standing, None
            self._changed.notify_all()
        if standing is not None:
            standing.close()

    def close(self) -> None:
        """Make no connection any more, and keep none; those that were handed out are not ours."""
        with self._changed:
            self._closed = True
        self.rest()

    # -- while somebody waits, under the lock ----------------------------------------------

    def _wait(self, call: _Call, is_moot: Callable[[], bool]) -> Connection:
        if not self._tries and self._standing is None:
            self._begin(call)
        elif call.quick:
            call.next_at = self._tries[-1].began + RIVAL_SECONDS if self._tries else 0.0
        while self._standing is None:
            if self._closed or is_moot():
                raise Cancelled
            left = 0.0 if call.is_new_due else call.next_at - time.monotonic()
            if left <= 0 and not self._is_asking():
                self._begin(call)
            elif not self._tries:
                assert call.failure is not None
                raise call.failure
            else:
                self._changed.wait(left if 0 < left < _LONGEST_WAIT else _LONGEST_WAIT)
        standing, self._standing = self._standing, None
        return standing

    def _begin(self, call: _Call) -> None:
        """Begin a try; the oldest goes on beside it, for it may be near its end."""
        call.is_new_due = False
        call.next_at = time.monotonic() + RIVAL_SECONDS if call.quick else float("inf")
        while len(self._tries) >= _MOST_TRIES:
            self._tries.pop().attempt.abandon.fire()
        # One of them may ask the person, and it is the first one.
        self._start(_Try(Attempt(quick=call.quick, quiet=bool(self._tries))))

    def _is_asking(self) -> bool:
        return any(trying.attempt.asking.is_set() for trying in self._tries)

    def _start(self, trying: _Try) -> None:
        self._tries.append(trying)
        threading.Thread(target=self._run, args=(trying,), name="ssh-dial", daemon=True).start()

    def _abandon_tries(self) -> None:
        for trying in self._tries:
            trying.attempt.abandon.fire()
        self._tries.clear()

    def _abandon_spares(self) -> None:
        for abandon in self._spares:
            abandon.fire()

    # -- beside a connection that stalls ---------------------------------------------------

    def _begin_beside(self, old: Connection) -> None:
        with self._changed:
            if not self._tries and old is self._last:
                self._start(_Try(Attempt(quick=True, quiet=True), beside=old))

    def _try_again_beside(self, old: Connection, since: float) -> None:
        """Make another try after a moment, where the connection is still neither well nor dead."""

        def is_over() -> bool:
            return old is not self._last or self._call is not None or _is_heard(old, since)

        if not self._changed.wait_for(is_over, _PAUSE_SECONDS):
            self._begin_beside(old)

    # -- a try, on its own thread ----------------------------------------------------------

    def _run(self, trying: _Try) -> None:
        try:
            connection = self._dial(trying.attempt)
        except Exception as error:  # noqa: BLE001 - it belongs to who waits for it, if anybody
            self._failed(trying, error)
        else:
            for needless in self._stood(trying, connection):
                needless.close()

    def _stood(self, trying: _Try, connection: Connection) -> list[Connection]:
        """Keep the connection that a try has made, or not; return what is to be closed."""
        with self._changed:
            if trying not in self._tries:
                return [connection]  # given up
            self._tries.remove(trying)
            if self._standing is not None:
                return [connection]
            old = trying.beside
            has_revived = old is not None and old.alive and old.last_heard > trying.began
            if has_revived and self._call is None:
                return [connection]
            self._standing = connection
            self._changed.notify_all()
        return [old] if old is not None else []

    def _failed(self, trying: _Try, error: Exception) -> None:
        with self._changed:
            if trying not in self._tries:
                return  # given up
            self._tries.remove(trying)
            old, call = trying.beside, self._call
            if call is not None:
                self._tell(call, error)
            elif old is not None and _may_pass(error):
                self._try_again_beside(old, trying.began)
            self._changed.notify_all()

    def _tell(self, call: _Call, error: Exception) -> None:
        """Tell who waits that a try has failed."""
        if isinstance(error, PersonNeeded):
            if not self._is_asking():  # else another one is there already, and asks
                self._abandon_tries()
                call.is_new_due = True  # and the next may ask
            return
        call.failure = error
        if not _may_pass(error):
            self._abandon_tries()  # another one would come to the same
            call.next_at = float("inf")
        elif self._tries and call.quick:
            call.next_at = min(call.next_at, time.monotonic() + _PAUSE_SECONDS)
        else:
            call.next_at = float("inf")


def _may_pass(error: Exception) -> bool:
    return isinstance(error, AppError) and error.retryable


def _is_heard(connection: Connection, since: float) -> bool:
    return not connection.alive or connection.last_heard > since
