"""What a task of the graph is, and what it is given to work with.

The supervisor implements `Context`; the tasks in `remote/tasks/` only ever see this interface,
so each can be tested with a few lines of stand-in.
"""

import threading
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

from remote.spec import Spec


class TaskFailed(Exception):
    """A task could not reach its result: a stable code of PROTOCOL.md and its facts.

    The fact `last_lines` (a list of strings) says what a person should read; without it the end
    of the task's own log is shown.
    """

    def __init__(self, code: str, detail: str = "", **facts: Any) -> None:
        Exception.__init__(self, code, detail)
        self.code = code
        self.detail = detail
        self.facts: Dict[str, Any] = facts


class Cancelled(Exception):
    """The run is being stopped: not a failure, and shown as nothing."""


class Context:
    """What one running task may use. Every effect of a task goes through here or the disk.

    Attributes:
        spec: the run's spec.
        facts: what earlier tasks found out, by name (`data_dir`, `engine.argv`, `model.path`, ...);
            a task reads those of the tasks it needs and adds its own with `fact`.
        cancelled: set when the run is being stopped; long loops look at it.

    The task that starts the engine leaves three facts, of which the supervisor makes `ready`:
    `engine.port` (int), `engine.max_model_len` (int) and `engine.version` (str).
    """

    spec: Spec
    facts: Dict[str, Any]
    cancelled: threading.Event

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

        Every line of its stdout and stderr goes to the task's log and to `on_line`; a carriage
        return ends a line too, and one of more than 8 KiB comes in pieces. `env` is added to the
        host's environment. What the child started and left behind is ended with it.

        Returns:
            Its exit status (negative: the signal that ended it) and its last 40 lines, each cut to
            500 characters.

        Raises:
            Cancelled: the run is being stopped; the group has been ended.
            FileNotFoundError: there is no such program.
        """
        raise NotImplementedError

    def spawn(self, argv: Sequence[str], env: Dict[str, str], log_path: str) -> "Child":
        """Start a child that outlives the task (the engine), its output appended to a file.

        The newest child that a task spawned is the engine: once the graph is done, its end is the
        end of the run.

        Args:
            argv: the program and its arguments; no secrets.
            env: added to the host's environment.
            log_path: a name in the run's `logs` folder ("engine.log"), or an absolute path;
                `Child.log_path` tells where it is.

        Raises:
            Cancelled: the run is being stopped.
            FileNotFoundError: there is no such program.
        """
        raise NotImplementedError


class Child:
    """A process group that the supervisor looks after until the run ends.

    Attributes:
        log_path: the file that takes its output.
    """

    pid = 0
    log_path = ""

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
