"""The agent's side of the worker: feed it, and understand what it says."""

import json
import os
import pkgutil
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Sequence, Tuple
from urllib.parse import urlsplit

from remote.hub.files import HubFile, parse
from remote.hub.worker import MARK
from remote.packages import proxies
from remote.packages.places import Places
from remote.packages.programs import PLAIN_PYTHON
from remote.spec import Spec
from remote.task import Context

# Read at once: the archive may be replaced while a run works.
_WORKER = (pkgutil.get_data("remote.hub", "worker.py") or b"").decode("utf-8")

MODELSCOPE_HOSTS = ("modelscope.cn", "modelscope.ai")
STALL_SECONDS = 60.0  # without a byte of any file, then the worker is started again

# The client's own settings, by `modelscope_hub.constants` of 0.5.1.
SETTINGS = {
    "TQDM_DISABLE": "1",
    "PYTHONIOENCODING": "utf-8",
    # It gives up on a file after an hour by default; 10 GB take longer than that on a slow line.
    # A connection below 1 KB/s for 60 s it opens anew by itself.
    "MODELSCOPE_DOWNLOAD_TOTAL_TIMEOUT": str(7 * 24 * 3600),
    "MODELSCOPE_DOWNLOAD_RETRY_MAX_DELAY_SECONDS": "30",  # a longer pause would pass for a stall
    # In parts of its own a half file would not be found again by its size.
    "MODELSCOPE_DOWNLOAD_PARALLEL_WORKERS": "1",
    # A lock file of a killed worker holds the next one up where the disk knows no flock.
    "MODELSCOPE_DOWNLOAD_FILE_LOCK": "false",
    # We ask again by ourselves: with its own tries on top, "out of reach" takes a minute to say.
    "MODELSCOPE_REPO_TREE_PAGE_MAX_ATTEMPTS": "1",
    "MODELSCOPE_REPO_TREE_PAGE_TIMEOUT_SECONDS": "8",
    "MODELSCOPE_API_CONNECT_TIMEOUT": "5",
}


class Problem(NamedTuple):
    """Why one file (or with path "" the listing) was not had.

    Attributes:
        path: of the file.
        kind: "not-found", "denied", "network", "hash", "disk-full" or "other".
        detail: the client's own words.
    """

    path: str
    kind: str
    detail: str


class Answer(NamedTuple):
    """What one run of the worker came to; `stalled` when it ended itself because nothing came."""

    complete: bool
    files: Tuple[HubFile, ...] = ()
    problems: Tuple[Problem, ...] = ()
    last_lines: Tuple[str, ...] = ()
    stalled: bool = False


def list_files(ctx: Context, python: str, places: Places) -> Answer:
    """Return the files of the spec's revision."""
    return _work(ctx, python, places, "list", {}, lambda _kind, _fields: None)


def fetch(
    ctx: Context,
    python: str,
    places: Places,
    folder: Path,
    files: Sequence[HubFile],
    on_event: Callable[[str, Dict[str, Any]], None],
    stall_seconds: float = STALL_SECONDS,
) -> Answer:
    """Download files into a folder; `on_event` hears of `progress {done}` and `fetched {path}`."""
    request = {
        "folder": str(folder),
        "files": [file._asdict() for file in files],
        "stall_seconds": stall_seconds,
    }
    return _work(ctx, python, places, "fetch", request, on_event)


def _work(
    ctx: Context,
    python: str,
    places: Places,
    action: str,
    request: Dict[str, Any],
    on_event: Callable[[str, Dict[str, Any]], None],
) -> Answer:
    spec = ctx.spec
    whole = dict(request, hub=spec.hub, model=spec.model, revision=spec.revision)
    files: List[HubFile] = []
    problems: List[Problem] = []
    ends: List[str] = []

    def read(line: str) -> None:
        kind, fields = message(line)
        if kind == "file":
            file = parse(fields)
            files.extend([file] if file else [])
        elif kind == "failed":
            problems.append(_problem(fields))
        elif kind in ("listed", "stalled"):
            ends.append(kind)
        elif kind:
            on_event(kind, fields)

    status, lines = ctx.run(
        [python, "-"], variables(spec, places, os.environ), read, source(action, whole)
    )
    complete = status == 0 and not problems and (action == "fetch" or bool(ends))
    return Answer(complete, tuple(files), tuple(problems), tuple(lines), "stalled" in ends)


def source(action: str, request: Dict[str, Any]) -> str:
    """Return the program that is fed to the hub environment's Python."""
    call = "main(%r, __import__('json').loads(%r))" % (action, json.dumps(request))
    return "%s\n\n%s\n" % (_WORKER, call)


def message(line: str) -> Tuple[str, Dict[str, Any]]:
    """Return the kind and the fields of one of the worker's lines; "" for the client's own talk."""
    if not line.startswith(MARK):
        return "", {}
    try:
        fields = json.loads(line[len(MARK) :])
    except (ValueError, RecursionError):
        return "", {}
    kind = fields.get("kind") if isinstance(fields, dict) else None
    return (kind, fields) if isinstance(kind, str) else ("", {})


def variables(spec: Spec, places: Places, environ: Mapping[str, str]) -> Dict[str, str]:
    """Return the variables of the worker's environment, the token among them.

    Without a token of the spec's own, the login that the host's user keeps for ModelScope counts
    for ModelScope alone: another hub is told nothing.
    """
    found = dict(PLAIN_PYTHON, **SETTINGS)
    found.update(proxies.without_turbo(environ))
    found["MODELSCOPE_CACHE"] = str(places.cache("modelscope"))
    if spec.hub_token or not is_modelscope(spec.hub):
        found["MODELSCOPE_API_TOKEN"] = spec.hub_token
    if is_loopback(spec.hub):
        nobody = environ.get("no_proxy", environ.get("NO_PROXY", ""))
        found["no_proxy"] = found["NO_PROXY"] = ",".join(
            filter(None, ["127.0.0.1,localhost", nobody])
        )
    return found


def is_modelscope(url: str) -> bool:
    """Tell whether a hub is ModelScope itself."""
    host = urlsplit(url).hostname or ""
    return any(host == known or host.endswith("." + known) for known in MODELSCOPE_HOSTS)


def is_loopback(url: str) -> bool:
    """Tell whether a hub is on this very machine, where no proxy leads."""
    host = urlsplit(url).hostname or ""
    return host == "localhost" or host.startswith("127.") or host == "::1"


def _problem(fields: Dict[str, Any]) -> Problem:
    texts = [str(fields.get(key, ""))[:500] for key in ("path", "problem", "detail")]
    return Problem(*texts)
