"""In which order tasks run: each in a thread as soon as what it needs is done, side by side.

`startable` and `state_after` decide; `Walk` keeps the books and starts threads. Whoever drives a
walk hands it the messages of its inbox (see `supervisor`): results of tasks arrive there, and
so does the wish to stop.
"""

import threading
from queue import SimpleQueue
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Set, Union

from remote import wire
from remote.task import Cancelled, Task

_OVER = (wire.DONE, wire.SKIPPED)


class Finished(NamedTuple):
    """A task has come to its end: its result, or what it raised."""

    task: str
    outcome: Union[bool, BaseException]


class Failure(NamedTuple):
    """The first task that failed; later ones only followed from it."""

    task: str
    error: BaseException


def startable(graph: Sequence[Task], states: Dict[str, str]) -> List[Task]:
    """Return the waiting tasks whose needs are all met."""
    return [
        task
        for task in graph
        if states[task.name] == wire.WAITING and all(states[need] in _OVER for need in task.needs)
    ]


def state_after(outcome: Union[bool, BaseException], cancelled: bool) -> str:
    """Return a task's state after its outcome; in a cancelled walk an error is no failure."""
    if isinstance(outcome, BaseException):
        return wire.CANCELLED if cancelled or isinstance(outcome, Cancelled) else wire.FAILED
    return wire.SKIPPED if outcome else wire.DONE


def check(graph: Sequence[Task]) -> None:
    """Raise ValueError where a task needs one that is not before it: it would wait for ever."""
    known: Set[str] = set()
    for task in graph:
        if task.name in known or not known.issuperset(task.needs):
            raise ValueError("task %s: needed ones come before it, and names once" % task.name)
        known.add(task.name)


class Walk:
    """One walk through a graph.

    Attributes:
        states: each task's state, by name.
        failure: the first failure, or None.
    """

    def __init__(
        self,
        graph: Sequence[Task],
        perform: Callable[[Task], bool],
        changed: Callable[[str, str], None],
        inbox: "SimpleQueue[Any]",
        cancelled: threading.Event,
    ) -> None:
        check(graph)
        self.states = {task.name: wire.WAITING for task in graph}
        self.failure: Optional[Failure] = None
        self._graph = tuple(graph)
        self._perform = perform
        self._changed = changed
        self._inbox = inbox
        self._cancelled = cancelled

    @property
    def over(self) -> bool:
        """Whether no task runs and none will."""
        return wire.RUNNING not in self.states.values()

    def begin(self) -> None:
        """Announce every task and start those that need nothing."""
        for name, state in self.states.items():
            self._changed(name, state)
        self._start_what_can()

    def finished(self, message: Finished) -> None:
        """Take in a task's end, and start what it made possible or cancel what is left."""
        if self.states[message.task] != wire.RUNNING:
            return  # given up before
        state = state_after(message.outcome, self._cancelled.is_set())
        self._set(message.task, state)
        if state == wire.FAILED and isinstance(message.outcome, BaseException):
            self.failure = Failure(message.task, message.outcome)
            self.cancel()
        self._start_what_can()

    def cancel(self) -> None:
        """Ask running tasks to end and let no other start."""
        self._cancelled.set()
        for name, state in self.states.items():
            if state == wire.WAITING:
                self._set(name, wire.CANCELLED)

    def give_up(self) -> None:
        """Wait no longer for tasks that do not look at `cancelled`."""
        for name, state in self.states.items():
            if state == wire.RUNNING:
                self._set(name, wire.CANCELLED)

    def _start_what_can(self) -> None:
        for task in startable(self._graph, self.states):
            self._set(task.name, wire.RUNNING)
            thread = threading.Thread(target=self._in_thread, args=(task,), name=task.name)
            thread.daemon = True  # one that never ends must not keep the supervisor
            thread.start()

    def _in_thread(self, task: Task) -> None:
        try:
            outcome: Union[bool, BaseException] = self._perform(task)
        except BaseException as error:  # noqa: BLE001 - a thread's top: all of it is the outcome
            outcome = error
        self._inbox.put(Finished(task.name, outcome))

    def _set(self, name: str, state: str) -> None:
        self.states[name] = state
        self._changed(name, state)
