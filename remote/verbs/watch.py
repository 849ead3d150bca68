"""`watch`: the journal from a cursor on, live, until the run is over or the laptop is gone."""

import time
from typing import Optional

from remote import locks, runs, wire
from remote.journal import Follower
from remote.runs import Run
from remote.status import status_of
from remote.verbs import Request
from remote.verbs.channel import laptop_gone, say, write

_POLL_SECONDS = (
    0.05  # an event is 25 ms late on average, and an idle watch costs no CPU to speak of
)


def run(request: Request) -> int:
    """Print events, keep-alives and at last `end`; without `end` when stdin was closed."""
    folder = runs.runs_folder()
    wanted = request.options.get("run")
    watched = runs.newest(folder) if wanted is None else runs.named(folder, wanted)
    if watched is None:
        say("end", reason="nothing-running")
        return wire.EXIT_NOTHING_RUNNING
    reason = _follow(watched, request.options.get("after", 0))
    if reason is not None:
        say("end", reason=reason)
    return wire.EXIT_OK


def _follow(watched: Run, after: int) -> Optional[str]:
    """Print what happens; return why the run is over, or None when nobody listens any more."""
    follower = Follower(watched.journal, after)
    spoken = time.monotonic()
    while True:
        alive = locks.holder(watched.lock) is not None
        lines = follower.read()
        if lines:
            write("".join(line + "\n" for line in lines))
            spoken = time.monotonic()
        elif not alive:  # and was not before we read: nothing can follow
            return str(status_of(watched)["state"])
        elif time.monotonic() - spoken >= wire.KEEPALIVE_SECONDS:
            say("keepalive")
            spoken = time.monotonic()
        if laptop_gone(0 if lines else _POLL_SECONDS):
            return None
