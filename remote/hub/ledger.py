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
    """What a folder is to hold, and what of it was verified.

    Attributes:
        entries: its files.
        with_code: whether the model's own Python, if it has any, is among them.
    """

    entries: Tuple[Entry, ...] = ()
    with_code: bool = False

    @property
    def files(self) -> Tuple[HubFile, ...]:
        """All files, verified or not."""
        return tuple(entry.file for entry in self.entries)

    def lacking(self, folder: Path) -> List[HubFile]:
        """Return the files that are missing, changed since they were verified, or never were."""
        return [entry.file for entry in self.entries if not _is_right(folder, entry)]

    def complete(self, folder: Path, with_code: bool = False) -> bool:
        """Tell whether every file is there and right, the model's code among them if asked for."""
        knows = bool(self.entries) and (self.with_code or not with_code)
        return knows and not self.lacking(folder)

    def with_verified(self, folder: Path, file: HubFile) -> "Ledger":
        """Return the ledger after the file, as it lies in the folder now, has been verified."""
        found = stamp(folder / file.path)
        changed = found[1] if found else None
        entries = (Entry(file, changed) if one.file == file else one for one in self.entries)
        return self._replace(entries=tuple(entries))

    def expecting(self, files: Iterable[HubFile], with_code: bool = False) -> "Ledger":
        """Return the ledger of a folder that is to hold exactly these files."""
        known = {entry.file: entry.changed for entry in self.entries}
        return Ledger(tuple(Entry(file, known.get(file)) for file in files), with_code)


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
    except (OSError, ValueError, RecursionError):
        return Ledger()
    known: Dict[str, Any] = fields if isinstance(fields, dict) else {}
    entries = known.get("files")
    parsed = [_parsed(entry) for entry in entries] if isinstance(entries, list) else []
    found = tuple(entry for entry in parsed if entry is not None)
    return Ledger(found, known.get("code") is True)


def write(folder: Path, ledger: Ledger) -> None:
    """Keep the ledger, in one step."""
    entries = [dict(entry.file._asdict(), changed=entry.changed) for entry in ledger.entries]
    part = folder / (NAME + ".part")
    whole = {"format": 1, "code": ledger.with_code, "files": entries}
    part.write_text(json.dumps(whole, indent=1), encoding="utf-8")
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
