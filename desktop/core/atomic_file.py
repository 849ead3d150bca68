"""A file that is replaced whole: who reads it sees the old one or the new one, and no half."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from desktop.core.errors import StorageError

_LONGEST = 40  # of a name that stands in another one: a file's name has an end
_PATIENCE_S = 5.0  # for who reads the old one; on Windows only


def write_atomically(path: Path, content: bytes) -> None:
    """Replace `path` with `content`, 0600, and make its folder where there is none.

    Raises:
        StorageError: `storage-not-writable`, with the path and the system's reason.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_file(path, content)
    except OSError as error:
        raise not_writable(path, error) from error


def not_writable(path: Path, error: OSError) -> StorageError:
    """Return the error for a file that cannot be written."""
    reason = error.strerror or str(error)
    return StorageError("storage-not-writable", path=str(path), reason=reason)


def replace_file(path: Path, content: bytes) -> None:
    """Replace `path` with `content`, 0600, in a folder that is there; raises OSError."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:_LONGEST]}-")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _move(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def _move(temporary: Path, path: Path) -> None:
    """Put the file in its place; Windows refuses that while somebody reads the old one."""
    patience = _PATIENCE_S if sys.platform == "win32" else 0
    deadline = time.monotonic() + patience
    while True:
        try:
            temporary.replace(path)
        except PermissionError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(0.01)
        else:
            return
