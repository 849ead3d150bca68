"""`doctor`: the preflight alone, told at once and written nowhere."""

import threading
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

from remote import wire
from remote.children import Children, run_to_end
from remote.disclosure import Disclosure
from remote.spec import Spec, SpecError, parse
from remote.task import Context, Task, TaskFailed
from remote.verbs import Request, tasks_of
from remote.verbs.channel import read_object, refuse, say

_NO_WISHES = Spec(model="", api_key="")


def run(request: Request) -> int:
    """Print `fact` lines, perhaps `refused`, and `end`."""
    try:
        fields = read_object()
        spec = _NO_WISHES if fields is None else parse(fields)
    except (wire.WireError, SpecError) as error:
        return refuse("run.bad-spec", detail=str(error))
    status = _examine(_preflight(tasks_of(request)), DoctorContext(spec))
    say("end", reason="done")
    return status


def _preflight(graph: Sequence[Task]) -> Task:
    return next(task for task in graph if task.name == wire.PREFLIGHT)


def _examine(preflight: Task, context: "DoctorContext") -> int:
    try:
        preflight.run(context)
    except TaskFailed as error:
        facts: Dict[str, Any] = context.disclosure.value(error.facts)
        return refuse(error.code, context.disclosure.text(error.detail), **facts)
    finally:
        context.children.end_all()
    return wire.EXIT_OK


class DoctorContext(Context):
    """A context that tells facts on stdout and leaves no trace on the host."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.facts: Dict[str, Any] = {}
        self.cancelled = threading.Event()
        self.children = Children("doctor")
        self.disclosure = Disclosure((spec.api_key, spec.hub_token))

    def fact(self, name: str, value: Any, private: bool = False) -> None:
        """Remember a fact and, unless it is private, print it."""
        self.facts[name] = value
        if not private:
            say("fact", name=name, value=self.disclosure.value(value))

    def progress(
        self,
        done: float,
        total: Optional[float],
        unit: str,
        step: str = "",
        rate: Optional[float] = None,
        eta_s: Optional[float] = None,
    ) -> None:
        """Say nothing: a preflight takes a second."""

    def log(self, line: str) -> None:
        """Write nothing."""

    def run(
        self,
        argv: Sequence[str],
        env: Optional[Dict[str, str]] = None,
        on_line: Optional[Callable[[str], None]] = None,
        stdin: Optional[str] = None,
        cwd: Optional[str] = None,
    ) -> Tuple[int, List[str]]:
        """Run a child to its end; see `Context.run`."""
        child = self.children.piped(argv, env, cwd, fed=stdin is not None)
        return run_to_end(child, stdin, on_line or self.log, self.cancelled)
