"""The laptop's client of the agent's verbs (remote/PROTOCOL.md), one process per verb.

The host is not trusted: every field is bounded and checked here, once, and what leaves this file
are frozen dataclasses.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from desktop.core.errors import (
    AgentRefused,
    ConnectionLost,
    DeployFailed,
    NothingRunning,
    ProtocolMismatch,
)
from desktop.core.ssh.connection import Connection, Process
from desktop.core.ssh.failures import lost
from remote import wire

Message = dict[str, Any]

_MAX_BANNER_LINES = 1000
_FACTS_OF_A_REFUSAL = 30
_ITEMS_OF_A_FACT = 100
_CHARS_OF_A_NAME = 50
_NOT_FACTS = ("kind", "code", "seq", "time", "self")  # `self` would be an error's own argument
# A watch that says nothing for so long is frozen, or its output goes nowhere.
_WATCH_SECONDS = 4 * wire.KEEPALIVE_SECONDS


@dataclass(frozen=True, slots=True)
class RunStatus:
    """The newest run on the host. `state` is one of wire.RUN_*; `run` is "" when there is none."""

    run: str
    state: str
    model: str
    port: int | None
    engine_version: str
    max_model_len: int
    seq: int
    tasks: dict[str, str]
    code: str
    detail: str

    @property
    def alive(self) -> bool:
        """Whether there is a supervisor to watch."""
        return self.state in (wire.RUN_WORKING, wire.RUN_READY)


@dataclass(frozen=True, slots=True)
class Hello:
    """Who answered."""

    agent: str
    python: str
    platform: str
    home: str
    run: RunStatus | None


@dataclass(frozen=True, slots=True)
class Started:
    """The run that works now; `adopted` when it was there before."""

    run: str
    adopted: bool


@dataclass(frozen=True, slots=True)
class HostEndpoint:
    """Where the engine listens on the host's loopback. `api_key` is a secret."""

    run: str
    port: int
    api_key: str = field(repr=False)
    model: str
    max_model_len: int
    engine_version: str


def messages(lines: Iterable[str]) -> Iterator[Message]:
    """Yield the protocol's objects: what comes before the marker is skipped, damaged lines too.

    Raises:
        ProtocolMismatch: a thousand lines and no marker.
    """
    iterator = iter(lines)
    for count, line in enumerate(iterator):
        if line.strip() == wire.MARKER:
            break
        if count >= _MAX_BANNER_LINES:
            raise ProtocolMismatch("protocol-mismatch", detail="no sync marker")
    for line in iterator:
        try:
            yield wire.decode(line)
        except wire.WireError:
            continue


def parse_hello(output: str) -> Hello:
    """Return the hello in the output of the verb; raises ProtocolMismatch or DeployFailed."""
    for message in messages(output.splitlines()):
        if message["kind"] != "hello":
            continue
        if message.get("protocol") != wire.PROTOCOL:
            raise ProtocolMismatch("protocol-mismatch", detail=str(message.get("protocol"))[:20])
        home = wire.text(message, "home") or ""
        if not home.startswith("/"):
            raise ProtocolMismatch("protocol-mismatch", detail="home")
        run = message.get("run")
        return Hello(
            agent=wire.text(message, "agent", 50) or "",
            python=wire.text(message, "python", 50) or "",
            platform=wire.text(message, "platform", 100) or "",
            home=home,
            run=parse_status(run) if isinstance(run, dict) and run.get("run") else None,
        )
    raise DeployFailed("deploy-failed", detail=output[-500:].strip())


def parse_status(message: Message) -> RunStatus:
    """Return the status in a `status` line or under `run` of a hello."""
    tasks = message.get("tasks")
    states = tasks if isinstance(tasks, dict) else {}
    return RunStatus(
        run=wire.text(message, "run", 100) or "",
        state=wire.text(message, "state", 50) or wire.RUN_STOPPED,
        model=wire.text(message, "model", 300) or "",
        port=wire.integer(message, "port"),
        engine_version=wire.text(message, "engine_version", 100) or "",
        max_model_len=wire.integer(message, "max_model_len") or 0,
        seq=wire.integer(message, "seq") or 0,
        tasks={name: str(states[name])[:20] for name in wire.TASKS if name in states},
        code=wire.text(message, "code", 100) or "",
        detail=wire.text(message, "detail") or "",
    )


def refusal(message: Message) -> AgentRefused | NothingRunning:
    """Return the error in a `refused` or `failed` line, its facts bounded."""
    code = wire.text(message, "code", 100) or "unexpected"
    facts = {
        name: _fact(value)
        for name, value in list(message.items())[:_FACTS_OF_A_REFUSAL]
        if name.isidentifier()
        and len(name) <= _CHARS_OF_A_NAME
        and name not in _NOT_FACTS
        and isinstance(value, str | int | float | list)
    }
    facts.setdefault("detail", "")
    if code == "nothing-running":
        return NothingRunning(code, **facts)
    return AgentRefused(code, **facts)


def _fact(value: Any) -> Any:
    if isinstance(value, list):
        return [wire.plain(item) for item in value[:_ITEMS_OF_A_FACT]]
    return wire.plain(value, 2000)


class Agent:
    """The agent on one host, over one connection.

    Every call raises ConnectionLost when the connection breaks, AgentRefused or NothingRunning
    when the host says no.

    Attributes:
        hello: what it said when it was deployed.
    """

    def __init__(self, connection: Connection, command: tuple[str, ...], hello: Hello) -> None:
        self._connection = connection
        self._command = command
        self.hello = hello

    def start(self, spec: Message) -> Started:
        """Start a run, or join the living one that serves the same. The spec travels on stdin."""
        line = wire.encode({"kind": "spec", **spec}).encode()
        for message in self._answers(("start",), line):
            if message["kind"] == "started":
                run = wire.text(message, "run", 100) or ""
                return Started(run=run, adopted=message.get("adopted") is True)
        raise ProtocolMismatch("protocol-mismatch", detail="start")

    def watch(self, run: str, after: int) -> Iterator[Message]:
        """Yield the events after the cursor as they come, then one `end`.

        Raises:
            ConnectionLost: the output was cut, or not even a keep-alive came for 20 s; watch again
                from the last `seq`.
        """
        argv = ("watch", "--after", str(after), "--run", run)
        with self._process(argv) as process:
            for message in messages(process.lines(_WATCH_SECONDS)):
                if message["kind"] == "refused":
                    raise refusal(message)
                if message["kind"] != "keepalive":
                    yield message
                if message["kind"] == "end":
                    return
            raise self._cut()

    def endpoint(self) -> HostEndpoint:
        """Return where the engine listens; raises NothingRunning when no engine serves."""
        for message in self._answers(("endpoint",)):
            port, key = wire.integer(message, "port"), wire.text(message, "api_key", 500)
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

    def stop(self) -> bool:
        """Stop the run and return whether there was one; no process of it is left then."""
        for message in self._answers(("stop",)):
            if message["kind"] == "stopped":
                return message.get("was_running") is True
        raise ProtocolMismatch("protocol-mismatch", detail="stop")

    def logs(self, task: str = "", lines: int = 200, *, follow: bool = False) -> Iterator[Message]:
        """Yield `log` lines (`task`, `line`), with `follow` as they come."""
        argv = ["logs", "--lines", str(lines)]
        argv += ["--task", task] if task else []
        argv += ["--follow"] if follow else []
        yield from self._until_end(tuple(argv), b"", keep_open=follow)

    def doctor(self, spec: Message) -> Iterator[Message]:
        """Yield the preflight's `fact` lines; raises AgentRefused after them where it says no."""
        yield from self._until_end(("doctor",), wire.encode({"kind": "spec", **spec}).encode())

    def _until_end(
        self, argv: tuple[str, ...], stdin: bytes, *, keep_open: bool = False
    ) -> Iterator[Message]:
        refused = None
        with self._process(argv, stdin, keep_open=keep_open) as process:
            for message in messages(process.lines()):
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
        return lost(self._connection.destination, EOFError("the output has no end line"))

    def _answers(self, argv: tuple[str, ...], stdin: bytes = b"") -> Iterator[Message]:
        with self._process(argv, stdin, keep_open=False) as process:
            for message in messages(process.lines()):
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
