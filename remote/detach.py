"""How the supervisor leaves the SSH session: it must live on, and the channel must not wait for it.

An SSH server ends a command's channel once nobody holds its pipes any more, so the daemon closes
every descriptor that it inherited. It says one word back over a pipe: `start` returns only when
the daemon has its lock, or knows why it does not.
"""

import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Callable, List

_MOST_DESCRIPTORS = 4096  # looked through where the system cannot list the open ones
_MAX_WORD = 4096


def detach(work: Callable[[Callable[[str], None]], None], log: Path) -> str:
    """Run `work` in a daemon and return the word that it gave back; "" when it died before.

    Args:
        work: called in the daemon with a function that takes the word, once.
        log: takes the daemon's stdout and stderr.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _leave(work, log, writer)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader, "rb") as pipe:
        return pipe.read(_MAX_WORD).decode("utf-8", "replace")


def _leave(work: Callable[[Callable[[str], None]], None], log: Path, writer: int) -> None:
    """Become a daemon by the book (fork, setsid, fork) and never return."""
    os.setsid()
    if os.fork() != 0:
        os._exit(0)
    status = 1
    try:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        _close_inherited(keep=writer)
        _redirect(log)
        work(lambda word: _say(writer, word))
        status = 0
    except BaseException:  # noqa: BLE001 - a process's top: there is nobody above to tell
        traceback.print_exc()
    finally:
        os._exit(status)


def _say(writer: int, word: str) -> None:
    os.write(writer, word.encode("utf-8")[:_MAX_WORD])
    os.close(writer)


def _close_inherited(keep: int) -> None:
    for descriptor in _open_descriptors():
        if descriptor > 2 and descriptor != keep:
            try:
                os.close(descriptor)
            except OSError:
                continue  # the one that listed them is closed already


def _open_descriptors() -> List[int]:
    try:
        return [int(path.name) for path in Path("/dev/fd").iterdir()]  # on Linux: /proc/self/fd
    except OSError:
        return list(range(_MOST_DESCRIPTORS))


def _redirect(log: Path) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    try:
        output = os.open(str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError:
        output = os.open(os.devnull, os.O_WRONLY)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    for descriptor in (nothing, output):
        if descriptor > 2:
            os.close(descriptor)
    sys.stdout = sys.stderr = os.fdopen(2, "w", buffering=1, encoding="utf-8", closefd=False)
