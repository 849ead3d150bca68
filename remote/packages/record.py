"""environment.json: the line between a half-made environment and a complete one.

It is written last, so an environment without it is not complete. A folder that a person (or a
test) brought may have one too: then its `argv` says how its engine is started.
"""

import json
from pathlib import Path
from typing import Any, Dict, NamedTuple, Optional, Tuple

NAME = "environment.json"
LARGEST = 64 * 1024


class Record(NamedTuple):
    """What an environment holds.

    Attributes:
        argv: the command that starts the engine; a relative argv[0] is below the environment.
        version: the engine's (or the client's) version, "" where it is not known.
        requirements: what was asked for, as pip reads it.
    """

    argv: Tuple[str, ...] = ()
    version: str = ""
    requirements: Tuple[str, ...] = ()

    def command(self, folder: Path) -> Tuple[str, ...]:
        """Return argv with its program's full path."""
        return (str(folder / self.argv[0]), *self.argv[1:]) if self.argv else ()


def read(folder: Path) -> Optional[Record]:
    """Return the record of a complete environment, or None."""
    try:
        with (folder / NAME).open(encoding="utf-8") as file:
            fields = json.loads(file.read(LARGEST))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(fields, dict):
        return None
    version = fields.get("version")
    return Record(
        argv=_texts(fields, "argv"),
        version=version if isinstance(version, str) else "",
        requirements=_texts(fields, "requirements"),
    )


def write(folder: Path, record: Record) -> None:
    """Declare the environment complete."""
    part = folder / (NAME + ".part")
    part.write_text(json.dumps({"format": 1, **record._asdict()}, indent=1), encoding="utf-8")
    part.replace(folder / NAME)


def _texts(fields: Dict[str, Any], key: str) -> Tuple[str, ...]:
    value = fields.get(key)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    return ()
