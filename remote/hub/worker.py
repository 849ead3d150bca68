"""The real ModelScope client at work: this file runs inside the hub environment, not in the agent.

The agent feeds its source to that environment's `python -` (see `remote.hub.client`) with one call
at the end, and reads lines that begin with MARK from its stdout; everything else is the client's
own talk. It imports nothing of ours, and the client only inside the functions.
"""

import errno
import importlib
import json
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, Dict, Iterator, List, Type

MARK = "@paperkite-hub@"
FILES_AT_ONCE = 4  # modelscope's own default
SECONDS_BETWEEN_PROGRESS = 0.5
# What is there of a file is hashed before it goes on: no byte comes meanwhile.
SLOWEST_DISK_BYTES_PER_S = 50 * 10**6
STALLED = 75  # the exit status (EX_TEMPFAIL) after a stall
_printing = threading.Lock()


def say(kind: str, **fields: Any) -> None:
    """Print one line for the agent."""
    with _printing:
        print(MARK + json.dumps(dict(fields, kind=kind)), flush=True)


def list_files(request: Dict[str, Any]) -> None:
    """Print the files of a revision, one line each, and `listed` at the end."""
    try:
        for file in _api(request).list_repo_files(
            request["model"], "model", revision=request["revision"]
        ):
            if not file.is_dir:
                say("file", path=file.path, size=file.size, sha256=file.sha256 or "")
    except Exception as error:  # noqa: BLE001 - the agent is told what kind of failure it was
        say("failed", path="", **_problem(error))
    else:
        say("listed")


def fetch(request: Dict[str, Any]) -> None:
    """Download `request["files"]` into `request["folder"]`; one `fetched` or `failed` line each.

    The client resumes a half file, compares its size and SHA-256 with the listing, and gives it
    its name only when they are right. After `request["stall_seconds"]` without a byte `stalled` is
    said and the process ends: whatever hangs, the next one goes on from the half files.
    """
    progress = Progress()
    threading.Thread(target=_watch, args=(progress, request["stall_seconds"]), daemon=True).start()
    api = _api(request)
    callbacks = [progress.callback_class(importlib.import_module("modelscope_hub"))]

    def one(file: Dict[str, Any]) -> None:
        try:
            api.download_repo(
                request["model"],
                "model",
                revision=request["revision"],
                local_dir=request["folder"],
                file_list=[{"Path": file["path"], "Size": file["size"], "Sha256": file["sha256"]}],
                max_workers=1,
                progress_callbacks=callbacks,
            )
        except Exception as error:  # noqa: BLE001 - the other files go on
            say("failed", path=file["path"], **_problem(error))
        else:
            say("fetched", path=file["path"])

    with ThreadPoolExecutor(FILES_AT_ONCE) as pool:
        list(pool.map(one, request["files"]))
    progress.tell()


def _watch(progress: "Progress", seconds: float) -> None:
    """End the process when nothing has come for so long: a hanging thread can only be left."""
    while True:
        left = progress.quiet_until + seconds - time.monotonic()
        if left <= 0:
            say("stalled", seconds=seconds)
            os._exit(STALLED)
        time.sleep(left)


class Progress:
    """Adds up what the client reports for each file, and tells the agent twice a second.

    Attributes:
        quiet_until: the time (monotonic) up to which no byte was expected.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._done: Dict[str, int] = {}  # by file
        self._told = 0.0
        self.quiet_until = clock()

    def begin(self, path: str) -> None:
        """Count a file from nothing: the client begins anew with one that arrived damaged."""
        with self._lock:
            self._done[path] = 0

    def add(self, path: str, size: int) -> None:
        """Count bytes; negative ones take back what has to be fetched again."""
        now = self._clock()
        with self._lock:
            self._done[path] += size
            # Another file's byte does not cut short what is being hashed.
            hashed = now + max(0, size) / SLOWEST_DISK_BYTES_PER_S
            self.quiet_until = max(self.quiet_until, hashed)
            if now - self._told < SECONDS_BETWEEN_PROGRESS:
                return
            self._told = now
        self.tell()

    def tell(self) -> None:
        """Print the sum."""
        with self._lock:
            done = sum(self._done.values())
        say("progress", done=done)

    def callback_class(self, client: Any) -> Type[Any]:
        """Return a class such as the client makes one instance of for each file."""
        progress = self

        class Counter(client.ProgressCallback):  # type: ignore[misc]
            def __init__(self, path: str, size: int) -> None:
                super().__init__(path, size)
                self._path = path
                progress.begin(path)

            def update(self, size: int) -> None:
                progress.add(self._path, size)

        return Counter


def _api(request: Dict[str, Any]) -> Any:
    """Return the client. The token comes from MODELSCOPE_API_TOKEN, which only this process has."""
    return importlib.import_module("modelscope_hub").HubApi(endpoint=request["hub"])


def _problem(error: BaseException) -> Dict[str, str]:
    """Return what kind of failure it was, and its first line."""
    causes = list(_causes(error))
    text = (str(causes[0]).splitlines() or [type(error).__name__])[0][:300]
    kinds = [kind for kind in map(_kind, causes) if kind]
    return {"problem": kinds[0] if kinds else "other", "detail": text}


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the failures inside a collective one, then the chain of causes, the nearest first."""
    waiting: List[BaseException] = [*getattr(error, "failed_files", {}).values(), error]
    seen = set()
    while waiting:
        one = waiting.pop(0)
        if id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting.extend(cause for cause in (one.__cause__, one.__context__) if cause)


def _kind(error: BaseException) -> str:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "disk-full"
    status = getattr(error, "status_code", None)
    if status == 404:
        return "not-found"
    if status in (401, 403):
        return "denied"
    names = {base.__name__ for base in type(error).__mro__}
    if "FileIntegrityError" in names:
        return "hash"
    by_name = {
        "NotExistError": "not-found",
        "AuthenticationError": "denied",
        "PermissionDeniedError": "denied",
        "NetworkError": "network",
        "ServerError": "network",
        "RateLimitError": "network",
        "ConnectionError": "network",
        "RequestException": "network",
        "HTTPError": "network",
        "TimeoutError": "network",
    }
    return next((by_name[name] for name in by_name if name in names), "")


def main(action: str, request: Dict[str, Any]) -> None:
    """Do one thing and end."""
    {"list": list_files, "fetch": fetch}[action](request)
    sys.stdout.flush()
