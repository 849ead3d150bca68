"""`logs`: the ends of the newest run's logs, and on request what is added to them."""

from pathlib import Path
from typing import Dict, List, Optional

from remote import lines, locks, runs, wire
from remote.disclosure import Disclosure
from remote.runs import Run
from remote.spec import from_optional
from remote.verbs import Request
from remote.verbs.channel import laptop_gone, refuse, say

_DEFAULT_LINES = 200
_MAX_LINES = 5000
_LINE_CHARS = 4000
_POLL_SECONDS = 0.1
_READ_BYTES = 256 * 1024
_SUFFIX = ".log"


def run(request: Request) -> int:
    """Print `log` lines and `end`; with `--follow` until the run is over or stdin is closed."""
    newest = runs.newest(runs.runs_folder())
    if newest is None:
        return refuse("nothing-running")
    count = min(_MAX_LINES, request.options.get("lines", _DEFAULT_LINES))
    printer = _Printer(newest, request.options.get("task"), count)
    printer.print_new()
    if request.options.get("follow") and not _follow(newest, printer):
        return wire.EXIT_OK
    say("end", reason="done")
    return wire.EXIT_OK


def _follow(followed: Run, printer: "_Printer") -> bool:
    """Print what is added; return whether the run is over, False when nobody listens any more."""
    while True:
        alive = locks.holder(followed.lock) is not None
        added = printer.print_new()
        if not alive and not added:
            return True
        if laptop_gone(0 if added else _POLL_SECONDS):
            return False


class _Printer:
    """Prints the logs of a run: first the end of each, then whatever is new in any."""

    def __init__(self, run: Run, task: Optional[str], count: int) -> None:
        self._run = run
        self._task = task
        self._count = count
        self._tails: Dict[str, Tail] = {}
        spec = from_optional(runs.read_object(run.spec))
        self._disclosure = Disclosure((spec.api_key, spec.hub_token) if spec is not None else ())

    def print_new(self) -> bool:
        """Print what was not printed yet; return whether there was anything."""
        some = False
        for path in _logs(self._run.logs, self._task):
            name = path.name[: -len(_SUFFIX)]
            tail = self._tails.get(name) or self._tails.setdefault(name, Tail(path, self._count))
            for line in tail.read():
                say("log", task=name, line=self._disclosure.text(line, _LINE_CHARS))
                some = True
        return some


def _logs(folder: Path, task: Optional[str]) -> List[Path]:
    """Return the logs that were asked for, the one that was written to last at the end."""
    try:
        found = [path for path in folder.iterdir() if path.name.endswith(_SUFFIX)]
        found.sort(key=lambda path: path.stat().st_mtime)
    except FileNotFoundError:
        return []
    return [path for path in found if task is None or path.name == task + _SUFFIX]


class Tail:
    """The last lines of a log, and from then on what is added to it."""

    def __init__(self, path: Path, count: int) -> None:
        self._path = path
        self._count = count
        self._offset = -1
        self._splitter = lines.LineSplitter()

    def read(self) -> List[str]:
        """Return the lines that are new since the last call."""
        try:
            size = self._path.stat().st_size
            if self._offset < 0:
                self._offset = size
                return lines.last_lines(self._path, self._count, _LINE_CHARS, size)
            if size < self._offset:
                self._offset = 0  # it was begun anew
            with self._path.open("rb") as stream:
                stream.seek(self._offset)
                data = stream.read(_READ_BYTES)
        except OSError:
            return []
        self._offset += len(data)
        return self._splitter.feed(data)
