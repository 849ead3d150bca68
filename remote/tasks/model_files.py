"""The model's files: verified ones are kept, copies adopted, the rest downloaded and verified.

In order, and each only where it is needed: look at the ledger (no network), list the repository,
adopt what the host has, check the disk, fetch with the real client until nothing is missing.
"""

import errno
import os
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

from remote.hub import client, copies, files, ledger
from remote.hub.client import STALL_SECONDS, Answer, Problem
from remote.hub.files import HubFile
from remote.hub.ledger import Ledger
from remote.packages.meter import Meter
from remote.packages.places import Places, folders_with_models, free_bytes
from remote.task import Cancelled, Context, TaskFailed

# Pauses before another try, in seconds. A file is tried five times by the client itself, so these
# bridge longer gaps, and one that brought bytes starts the row anew. A listing only we try again.
LIST_PAUSES = (2.0, 6.0)
FETCH_PAUSES = (5.0, 15.0)
# Left free for the engine's caches and logs.
RESERVE_BYTES = 500 * 10**6


def run(ctx: Context) -> bool:
    """Leave the fact `model.path`: a folder with every file that vLLM reads, each verified.

    Raises:
        TaskFailed: one of `model.*`.
        Cancelled: the run is being stopped; what is there is resumed next time.
    """
    spec = ctx.spec
    places = Places(Path(ctx.facts["data_dir"]))
    folder = places.model(spec.model, spec.revision)
    known = ledger.read(folder)
    skipped = known.complete(folder, spec.trust_remote_code)
    if not skipped:
        known = _Work(ctx, places, folder, _wanted(ctx, places)).done()
    ctx.fact("model.path", str(folder))
    ctx.fact("model.bytes", files.total(known.files))
    return skipped


def _wanted(ctx: Context, places: Places) -> Tuple[HubFile, ...]:
    ctx.progress(0, None, "bytes", "list")
    wanted = files.choose(_listing(ctx, places), ctx.spec.trust_remote_code)
    lacks = files.missing([file.path for file in wanted if file.size])
    if lacks:
        raise TaskFailed("model.not-servable", model=ctx.spec.model, missing=lacks)
    return wanted


def _listing(ctx: Context, places: Places) -> Sequence[HubFile]:
    pauses = list(LIST_PAUSES)
    while True:
        answer = client.list_files(ctx, ctx.facts["hub.python"], places)
        if answer.complete:
            return answer.files
        problem = answer.problems[0] if answer.problems else Problem("", "other", "")
        if problem.kind != "network" or not pauses:
            raise _unlisted(ctx, problem, answer.last_lines)
        if ctx.cancelled.wait(pauses.pop(0)):
            raise Cancelled


def _unlisted(ctx: Context, problem: Problem, last_lines: Sequence[str]) -> TaskFailed:
    spec = ctx.spec
    code = {"not-found": "model.not-found", "denied": "model.access-denied"}.get(
        problem.kind, "model.hub-unreachable"
    )
    return TaskFailed(
        code,
        problem.detail,
        model=spec.model,
        revision=spec.revision,
        hub=spec.hub,
        last_lines=list(last_lines),
    )


def _why(answer: Answer) -> str:
    if answer.stalled:
        return "no byte came for %d s" % STALL_SECONDS
    return answer.problems[0].detail if answer.problems else ""


class _Work:
    """Brings one folder to hold exactly the wanted files."""

    def __init__(
        self, ctx: Context, places: Places, folder: Path, wanted: Tuple[HubFile, ...]
    ) -> None:
        self._ctx = ctx
        self._places = places
        self._folder = folder
        self._wanted = wanted
        self._total = files.total(wanted)
        self._meter = Meter()
        self._furthest = ("", 0.0)  # step, bytes
        self._ledger = ledger.read(folder).expecting(wanted, ctx.spec.trust_remote_code)

    def done(self) -> Ledger:
        """Return the ledger once every file is there and right."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._adopt()
            self._fetch()
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise self._disk_full() from error
        return self._ledger

    def _adopt(self) -> None:
        """Take what is in our folder already, and what earlier downloads left elsewhere."""
        spec = self._ctx.spec
        roots = folders_with_models(self._places.data_dir, Path.home(), os.environ)
        others = copies.candidates(spec.model, spec.revision, roots)
        for file in self._lacking():
            for folder in (self._folder, *others):
                source = copies.of_right_size(folder, file)
                if source and self._is_right(source, file):
                    if folder != self._folder:
                        copies.link(source, self._folder / file.path)
                        self._ctx.log("adopted: %s" % source)
                    self._verified(file)
                    break
            else:
                copies.discard(self._folder / file.path)

    def _fetch(self) -> None:
        """Download what is lacking, again and again while it gets on."""
        pauses = list(FETCH_PAUSES)
        while self._lacking():
            self._check_room()
            had = self._bytes_here()
            answer = self._fetch_once()
            left = self._lacking()
            if not left:
                break
            self._raise_final(answer.problems)
            if self._bytes_here() > had:
                pauses = list(FETCH_PAUSES)
            if not pauses:
                names = [file.path for file in left]
                raise TaskFailed("model.incomplete", _why(answer), files=names)
            if self._ctx.cancelled.wait(pauses.pop(0)):
                raise Cancelled
        self._progress(self._total, "verify")

    def _fetch_once(self) -> Answer:
        lacking = {file.path: file for file in self._lacking()}
        base = self._total - files.total(lacking.values())
        here = self._bytes_here()
        self._progress(here, "fetch")

        def hear(kind: str, fields: Dict[str, Any]) -> None:
            if kind == "progress" and isinstance(fields.get("done"), int):
                self._progress(max(here, base + fields["done"]), "fetch")
            elif kind == "fetched" and fields.get("path") in lacking:
                self._verified(lacking[fields["path"]])

        ctx, wanted = self._ctx, list(lacking.values())
        answer = client.fetch(
            ctx, ctx.facts["hub.python"], self._places, self._folder, wanted, hear, STALL_SECONDS
        )
        if answer.stalled:
            ctx.log(_why(answer))
        return answer

    def _raise_final(self, problems: Sequence[Problem]) -> None:
        """Raise for what another try would not change."""
        final = ("disk-full", "denied", "hash", "not-found")
        kind = next((one for one in final if one in {problem.kind for problem in problems}), "")
        those = [problem for problem in problems if problem.kind == kind]
        spec, paths = self._ctx.spec, [problem.path for problem in those]
        if kind == "disk-full":
            raise self._disk_full()
        if kind == "denied":
            detail = those[0].detail
            raise TaskFailed("model.access-denied", detail, model=spec.model, hub=spec.hub)
        if kind == "hash":
            for path in paths:
                copies.discard(self._folder / path)
            raise TaskFailed("model.hash-mismatch", those[0].detail, files=paths)
        if kind == "not-found":
            raise TaskFailed("model.incomplete", those[0].detail, files=paths)

    def _check_room(self) -> None:
        if free_bytes(self._folder) < self._needed():
            raise self._disk_full()

    def _disk_full(self) -> TaskFailed:
        return TaskFailed(
            "model.disk-full",
            path=str(self._folder),
            free=free_bytes(self._folder),
            needed=self._needed(),
        )

    def _needed(self) -> int:
        return self._total - self._bytes_here() + RESERVE_BYTES

    def _bytes_here(self) -> int:
        """Return the bytes that need not be fetched any more, those of half files among them."""
        lacking = self._lacking()
        halves = (ledger.stamp(self._folder / (file.path + ".incomplete")) for file in lacking)
        partial = sum(half[0] for half in halves if half)
        return self._total - files.total(lacking) + partial

    def _is_right(self, path: Path, file: HubFile) -> bool:
        """Compare the hash, where the hub lists one; the size was compared before."""
        if not file.sha256:
            return True
        base, hashed = self._total - files.total(self._lacking()), [0]

        def count(size: int) -> None:
            if self._ctx.cancelled.is_set():
                raise Cancelled
            hashed[0] += size
            self._progress(base + hashed[0], "adopt")

        try:
            return copies.sha256(path, count) == file.sha256
        except OSError:
            return False

    def _verified(self, file: HubFile) -> None:
        self._ledger = self._ledger.with_verified(self._folder, file)
        ledger.write(self._folder, self._ledger)

    def _lacking(self) -> List[HubFile]:
        return self._ledger.lacking(self._folder)

    def _progress(self, done: float, step: str) -> None:
        """Tell how far a step is: what has to be fetched again shows in the rate alone."""
        done = min(done, self._total)
        rate = self._meter.rate(done)
        if self._furthest[0] == step:
            done = max(done, self._furthest[1])
        self._furthest = (step, done)
        left = self._meter.seconds_left(self._total)
        self._ctx.progress(done, self._total, "bytes", step, rate, left)
