"""The laptop's client of the agent's verbs (remote/PROTOCOL.md), one process per verb."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING

from desktop.core.agent.answers import (
    Cleaned,
    Hello,
    HostEndpoint,
    Message,
    Started,
    Stopped,
    messages,
    refusal,
)
from desktop.core.errors import ConnectionLost, ProtocolMismatch
from desktop.core.ssh.attempt import Abandon
from remote import wire

if TYPE_CHECKING:
    from desktop.core.ssh.connection import Connection, Process

# A watch that says nothing for so long is frozen, or its output goes nowhere.
_WATCH_SECONDS = 4 * wire.KEEPALIVE_SECONDS
_RENEWAL_SECONDS = 5.0  # between two renewals of the lease
_RENEWAL = b"\n"
_MOST_MESSAGES = 1000  # before the answer to a verb that has one answer

# Seconds for the answer to such a verb. A host that died is noticed by the connection; these are
# for one that lives and does not get on: by its own limits a stop takes 90 s for a start that is
# under way and 80 s to kill what does not end, and a start as long for a stop.
_ANSWER_SECONDS = 30.0
_LONG_ANSWER_SECONDS = 240.0
_CLEAN_SECONDS = 600.0  # a hundred gigabytes in a great many files, on a disk of the network
_SILENCE_SECONDS = 120.0  # of a verb that tells as it goes, and not as events come
_POWER_OFF = (wire.POWER_OFF_BEGUN, wire.POWER_OFF_UNKNOWN)


class Agent:
    """The agent on one host, over one connection.

    Every call raises ConnectionLost when the connection breaks or the answer does not come
    (`host-stalled`), AgentRefused or NothingRunning when the host says no.

    Attributes:
        hello: what it said when it was deployed.
    """

    def __init__(self, connection: Connection, command: tuple[str, ...], hello: Hello) -> None:
        self._connection = connection
        self._command = command
        self.hello = hello

    def start(self, spec: Message, *, join_only: bool = False) -> Started:
        """Start a run, or join the living one that serves the same. The spec travels on stdin.

        With `join_only` none is ever started: NothingRunning where none is alive.
        """
        line = wire.encode({"kind": "spec", **spec}).encode()
        argv = ("start", "--join-only") if join_only else ("start",)
        for message in self._answers(argv, _LONG_ANSWER_SECONDS, line):
            if message["kind"] == "started":
                run = wire.text(message, "run", 100) or ""
                return Started(run=run, adopted=message.get("adopted") is True)
        raise ProtocolMismatch("protocol-mismatch", detail="start")

    def watch(
        self, run: str, after: int, clock: Callable[[], float] = time.monotonic
    ) -> Iterator[Message]:
        """Yield events after the cursor and samples as they come, then one `end`.

        Each message is answered with a renewal of the run's lease, every 5 s at most: the host
        believes in a laptop only as long as both directions work.

        Raises:
            ConnectionLost: the output was cut, or not even a keep-alive came for 20 s; watch again
                from the last `seq`.
        """
        argv = ("watch", "--after", str(after), "--run", run)
        renew_at = clock() + _RENEWAL_SECONDS  # the verb itself was the first one
        with self._process(argv) as process:
            for message in messages(process.lines(_WATCH_SECONDS)):
                if message["kind"] == "refused":
                    raise refusal(message)
                if message["kind"] != "end" and clock() >= renew_at:
                    process.write(_RENEWAL)
                    renew_at = clock() + _RENEWAL_SECONDS
                if message["kind"] != "keepalive":
                    yield message
                if message["kind"] == "end":
                    return
            raise self._cut()

    def endpoint(self) -> HostEndpoint:
        """Return where the engine listens; raises NothingRunning when no engine serves."""
        for message in self._answers(("endpoint",), _ANSWER_SECONDS):
            port, key = wire.integer(message, "port"), _api_key(message)
            if message["kind"] == "endpoint" and key and port and port < 65536:
                return HostEndpoint(
                    run=wire.text(message, "run", 100) or "",
                    port=port,
                    api_key=key,
                    model=wire.text(message, "model", 300) or "",
                    max_model_len=wire.integer(message, "max_model_len") or 0,
                    engine_version=wire.text(message, "engine_version", 100) or "",
                )
        raise ProtocolMismatch("protocol-mismatch", detail="endpoint")

    def stop(self, *, power_off: bool = False) -> Stopped:
        """Stop the run, and on request let the host power off, where that is known to be safe.

        Whether it is off has to be looked for: see `session.power`.
        """
        argv = ("stop", "--power-off") if power_off else ("stop",)
        for message in self._answers(argv, _LONG_ANSWER_SECONDS):
            if message["kind"] == "stopped":
                was_running = message.get("was_running") is True
                if not power_off:
                    return Stopped(was_running)
                told = wire.text(message, "power_off", 50)
                return Stopped(
                    was_running,
                    power_off=told if told in _POWER_OFF else wire.POWER_OFF_FAILED,
                    provider=wire.text(message, "provider", 50) or "",
                )
        raise ProtocolMismatch("protocol-mismatch", detail="stop")

    def clean(self) -> Cleaned:
        """Remove what is half there; raises AgentRefused `run.alive` while a run works."""
        for message in self._answers(("clean", "--partial"), _CLEAN_SECONDS):
            if message["kind"] == "cleaned":
                return Cleaned(
                    bytes=wire.integer(message, "bytes") or 0,
                    files=wire.integer(message, "files") or 0,
                )
        raise ProtocolMismatch("protocol-mismatch", detail="clean")

    def logs(
        self,
        task: str = "",
        lines: int = 200,
        *,
        follow: bool = False,
        abandon: Abandon | None = None,
    ) -> Iterator[Message]:
        """Yield `log` lines (`task`, `line`), with `follow` as they come.

        Raises:
            Cancelled: it was given up, by `abandon` on another thread.
        """
        argv = ["logs", "--lines", str(lines)]
        argv += ["--task", task] if task else []
        argv += ["--follow"] if follow else []
        yield from self._until_end(tuple(argv), b"", keep_open=follow, abandon=abandon)

    def doctor(self, spec: Message) -> Iterator[Message]:
        """Yield the preflight's `fact` lines; raises AgentRefused after them where it says no."""
        yield from self._until_end(("doctor",), wire.encode({"kind": "spec", **spec}).encode())

    def _until_end(
        self,
        argv: tuple[str, ...],
        stdin: bytes,
        *,
        keep_open: bool = False,
        abandon: Abandon | None = None,
    ) -> Iterator[Message]:
        refused = None
        silence = None if keep_open else _SILENCE_SECONDS
        abandon = abandon or Abandon()
        with (
            self._process(argv, stdin, keep_open=keep_open) as process,
            abandon.by(process.close),
        ):
            for message in messages(process.lines(silence)):
                if message["kind"] == "end":
                    if refused is not None:
                        raise refused
                    return
                if message["kind"] == "refused":
                    refused = refusal(message)
                else:
                    yield message
            raise refused or self._cut()

    def _cut(self) -> ConnectionLost:
        from desktop.core.ssh.failures import lost  # noqa: PLC0415 - paramiko: with a connection

        return lost(self._connection.destination, EOFError("the output has no end line"))

    def _answers(
        self, argv: tuple[str, ...], seconds: float, stdin: bytes = b""
    ) -> Iterator[Message]:
        with self._process(argv, stdin, keep_open=False) as process:
            lines = process.lines(within=seconds)
            for message in islice(messages(lines), _MOST_MESSAGES):
                if message["kind"] == "refused":
                    raise refusal(message)
                yield message

    @contextmanager
    def _process(
        self, argv: tuple[str, ...], stdin: bytes = b"", *, keep_open: bool = True
    ) -> Iterator[Process]:
        process = self._connection.exec(f"exec {shlex.join((*self._command, *argv))}")
        try:
            if stdin:
                process.write(stdin)
            if not keep_open:
                process.close_stdin()
            yield process
        finally:
            process.close()


def _api_key(message: Message) -> str:
    """Return a key that a header can carry, or "": a library would name a bad one in its error."""
    key = wire.text(message, "api_key", 500) or ""
    return key if key.isascii() and not key.count(" ") else ""
