"""How long each step of loading took on this host last time: the next estimate is made of it.

One small file in our own cache. It is an estimate's source and never a decision's, so a damaged
file counts as none, and one that cannot be written is done without.
"""

import contextlib
import json
import os
from pathlib import Path
from typing import Any, Dict, Mapping, NamedTuple, Optional

from remote.engine.log_phases import STEPS
from remote.packages.places import Places

_FORMAT = 1
_MAX_ENTRIES = 64
_MAX_BYTES = 64 * 1024
_LONGEST_STEP = 4 * 3600.0  # seconds; more is no experience but a mistake


class Kind(NamedTuple):
    """Starts that take about the same time."""

    model: str
    version: str
    eager: bool
    cards: int

    @property
    def key(self) -> str:
        """Its name in the file."""
        return "%s %s %s %d" % (self.model, self.version, "eager" if self.eager else "", self.cards)


def file_of(places: Places) -> Path:
    """Return where experience is kept."""
    return places.cache("paperkite") / "load-seconds.json"


def recall(path: Path, kind: Kind) -> Optional[Dict[str, float]]:
    """Return the seconds that each step took last time, or None where that is not known."""
    return _checked(_read(path).get(kind.key))


def remember(path: Path, kind: Kind, seconds: Mapping[str, float]) -> None:
    """Keep what a start took; the kinds that were not seen for longest make room."""
    entries = _read(path)
    entries.pop(kind.key, None)
    entries[kind.key] = {step: round(seconds.get(step, 0.0), 2) for step in STEPS}
    newest = dict(list(entries.items())[-_MAX_ENTRIES:])
    part = path.with_name("%s.%d" % (path.name, os.getpid()))
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            part.write_text(json.dumps({"format": _FORMAT, "seconds": newest}), encoding="utf-8")
            part.replace(path)
        except OSError:
            part.unlink()


def _read(path: Path) -> Dict[str, Any]:
    try:
        with path.open("rb") as file:
            content = json.loads(file.read(_MAX_BYTES + 1).decode("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        return {}
    seconds = content.get("seconds")
    return seconds if isinstance(seconds, dict) else {}


def _checked(entry: Any) -> Optional[Dict[str, float]]:
    """Return an entry that can be an experience: some time for some step, nothing absurd."""
    if not isinstance(entry, dict):
        return None
    known = {step: entry.get(step) for step in STEPS}
    if not all(_is_time(value) for value in known.values()) or not any(known.values()):
        return None
    return {step: float(value) for step, value in known.items() if value is not None}


def _is_time(value: Any) -> bool:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and 0 <= value <= _LONGEST_STEP
