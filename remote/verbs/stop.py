"""`stop`: end the run and everything that belongs to it; "stopped" is said once that was seen."""

import contextlib
import os
import signal
import time
from pathlib import Path
from typing import Dict, List, Optional

from remote import locks, power, processes, runs, wire
from remote.host import providers
from remote.runs import Run
from remote.verbs import Request
from remote.verbs.channel import refuse, say

_HURRY_SECONDS = 20.0  # after the grace: a supervisor asked twice kills, and is killed itself then
_POLL_SECONDS = 0.05
# A start waits for a leaving run for 60 s and then needs some more. One that takes longer hangs in
# the kernel, and must not keep anybody from stopping.
_START_SECONDS = 90.0


def run(request: Request) -> int:
    """Print `stopped` when no process of any run is left, or else which ones would not end."""
    grace = float(request.options.get("grace", processes.GRACE_SECONDS))
    folder = runs.runs_folder()
    # A start that is under way comes first, so that its run is seen here and ended too.
    with locks.held_if_free(runs.start_lock(folder), _START_SECONDS):
        power_off = bool(request.options.get("power-off"))
        return _stop(runs.all_runs(folder), grace, power_off)


def _stop(known: List[Run], grace: float, power_off: bool) -> int:
    living = _living(known)
    if living is not None:
        _end_supervisor(living.lock, grace)
    ids = [each.id for each in known]
    orphaned = sorted(set(processes.marked().values()).intersection(ids))
    left = processes.end_runs(ids, grace)
    if left:
        return refuse("run.not-ended", processes=left)
    stopped = living.id if living is not None else (orphaned[-1] if orphaned else None)
    fields = _powering_off() if power_off else {}
    say("stopped", run=stopped, was_running=stopped is not None, **fields)
    return wire.EXIT_OK


def _powering_off() -> Dict[str, str]:
    """Let the host power off a moment after the answer; return what the answer says of it."""
    provider = providers.look()
    return {"power_off": power.begin(provider, power.ANSWER_SECONDS), "provider": provider.name}


def _living(known: List[Run]) -> Optional[Run]:
    return next((each for each in known if locks.holder(each.lock) is not None), None)


def _end_supervisor(lock: Path, grace: float) -> None:
    """Ask, ask again (which means: hurry), kill."""
    for number, patience in (
        (signal.SIGTERM, grace),
        (signal.SIGTERM, _HURRY_SECONDS),
        (signal.SIGKILL, _HURRY_SECONDS),
    ):
        if _gone_after(lock, number, patience):
            return


def _gone_after(lock: Path, number: int, patience: float) -> bool:
    """Signal the holder of a lock; return whether the lock was free in `patience` seconds."""
    holder = locks.holder(lock)
    if holder is not None and holder.pid > 1:
        with contextlib.suppress(ProcessLookupError):
            os.kill(holder.pid, number)
    deadline = time.monotonic() + patience
    while locks.holder(lock) is not None:
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True
