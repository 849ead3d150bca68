"""What was last found out about each saved host, so that a model can be chosen without asking it.

One small file a host. The facts are a host's: they are bounded, and read back as distrustfully as
they came.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from desktop.core.atomic_file import write_atomically
from desktop.core.errors import StorageError
from desktop.core.events import Emit, Event, Fact, Progress, Surveyed, TaskChanged
from remote import wire

_MOST_FACTS = 400  # 64 cards of five facts each, and the others
_LONGEST = 200  # characters of a text
_LARGEST = 100_000  # bytes of a file
_OVER = (wire.DONE, wire.SKIPPED, wire.FAILED)
ASKED_MODEL = "model.id"  # a fact of our own: which model the host was asked about
RUNNING_MODEL = "run.model"  # a fact of our own: what runs there already
DOWNLOAD_RATE = "download.rate"  # a fact of our own: bytes a second, when a model was last fetched


@dataclass(frozen=True, slots=True)
class LastCheck:
    """What is remembered of a host.

    Attributes:
        facts: by the preflight's names.
        at: when they were found out, in seconds since the epoch.
    """

    facts: Mapping[str, object] = field(default_factory=dict)
    at: float = 0.0


class LastChecks:
    """The checks that are remembered, in a folder of ours."""

    def __init__(self, folder: Path, wall: Callable[[], float] = time.time) -> None:
        self._folder, self._wall = folder, wall

    def of(self, name: str) -> LastCheck | None:
        """Return what is remembered of a saved host, None where that is nothing."""
        if not name:
            return None
        try:
            with (self._folder / f"{name}.json").open("rb") as file:
                read = json.loads(file.read(_LARGEST).decode("utf-8"))
        except (OSError, ValueError, RecursionError):
            return None
        at = read.get("at") if isinstance(read, dict) else None
        facts = read.get("facts") if isinstance(read, dict) else None
        moment = wire.number({"at": at}, "at")
        if moment is None or not isinstance(facts, dict):
            return None
        return LastCheck(bounded(facts), moment)

    def keep(self, name: str, facts: Mapping[str, object]) -> None:
        """Remember the facts of a host; that they cannot be saved stops nobody."""
        text = json.dumps({"at": self._wall(), "facts": bounded(facts)})
        with contextlib.suppress(StorageError):
            write_atomically(self._folder / f"{name}.json", text.encode())

    def forget(self, name: str) -> None:
        """Forget a host."""
        with contextlib.suppress(OSError):
            (self._folder / f"{name}.json").unlink()

    def keeping(self, name: str, emit: Emit, asked: Callable[[], str] = str) -> Emit:
        """Return `emit` for what looks at a host or works on it: what it finds out is remembered.

        Written in the thread that says it, once the preflight or a download is over.

        Args:
            name: of the saved host, "" where it is none.
            emit: hears everything.
            asked: returns the model that a preflight is asked about just now.
        """
        return _Keeping(self, name, emit, asked).hear if name else emit


class _Keeping:
    """Collects the facts of one host on their way."""

    def __init__(self, checks: LastChecks, name: str, emit: Emit, asked: Callable[[], str]) -> None:
        self._checks, self._name, self._emit, self._asked = checks, name, emit, asked
        self._facts: dict[str, object] = {}
        self._rate: float | None = None

    def hear(self, event: Event) -> None:
        """Pass an event on, then keep what is to be kept of it."""
        self._emit(event)  # first: whoever waits for it does not wait for a disk
        match event:
            case TaskChanged(wire.PREFLIGHT, wire.RUNNING):
                model = self._asked()
                self._facts = {ASKED_MODEL: model} if model else {}
            case Fact(name, value) if name in self._facts or len(self._facts) < _MOST_FACTS:
                self._facts[name] = value
            case Progress(task=wire.MODEL_FILES, step="fetch", rate=rate) if rate:
                self._rate = rate
            case TaskChanged(wire.MODEL_FILES, wire.DONE) if self._rate:
                self._facts[DOWNLOAD_RATE] = self._rate
                self._keep()
            case TaskChanged(wire.PREFLIGHT, state) if state in _OVER:
                self._keep()
            case Surveyed():
                self._keep()

    def _keep(self) -> None:
        if "gpu.count" not in self._facts:
            return  # it was cut short, or the task was skipped: what is known stays
        before = self._checks.of(self._name)
        rate = None if before is None else before.facts.get(DOWNLOAD_RATE)
        known = {} if rate is None else {DOWNLOAD_RATE: rate}
        self._checks.keep(self._name, {**known, **_lasting(self._facts)})


def _lasting(facts: Mapping[str, object]) -> dict[str, object]:
    """Return what will still be so: not what runs there, nor the memory that it held."""
    gone = (".memory_free", ".holders") if RUNNING_MODEL in facts else ()
    return {
        name: value
        for name, value in facts.items()
        if name != RUNNING_MODEL and not name.endswith(gone)
    }


def bounded(facts: Mapping[str, object]) -> dict[str, object]:
    """Return as many facts as are worth keeping: numbers, yes and no, short texts."""
    kept: dict[str, object] = {}
    for name, value in facts.items():
        if len(kept) == _MOST_FACTS:
            break
        if isinstance(name, str) and len(name) <= _LONGEST and _is_plain(value):
            kept[name] = wire.plain(value, _LONGEST)
    return kept


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, bool | int | float | str)
