"""The children of one run: started with its mark, read line by line, ended all together."""

import contextlib
import os
import select
import subprocess
import threading
from collections import deque
from pathlib import Path
from typing import IO, Callable, Deque, Dict, Iterator, List, Optional, Sequence, Tuple

from remote import processes
from remote.lines import LAST_LINES, LineSplitter
from remote.processes import GroupChild
from remote.task import Cancelled

_POLL_SECONDS = 0.1
_READ_BYTES = 65536
_FEED_SECONDS = 1.0
_CANCEL_GRACE_SECONDS = 5.0  # for an installer or a download: both resume


class Children:
    """Starts the children of one run and knows which are left.

    Attributes:
        hurry: set when nobody wants to wait for a gentle end any longer.
    """

    def __init__(self, run_id: str) -> None:
        self.hurry = threading.Event()
        self._run_id = run_id
        self._started: List[GroupChild] = []
        self._closed = False
        self._lock = threading.Lock()

    def piped(
        self, argv: Sequence[str], env: Optional[Dict[str, str]], cwd: Optional[str], fed: bool
    ) -> GroupChild:
        """Start a child whose output (stdout and stderr) is read through a pipe."""
        stdin = subprocess.PIPE if fed else subprocess.DEVNULL
        options = {"stdin": stdin, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        return self._start(argv, env or {}, "", cwd=cwd, **options)

    def logged(self, argv: Sequence[str], env: Dict[str, str], log_path: Path) -> GroupChild:
        """Start a child whose output is appended to a file."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        log = os.open(str(log_path), flags, 0o600)
        try:
            options = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": subprocess.STDOUT}
            begins = os.fstat(log).st_size
            child = self._start(argv, env, str(log_path), **options)
            child.log_offset = begins
            return child
        finally:
            os.close(log)

    def end_all(self, grace: float = processes.GRACE_SECONDS) -> None:
        """End every child's group, all at the same time; from now on none can be started."""
        with self._lock:
            self._closed = True
            left = [child for child in self._started if not child.ended]
        enders = [threading.Thread(target=child.end, args=(grace,)) for child in left]
        for ender in enders:
            ender.start()
        for ender in enders:
            ender.join()

    def _start(
        self, argv: Sequence[str], env: Dict[str, str], log_path: str, **options: object
    ) -> GroupChild:
        marked = dict(env, **{processes.MARK: self._run_id})
        with self._lock:
            if self._closed:
                raise Cancelled
            child = GroupChild(argv, marked, self.hurry, log_path, **options)
            self._started = [old for old in self._started if not old.ended]
            self._started.append(child)
        return child


def run_to_end(
    child: GroupChild,
    text: Optional[str],
    on_line: Callable[[str], None],
    cancelled: threading.Event,
) -> Tuple[int, List[str]]:
    """Feed and read a child to its end, and end what it left behind.

    Args:
        child: as `Children.piped` started it.
        text: what it reads from stdin, or None.
        on_line: takes each line of its output.
        cancelled: ends the child early.

    Returns:
        Its exit status and its last 40 lines.

    Raises:
        Cancelled: `cancelled` was set; the child has been ended.
    """
    last: Deque[str] = deque(maxlen=LAST_LINES)
    feeder = _start_feeding(child, text)
    try:
        for line in _output(child, cancelled):
            last.append(line)
            on_line(line)
        status = child.poll()
    finally:
        child.end(_CANCEL_GRACE_SECONDS)
        if feeder is not None:
            feeder.join(_FEED_SECONDS)  # its reader is dead, so that it comes to its end too
    assert status is not None
    return status, list(last)


def _output(child: GroupChild, cancelled: threading.Event) -> Iterator[str]:
    """Yield the lines of a child's output until it has ended; raises Cancelled."""
    assert child.stdout is not None
    splitter = LineSplitter()
    for data in _pieces(child, child.stdout.fileno(), cancelled):
        yield from splitter.feed(data)
    yield from splitter.end()
    while child.poll() is None:  # it closed its output before its end
        if cancelled.wait(_POLL_SECONDS):
            raise Cancelled


def _pieces(child: GroupChild, pipe: int, cancelled: threading.Event) -> Iterator[bytes]:
    while not cancelled.is_set():
        if select.select([pipe], [], [], _POLL_SECONDS)[0]:
            data = os.read(pipe, _READ_BYTES)
            if not data:
                return
            yield data
        elif child.poll() is not None:
            return  # all is read; a grandchild holds the pipe
    raise Cancelled


def _start_feeding(child: GroupChild, text: Optional[str]) -> Optional[threading.Thread]:
    """Write `text` to a child's stdin in a thread, while its output is read, however slow it is."""
    if child.stdin is None:
        return None
    data = (text or "").encode("utf-8")
    feeder = threading.Thread(target=_feed, args=(child.stdin, data), daemon=True)
    feeder.start()
    return feeder


def _feed(pipe: IO[bytes], data: bytes) -> None:
    with contextlib.suppress(OSError, ValueError):  # it ended before it read all
        pipe.write(data)
        pipe.close()
