"""Who works: the detached process of one run, from its first task to the last of its processes.

One thread drives: it takes messages from one inbox (a task has ended, somebody wants us to stop)
and decides. Tasks run in threads of their own and speak through `context`. The order of events:

    supervise   lock, journal, `run` event, the folder gets its name    `start` returns here
    work        the graph; then `ready`; then the engine is looked after until it ends or we stop
                (one that crashed is started again, once: `restarting`, and `ready` anew)
    _finish     every process of the run is ended, and only then the terminal event is written
    power.after what the run's terms want of a host that nobody needs any more
"""

import contextlib
import os
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Callable, Dict, List, Optional, Sequence

from remote import __version__, detach, lines, locks, power, processes, runs, terms, wire
from remote.children import Children
from remote.context import RunContext, Shared
from remote.disclosure import Disclosure
from remote.endings import FULL, Ending, crashed, endpoint_of, told
from remote.engine.tail import LARGEST_READ, Tail
from remote.graph import Failure, Finished, Walk
from remote.guards import Guards
from remote.journal import Journal
from remote.processes import GroupChild
from remote.pulse import Pulse
from remote.restarts import Budget
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
_CRASHED_GRACE_SECONDS = 2.0  # for what is left of an engine that crashed
_TASKS_GRACE_SECONDS = 20.0  # for cancelled tasks to come to their end


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
        answer(DISK_FULL if error.errno in FULL else str(error))
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
        self._guards = Guards(run, terms.of(spec))
        self._asked = False
        self._reason = ""  # why the run is being stopped, "" while it is not
        self._engine: Optional[GroupChild] = None

    def work(self, graph: Sequence[Task]) -> None:
        """Go through the graph, look after the engine, end everything, and say how it ended."""
        try:
            ending = self._through(graph) or self._serve(graph)
        except Exception as error:  # noqa: BLE001 - the top of the run: even our bug ends it in order
            self._note(error)
            ending = self._failed(Failure("", error))
        self._finish(ending)
        if not self._asked:
            self._leave_host(ending)

    def _through(self, graph: Sequence[Task]) -> Optional[Ending]:
        """Walk the graph; return how the run ends already, or None when the engine serves."""
        walk = Walk(graph, self._perform, self._task_changed, self._inbox, self._shared.cancelled)
        walk.begin()
        deadline = float("inf")
        while not walk.over:
            message = self._receive(_RETRY_SECONDS)
            if isinstance(message, Finished):
                walk.finished(message)
            if self._is_over():
                walk.cancel()
            if not self._shared.cancelled.is_set():
                continue
            deadline = min(deadline, time.monotonic() + _TASKS_GRACE_SECONDS)
            if time.monotonic() > deadline or self._shared.children.hurry.is_set():
                walk.give_up()
        if walk.failure is not None:
            return self._failed(walk.failure)
        return self._stopped() if self._reason else None

    def _is_over(self) -> bool:
        """Tell whether the run has to end: somebody asked for it, or its terms want it."""
        self._reason = self._reason or self._guards.over()
        return bool(self._reason)

    def _serve(self, graph: Sequence[Task]) -> Ending:
        """Look after the engine, and start it once more where it crashes, until the run ends."""
        budget = Budget()
        while True:
            ready = time.monotonic()
            crash = self._look_after_engine()
            if crash is None:
                return self._stopped()
            budget = budget.after_serving(time.monotonic() - ready)
            if not budget.left:
                return self._failed(crash)
            budget = budget.spent()
            ending = self._start_again(crash, graph)
            if ending is not None:
                return ending

    def _start_again(self, crash: Failure, graph: Sequence[Task]) -> Optional[Ending]:
        """Run the serve task once more; return how the run ends, or None when the engine serves."""
        fields = dict(self._failed(crash).fields)
        del fields["task"]
        self._journal.append("restarting", **fields)
        # Also what left the engine's group: it may hold the card's memory.
        self._meanwhile(self._end_engine)
        serve = [task._replace(needs=()) for task in graph if task.name == wire.SERVE]
        return self._stopped() if self._reason else self._through(serve)

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

    def _look_after_engine(self) -> Optional[Failure]:
        """Say that it is ready, and wait; return how the engine crashed, None to stop the run."""
        endpoint = endpoint_of(self._shared.spec, self._shared.facts)
        pulse = Pulse(endpoint["port"], self._engine.pid if self._engine is not None else 0)
        self._guards.engine_serves(endpoint["port"])
        announced = False
        while not self._is_over():
            announced = announced or self._announce(endpoint)
            crash = self._crash(self._engine, pulse) if self._engine is not None else None
            if crash is not None:
                return Failure(wire.SERVE, crash)
            self._receive(_ENGINE_LOOK_SECONDS)
        return None

    def _announce(self, endpoint: Dict[str, Any]) -> bool:
        secret = dict(endpoint, run=self._shared.run.id, api_key=self._shared.spec.api_key)
        try:
            runs.write_private(self._shared.run.endpoint, secret)
        except OSError:
            return False  # the disk is full: nobody could fetch the key, so it is not ready
        self._journal.append("ready", **endpoint)
        return True

    def _crash(self, engine: GroupChild, pulse: Pulse) -> Optional[TaskFailed]:
        """Return what became of the engine, None while it lives and answers."""
        status, silence = engine.poll(), pulse.silence()
        if status is None and not silence:
            return None
        log = _end_of_log(engine)
        if status is not None:
            return crashed(status, log)
        return TaskFailed("engine.hung", seconds=int(silence), last_lines=log)

    def _stopped(self) -> Ending:
        return Ending("stopped", {"reason": self._reason})

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
        self._meanwhile(self._end_processes)
        self._journal.append(ending.kind, **ending.fields)
        deadline = time.monotonic() + _LAST_WORD_SECONDS
        while not self._journal.flush() and time.monotonic() < deadline:
            self._receive(_RETRY_SECONDS)

    def _leave_host(self, ending: Ending) -> None:
        """Let go of the run, and power the host off where its terms want that."""
        os.close(self._lock)
        reason = self._reason if ending.kind == "stopped" else ""
        done = power.after(self._shared.run, reason, self._guards)
        if done is not None:
            sys.stderr.write("power-off after the run: %s\n" % done)

    def _meanwhile(self, work: Callable[[], None]) -> None:
        """Do something that takes its time, and go on listening."""
        worker = threading.Thread(target=work)
        worker.start()
        while worker.is_alive():
            self._receive(0.05)

    def _end_engine(self) -> None:
        if self._engine is not None:
            self._engine.end(_CRASHED_GRACE_SECONDS)
            self._engine = None
        processes.end_runs([self._shared.run.id], _CRASHED_GRACE_SECONDS)

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
            if self._asked:
                self._shared.children.hurry.set()
            self._asked = True
            self._reason = self._reason or wire.ASKED
        if self._journal.behind:
            self._journal.flush()
        return message

    def _note(self, error: BaseException) -> None:
        with contextlib.suppress(OSError):
            sys.stderr.write("\n".join(_traceback(error)) + "\n")


def _end_of_log(engine: GroupChild) -> List[str]:
    """Return the last lines that this engine wrote; after days its log is too long to be read."""
    with contextlib.suppress(OSError):
        size = Path(engine.log_path).stat().st_size
        return Tail(engine.log_path, max(engine.log_offset, size - LARGEST_READ)).all_that_is_left()
    return []


def _traceback(error: BaseException) -> List[str]:
    pieces = traceback.format_exception(type(error), error, error.__traceback__)
    return "".join(pieces).splitlines()
