"""What an interrupted preparation left in our folder: found, measured and removed.

Only what no run would take for complete: half-fetched files, environments without their
environment.json, the installers' temporary files. Nothing outside of our folder is touched: a
symbolic link is removed where it is such a leftover itself, and never followed.
"""

import os
import shutil
from pathlib import Path
from typing import Iterator, List, NamedTuple, Optional

from remote.packages import record
from remote.packages.growth import bytes_below
from remote.packages.places import Places

_HALF = (".incomplete", ".part")
_OF_UV = ".tmp"  # what uv unpacks a wheel to, in its cache, before the wheel gets its place there


class Freed(NamedTuple):
    """What was removed: the bytes that the disk has back, and how many files."""

    bytes: int
    files: int


def find(places: Places) -> List[Path]:
    """Return the leftovers below our folder on one data disk."""
    if places.home.is_symlink():
        return []
    environments = [*_folders(places.home / "engines"), *_folders(places.home)]
    found = [path for path in environments if _is_half_made(path, places)]
    revisions = [one for model in _folders(places.home / "models") for one in _folders(model)]
    files = [path for revision in revisions for path in _children(revision)]
    found += [path for path in files if path.name.endswith(_HALF)]
    unpacked = [path for path in _children(places.cache("uv")) if path.name.startswith(_OF_UV)]
    return [*found, *unpacked, *_children(places.cache("tmp"))]


def bytes_to_go_on_with(places: Places, environment: Path) -> int:
    """Return what an interrupted installation of an environment put on the disk already.

    It is made anew, but out of uv's cache: what is there and in no other environment (uv links),
    was unpacked for this one.
    """
    if not environment.exists() or (environment / record.NAME).exists():
        return 0
    return bytes_below([environment]) + _measure(places.cache("uv")).bytes


def remove(path: Path) -> Freed:
    """Remove a file, or a folder with all that is in it; returns what was removed indeed."""
    before = _measure(path)
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(str(path), ignore_errors=True)
        else:
            path.unlink()
    except OSError:
        pass
    after = _measure(path)
    return Freed(before.bytes - after.bytes, before.files - after.files)


def _is_half_made(folder: Path, places: Places) -> bool:
    is_environment = folder.parent == places.home / "engines" or folder == places.hub
    return is_environment and not (folder / record.NAME).exists()


def _folders(folder: Path) -> List[Path]:
    return [path for path in _children(folder) if path.is_dir() and not path.is_symlink()]


def _children(folder: Path) -> List[Path]:
    """Return what is in a folder; nothing where it is a link, or cannot be read."""
    try:
        return [] if folder.is_symlink() else sorted(folder.iterdir())
    except OSError:
        return []


def _measure(path: Path) -> Freed:
    found = [status for status in map(_status, _files(path)) if status is not None]
    # One that another name keeps alive (uv links from its cache) frees nothing.
    size = sum(status.st_blocks * 512 for status in found if status.st_nlink == 1)
    return Freed(size, len(found))


def _status(file: Path) -> Optional[os.stat_result]:
    try:
        return file.lstat()
    except OSError:
        return None


def _files(path: Path) -> Iterator[Path]:
    if path.is_symlink() or not path.is_dir():
        yield path
        return
    for folder, names, files in os.walk(str(path)):
        links = [name for name in names if Path(folder, name).is_symlink()]
        yield from (Path(folder, name) for name in (*files, *links))
