"""What a task of the graph is, and what it is given to work with.

The supervisor implements `Context`; the tasks in `remote/tasks/` only ever see this interface,
so each can be tested with a few lines of stand-in.
"""

import threading
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

from remote.spec import Spec


class TaskFailed(Exception):
    """A task could not reach its result: a stable code, the facts, and the last lines."""

    def __init__(self, code: str, detail: str = "", **facts: Any) -> None:
        Exception.__init__(self, code, detail)
        self.code = code
        self.detail = detail
        self.facts = facts  # type: Dict[str, Any]


class Cancelled(Exception):
    """The run is being stopped: not a failure, and shown as nothing."""


class Context:
    """What one running task may use. Every effect of a task goes through here or the disk.

    Attributes:
        spec: the run's spec.
        facts: what earlier tasks found out, by name (`data_dir`, `engine.argv`, `model.path`, ...);
            a task reads those of the tasks it needs and adds its own with `fact`.
        cancelled: set when the run is being stopped; long loops look at it.
    """

    spec = None  # type: Spec
    facts = None  # type: Dict[str, Any]
    cancelled = None  # type: threading.Event

    def fact(self, name: str, value: Any, private: bool = False) -> None:
        """Remember a fact for later tasks and, unless it is private, write it to the journal."""
        raise NotImplementedError

    def progress(
        self,
        done: float,
        total: Optional[float],
        unit: str,
        step: str = "",
        rate: Optional[float] = None,
        eta_s: Optional[float] = None,
    ) -> None:
        """Report how far the task is; the context thins bursts and never loses the last one.

        Args:
            done: in `unit`.
            total: in `unit`, or None where it is not known.
            unit: "bytes", "steps" or "seconds".
            step: what is being done now, a short stable word (see PROTOCOL.md).
            rate: `unit` per second.
            eta_s: seconds left, where they can be told.
        """
        raise NotImplementedError

    def log(self, line: str) -> None:
        """Append one line to the task's own log (`logs --task NAME` shows it)."""
        raise NotImplementedError

    def run(
        self,
        argv: Sequence[str],
        env: Optional[Dict[str, str]] = None,
        on_line: Optional[Callable[[str], None]] = None,
        stdin: Optional[str] = None,
        cwd: Optional[str] = None,
    ) -> Tuple[int, List[str]]:
        """Run a child in its own process group to its end.

        Every line of its stdout and stderr goes to the task's log and to `on_line`. `env` is added
        to the host's environment.

        Returns:
            Its exit status (negative: the signal that ended it) and its last 40 lines.

        Raises:
            Cancelled: the run is being stopped; the group has been ended.
            FileNotFoundError: there is no such program.
        """
        raise NotImplementedError

    def spawn(self, argv: Sequence[str], env: Dict[str, str], log_path: str) -> "Child":
        """Start a child that outlives the task (the engine), its output appended to a file."""
        raise NotImplementedError


class Child:
    """A process group that the supervisor looks after until the run ends."""

    pid = 0

    def poll(self) -> Optional[int]:
        """Return the exit status, or None while it runs."""
        raise NotImplementedError

    def end(self, grace: float = 10.0) -> None:
        """End the whole process group: SIGTERM, then SIGKILL after `grace` seconds."""
        raise NotImplementedError


class Task(NamedTuple):
    """One node of the graph."""

    name: str
    needs: Tuple[str, ...]
    # Returns True when the result was already true and nothing had to be done ("skipped").
    run: Callable[[Context], bool]
