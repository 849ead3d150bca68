"""`start`: join the living run, or detach a new one; of two at the same time one waits."""

import time
from pathlib import Path
from typing import List, Optional, Sequence

from remote import locks, processes, runs, supervisor, terms, wire
from remote.runs import Run
from remote.spec import Spec, SpecError, from_optional, parse, to_fields
from remote.task import Task
from remote.verbs import Request, tasks_of
from remote.verbs.channel import read_object, refuse, refuse_disk, say

_LEAVING_SECONDS = 60.0  # a supervisor on its way out needs less, by its own limits
_POLL_SECONDS = 0.05


def run(request: Request) -> int:
    """Print `started` or `refused`."""
    try:
        spec = _asked()
    except SpecError as error:
        return refuse("run.bad-spec", detail=str(error))
    # Imported before anything is detached: the archive may be gone when a task begins.
    graph = tasks_of(request)
    folder = runs.runs_folder()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locks.held(runs.start_lock(folder)):
            living = _living(folder)
            if living is not None:
                return _join(living, spec)
            if request.options.get("join-only"):
                return refuse("nothing-running")
            return _start(folder, spec, graph)
    except OSError as error:
        return refuse_disk(error, folder)


def _asked() -> Spec:
    try:
        fields = read_object()
    except wire.WireError as error:
        raise SpecError(str(error)) from None
    if fields is None or fields["kind"] != "spec":
        raise SpecError("one line of kind 'spec' is needed on stdin")
    return parse(fields)


def _join(living: Run, spec: Spec) -> int:
    """Join the living run where it serves what is asked for, under the terms that come with it.

    Refuse because of it where it serves something else.
    """
    theirs = from_optional(runs.read_object(living.spec))
    if theirs is None or not spec.serves_the_same(theirs):
        model = theirs.model if theirs is not None else "?"
        return refuse("run.busy", detail="another model is being served", model=model)
    wanted = terms.of(spec)
    if terms.read(living.terms, terms.of(theirs)) != wanted:
        terms.write(living.terms, wanted)
    say("started", run=living.id, adopted=True)
    return wire.EXIT_OK


def _living(folder: Path) -> Optional[Run]:
    """Return the run whose supervisor lives; one that is leaving is waited for."""
    deadline = time.monotonic() + _LEAVING_SECONDS
    for each in runs.all_runs(folder):
        holder = locks.holder(each.lock)
        while holder is not None and holder.leaving and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
            holder = locks.holder(each.lock)
        if holder is not None:
            return each
    return None


def _start(folder: Path, spec: Spec, graph: Sequence[Task]) -> int:
    """Start a run where none is alive, after ending what dead ones left."""
    left: List[int] = processes.end_runs([each.id for each in runs.all_runs(folder)])
    if left:
        return refuse("run.not-ended", processes=left)
    runs.prune(folder, runs.KEPT - 1)
    # The hub's token stays in the supervisor's memory: it is worth more than this host.
    unfinished = runs.create(folder, to_fields(spec._replace(hub_token="")))
    problem = supervisor.start(unfinished, spec, graph)
    if problem:
        runs.remove(unfinished)
        full = problem == supervisor.DISK_FULL
        code = "run.disk-full" if full else "run.bug"
        return refuse(code, detail=problem, path=str(folder))
    say("started", run=runs.final_id(unfinished), adopted=False)
    return wire.EXIT_OK
