"""The terms under which a run may cost money, and the file in which a living run finds new ones.

They come with the spec; a `start` that joins a living run writes its own to RUN/terms.json, and the
supervisor reads that file again and again.
"""

from pathlib import Path
from typing import Any, Dict, NamedTuple

from remote import runs
from remote.spec import Spec


class Terms(NamedTuple):
    """Seconds, 0 for never; see `Spec` and `lease.verdict`."""

    lease_seconds: int = 0
    idle_seconds: int = 0
    limit_seconds: int = 0
    power_off: bool = False

    @property
    def asks_for_activity(self) -> bool:
        """Whether anything depends on when the last request ran."""
        return bool(self.lease_seconds or self.idle_seconds)


def of(spec: Spec) -> Terms:
    """Return the terms in a spec."""
    return Terms(spec.lease_seconds, spec.idle_seconds, spec.limit_seconds, spec.power_off)


def read(path: Path, agreed: Terms) -> Terms:
    """Return the terms in a file, or those `agreed` on before where it is absent or damaged."""
    fields = runs.read_object(path)
    if fields is None:
        return agreed
    return Terms(*(_typed(fields, name, now) for name, now in agreed._asdict().items()))


def write(path: Path, terms: Terms) -> None:
    """Write the terms for `read`; raises OSError on a full disk, and leaves what was there."""
    runs.write_private(path, dict(terms._asdict()))


def _typed(fields: Dict[str, Any], name: str, agreed: Any) -> Any:
    value = fields.get(name)
    # To isinstance a bool is a number too.
    is_sound = isinstance(value, int) and type(value) is type(agreed) and value >= 0
    return value if is_sound else agreed
