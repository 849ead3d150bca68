"""Where runs live: one private folder each under `~/.paperkite/runs`, newest last by name.

Nothing here is half-written: a folder gets its name when it is complete, a file by a rename.
"""

import contextlib
import json
import os
import time
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Optional

KEPT = 5  # run folders, the new one among them
_STAMP_DIGITS = 17  # year to millisecond
_LETTERS = 4
_MAX_FILE_BYTES = 1024 * 1024
_UNFINISHED = ".new-"


class Run(NamedTuple):
    """The folder of one run, and every path in it."""

    folder: Path

    @property
    def id(self) -> str:
        """The run's name."""
        return self.folder.name

    @property
    def spec(self) -> Path:
        """What was asked for; secret."""
        return self.folder / "spec.json"

    @property
    def journal(self) -> Path:
        """What happened; written by the supervisor alone."""
        return self.folder / "journal.jsonl"

    @property
    def lock(self) -> Path:
        """Held by the living supervisor."""
        return self.folder / "lock"

    @property
    def endpoint(self) -> Path:
        """Where the engine answers, and its key; secret."""
        return self.folder / "endpoint.json"

    @property
    def lease(self) -> Path:
        """Touched whenever a laptop is in sight; it is there from the beginning, and empty."""
        return self.folder / "lease"

    @property
    def terms(self) -> Path:
        """What a later `start` agreed on; without it the spec's terms count."""
        return self.folder / "terms.json"

    @property
    def logs(self) -> Path:
        """The folder of the logs."""
        return self.folder / "logs"

    def log(self, name: str) -> Path:
        """Return the path of one log: a task's name, "supervisor" or "engine"."""
        return self.logs / (name + ".log")


def runs_folder() -> Path:
    """Return where this user's runs live; it need not exist."""
    return Path.home() / ".paperkite" / "runs"


def start_lock(folder: Path) -> Path:
    """Return the file whose lock `start` holds until its run is there, `stop` throughout."""
    return folder / "start.lock"


def all_runs(folder: Path) -> List[Run]:
    """Return the runs in `folder`, the newest first."""
    try:
        names = [path.name for path in folder.iterdir() if is_run_id(path.name)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [Run(folder / name) for name in sorted(names, reverse=True)]


def newest(folder: Path) -> Optional[Run]:
    """Return the newest run, or None when there never was one."""
    runs = all_runs(folder)
    return runs[0] if runs else None


def named(folder: Path, run_id: str) -> Optional[Run]:
    """Return the run of that id, or None when it is unknown or no id at all."""
    run = Run(folder / run_id)
    return run if is_run_id(run_id) and run.folder.is_dir() else None


def is_run_id(name: str) -> bool:
    """Tell whether `name` has the form of a run's id: a time, a hyphen, four letters."""
    stamp, _, letters = name.partition("-")
    if not (len(stamp) == _STAMP_DIGITS and len(letters) == _LETTERS and name.isascii()):
        return False
    return stamp.isdigit() and letters.isalpha() and letters.islower()


def next_id(now: float, newest_id: Optional[str], letters: str) -> str:
    """Return an id that sorts after `newest_id` even when the clock went back.

    Args:
        now: seconds since the epoch.
        newest_id: of the newest run there is.
        letters: four, random.
    """
    milliseconds = int(now * 1000)
    clock = time.strftime("%Y%m%d%H%M%S", time.gmtime(milliseconds // 1000))
    stamp = int("%s%03d" % (clock, milliseconds % 1000))
    if newest_id is not None:
        stamp = max(stamp, int(newest_id.partition("-")[0]) + 1)
    return "%017d-%s" % (stamp, letters)


def create(folder: Path, spec: Dict[str, Any]) -> Run:
    """Make the folder of a new run under a name that no verb sees yet, and return it.

    Raises:
        OSError: it could not be made; nothing of it is left.
    """
    latest = newest(folder)
    letters = "".join(chr(ord("a") + byte % 26) for byte in os.urandom(_LETTERS))
    run_id = next_id(time.time(), latest.id if latest else None, letters)
    run = Run(folder / (_UNFINISHED + run_id))
    try:
        run.logs.mkdir(mode=0o700, parents=True)
        run.folder.chmod(0o700)
        run.lease.touch(mode=0o600)
        write_private(run.spec, spec)
    except OSError:
        remove(run)
        raise
    return run


def publish(run: Run) -> Run:
    """Give a complete folder its name, from when on every verb sees it; return it anew."""
    published = Run(run.folder.with_name(final_id(run)))
    run.folder.rename(published.folder)
    return published


def final_id(unfinished: Run) -> str:
    """Return the id that a run will have once it is published."""
    return unfinished.folder.name[len(_UNFINISHED) :]


def write_private(path: Path, fields: Dict[str, Any]) -> None:
    """Write one JSON object so that it is there whole, readable by its owner alone, or not at all.

    Raises:
        OSError: it could not be written (a full disk); nothing of it is left.
    """
    fresh = path.with_name(".%s.new" % path.name)
    try:
        descriptor = os.open(
            str(fresh), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600
        )
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            json.dump(fields, stream)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(path)
    except OSError:
        _unlink(fresh)
        raise


def read_object(path: Path) -> Optional[Dict[str, Any]]:
    """Return the JSON object in a file, or None where there is none or it is damaged."""
    try:
        with path.open("rb") as stream:
            value = json.loads(stream.read(_MAX_FILE_BYTES).decode("utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def renew_lease(run: Run) -> None:
    """Tell the supervisor that a laptop is in sight; a full disk does not keep anybody from it."""
    with contextlib.suppress(OSError):
        os.utime(str(run.lease))


def prune(folder: Path, keep: int) -> None:
    """Remove all but the newest `keep` runs, and what a start left unfinished.

    The caller holds the start lock and knows that no run is alive.
    """
    for run in all_runs(folder)[keep:]:
        remove(run)
    for leftover in _unfinished(folder):
        remove(Run(leftover))


def remove(run: Run) -> None:
    """Remove a run's folder as far as that is possible."""
    from shutil import rmtree  # noqa: PLC0415 - costs `hello` a tenth of its time

    rmtree(str(run.folder), ignore_errors=True)


def _unfinished(folder: Path) -> Iterator[Path]:
    try:
        entries = list(folder.iterdir())
    except FileNotFoundError:
        return
    for path in entries:
        if path.name.startswith(_UNFINISHED):
            yield path


def _unlink(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
