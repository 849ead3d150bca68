"""Start the engine and wait until it answers; on the way say what it is doing.

One attempt may be followed by others, each for a reason of its own: the port was taken between the
look and the bind, or the engine named the longest context that does fit.
"""

import os
import time
from typing import Dict, List, Optional, Union

from remote.engine import command, endpoint, failures, log_phases
from remote.engine.command import Serving
from remote.engine.endpoint import Served
from remote.engine.failures import Ending
from remote.engine.log_phases import STEPS, Loading
from remote.engine.tail import Tail
from remote.task import Cancelled, Child, Context, TaskFailed

LOG = "engine.log"  # in the run's own folder of logs
SECONDS_BETWEEN_LOOKS = 0.5
# An engine that writes nothing for so long is stuck: shards, graphs and compilation all tell.
LONGEST_SILENCE_SECONDS = 900.0


def run(ctx: Context) -> bool:
    """Bring the engine to its first 200 from /health; leaves `engine.port` and what it serves.

    Raises:
        TaskFailed: one of `engine.*`.
        Cancelled: the run is being stopped; the engine has been ended.
    """
    what = command.serving(ctx.facts, endpoint.free_port(ctx.spec.port))
    offset = 0
    while True:
        attempt = _Attempt(ctx, what, offset)
        found = attempt.wait()
        if isinstance(found, Served):
            attempt.say_ready()
            _tell(ctx, what.port, found)
            return False
        following = _following(what, found)
        if following is None:
            raise failures.failure(found, attempt.lines)
        ctx.log("another try: %s" % found.cause)
        what, offset = following, attempt.offset


def _following(what: Serving, end: Ending) -> Optional[Serving]:
    if end.address_in_use and what.port_tries < 1:
        return what._replace(port=endpoint.free_port(what.port + 1), port_tries=1)
    return command.with_fitting_length(what, end.fitting_length)


def _tell(ctx: Context, port: int, served: Served) -> None:
    ctx.fact("engine.port", port)
    ctx.fact("engine.version", served.version or ctx.facts.get("engine.version") or "")
    ctx.fact("engine.max_model_len", served.max_model_len or 0)


class _Attempt:
    """One start of the engine, watched until it answers or ends."""

    def __init__(self, ctx: Context, what: Serving, offset: int) -> None:
        self._ctx = ctx
        self._port = what.port
        self._names = (ctx.spec.model, what.model_path)
        argv, variables = command.build(what, ctx.spec, os.environ.get("PATH", ""))
        self._loading = Loading(eager="--enforce-eager" in argv)
        self._step_began = self._last_word = time.monotonic()
        ctx.log(" ".join(argv))
        self._child = _spawn(ctx, argv, variables)
        self._tail = Tail(self._child.log_path, offset)
        self.lines: List[str] = []

    @property
    def offset(self) -> int:
        """Where this attempt's part of the log ends."""
        return self._tail.offset

    def wait(self) -> Union[Served, Ending]:
        """Return what it serves when it answers, or how it ended."""
        try:
            while True:
                status = self._child.poll()
                self._read()
                if status is not None:
                    return self._ended(status)
                served = endpoint.served(self._port, self._ctx.spec.api_key, self._names)
                if served is not None:
                    return served
                self._check_silence()
                self._pause()
        except BaseException:
            self._child.end()
            raise

    def _pause(self) -> None:
        if self._ctx.cancelled.wait(SECONDS_BETWEEN_LOOKS):
            raise Cancelled

    def _ended(self, status: int) -> Ending:
        self._child.end(0)  # its workers may still hold the card's memory
        self.lines = self._tail.all_that_is_left()
        return failures.ending(status, self.lines)

    def _read(self) -> None:
        now = time.monotonic()
        lines = self._tail.new_lines()
        if lines:
            self._last_word = now
        before = self._loading.step
        for line in lines:
            self._loading = log_phases.after(line, self._loading)
        if self._loading.step != before:
            self._step_began = now
        loading, in_step = self._loading, now - self._step_began
        self._ctx.progress(
            loading.done(in_step),
            loading.total,
            "seconds",
            loading.step,
            eta_s=round(loading.seconds_left(in_step)),
        )

    def say_ready(self) -> None:
        """Report that nothing is left to do."""
        total = self._loading.total
        self._ctx.progress(total, total, "seconds", STEPS[-1], eta_s=0)

    def _check_silence(self) -> None:
        silent = time.monotonic() - self._last_word
        if silent > LONGEST_SILENCE_SECONDS:
            lines = self._tail.all_that_is_left()
            raise TaskFailed(
                "engine.not-ready",
                failures.cause(lines),
                seconds=int(silent),
                last_lines=lines[-failures.LAST_LINES :],
            )


def _spawn(ctx: Context, argv: List[str], variables: Dict[str, str]) -> Child:
    try:
        return ctx.spawn(argv, variables, LOG)
    except OSError as error:  # the program is not there, or is not a program
        raise TaskFailed("engine.exited", str(error), exit_status=127, last_lines=[]) from error
