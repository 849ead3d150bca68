"""Other programs: each child leads its own process group, and whole groups are ended.

Every child carries `PAPERKITE_RUN=<run>` in its environment, and so do its own children. By this
mark, and by nothing else, what is left of a run is found again after its supervisor was killed.
No signal goes to a process that is neither in the group of a child that we have not reaped yet
(its number cannot be anyone else's) nor marked.
"""

import contextlib
import os
import re
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import IO, Any, Callable, Dict, List, Optional, Sequence

from remote.task import Child

MARK = "PAPERKITE_RUN"
GRACE_SECONDS = 10.0  # vLLM needs 6.6 s from SIGTERM to its end (measured)
KILL_SECONDS = 15.0  # a process in a driver call ends only when that returns

_POLL_SECONDS = 0.05
_EXEC_SECONDS = 0.02
_PROC = Path("/proc")
_PS = ("ps", "-axEww", "-o", "pid=,command=")  # macOS: with the environment behind the command
_PS_LINE = re.compile(r"^\s*(\d+) .*\s%s=([\w-]+)" % MARK)


class GroupChild(Child):
    """A child that leads its own session and group, and is looked after until `end`.

    Attributes:
        log_path: the file that takes its output, "" when `stdout` gives it.
        log_offset: how long that file was when it started.
        ended: whether its whole group was ended and its leader reaped.
    """

    def __init__(
        self,
        argv: Sequence[str],
        env: Dict[str, str],
        hurry: threading.Event,
        log_path: str = "",
        **options: Any,
    ) -> None:
        self._process = subprocess.Popen(
            list(argv), env=dict(os.environ, **env), start_new_session=True, **options
        )
        self.pid = self._process.pid
        self.log_path = log_path
        self.log_offset = 0
        self.ended = False
        self._hurry = hurry
        self._ending = threading.Lock()

    @property
    def stdin(self) -> Optional[IO[bytes]]:
        """The pipe to its stdin, where one was asked for."""
        return self._process.stdin

    @property
    def stdout(self) -> Optional[IO[bytes]]:
        """The pipe from its stdout, where one was asked for."""
        return self._process.stdout

    def poll(self) -> Optional[int]:
        """Return the exit status (negative: the signal), or None while it runs.

        The leader stays a zombie until `end`, so that the group's number stays ours.
        """
        if self._process.returncode is not None or not hasattr(os, "waitid"):
            # macOS has no waitid before Python 3.13: there the leader is reaped here.
            return self._process.poll()
        try:
            seen = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:  # reaped by `end` in another thread, just now
            return self._process.poll()
        if seen is None:
            return None
        return seen.si_status if seen.si_code == os.CLD_EXITED else -seen.si_status

    def end(self, grace: float = GRACE_SECONDS) -> None:
        """End the whole group: SIGTERM, then SIGKILL after `grace` seconds; reap its leader."""
        with self._ending:
            if self.ended:
                return
            if self._group_lives():
                end(self._signal, self._group_lives, grace, self._hurry)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_POLL_SECONDS)
                self.ended = True
            for pipe in (self.stdin, self.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    def _group_lives(self) -> bool:
        return self.poll() is None or _group_lives(self.pid)


def end(
    send: Callable[[int], None],
    lives: Callable[[], bool],
    grace: float,
    hurry: Optional[threading.Event] = None,
) -> bool:
    """Ask with SIGTERM, then insist with SIGKILL; return whether nothing lives any more.

    Args:
        send: sends a signal to what is to end.
        lives: tells whether any of it is left.
        grace: seconds between the two signals at most.
        hurry: cuts the grace short once it is set.
    """
    hurry = hurry or threading.Event()
    if grace > 0:
        send(signal.SIGTERM)
        deadline = time.monotonic() + grace
        while lives() and time.monotonic() < deadline and not hurry.wait(_POLL_SECONDS):
            pass
    deadline = time.monotonic() + KILL_SECONDS
    while lives() and time.monotonic() < deadline:
        send(signal.SIGKILL)  # again and again: a dying group may still fork
        time.sleep(_POLL_SECONDS)
    return not lives()


def marked() -> Dict[int, str]:
    """Return the run of every living process that carries a mark, by process id.

    Our own process is not among them, nor is another user's.
    """
    found = _marked_in_proc(_PROC) if _PROC.is_dir() else _marked_by_ps(_ps())
    found.pop(os.getpid(), None)
    return found


def end_runs(
    runs: Sequence[str],
    grace: float = GRACE_SECONDS,
    hurry: Optional[threading.Event] = None,
) -> List[int]:
    """End every process that carries the mark of one of `runs`; return those that would not end."""

    def left() -> List[int]:
        found = [pid for pid, run in marked().items() if run in runs]
        if found:
            return found
        # In the middle of an exec a process has no environment for a moment: look twice.
        time.sleep(_EXEC_SECONDS)
        return [pid for pid, run in marked().items() if run in runs]

    def send(number: int) -> None:
        for pid in left():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)

    if left():
        end(send, lambda: bool(left()), grace, hurry)
    return left()


def _marked_in_proc(proc: Path) -> Dict[int, str]:
    found = {}
    for entry in os.scandir(str(proc)):
        if entry.name.isdigit():
            run = _mark_of(Path(entry.path))
            if run:
                found[int(entry.name)] = run
    return found


def _mark_of(process: Path) -> str:
    """Return the run in a process's environment, "" where there is none or it is not ours."""
    try:
        if process.stat().st_uid != os.geteuid():
            return ""
        environment = (process / "environ").read_bytes()
    except OSError:
        return ""
    _, found, rest = (b"\0" + environment).partition(b"\0%s=" % MARK.encode("ascii"))
    return rest.partition(b"\0")[0].decode("ascii", "replace") if found else ""


def _marked_by_ps(text: str) -> Dict[int, str]:
    matches = (_PS_LINE.match(line) for line in text.splitlines())
    return {int(match.group(1)): match.group(2) for match in matches if match}


def _ps() -> str:
    done = subprocess.run(_PS, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return done.stdout.decode("utf-8", "replace")


def _group_lives(group: int) -> bool:
    """Tell whether a process group has a member that is no zombie."""
    if _PROC.is_dir():
        return any(_living_group(entry.path) == group for entry in _processes())
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):  # macOS says the latter for zombies
        return False
    return True


def _processes() -> List["os.DirEntry[str]"]:
    return [entry for entry in os.scandir(str(_PROC)) if entry.name.isdigit()]


def _living_group(process: str) -> int:
    """Return the group of a process, 0 for the dead."""
    fields = _stat(process)
    return int(fields[2]) if fields and fields[0] not in "ZX" else 0


def cpu_seconds(group: int) -> Optional[float]:
    """Return the CPU time that a group's processes have used, None where that cannot be told."""
    if not _PROC.is_dir():
        return None
    stats = [_stat(entry.path) for entry in _processes()]
    ticks = sum(int(stat[11]) + int(stat[12]) for stat in stats if stat and int(stat[2]) == group)
    return ticks / os.sysconf("SC_CLK_TCK")


def _stat(process: str) -> List[str]:
    """Return what follows the name in /proc/PID/stat: state, parent, group; utime is the 12th."""
    try:
        stat = (Path(process) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return stat.rpartition(")")[2].split()
