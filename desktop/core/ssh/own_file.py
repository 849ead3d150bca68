"""Our own list of host keys is rewritten whole: atomically, and by one writer at a time."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from desktop.core.errors import StorageError
from desktop.core.exclusive import exclusive

MAX_BYTES = 8 << 20  # more is not a list of hosts
_PATIENCE_S = 5.0  # for another writer, who needs milliseconds


def rewrite(
    path: Path, change: Callable[[list[str]], list[str]], patience: float = _PATIENCE_S
) -> None:
    """Replace the lines of a file by what `change` makes of them; it is private afterwards.

    Bytes that are no UTF-8 stay as they are. A file that cannot be read is not replaced: it may
    hold keys that nobody would confirm a second time.

    Args:
        path: the file; it and its folder need not be there.
        change: gets the lines as they are once nobody else writes.
        patience: seconds to wait for another writer.

    Raises:
        StorageError: `storage-busy` where another one held it all that time, else
            `storage-not-writable`. The file is as it was.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with exclusive(path.with_name(f".{path.name}.lock"), patience):
            _replace(path, change(_lines(path)))
    except TimeoutError as error:
        raise StorageError("storage-busy", path=str(path)) from error
    except OSError as error:
        raise StorageError(
            "storage-not-writable", path=str(path), reason=error.strerror or str(error)
        ) from error


def _lines(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return []
    if len(content) > MAX_BYTES:
        raise OSError("too long for a list of hosts")
    text = content.decode("utf-8", "surrogateescape")
    return text.removesuffix("\n").split("\n") if text else []


def _replace(path: Path, lines: list[str]) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(f"{line}\n".encode("utf-8", "surrogateescape") for line in lines)
            file.flush()
            os.fsync(file.fileno())
        _move(Path(temporary), path)
    except BaseException:
        with suppress(OSError):
            Path(temporary).unlink()
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
