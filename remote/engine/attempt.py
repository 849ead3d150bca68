"""One start of the engine, watched until it answers, joins its head, or ends.

Progress never goes backwards over several attempts of one task: what is reported is a share of the
first attempt's usual time, and each further attempt goes on from the share that was reached, over
what is left. How long it will take is estimated for this attempt alone.
"""

import os
import re
import time
from pathlib import Path
from typing import Dict, List, Mapping, NamedTuple, Optional, Union

from remote.engine import command, endpoint, experience, failures, log_phases
from remote.engine.endpoint import Served
from remote.engine.experience import Kind
from remote.engine.failures import Ending
from remote.engine.log_phases import STEPS, USUAL_SECONDS, Loading
from remote.engine.patience import Patience
from remote.engine.serving import Serving
from remote.engine.tail import Tail
from remote.task import Cancelled, Child, Context

LOG = "engine.log"  # in the run's own folder of logs
SECONDS_BETWEEN_LOOKS = 0.5
# One that has said that it failed may hang while it ends (seen with 0.32: a worker whose compiler
# was missing kept the others waiting); it gets so long to end by itself after its last word.
SECONDS_TO_END = 30.0
_FAILED = re.compile(r"EngineCore failed to start|Engine core initialization failed")

# A node without the API server has no endpoint. Its workers say this once torch's process group is
# complete, that is: once it and its head have found each other.
JOINED = re.compile(r"rank \d{1,5} in world size \d{1,5} is assigned as")


class Road(NamedTuple):
    """The progress of a task over its attempts.

    Attributes:
        total: seconds that the first attempt usually takes: what the shares are of.
        behind: share that was reached when this attempt began.
        reached: share that was reported last.
    """

    total: float
    behind: float = 0.0
    reached: float = 0.0

    def at(self, share: float) -> "Road":
        """Return the road with `share` of this attempt done; it never leads back."""
        return self._replace(reached=max(self.reached, self.behind + (1 - self.behind) * share))

    def again(self) -> "Road":
        """Return the road for another attempt."""
        return self._replace(behind=self.reached)


class Attempt:
    """One start; `wait` for what comes of it.

    Attributes:
        lines: the last lines of its log, once it has ended.
        road: how far the task is.
    """

    def __init__(self, ctx: Context, what: Serving, road: Optional[Road] = None) -> None:
        self._ctx = ctx
        self._what = what
        self._is_headless = ctx.spec.node_rank > 0
        argv, variables = command.build(what, ctx.spec, os.environ.get("PATH", ""))
        eager = "--enforce-eager" in argv
        cards = len(what.fit.cards) if what.fit else what.gpu_count
        version = ".".join(map(str, what.version))
        self._kind = Kind(ctx.spec.model, version, eager, cards)
        self._loading = Loading(eager=eager, usual=self._usual())
        self._took: Dict[str, float] = {}
        self.road = road or Road(self._loading.total)
        self.lines: List[str] = []
        ctx.log(" ".join(argv))
        known = _log_size(ctx)
        self._child = _spawn(ctx, argv, variables)
        ctx.fact("engine.log", self._child.log_path, private=True)
        self._tail = Tail(self._child.log_path, known)
        self._patience = Patience(self._child.pid)
        self._step_began = time.monotonic()
        self._has_joined = self._has_failed = False

    def wait(self) -> Union[Served, Ending]:
        """Return what it serves when it answers, or how it ended; it is ended when it stands still.

        Raises:
            Cancelled: the run is being stopped; the engine has been ended.
        """
        try:
            while True:
                status = self._child.poll()
                self._read()
                if status is None and self._hangs():
                    status = 1
                if status is not None:
                    return self._ended(status)
                served = self._served()
                if served is not None:
                    self._say_ready()
                    return served
                if self._patience.is_over(self._loading.step, self._deaf()):
                    return self._given_up()
                self._pause()
        except BaseException:
            self._child.end()
            raise

    def _pause(self) -> None:
        begun = time.monotonic()
        if self._ctx.cancelled.wait(SECONDS_BETWEEN_LOOKS):
            raise Cancelled
        self._patience.pause(time.monotonic() - begun)

    def _served(self) -> Optional[Served]:
        if self._is_headless:
            return Served(None, "") if self._has_joined else None
        names = (self._ctx.spec.model, self._what.model_path)
        return endpoint.served(self._what.port, self._ctx.spec.api_key, names)

    def _ended(self, status: int) -> Ending:
        self._child.end(0)  # its workers may still hold the card's memory
        self.lines = self._tail.all_that_is_left()
        return failures.ending(status, self.lines)

    def _read(self) -> None:
        now = time.monotonic()
        lines = self._tail.new_lines()
        self._patience.hear(lines)
        before = self._loading.step
        for line in lines:
            self._loading = log_phases.after(line, self._loading)
            self._has_joined = self._has_joined or bool(JOINED.search(line))
            self._has_failed = self._has_failed or bool(_FAILED.search(line))
        if self._loading.step != before:
            self._took[before] = now - self._step_began
            self._step_began = now
        self._report(now - self._step_began)

    def _report(self, in_step: float) -> None:
        loading = self._loading
        total = loading.total or 1.0
        self.road = self.road.at(min(1.0, loading.done(in_step) / total))
        self._ctx.progress(
            self.road.total * self.road.reached,
            self.road.total,
            "seconds",
            loading.step,
            eta_s=round(loading.seconds_left(in_step)),
        )

    def _say_ready(self) -> None:
        """Report that nothing is left to do, and keep what it took for the next estimate."""
        self._took[self._loading.step] = time.monotonic() - self._step_began
        if not self._is_headless:  # its loading goes on when it has joined
            experience.remember(experience.file_of(self._what.places), self._kind, self._took)
        self.road = self.road.at(1.0)
        self._ctx.progress(self.road.total, self.road.total, "seconds", STEPS[-1], eta_s=0)

    def _usual(self) -> Mapping[str, float]:
        known = experience.recall(experience.file_of(self._what.places), self._kind)
        return known or USUAL_SECONDS

    def _hangs(self) -> bool:
        """Tell whether it failed and does not come to its end."""
        return self._has_failed and self._patience.silence > SECONDS_TO_END

    def _deaf(self) -> float:
        """Return for how many seconds it has said that it answers, 0.0 while it does not."""
        says_ready = self._loading.step == STEPS[-1] and not self._is_headless
        return time.monotonic() - self._step_began if says_ready else 0.0

    def _given_up(self) -> Ending:
        deaf, silent = self._deaf(), self._patience.silence
        self.lines = self._tail.all_that_is_left()  # before it says that it was told to end
        self._child.end()
        status = self._child.poll() or 0
        if deaf:
            return failures.deaf(status, self.lines, self._what.port, deaf)
        return failures.not_ready(status, self.lines, self._loading.step, silent)


def _log_size(ctx: Context) -> int:
    """Return where this attempt's part of the log begins: an earlier engine wrote what is there."""
    known = ctx.facts.get("engine.log")
    try:
        return Path(known).stat().st_size if known else 0
    except OSError:
        return 0


def _spawn(ctx: Context, argv: List[str], variables: Dict[str, str]) -> Child:
    try:
        return ctx.spawn(argv, variables, LOG)
    except OSError as error:  # the program is not there, or is not a program; no room for its log
        raise failures.not_started(error) from error
