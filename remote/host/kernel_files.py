"""Reads of /proc and /sys: they may be missing, closed to us, or hold any bytes."""

from pathlib import Path

LARGEST = 1024 * 1024


def text(path: Path) -> str:
    """Return the text of a file, "" where it cannot be read; at most 1 MiB of it."""
    try:
        with path.open("rb") as file:
            return file.read(LARGEST).decode("utf-8", "replace")
    except OSError:
        return ""
