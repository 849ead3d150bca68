"""Who is alive: flock, which the kernel lets go when its holder dies, however it dies.

A run's lock file also names the supervisor's process and whether it is already on its way out.
The text has a fixed width, so that overwriting it needs no space on a full disk.
"""

import contextlib
import fcntl
import os
import time
from pathlib import Path
from typing import Iterator, NamedTuple, Optional

_WIDTH = 24
_POLL_SECONDS = 0.05


class Holder(NamedTuple):
    """The living supervisor of a run."""

    pid: int
    leaving: bool  # it is ending the run; nobody should join any more


def take(path: Path) -> int:
    """Wait for the lock and return the descriptor that holds it until it is closed."""
    descriptor = os.open(str(path), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


@contextlib.contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the lock for a block."""
    descriptor = take(path)
    try:
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def held_if_free(path: Path, seconds: float) -> Iterator[bool]:
    """Hold the lock for a block and yield True, or False when it was not to be had in `seconds`.

    No file is made: a lock that nobody ever took, or that cannot be opened, is not held.
    """
    try:
        descriptor = os.open(str(path), os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        yield False
        return
    try:
        yield _taken_within(descriptor, seconds)
    finally:
        os.close(descriptor)


def _taken_within(descriptor: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not _taken(descriptor):
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def sign(descriptor: int, leaving: bool = False) -> None:
    """Write this process's id, and whether it is leaving, into the lock that it holds."""
    words = "%d %s" % (os.getpid(), "leaving" if leaving else "working")
    os.pwrite(descriptor, words.ljust(_WIDTH - 1).encode("ascii") + b"\n", 0)


def holder(path: Path) -> Optional[Holder]:
    """Return who holds the lock, or None when nobody does or there is no such file.

    The probe is a shared lock, so that probes do not take each other for a holder.
    """
    try:
        descriptor = os.open(str(path), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read(descriptor)
    finally:
        os.close(descriptor)
    return None


def _read(descriptor: int) -> Holder:
    words = os.pread(descriptor, _WIDTH, 0).decode("ascii", "replace").split()
    pid = int(words[0]) if words and words[0].isdigit() else 0
    return Holder(pid, leaving="leaving" in words)
