"""Powering the host off: only where the provider's verb is known to be safe, and never unasked.

Two ask for it: a person (`stop --power-off`), and the terms of a run that has come to its end with
nobody there. The answer never says that the host *is* off: the laptop looks for that itself.
"""

import os
import shutil
import signal
import subprocess
import time
from typing import Optional

from remote import lease, locks, runs, wire
from remote.guards import Guards
from remote.host import providers
from remote.runs import Run

ANSWER_SECONDS = 2.0  # for what the verb still has to say to get out
# The watches see the end of a run at once; what a laptop says to them until then is no new visit.
_PARTING_SECONDS = 1.0
_POLL_SECONDS = 0.5
_WELL_KNOWN = "/usr/bin/shutdown"
# The shell returns at once; what it leaves behind belongs to nobody's session and pipes.
_LATER = '(sleep "$1"; exec "$0") </dev/null >/dev/null 2>&1 &'


def begin(provider: providers.Provider, delay: float) -> str:
    """Let the host power off in a moment; return one of `wire.POWER_OFF_*`.

    Args:
        provider: whose host this is (`providers.look`).
        delay: seconds until its `shutdown` is called.
    """
    if not provider.power_off:
        return wire.POWER_OFF_UNKNOWN
    program = shutil.which("shutdown") or _WELL_KNOWN
    if not os.access(program, os.X_OK):
        return wire.POWER_OFF_FAILED
    try:
        status = subprocess.call(
            ["sh", "-c", _LATER, program, str(delay)], cwd="/", start_new_session=True
        )
    except OSError:
        return wire.POWER_OFF_FAILED
    return wire.POWER_OFF_BEGUN if status == 0 else wire.POWER_OFF_FAILED


def after(run: Run, reason: str, guards: Guards) -> Optional[str]:
    """Power the host off where the terms of a run that is over want that; the lock has been let go.

    A run that failed leaves a host that costs money and does nothing: it is kept under guard until
    the terms have run out. A laptop in sight, or a newer run, relieves the guard.

    Args:
        run: the run that is over.
        reason: why it was stopped (`wire.LEASE`, …), "" where it failed.
        guards: its guards.

    Returns:
        One of `wire.POWER_OFF_*`, None where nothing was to be done.
    """
    if not guards.terms.power_off:
        return None
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # nothing is left that would have to be ended
    provider = providers.look()
    if not provider.power_off:
        return wire.POWER_OFF_UNKNOWN
    if not reason and not _left_alone(run, guards):
        return None
    folder = run.folder.parent
    with locks.held_if_free(runs.start_lock(folder), 0) as nobody_starts:
        if not nobody_starts or runs.newest(folder) != run:
            return None
        return begin(provider, delay=0)


def _left_alone(run: Run, guards: Guards) -> bool:
    """Wait until the terms have run out; return False once somebody was seen."""
    guards.count_from_now()
    if not any(guards.terms[:3]):
        return False  # they never run out
    time.sleep(_PARTING_SECONDS)
    parted = lease.stamp(run.lease)
    while not guards.over():
        time.sleep(_POLL_SECONDS)
        if lease.stamp(run.lease) != parted or runs.newest(run.folder.parent) != run:
            return False
    return True
