"""What a task is given by the supervisor: the implementation of `task.Context`.

Everything that a task says goes through here to the journal, the logs and the other tasks:
thinned, bounded, and without the run's secrets.
"""

import contextlib
import os
import threading
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

from remote.children import Children, run_to_end
from remote.disclosure import Disclosure
from remote.journal import Journal
from remote.processes import GroupChild
from remote.runs import Run
from remote.spec import Spec
from remote.task import Cancelled, Context

PROGRESS_SECONDS = 0.2  # between two progress events of one task
_MAX_LOG_BYTES = 16 * 1024 * 1024


class Shared(NamedTuple):
    """What all tasks of a run have in common."""

    run: Run
    spec: Spec
    facts: Dict[str, Any]
    cancelled: threading.Event
    journal: Journal
    children: Children
    disclosure: Disclosure


class RunContext(Context):
    """The context of one task in one run; `close` it when the task has ended.

    Attributes:
        spawned: the newest child that outlives the task, or None.
    """

    def __init__(self, task: str, shared: Shared) -> None:
        self.spec = shared.spec
        self.facts = shared.facts
        self.cancelled = shared.cancelled
        self.spawned: Optional[GroupChild] = None
        self._task = task
        self._shared = shared
        self._log = TaskLog(shared.run.log(task))
        self._progress = Thinned(lambda event: shared.journal.append("progress", **event))

    def fact(self, name: str, value: Any, private: bool = False) -> None:
        """Remember a fact for later tasks and, unless it is private, write it to the journal."""
        self.facts[name] = value
        if not private:
            shown = self._shared.disclosure.value(value)
            self._shared.journal.append("fact", name=name, value=shown)

    def progress(
        self,
        done: float,
        total: Optional[float],
        unit: str,
        step: str = "",
        rate: Optional[float] = None,
        eta_s: Optional[float] = None,
    ) -> None:
        """Report how far the task is; see `Context.progress`."""
        numbers = {"done": done, "total": total, "rate": rate, "eta_s": eta_s}
        event = dict(numbers, task=self._task, unit=unit, step=step)
        self._progress.put(self._shared.disclosure.value(event))

    def log(self, line: str) -> None:
        """Append one line to the task's own log."""
        self._log.write(self._shared.disclosure.text(line))

    def run(
        self,
        argv: Sequence[str],
        env: Optional[Dict[str, str]] = None,
        on_line: Optional[Callable[[str], None]] = None,
        stdin: Optional[str] = None,
        cwd: Optional[str] = None,
    ) -> Tuple[int, List[str]]:
        """Run a child to its end; see `Context.run`."""
        if self.cancelled.is_set():
            raise Cancelled
        child = self._shared.children.piped(argv, env, cwd, fed=stdin is not None)

        def take(line: str) -> None:
            self.log(line)
            if on_line is not None:
                on_line(line)

        status, last = run_to_end(child, stdin, take, self.cancelled)
        return status, self._shared.disclosure.last_lines(last)

    def spawn(self, argv: Sequence[str], env: Dict[str, str], log_path: str) -> GroupChild:
        """Start a child that outlives the task; see `Context.spawn`."""
        if self.cancelled.is_set():
            raise Cancelled
        self.spawned = self._shared.children.logged(argv, env, self._shared.run.logs / log_path)
        return self.spawned

    def close(self) -> None:
        """Write the last progress, where it still waits, and close the log."""
        self._progress.close()
        self._log.close()


class Thinned:
    """Lets an event through at most every 0.2 s, and the last one always, if late."""

    def __init__(
        self,
        write: Callable[[Dict[str, Any]], None],
        seconds: float = PROGRESS_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._write = write
        self._seconds = seconds
        self._clock = clock
        self._next = float("-inf")
        self._waiting: Optional[Dict[str, Any]] = None
        self._timer: Optional[threading.Timer] = None
        self._lock = threading.Lock()

    def put(self, event: Dict[str, Any]) -> None:
        """Take an event; it is written now, in a moment, or replaced by a newer one."""
        with self._lock:
            self._waiting = event
            wait = self._next - self._clock()
            if wait <= 0:
                self._write_waiting()
            elif self._timer is None:
                self._timer = threading.Timer(wait, self._when_due)
                self._timer.daemon = True
                self._timer.start()

    def close(self) -> None:
        """Write what waits, at once."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            self._write_waiting()

    def _when_due(self) -> None:
        with self._lock:
            self._timer = None
            self._write_waiting()

    def _write_waiting(self) -> None:
        if self._waiting is not None:
            event, self._waiting = self._waiting, None
            self._next = self._clock() + self._seconds
            self._write(event)


class TaskLog:
    """A task's own log: flushed by line, at most two files of 16 MiB, silent on a full disk."""

    def __init__(self, path: Path, max_bytes: int = _MAX_LOG_BYTES) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._file: Optional[int] = None
        self._size = 0
        self._lock = threading.Lock()

    def write(self, line: str) -> None:
        """Append one line."""
        data = line.encode("utf-8", "replace") + b"\n"
        with self._lock, contextlib.suppress(OSError):
            self._size += os.write(self._opened(len(data)), data)

    def close(self) -> None:
        """Close the file, where it was opened."""
        with self._lock:
            if self._file is not None:
                os.close(self._file)
                self._file = None

    def _opened(self, coming: int) -> int:
        if self._file is not None and self._size + coming > self._max_bytes:
            self._path.replace(self._path.with_suffix(".log.1"))
            os.close(self._file)
            self._file = None
        if self._file is None:
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            self._file = os.open(str(self._path), flags, 0o600)
            self._size = os.fstat(self._file).st_size
        return self._file
