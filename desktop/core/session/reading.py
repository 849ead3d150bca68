"""From the host's journal to the core's events and phases: pure functions, no effects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from desktop.core.events import Card, Fact, Progress, Sample, SessionEvent, TaskChanged
from desktop.core.phases import Phase
from remote import wire

_STATES = {wire.WAITING, wire.RUNNING, wire.DONE, wire.SKIPPED, wire.FAILED, wire.CANCELLED}
_PHASE_OF_TASK = {
    wire.PREFLIGHT: Phase.CHECKING,
    wire.ENGINE_ENVIRONMENT: Phase.PREPARING,
    wire.HUB_ENVIRONMENT: Phase.PREPARING,
    wire.MODEL_FILES: Phase.PREPARING,
    wire.SERVE: Phase.LOADING,
}
_FINISHED = (wire.DONE, wire.SKIPPED)
_MOST_CARDS = 64
RUN = "run"  # the name of the fact that tells which run of the host is watched
_REASONS = (wire.ASKED, wire.LEASE, wire.IDLE, wire.LIMIT)


def to_event(message: Mapping[str, Any]) -> SessionEvent | None:
    """Return the event in a journal line, or None for kinds that the session handles itself."""
    line = dict(message)
    match line["kind"]:
        case "task":
            return _task(line)
        case "progress":
            return _progress(line)
        case "run":
            run = wire.text(line, "run", 100)
            return Fact(RUN, run) if run else None
        case "fact":
            name = wire.text(line, "name", 100)
            return Fact(name, wire.plain(line.get("value"))) if name else None
        case "sample":
            return _sample(line)
    return None


def reason_of(stopped: Mapping[str, Any]) -> str:
    """Return why a run was stopped, from its last event; "" where that is none of the reasons."""
    reason = wire.text(dict(stopped), "reason", 50)
    return reason if reason in _REASONS else ""


def _sample(line: dict[str, Any]) -> Sample:
    listed = line.get("gpus")
    cards = listed[:_MOST_CARDS] if isinstance(listed, list) else []
    return Sample(
        cards=tuple(_card(card) for card in cards if isinstance(card, dict)),
        kv_use=min(wire.number(line, "kv_use") or 0.0, 1.0),
        running=wire.integer(line, "running") or 0,
        waiting=wire.integer(line, "waiting") or 0,
        tokens_per_s=wire.number(line, "tokens_per_s"),
        prompt_tokens_per_s=wire.number(line, "prompt_tokens_per_s"),
        generation_tokens=wire.integer(line, "generation_tokens"),
        prompt_tokens=wire.integer(line, "prompt_tokens"),
        requests_done=wire.integer(line, "requests_done"),
        ttft_s=wire.number(line, "ttft_s"),
    )


def _card(fields: dict[str, Any]) -> Card:
    utilization = wire.integer(fields, "utilization")
    return Card(
        utilization=None if utilization is None else min(utilization, 100),
        memory_used=wire.integer(fields, "memory_used"),
        memory_total=wire.integer(fields, "memory_total"),
    )


def _task(line: dict[str, Any]) -> TaskChanged | None:
    task, state = wire.text(line, "task"), wire.text(line, "state")
    known = task in wire.TASKS and state in _STATES
    return TaskChanged(task, state) if known and task and state else None


def _progress(line: dict[str, Any]) -> Progress | None:
    done, task = wire.number(line, "done"), line.get("task")
    if task not in wire.TASKS or done is None:
        return None
    total = wire.number(line, "total")
    return Progress(
        task=task,
        done=done if total is None else min(done, total),
        total=total,
        unit=wire.text(line, "unit", 20) or "",
        step=wire.text(line, "step", 50) or "",
        rate=wire.number(line, "rate"),
        eta_s=wire.number(line, "eta_s"),
    )


def phase_of(tasks: Mapping[str, str]) -> Phase:
    """Return the phase that the states of the host's tasks amount to.

    The latest task that has begun decides: while an engine loads nobody cares that a check ran.
    """
    begun = [name for name in wire.TASKS if tasks.get(name) in (wire.RUNNING, wire.FAILED)]
    if begun:
        return _PHASE_OF_TASK[begun[-1]]
    finished = [name for name in wire.TASKS if tasks.get(name) in _FINISHED]
    return _PHASE_OF_TASK[finished[-1]] if finished else Phase.CHECKING
