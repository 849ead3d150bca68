"""Where a run stands, told from its journal and from whether its supervisor lives."""

import time
from typing import Any, Dict, Iterable, Iterator, Optional

from remote import locks, wire
from remote.journal import Follower
from remote.runs import Run

# Most of a journal is progress, which no status needs: it is passed over undecoded.
_PROGRESS = '{"kind":"progress"'

_NEVER: Dict[str, Any] = {
    "run": None,
    "state": wire.RUN_STOPPED,
    "model": None,
    "revision": None,
    "port": None,
    "engine_version": None,
    "max_model_len": None,
    "started": None,
    "seq": 0,
    "tasks": {},
}


def status_of(run: Optional[Run]) -> Dict[str, Any]:
    """Return the fields of `status`; those of "never anything" for None."""
    if run is None:
        return dict(_NEVER, age=None)
    # First the lock, then the journal: a supervisor writes its last event while it holds the lock.
    alive = locks.holder(run.lock) is not None
    status = told_by(_events(run), alive)
    return dict(status, run=run.id, age=_age(status["started"]))


def _age(started: Any) -> Optional[float]:
    """Return how long ago a run began, None where its journal does not tell."""
    return max(time.time() - started, 0.0) if isinstance(started, (int, float)) else None


def told_by(events: Iterable[Dict[str, Any]], alive: bool) -> Dict[str, Any]:
    """Return the fields of `status` after `events`, but for `run`.

    Args:
        events: of a journal, in order.
        alive: whether the supervisor lived before the events were read.
    """
    status = dict(_NEVER, tasks={}, state=wire.RUN_WORKING if alive else wire.RUN_LOST)
    for event in events:
        kind = event["kind"]
        status["seq"] = event.get("seq", status["seq"])
        if kind == "run":
            status.update(_some(event, "model", "revision"), started=event.get("time"))
        elif kind == "task":
            status["tasks"][event.get("task")] = event.get("state")
        elif kind == "ready":
            status.update(_some(event, "port", "engine_version", "max_model_len"))
            status["state"] = wire.RUN_READY if alive else wire.RUN_LOST
        elif kind == "restarting":
            status["state"] = wire.RUN_WORKING if alive else wire.RUN_LOST
            status["port"] = None
        elif kind == "failed":
            status.update(_some(event, "code", "detail"), state=wire.RUN_FAILED)
        elif kind == "stopped":
            status.update(_some(event, "reason"), state=wire.RUN_STOPPED)
    return status


def _some(event: Dict[str, Any], *names: str) -> Dict[str, Any]:
    return {name: event.get(name) for name in names}


def _events(run: Run) -> Iterator[Dict[str, Any]]:
    follower = Follower(run.journal)
    seq = 0
    while True:
        lines = follower.read()
        if not lines:
            return
        for line in lines:
            seq += 1
            event = _decoded(line, seq)
            if event is not None:
                yield event


def _decoded(line: str, seq: int) -> Optional[Dict[str, Any]]:
    if line.startswith(_PROGRESS):
        return {"kind": "progress", "seq": seq}
    try:
        return wire.decode(line)
    except wire.WireError:  # the disk damaged it
        return None
