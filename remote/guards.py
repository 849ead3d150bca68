"""What keeps a run from being billed for nothing: its terms, looked at about every second.

A verdict counts when two looks in a row agree: the engine's figures may be a second behind a
request that has just come in. They may be minutes behind: vLLM tells of a request after the first
step of it, and that step may compile kernels. So nothing is idle either while somebody is connected
to the engine, which keeps no connection without a request for longer than 5 s (uvicorn's default).
"""

import time
from typing import Callable, Optional

from remote import lease, loopback, metrics, terms, wire
from remote.lease import BLIND_SECONDS, Activity, Lease
from remote.metrics import Metrics
from remote.runs import Run
from remote.terms import Terms

LOOK_SECONDS = 1.0
_NOT_YET = float("inf")


class Guards:
    """Watches over one run, from its beginning.

    Attributes:
        terms: as they are agreed on now.
    """

    def __init__(
        self,
        run: Run,
        agreed: Terms,
        clock: Callable[[], float] = time.monotonic,
        fetch: Callable[[int], Optional[Metrics]] = metrics.fetch,
        connected: Callable[[int], bool] = loopback.connected,
    ) -> None:
        """Take the run, its spec's terms, and how to tell the time and what the engine does."""
        self.terms = agreed
        self._run = run
        self._clock = clock
        self._fetch = fetch
        self._connected = connected
        self._began = clock()
        self._next = clock()
        self._port = 0
        self._suspected = ""
        self._held_since = _NOT_YET  # only a connection has spoken for the run since then
        # Neither lease nor idle time counts while the run is being prepared.
        self._lease = Lease(_NOT_YET, None)
        self._activity = Activity(_NOT_YET, _NOT_YET)

    def engine_serves(self, port: int) -> None:
        """Let lease and idle time count from now on.

        A node that is not the head (port 0) sees no requests: there they count when its engine has
        ended, as it does without its head.
        """
        if port:
            self.count_from_now(port)

    def count_from_now(self, port: int = 0) -> None:
        """Let lease and idle time count anew: the engine on `port` serves, or (0) has ended."""
        now = self._clock()
        self._port = port
        self._lease = Lease(now, lease.stamp(self._run.lease))
        self._activity = Activity(now, now)
        self._suspected = ""

    def over(self) -> str:
        """Return why the run has to end (see `lease.verdict`), "" while it may go on."""
        if self._clock() < self._next:
            return ""
        found = self._unless_held(self._look())
        self._next = self._clock() + LOOK_SECONDS
        confirmed = found if found == self._suspected else ""
        self._suspected = found
        return confirmed

    def _look(self) -> str:
        self._take_new_terms()
        figures = self._figures()
        now = self._clock()
        if self._port and self.terms.asks_for_activity:
            self._activity = lease.after_look(self._activity, figures, now)
        if self._lease.renewed < _NOT_YET:
            self._lease = lease.after_glance(self._lease, lease.stamp(self._run.lease), now)
        return lease.verdict(now, self._lease.renewed, self._activity.last, self._began, self.terms)

    def _unless_held(self, found: str) -> str:
        """Return a verdict, "" while an open connection may hide a request: not for ever."""
        holds = found in (wire.IDLE, wire.LEASE) and self._port and self._connected(self._port)
        if not holds:
            self._held_since = _NOT_YET
            return found
        now = self._clock()
        self._held_since = min(self._held_since, now)
        return "" if now - self._held_since < BLIND_SECONDS else found

    def _take_new_terms(self) -> None:
        """Read what a later `start` agreed on: idle time then counts anew, nobody looked before."""
        agreed = terms.read(self._run.terms, self.terms)
        if agreed != self.terms and self._activity.last < _NOT_YET:
            self._activity = Activity(self._clock(), self._clock())
        self.terms = agreed

    def _figures(self) -> Optional[Metrics]:
        return self._fetch(self._port) if self._port and self.terms.asks_for_activity else None
