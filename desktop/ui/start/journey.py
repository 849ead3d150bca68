"""The way to ready as people understand it: the core's events folded into six steps.

Connect, check, then install and download side by side, load, ready. Pure: a journey is a value,
`advance` returns the next one, and the clock is passed in. Phases are taken as they come.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from desktop.core.errors import AppError
from desktop.core.events import (
    Ended,
    Event,
    Fact,
    PhaseChanged,
    Progress,
    Restarting,
    Retrying,
    Surveying,
    TaskChanged,
    Tidied,
    Tidying,
)
from desktop.core.phases import Phase
from remote import wire


class Step(Enum):
    """What a person would call the parts."""

    CONNECT = "connect"
    CHECK = "check"
    INSTALL = "install"
    DOWNLOAD = "download"
    LOAD = "load"
    READY = "ready"


TASKS: Mapping[Step, tuple[str, ...]] = {
    Step.CONNECT: ("connect",),
    Step.CHECK: ("deploy", wire.PREFLIGHT),
    Step.INSTALL: (wire.ENGINE_ENVIRONMENT,),
    Step.DOWNLOAD: (wire.HUB_ENVIRONMENT, wire.MODEL_FILES),
    Step.LOAD: (wire.SERVE,),
    Step.READY: (),
}
_STEP_OF = {task: step for step, tasks in TASKS.items() for task in tasks}
_OVER = (wire.DONE, wire.SKIPPED)
_BEGINS = (Phase.CONNECTING,)


@dataclass(frozen=True, slots=True)
class Row:
    """One step as it stands.

    Attributes:
        state: one of remote.wire's states of a task.
        tasks: states of the tasks behind it.
        progress: of the task that moves, or None.
        began: clock time at which it began to run, or None.
        ended: clock time at which it was over, or None.
    """

    state: str = wire.WAITING
    tasks: Mapping[str, str] = field(default_factory=dict)
    progress: Progress | None = None
    began: float | None = None
    ended: float | None = None

    def elapsed(self, now: float) -> float | None:
        """Return the seconds that it has taken so far, or None before it begins."""
        if self.began is None:
            return None
        return (now if self.ended is None else self.ended) - self.began


def _nothing_yet() -> dict[Step, Row]:
    return {step: Row() for step in Step}


@dataclass(frozen=True, slots=True)
class Journey:
    """All that the start sheet shows.

    Attributes:
        phase: the session's.
        rows: every step.
        error: why it failed, why it reconnects, or why the last try to connect failed.
        next_try: clock time of the next try to reach the host, or None.
        attempt: which try that is, from 0.
        facts: what was found out about the host, by name.
        crash: why the engine crashed, while the host starts it again; or None.
        because: why the host stopped the run, once it did: "lease", "idle", …; or "".
        asks: it was not reached so often that a person should be asked for its new address.
        gives_up: clock time at which a first connect is given up, or None.
        was_cancelled: it was stopped before the model answered.
        surveys: it is a look at the host, and starts nothing.
        is_tidying: what is half there on the host is being removed.
        tidied: what came of that, until the next start; or None.
    """

    phase: Phase = Phase.OFF
    rows: Mapping[Step, Row] = field(default_factory=_nothing_yet)
    error: AppError | None = None
    next_try: float | None = None
    attempt: int = 0
    facts: Mapping[str, object] = field(default_factory=dict)
    crash: AppError | None = None
    because: str = ""
    asks: bool = False
    gives_up: float | None = None
    was_cancelled: bool = False
    surveys: bool = False
    is_tidying: bool = False
    tidied: Tidied | None = None

    def running(self) -> list[Step]:
        """Return the steps that are being worked on."""
        return [step for step in Step if self.rows[step].state == wire.RUNNING]

    def following(self) -> Step | None:
        """Return the step that comes after those being worked on, or None."""
        return next((s for s in Step if self.rows[s].state == wire.WAITING), None)


def advance(journey: Journey, event: Event, now: float) -> Journey:
    """Return the journey after one more event, at clock time `now`."""
    match event:
        case PhaseChanged():
            return _phase(journey, event, now)
        case TaskChanged():
            return _task(journey, event, now)
        case Progress():
            step = _STEP_OF.get(event.task)
            if step is None:
                return journey
            return _with(journey, step, replace(journey.rows[step], progress=event))
        case Retrying():
            return replace(
                journey,
                next_try=now + event.wait_s,
                attempt=event.attempt,
                asks=event.asks,
                error=event.error or journey.error,
                gives_up=None if event.left_s is None else now + event.left_s,
            )
        case Fact():
            return replace(journey, facts={**journey.facts, event.name: event.value})
        case Restarting():
            loading = Row(wire.RUNNING, {wire.SERVE: wire.RUNNING}, began=now)
            return _with(replace(journey, crash=event.error), Step.LOAD, loading)
        case Surveying():
            return replace(journey, surveys=True)
        case Ended():
            return replace(journey, because=event.because)
        case Tidying():
            return replace(journey, is_tidying=True, tidied=None)
        case Tidied():
            return replace(journey, is_tidying=False, tidied=event)
    return journey


def _phase(journey: Journey, event: PhaseChanged, now: float) -> Journey:
    if event.phase in _BEGINS:
        return Journey(phase=event.phase)
    changed = replace(
        journey,
        phase=event.phase,
        error=event.error,
        next_try=None,
        crash=None,
        asks=False,
        gives_up=None,
    )
    if event.phase is Phase.READY:
        return _with(changed, Step.READY, Row(wire.DONE, began=now, ended=now))
    if event.phase in (Phase.STOPPING, Phase.OFF) and journey.phase is not Phase.STOPPING:
        was_ready = journey.rows[Step.READY].state == wire.DONE
        is_cancelled = not (was_ready or journey.surveys)
        changed = _cut_short(replace(changed, was_cancelled=is_cancelled), now)
    if event.phase is Phase.FAILED:
        return _interrupted(changed, now)
    if journey.phase is Phase.READY:
        return _with(changed, Step.READY, Row())
    return changed


def _cut_short(journey: Journey, now: float) -> Journey:
    """Stop the clocks of what was running: nobody waits for it any more."""
    rows = {
        step: replace(row, state=wire.CANCELLED, ended=now) if row.state == wire.RUNNING else row
        for step, row in journey.rows.items()
    }
    return replace(journey, rows=rows)


def _interrupted(journey: Journey, now: float) -> Journey:
    """Stop the clocks; of what was running, nothing says that it did not fail."""
    rows = {
        step: replace(row, state=wire.FAILED, ended=now) if row.state == wire.RUNNING else row
        for step, row in journey.rows.items()
    }
    # The host names the task that failed; what ran beside it was only cut short.
    blamed = any(wire.FAILED in row.tasks.values() for row in journey.rows.values())
    if blamed:
        rows = {
            step: replace(row, state=wire.CANCELLED)
            if row.state == wire.FAILED and wire.FAILED not in row.tasks.values()
            else row
            for step, row in rows.items()
        }
    return replace(journey, rows=rows)


def _task(journey: Journey, event: TaskChanged, now: float) -> Journey:
    step = _STEP_OF.get(event.task)
    if step is None:
        return journey
    row = journey.rows[step]
    tasks = {**row.tasks, event.task: event.state}
    state = _combined(tasks, len(TASKS[step]))
    begins = state == wire.RUNNING and row.state != wire.RUNNING
    over = state not in (wire.RUNNING, wire.WAITING)
    moved = row.progress is not None and row.progress.task == event.task
    return _with(
        journey,
        step,
        Row(
            state=state,
            tasks=tasks,
            progress=None if moved and event.state != wire.RUNNING and not over else row.progress,
            began=now if begins and row.began is None else row.began,
            ended=now if over else None,
        ),
    )


def _combined(tasks: Mapping[str, str], count: int) -> str:
    """Return the state of a step from the states of its tasks."""
    states = list(tasks.values())
    for decisive in (wire.FAILED, wire.CANCELLED, wire.RUNNING):
        if decisive in states:
            return decisive
    if len(states) == count and all(state in _OVER for state in states):
        return wire.SKIPPED if set(states) == {wire.SKIPPED} else wire.DONE
    return wire.RUNNING if any(state in _OVER for state in states) else wire.WAITING


def _with(journey: Journey, step: Step, row: Row) -> Journey:
    return replace(journey, rows={**journey.rows, step: row})
