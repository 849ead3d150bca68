"""What the commands say: JSON Lines for programs, a quiet terminal for people.

The kinds of the JSON lines are a contract (DESIGN §6); `terminal.py` has the other half.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any, Protocol

from desktop.core.errors import AppError
from desktop.core.events import (
    Delta,
    Ended,
    Event,
    Fact,
    PhaseChanged,
    Progress,
    Ready,
    Reasoning,
    ReplyDone,
    Restarting,
    Sample,
    TaskChanged,
    Trimmed,
)
from desktop.core.explain import Language, explain


class Output(Protocol):
    """Where a command's events go."""

    def event(self, event: Event) -> None:
        """Show one event."""
        ...

    def error(self, error: AppError) -> None:
        """Show why the command ends."""
        ...

    def record(self, kind: str, **fields: Any) -> None:
        """Show a line that is no event: a fact of the host's status, a log line."""
        ...

    def say(self, key: str, **facts: object) -> None:
        """Tell people the text `cli.KEY`; programs have no use for it."""
        ...

    def account(self) -> None:
        """Tell people what the facts so far amount to; programs had each of them."""
        ...

    def make_way(self) -> None:
        """Take away what is redrawn in place: a person is asked something there."""
        ...

    def close(self) -> None:
        """Leave the terminal as it was."""
        ...


class JsonLines:
    """One object a line on stdout, flushed, and nothing else."""

    def __init__(self, language: Language) -> None:
        self._language = language

    def event(self, event: Event) -> None:
        """Write the event's line, if its kind is in the contract."""
        line = to_line(event)
        if line is not None:
            self._write(line)

    def error(self, error: AppError) -> None:
        """Write the `error` line."""
        texts = explain(error, self._language, in_terminal=True)
        self.record(
            "error",
            code=error.code,
            title=texts.title,
            detail=texts.detail,
            hint=texts.hint,
            retryable=error.retryable,
        )

    def record(self, kind: str, **fields: Any) -> None:
        """Write one line."""
        self._write({"kind": kind, **fields})

    def say(self, key: str, **facts: object) -> None:
        """Nothing: stdout is for the contract's kinds alone."""

    def account(self) -> None:
        """Nothing: each fact has had its line."""

    def make_way(self) -> None:
        """Nothing is redrawn."""

    def close(self) -> None:
        """Nothing to put back."""

    def _write(self, line: dict[str, Any]) -> None:
        sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
        sys.stdout.flush()


def to_line(event: Event) -> dict[str, Any] | None:
    """Return an event's JSON object, or None for what the contract does not carry."""
    match event:
        case PhaseChanged(phase=phase):
            return {"kind": "phase", "phase": phase.value}
        case TaskChanged(task=task, state=state):
            return {"kind": "fact", "name": f"task.{task}", "value": state}
        case Progress():
            return _progress(event)
        case Fact(name=name, value=value):
            return {"kind": "fact", "name": name, "value": value}
        case Ready(endpoint=endpoint):
            return {
                "kind": "ready",
                "base_url": endpoint.base_url,
                "api_key": endpoint.api_key,
                "model": endpoint.model,
                "max_model_len": endpoint.max_model_len,
                "run": endpoint.run,
                "engine_version": endpoint.engine_version,
            }
        case Trimmed() | Delta() | Reasoning() | ReplyDone():
            return _of_reply(event)
        case Restarting(error=error):
            return {"kind": "restarting", "code": error.code}
        case Sample():
            return _sample(event)
        case Ended(reason=reason, because=because):
            return {"kind": "ended", "reason": reason} | ({"because": because} if because else {})
    return None


def _progress(event: Progress) -> dict[str, Any]:
    line = {
        "kind": "progress",
        "task": event.task,
        "done": event.done,
        "total": event.total,
        "unit": event.unit,
    }
    optional = {"step": event.step or None, "rate": event.rate, "eta_s": event.eta_s}
    return line | {name: value for name, value in optional.items() if value is not None}


def _sample(event: Sample) -> dict[str, Any]:
    fields = asdict(event)
    return {"kind": "sample", "gpus": list(fields.pop("cards"))} | fields


def _of_reply(event: Trimmed | Delta | Reasoning | ReplyDone) -> dict[str, Any]:
    match event:
        case Trimmed(turns=turns):
            return {"kind": "trimmed", "turns": turns}
        case Delta(text=text):
            return {"kind": "delta", "text": text}
        case Reasoning(text=text):
            return {"kind": "reasoning", "text": text}
        case ReplyDone():
            return _done(event)


def _done(event: ReplyDone) -> dict[str, Any]:
    usage = event.usage
    return {
        "kind": "done",
        "finish_reason": event.finish_reason,
        "usage": None
        if usage is None
        else {
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
        },
        "ttft_s": event.ttft_s,
        "tokens_per_s": event.tokens_per_s,
    }
