"""A disk of its own with little room, that a test fills up and makes larger."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_STEPS = (1024 * 1024, 4096)


class SmallDisk:
    """A tmpfs that is mounted on a folder."""

    def __init__(self, folder: Path) -> None:
        self._somebody_elses = folder / "somebody-elses"
        self.folder = folder

    def fill(self, leave: int = 0) -> None:
        """Let somebody else's file take all the room but so many bytes."""
        disk = os.statvfs(self.folder)
        left = disk.f_bavail * disk.f_frsize - leave
        size = 0
        with self._somebody_elses.open("wb") as file:
            for step in _STEPS:
                with suppress(OSError):  # others write meanwhile: the last bytes in small steps
                    while left - size >= step:
                        os.posix_fallocate(file.fileno(), size, step)
                        size += step

    def empty(self) -> None:
        """Let that file go again."""
        self._somebody_elses.unlink()

    def enlarge(self, size: str) -> None:
        """Give the disk another size, such as "8g"."""
        subprocess.run(["mount", "-o", f"remount,size={size}", self.folder], check=True)


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[SmallDisk]:
    """Mount a disk of this size on a folder; it is unmounted whatever happens."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)
