"""The one place where SQLite's errors become ours."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from desktop.core.atomic_file import not_writable
from desktop.core.errors import StorageError

# https://www.sqlite.org/rescode.html: the low byte is the primary code.
_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_NOT_WRITABLE = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_AUTH,
    }
)


@contextmanager
def converted(path: Path) -> Iterator[None]:
    """Raise what goes wrong with the file as a StorageError.

    Raises:
        StorageError: `storage-busy`, `storage-damaged` or `storage-not-writable` (a full disk too).
    """
    try:
        yield
    except sqlite3.Error as error:
        code = primary(error)
        if code in _BUSY:
            raise StorageError("storage-busy", path=str(path)) from error
        if code in _DAMAGED:
            raise StorageError("storage-damaged", path=str(path), reason=str(error)) from error
        if code in _NOT_WRITABLE:
            reason = str(error)
            raise StorageError("storage-not-writable", path=str(path), reason=reason) from error
        raise
    except OSError as error:
        raise not_writable(path, error) from error


def primary(error: sqlite3.Error) -> int:
    """Return SQLite's primary result code, or -1 for an error of Python's module."""
    code = getattr(error, "sqlite_errorcode", None)
    return code & 0xFF if isinstance(code, int) else -1
