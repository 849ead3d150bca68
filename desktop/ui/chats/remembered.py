"""What the window remembers of itself: zoom, the list, what was read last. Never worth an error."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from PySide6.QtCore import QObject, QTimer

from desktop.core.atomic_file import write_atomically
from desktop.core.errors import StorageError

_SOON_MS = 1000
MOST_ZOOM = 8  # steps of the transcript, up or down


@dataclass(frozen=True, slots=True)
class Memory:
    """What is kept.

    Attributes:
        zoom: of the conversation, in steps.
        sidebar: whether the list is wanted.
        conversation: the one that was read last, or "".
        told_of_tray: it was said that closing the window only hides it.
    """

    zoom: int = 0
    sidebar: bool = True
    conversation: str = ""
    told_of_tray: bool = False


class Remembered(QObject):
    """Reads the memory once and writes it a moment after each change.

    Attributes:
        memory: as it is now.
    """

    def __init__(self, path: Path | None = None) -> None:
        """Take the file; None keeps nothing."""
        super().__init__()
        self._path = path
        self.memory = Memory() if path is None else _read(path)
        self._soon = QTimer(self, singleShot=True, interval=_SOON_MS)
        self._soon.timeout.connect(self.write)

    def keep(self, **changes: object) -> None:
        """Change something."""
        changed = replace(self.memory, **changes)  # type: ignore[arg-type]  # by name
        if changed != self.memory:
            self.memory = changed
            self._soon.start()

    def write(self) -> None:
        """Write it now; that it cannot be written stops nobody."""
        self._soon.stop()
        if self._path is not None:
            with suppress(StorageError):
                write_atomically(self._path, json.dumps(asdict(self.memory)).encode())

    def end(self) -> None:
        """Write what was not written yet."""
        if self._soon.isActive():
            self.write()

    def zoomed(self, by: int) -> int:
        """Return the zoom `by` steps further; 0 steps is the original size."""
        return max(-MOST_ZOOM, min(self.memory.zoom + by, MOST_ZOOM)) if by else 0


def _read(path: Path) -> Memory:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return Memory()
    if not isinstance(found, dict):
        return Memory()
    memory = Memory()
    if found.get("zoom") in range(-MOST_ZOOM, MOST_ZOOM + 1):
        memory = replace(memory, zoom=int(found["zoom"]))
    if isinstance(found.get("sidebar"), bool):
        memory = replace(memory, sidebar=found["sidebar"])
    if isinstance(found.get("told_of_tray"), bool):
        memory = replace(memory, told_of_tray=found["told_of_tray"])
    if isinstance(found.get("conversation"), str):
        memory = replace(memory, conversation=found["conversation"])
    return memory
