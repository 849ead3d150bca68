"""`watch`: the journal from a cursor on, live, until the run is over or the laptop is gone.

While the engine serves, `sample` lines come between the events. Whatever the laptop writes to stdin
renews the run's lease: the output may go nowhere for a long time before anybody notices, so that
being watched is not enough.
"""

import time
from typing import List, Optional

from remote import locks, monitor, runs, wire
from remote.journal import Follower
from remote.monitor import Monitor
from remote.runs import Run
from remote.status import status_of
from remote.verbs import Request
from remote.verbs.channel import heard, say, write

_POLL_SECONDS = (
    0.05  # an event is 25 ms late on average, and an idle watch costs no CPU to speak of
)
# How the journal's lines begin after which the engine serves, or serves no more.
_READY = '{"kind":"ready"'
_OVER = ('{"kind":"restarting"', '{"kind":"failed"', '{"kind":"stopped"')


def run(request: Request) -> int:
    """Print events, samples, keep-alives and at last `end`; without `end` when stdin was closed."""
    folder = runs.runs_folder()
    wanted = request.options.get("run")
    watched = runs.newest(folder) if wanted is None else runs.named(folder, wanted)
    if watched is None:
        say("end", reason="nothing-running")
        return wire.EXIT_NOTHING_RUNNING
    sampler = _Sampler()
    try:
        reason = _follow(watched, request.options.get("after", 0), sampler)
    finally:
        sampler.close()
    if reason is not None:
        say("end", reason=reason)
    return wire.EXIT_OK


def _follow(watched: Run, after: int, sampler: "_Sampler") -> Optional[str]:
    """Print what happens; return why the run is over, or None when nobody listens any more."""
    follower = Follower(watched.journal, after)
    status = status_of(watched)
    if status["state"] == wire.RUN_READY:
        sampler.begin(status["port"])
    spoken = time.monotonic()
    while True:
        alive = locks.holder(watched.lock) is not None
        lines = follower.read()
        if lines:
            write("".join(line + "\n" for line in lines))
            sampler.hear(lines)
            spoken = time.monotonic()
        elif not alive:  # and was not before we read: nothing can follow
            return str(status_of(watched)["state"])
        elif sampler.say_newest():
            spoken = time.monotonic()
        elif time.monotonic() - spoken >= wire.KEEPALIVE_SECONDS:
            say("keepalive")
            spoken = time.monotonic()
        said = heard(0 if lines else _POLL_SECONDS)
        if said == b"":
            return None
        if said:
            runs.renew_lease(watched)


class _Sampler:
    """The samples of a run that is being watched, while its engine serves."""

    def __init__(self) -> None:
        self._monitor: Optional[Monitor] = None

    def hear(self, lines: List[str]) -> None:
        """Begin or end with what these lines of the journal say."""
        for line in lines:
            if line.startswith(_READY):
                self.begin(_port(line))
            elif line.startswith(_OVER):
                self.close()

    def begin(self, port: Optional[int]) -> None:
        """Take samples of the engine on this port from now on, and of no other."""
        self.close()
        self._monitor = Monitor(port, monitor.SECONDS) if port else None

    def say_newest(self) -> bool:
        """Print the sample that was not printed yet; return whether there was one."""
        found = self._monitor.take() if self._monitor is not None else None
        if found is None:
            return False
        say("sample", **found)
        return True

    def close(self) -> None:
        """Take no more samples."""
        if self._monitor is not None:
            self._monitor.close()
            self._monitor = None


def _port(line: str) -> Optional[int]:
    try:
        return wire.integer(wire.decode(line), "port")
    except wire.WireError:  # the disk damaged it
        return None
