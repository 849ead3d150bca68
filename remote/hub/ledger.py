"""Which files in a model folder are known to be right, so that 20 GB are hashed once and not daily.

A file is right while its size and its time of change are those of the moment when it was verified.
"""

import json
from pathlib import Path
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Tuple

from remote.hub.files import HubFile, parse

NAME = ".paperkite.json"
LARGEST = 4 * 1024 * 1024


class Entry(NamedTuple):
    """One file that a folder is to hold; `changed` is its time (nanoseconds) when verified."""

    file: HubFile
    changed: Optional[int] = None


class Ledger(NamedTuple):
    """What a folder is to hold, and what of it was verified."""

    entries: Tuple[Entry, ...] = ()

    @property
    def files(self) -> Tuple[HubFile, ...]:
        """All files, verified or not."""
        return tuple(entry.file for entry in self.entries)

    def lacking(self, folder: Path) -> List[HubFile]:
        """Return the files that are missing, changed since they were verified, or never were."""
        return [entry.file for entry in self.entries if not _is_right(folder, entry)]

    def complete(self, folder: Path) -> bool:
        """Tell whether every file is there and right."""
        return bool(self.entries) and not self.lacking(folder)

    def with_verified(self, folder: Path, file: HubFile) -> "Ledger":
        """Return the ledger after the file, as it lies in the folder now, has been verified."""
        found = stamp(folder / file.path)
        changed = found[1] if found else None
        return Ledger(
            tuple(Entry(file, changed) if one.file == file else one for one in self.entries)
        )

    def expecting(self, files: Iterable[HubFile]) -> "Ledger":
        """Return the ledger of a folder that is to hold exactly these files."""
        known = {entry.file: entry.changed for entry in self.entries}
        return Ledger(tuple(Entry(file, known.get(file)) for file in files))


def stamp(path: Path) -> Optional[Tuple[int, int]]:
    """Return a file's size and time of change (nanoseconds), or None when there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def read(folder: Path) -> Ledger:
    """Return the folder's ledger; an empty one where there is none or it is damaged."""
    try:
        with (folder / NAME).open(encoding="utf-8") as file:
            fields = json.loads(file.read(LARGEST))
    except (OSError, ValueError):
        return Ledger()
    entries = fields.get("files") if isinstance(fields, dict) else None
    parsed = [_parsed(entry) for entry in entries] if isinstance(entries, list) else []
    return Ledger(tuple(entry for entry in parsed if entry is not None))


def write(folder: Path, ledger: Ledger) -> None:
    """Keep the ledger, in one step."""
    entries = [dict(entry.file._asdict(), changed=entry.changed) for entry in ledger.entries]
    part = folder / (NAME + ".part")
    part.write_text(json.dumps({"format": 1, "files": entries}, indent=1), encoding="utf-8")
    part.replace(folder / NAME)


def _is_right(folder: Path, entry: Entry) -> bool:
    return entry.changed is not None and stamp(folder / entry.file.path) == (
        entry.file.size,
        entry.changed,
    )


def _parsed(fields: Any) -> Optional[Entry]:
    known: Dict[str, Any] = fields if isinstance(fields, dict) else {}
    file, changed = parse(known), known.get("changed")
    return Entry(file, changed if isinstance(changed, int) else None) if file else None
