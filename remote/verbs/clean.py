"""`clean --partial`: take back the room that half-fetched files and half-made environments hold.

It is never done unasked: what is half there is what the next run goes on with.
"""

from pathlib import Path
from typing import Any, Dict, List

from remote import locks, processes, runs, wire
from remote.journal import Follower
from remote.packages import leftovers
from remote.packages.places import Places, absolute
from remote.runs import Run
from remote.verbs import Request
from remote.verbs.channel import refuse, refuse_disk, say


def run(request: Request) -> int:
    """Print `cleaned`, or `refused` while a run is alive."""
    folder = runs.runs_folder()
    try:
        # A start that is under way is waited for, and none begins meanwhile.
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locks.held(runs.start_lock(folder)):
            return _clean(request, runs.all_runs(folder))
    except OSError as error:
        return refuse_disk(error, folder)


def _clean(request: Request, known: List[Run]) -> int:
    alive = next((each for each in known if locks.holder(each.lock) is not None), None)
    if alive is not None:
        return refuse("run.alive", detail="a run is working with these files", run=alive.id)
    left = processes.end_runs([each.id for each in known])
    if left:
        return refuse("run.not-ended", processes=left)
    found = _leftovers(request, known) if request.options.get("partial") else []
    freed = [leftovers.remove(path) for path in found]
    say("cleaned", bytes=sum(one.bytes for one in freed), files=sum(one.files for one in freed))
    return wire.EXIT_OK


def _leftovers(request: Request, known: List[Run]) -> List[Path]:
    """Return what is left where the request says, else wherever one of the kept runs worked."""
    asked = request.options.get("data-dir")
    worked = [absolute(asked)] if asked else [Path(one) for each in known for one in _worked(each)]
    return [path for each in dict.fromkeys(worked) for path in leftovers.find(Places(each))]


def _worked(each: Run) -> List[str]:
    """Return where a run worked, by its journal: a fact that comes early."""
    facts = (_decoded(line) for line in Follower(each.journal).read() if '"data_dir"' in line)
    found = [fact.get("value") for fact in facts if fact.get("name") == "data_dir"]
    return [value for value in found if isinstance(value, str) and value.startswith("/")]


def _decoded(line: str) -> Dict[str, Any]:
    try:
        return wire.decode(line)
    except wire.WireError:  # the disk damaged it
        return {}
