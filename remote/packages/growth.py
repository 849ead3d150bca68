"""How many bytes an installation has written so far.

uv says nothing between "Downloading torch" and "Downloaded torch" when its output is a pipe, and
pip counts one wheel at a time: what is on the disk is the honest number, and rises steadily.
"""

import os
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Callable, List, Optional, Sequence, Set, Tuple, Type

# Measuring 35,000 files takes 0.2 s; it may cost a tenth of one core at most.
SHARE = 10.0
SHORTEST_INTERVAL = 1.0


class Growth:
    """Reports, from a thread of its own while it is entered, how much some folders have grown."""

    def __init__(self, folders: Sequence[Path], report: Callable[[int], None]) -> None:
        self._folders = folders
        self._report = report
        self._before = bytes_below(folders)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="growth", daemon=True)

    def __enter__(self) -> "Growth":
        """Start measuring."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        """Stop measuring; no report comes after this."""
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        pause = SHORTEST_INTERVAL
        while not self._over.wait(pause):
            started = time.monotonic()
            grown = bytes_below(self._folders) - self._before
            pause = max(SHORTEST_INTERVAL, SHARE * (time.monotonic() - started))
            if not self._over.is_set():
                self._report(max(0, grown))


def bytes_below(folders: Sequence[Path]) -> int:
    """Return the bytes on disk of all files below the folders; hard-linked files count once."""
    seen: Set[Tuple[int, int]] = set()
    total = 0
    waiting: List[str] = [str(folder) for folder in folders]
    while waiting:
        for entry in _entries(waiting.pop()):
            try:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                    continue
                status = entry.stat(follow_symlinks=False)
            except OSError:  # gone since it was listed: installers move files about
                continue
            if (status.st_dev, status.st_ino) not in seen:
                seen.add((status.st_dev, status.st_ino))
                total += status.st_blocks * 512
    return total


def _entries(folder: str) -> List["os.DirEntry[str]"]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []
