"""Who works: the detached process of one run, from its first task to the last of its processes.

One thread drives: it takes messages from one inbox (a task has ended, somebody wants us to stop)
and decides. Tasks run in threads of their own and speak through `context`. The order of events:

    supervise   lock, journal, `run` event, the folder gets its name    `start` returns here
    work        the graph; then `ready`; then the engine is looked after until it ends or we stop
    _finish     every process of the run is ended, and only then the terminal event is written
"""

import contextlib
import errno
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

from remote import __version__, detach, lines, locks, processes, runs, wire
from remote.children import Children
from remote.context import RunContext, Shared
from remote.disclosure import Disclosure
from remote.graph import Failure, Finished, Walk
from remote.journal import Journal
from remote.processes import GroupChild
from remote.runs import Run
from remote.spec import Spec
from remote.task import Task, TaskFailed

STOP = "stop"  # the message that SIGTERM puts into the inbox

DISK_FULL = (
    "no space left on the disk"  # the answer of a supervisor that found no room for its files
)

_ENGINE_LOOK_SECONDS = 0.5
_RETRY_SECONDS = 1.0  # of what a full disk refused
_LAST_WORD_SECONDS = 10.0  # for the terminal event on a full disk; then the run counts as lost
_TASKS_GRACE_SECONDS = 20.0  # for cancelled tasks to come to their end
_FULL = (errno.ENOSPC, errno.EDQUOT)


class Ending(NamedTuple):
    """How a run ends: its terminal event."""

    kind: str
    fields: Dict[str, Any]


ASKED = Ending("stopped", {"reason": "asked"})


class BadResult(Exception):
    """The graph went through, but the engine's facts are not there: our own mistake."""


def start(unfinished: Run, spec: Spec, graph: Sequence[Task]) -> str:
    """Detach a supervisor for a run; return "" once it holds its lock, or else why it could not.

    Args:
        unfinished: as `runs.create` made it; the supervisor publishes it.
        spec: what it is to do.
        graph: the tasks.
    """

    def work(answer: Callable[[str], None]) -> None:
        run(unfinished, spec, graph, answer)

    word = detach.detach(work, unfinished.log("supervisor"))
    return "" if word == "ok" else word or "the supervisor ended at once"


def run(unfinished: Run, spec: Spec, graph: Sequence[Task], answer: Callable[[str], None]) -> None:
    """Be the supervisor of a run, from its lock to its end, in a process of its own."""
    inbox: "SimpleQueue[Any]" = SimpleQueue()
    # A SimpleQueue may be put to from a signal handler: that is what it was made for.
    signal.signal(signal.SIGTERM, lambda *_: inbox.put(STOP))
    try:
        lock = locks.take(unfinished.lock)
        locks.sign(lock)
        journal = Journal(unfinished.journal)
        journal.append("run", **_headline(unfinished, spec))
        published = runs.publish(unfinished)
    except OSError as error:
        answer(DISK_FULL if error.errno in _FULL else str(error))
        return
    answer("ok")
    Supervisor(published, spec, journal, inbox, lock).work(graph)


def _headline(unfinished: Run, spec: Spec) -> Dict[str, Any]:
    run_id = runs.final_id(unfinished)
    return {"run": run_id, "model": spec.model, "revision": spec.revision, "agent": __version__}


class Supervisor:
    """Drives one run; everything in it happens in the thread that calls `work`."""

    def __init__(
        self, run: Run, spec: Spec, journal: Journal, inbox: "SimpleQueue[Any]", lock: int
    ) -> None:
        disclosure = Disclosure((spec.api_key, spec.hub_token))
        children = Children(run.id)
        self._shared = Shared(run, spec, {}, threading.Event(), journal, children, disclosure)
        self._journal = journal
        self._inbox = inbox
        self._lock = lock
        self._stop_asked = False
        self._engine: Optional[GroupChild] = None

    def work(self, graph: Sequence[Task]) -> None:
        """Go through the graph, look after the engine, end everything, and say how it ended."""
        try:
            ending = self._through(graph) or self._look_after_engine()
        except Exception as error:  # noqa: BLE001 - the top of the run: even our bug ends it in order
            self._note(error)
            ending = self._failed(Failure("", error))
        self._finish(ending)

    def _through(self, graph: Sequence[Task]) -> Optional[Ending]:
        """Walk the graph; return how the run ends already, or None when the engine serves."""
        walk = Walk(graph, self._perform, self._task_changed, self._inbox, self._shared.cancelled)
        walk.begin()
        deadline = float("inf")
        while not walk.over:
            message = self._receive(_RETRY_SECONDS)
            if isinstance(message, Finished):
                walk.finished(message)
            if self._stop_asked:
                walk.cancel()
            if not self._shared.cancelled.is_set():
                continue
            deadline = min(deadline, time.monotonic() + _TASKS_GRACE_SECONDS)
            if time.monotonic() > deadline or self._shared.children.hurry.is_set():
                walk.give_up()
        if walk.failure is not None:
            return self._failed(walk.failure)
        return ASKED if self._stop_asked else None

    def _perform(self, task: Task) -> bool:
        """Run one task; called in the task's own thread."""
        context = RunContext(task.name, self._shared)
        try:
            return bool(task.run(context))
        except BaseException as error:
            if not isinstance(error, TaskFailed):
                for line in _traceback(error):
                    context.log(line)
            raise
        finally:
            context.close()
            self._engine = context.spawned or self._engine

    def _task_changed(self, task: str, state: str) -> None:
        self._journal.append("task", task=task, state=state)

    def _look_after_engine(self) -> Ending:
        """Say that it is ready, then wait until the engine ends or somebody asks us to stop."""
        endpoint = endpoint_of(self._shared.spec, self._shared.facts)
        announced = False
        while not self._stop_asked:
            announced = announced or self._announce(endpoint)
            status = self._engine.poll() if self._engine is not None else None
            if self._engine is not None and status is not None:
                return self._crashed(self._engine, status)
            self._receive(_ENGINE_LOOK_SECONDS)
        return ASKED

    def _announce(self, endpoint: Dict[str, Any]) -> bool:
        secret = dict(endpoint, run=self._shared.run.id, api_key=self._shared.spec.api_key)
        try:
            runs.write_private(self._shared.run.endpoint, secret)
        except OSError:
            return False  # the disk is full: nobody could fetch the key, so it is not ready
        self._journal.append("ready", **endpoint)
        return True

    def _crashed(self, engine: GroupChild, status: int) -> Ending:
        from_log = lines.last_lines(Path(engine.log_path))
        failure = TaskFailed("engine.crashed", exit_status=status, last_lines=from_log)
        return self._failed(Failure(wire.SERVE, failure))

    def _failed(self, failure: Failure) -> Ending:
        code, detail, facts = told(failure.error)
        disclosure = self._shared.disclosure
        found = facts.pop("last_lines", None)
        if found is None:
            found = lines.last_lines(self._shared.run.log(failure.task or "supervisor"))
        fields = disclosure.value(facts)
        fields.update(code=code, detail=disclosure.text(detail), task=failure.task)
        return Ending("failed", dict(fields, last_lines=disclosure.last_lines(found)))

    def _finish(self, ending: Ending) -> None:
        """End every process of the run, then write the last event."""
        with contextlib.suppress(OSError):
            locks.sign(self._lock, leaving=True)
        self._shared.cancelled.set()
        ender = threading.Thread(target=self._end_processes)
        ender.start()
        while ender.is_alive():
            self._receive(0.05)
        self._journal.append(ending.kind, **ending.fields)
        deadline = time.monotonic() + _LAST_WORD_SECONDS
        while not self._journal.flush() and time.monotonic() < deadline:
            self._receive(_RETRY_SECONDS)

    def _end_processes(self) -> None:
        self._shared.children.end_all()
        processes.end_runs([self._shared.run.id], hurry=self._shared.children.hurry)

    def _receive(self, seconds: float) -> Any:
        """Return the next message, or None after `seconds`; a second STOP means: hurry."""
        try:
            message = self._inbox.get(timeout=seconds)
        except Empty:
            message = None
        if message == STOP:
            if self._stop_asked:
                self._shared.children.hurry.set()
            self._stop_asked = True
        if self._journal.behind:
            self._journal.flush()
        return message

    def _note(self, error: BaseException) -> None:
        with contextlib.suppress(OSError):
            sys.stderr.write("\n".join(_traceback(error)) + "\n")


def _traceback(error: BaseException) -> List[str]:
    pieces = traceback.format_exception(type(error), error, error.__traceback__)
    return "".join(pieces).splitlines()


def endpoint_of(spec: Spec, facts: Dict[str, Any]) -> Dict[str, Any]:
    """Return the fields of `ready` from what serve found out; raises BadResult without them."""
    port, longest = facts.get("engine.port"), facts.get("engine.max_model_len")
    version = facts.get("engine.version")
    if not isinstance(port, int) or not isinstance(longest, int) or not isinstance(version, str):
        raise BadResult("engine.port, engine.max_model_len and engine.version are needed")
    return {
        "port": port,
        "model": spec.model,
        "max_model_len": longest,
        "engine_version": version,
    }


def told(error: BaseException) -> Tuple[str, str, Dict[str, Any]]:
    """Return the code, the detail and the facts of what a task raised."""
    if isinstance(error, TaskFailed):
        return error.code, error.detail, dict(error.facts)
    if isinstance(error, OSError) and error.errno in _FULL:
        return "run.disk-full", str(error), {"path": str(error.filename or "")}
    return "run.bug", "%s: %s" % (type(error).__name__, error), {}
