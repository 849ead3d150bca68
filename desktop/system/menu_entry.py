"""The app in the menu of a Linux desktop: a desktop entry and an icon, of this user's alone.

Where they go: XDG base directories, and the icon theme specification's `hicolor`. On macOS and
Windows the bundle brings its own.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from desktop.core.assets import asset
from desktop.core.atomic_file import not_writable, write_atomically
from desktop.system.desktop_entry import desktop_entry

_NAME = "paperkite"


def _paths() -> tuple[Path, Path]:
    """Return where the entry and the icon stand."""
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share")
    entry = data / "applications" / f"{_NAME}.desktop"
    return entry, data / "icons/hicolor/scalable/apps" / f"{_NAME}.svg"


def install(command: Sequence[str]) -> list[Path]:
    """List a command in the menu; returns what was written.

    Raises:
        StorageError: `storage-not-writable`.
    """
    entry, icon = _paths()
    write_atomically(icon, asset("icons", f"{_NAME}.svg").read_bytes())
    # By its path: a theme's cache may not know the icon before the next login.
    write_atomically(entry, desktop_entry(command, str(icon)).encode())
    for each in (entry, icon):
        each.chmod(0o644)
    return [entry, icon]


def remove() -> list[Path]:
    """Take it out of the menu again; returns what was there, nothing where nothing was.

    Raises:
        StorageError: `storage-not-writable`.
    """
    gone = []
    for path in _paths():
        try:
            path.unlink()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise not_writable(path, error) from error
        gone.append(path)
    return gone
