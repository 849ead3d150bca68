"""A folder as a ModelScope repository: what its listing says, and where each file lies."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REVISION = "master"  # the only branch of a folder


@dataclass(frozen=True, slots=True)
class RepositoryFile:
    """One file. `path` is relative to the repository, with forward slashes."""

    path: str
    source: Path
    size: int
    sha256: str


class Repository:
    """One folder; digests are worked out once per state of a file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._digests: dict[tuple[str, int, int], str] = {}
        self._lock = threading.Lock()

    def files(self) -> list[RepositoryFile]:
        """Return all files by path; hidden ones and links are left out. Raises OSError."""
        return [self._describe(path) for path in sorted(self._folder.rglob("*")) if _shown(path)]

    def file(self, path: str) -> RepositoryFile | None:
        """Return one file of the listing, or None: a path that is not in it leads nowhere."""
        return next((file for file in self.files() if file.path == path), None)

    def _describe(self, source: Path) -> RepositoryFile:
        path = source.relative_to(self._folder).as_posix()
        stat = source.stat()
        state = (path, stat.st_size, stat.st_mtime_ns)
        with self._lock:
            if state not in self._digests:
                with source.open("rb") as file:
                    self._digests[state] = hashlib.file_digest(file, "sha256").hexdigest()
            return RepositoryFile(path, source, stat.st_size, self._digests[state])


def _shown(path: Path) -> bool:
    return path.is_file() and not path.is_symlink() and not path.name.startswith(".")


def listing(files: list[RepositoryFile], root: str, recursive: bool) -> list[dict[str, Any]]:
    """Return the `Files` of a ModelScope listing below `root` ("" = all), folders included."""
    prefix = f"{root.strip('/')}/" if root.strip("/") else ""
    inside = [file for file in files if file.path.startswith(prefix)]
    entries = [*_folders(inside, prefix), *(_blob(file) for file in inside)]
    if recursive:
        return entries
    return [entry for entry in entries if "/" not in entry["Path"].removeprefix(prefix)]


def _folders(files: list[RepositoryFile], prefix: str) -> list[dict[str, Any]]:
    paths = {parent for file in files for parent in _parents(file.path)}
    return [
        _entry(path, "tree", size=0, sha256="") for path in sorted(paths) if path.startswith(prefix)
    ]


def _parents(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[: depth + 1]) for depth in range(len(parts))]


def _blob(file: RepositoryFile) -> dict[str, Any]:
    return _entry(file.path, "blob", size=file.size, sha256=file.sha256)


def _entry(path: str, kind: str, *, size: int, sha256: str) -> dict[str, Any]:
    return {
        "Name": path.rpartition("/")[2],
        "Path": path,
        "Type": kind,
        "Size": size,
        "Sha256": sha256,
        "Revision": REVISION,
        "IsLFS": kind == "blob",
    }
