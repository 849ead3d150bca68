"""One writer at a time, over all processes: two Paperkites, or the app and its command line.

Nothing is left behind. Windows removes the file with the handle, also of a process that was
killed. Elsewhere the lock is the kernel's, so that a file which a killed process left locks nothing
and goes with the next writer.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_BETWEEN_TRIES_S = 0.01


@contextmanager
def exclusive(path: Path, seconds: float) -> Iterator[None]:
    """Hold the lock that the file `path` stands for; its folder has to be there.

    Args:
        path: a file of its own, not the one that is written.
        seconds: to wait for another holder.

    Raises:
        TimeoutError: somebody else holds it all that time.
        OSError: the file could not be made.
    """
    deadline = time.monotonic() + seconds
    while (handle := _try(path)) is None:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{path.name} is held by another process")
        time.sleep(_BETWEEN_TRIES_S)
    try:
        yield
    finally:
        _release(path, handle)


if sys.platform == "win32":
    _FLAGS = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_NOINHERIT | os.O_TEMPORARY

    def _try(path: Path) -> int | None:
        """Return a handle on the file, or None while another one's is there or just going."""
        try:
            return os.open(path, _FLAGS, 0o600)
        except (FileExistsError, PermissionError):
            return None

    def _release(path: Path, handle: int) -> None:
        os.close(handle)  # and with it the file

else:
    import fcntl

    def _try(path: Path) -> int | None:
        """Return a locked handle on the file that is there now, or None while another one's is."""
        handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Between the two calls the last holder may have removed it.
            if os.path.samestat(os.fstat(handle), os.stat(path)):  # noqa: PTH116 - of a handle too
                return handle
        except (BlockingIOError, FileNotFoundError):
            pass
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)
        return None

    def _release(path: Path, handle: int) -> None:
        with suppress(OSError):
            path.unlink()  # before the lock goes: whoever waits looks whether it is still there
        os.close(handle)
