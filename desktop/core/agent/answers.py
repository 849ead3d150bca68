"""What the agent's verbs answer (remote/PROTOCOL.md): checked and bounded, as frozen dataclasses.

The host is not trusted: every field is looked at here, once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from desktop.core.agent.plain import plain
from desktop.core.errors import AgentRefused, DeployFailed, NothingRunning, ProtocolMismatch
from desktop.core.plain_text import plain_text
from remote import wire

Message = dict[str, Any]

_MAX_BANNER_LINES = 1000
_MAX_DAMAGED_LINES = 1000  # one after the other
_FACTS_OF_A_REFUSAL = 30
_ITEMS_OF_A_FACT = 100
_CHARS_OF_A_NAME = 50
_LINES = re.compile(r"[^\n]+")  # one after the other: all at once they take much more memory
_NOT_FACTS = ("kind", "code", "seq", "time", "self")  # `self` would be an error's own argument


@dataclass(frozen=True, slots=True)
class RunStatus:
    """The newest run on the host. `state` is one of wire.RUN_*; `run` is "" when there is none.

    `reason` says why it was stopped: asked, lease, idle or limit; `age_s` how long ago it began.
    """

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
    reason: str = ""
    age_s: float = 0.0

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
class Stopped:
    """What a stop came to; no process of a run is left.

    Attributes:
        was_running: whether there was anything to stop.
        power_off: one of wire.POWER_OFF_*, "" where that was not asked for.
        provider: whose host it is, as far as that was asked and is known; else "".
    """

    was_running: bool
    power_off: str = ""
    provider: str = ""


@dataclass(frozen=True, slots=True)
class HostEndpoint:
    """Where the engine listens on the host's loopback. `api_key` is a secret."""

    run: str
    port: int
    api_key: str = field(repr=False)
    model: str
    max_model_len: int
    engine_version: str


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What the host's disk has back, and how many files are gone."""

    bytes: int
    files: int


def messages(lines: Iterable[str]) -> Iterator[Message]:
    """Yield the protocol's objects: what comes before the marker is skipped, damaged lines too.

    Their text is printable and nothing in them is nested deep; see `plain`.

    Raises:
        ProtocolMismatch: a thousand lines and no marker, or a thousand damaged ones in a row.
    """
    iterator = iter(lines)
    for count, line in enumerate(iterator):
        if line.strip() == wire.MARKER:
            break
        if count >= _MAX_BANNER_LINES:
            raise ProtocolMismatch("protocol-mismatch", detail="no sync marker")
    damaged = 0
    for line in iterator:
        try:
            message: Message = plain(wire.decode(line))
        except wire.WireError:
            damaged += 1
            if damaged == _MAX_DAMAGED_LINES:
                raise ProtocolMismatch("protocol-mismatch", detail="no messages") from None
        else:
            damaged = 0
            yield message


def parse_hello(output: str) -> Hello:
    """Return the hello in the output of the verb; raises ProtocolMismatch or DeployFailed."""
    for message in messages(line[0] for line in _LINES.finditer(output)):
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
    raise DeployFailed("deploy-failed", detail=plain_text(output[-500:]).strip())


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
        reason=wire.text(message, "reason", 50) or "",
        age_s=wire.number(message, "age") or 0.0,
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
