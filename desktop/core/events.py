"""What the core tells its listeners: frozen dataclasses that come up through one `emit`.

Events are emitted from the core's own threads, in order. Whoever gets them must return at once
and call nothing of the core: the app queues them in `ui/bridge.py`, the command line in a queue.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from desktop.core.errors import AppError
from desktop.core.phases import Phase

SPENDING = "spending"  # why a run was stopped, beside remote.wire's reasons


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the model answers on this laptop.

    Attributes:
        base_url: for our own requests.
        api_key: a secret of this run.
        model: as the engine calls it.
        max_model_len: tokens.
        run: the host's name of the run.
        engine_version: of vLLM.
        shared_url: for other programs, "" while they may not; it may come and go.
        not_shared: why they cannot, although they may.
    """

    base_url: str
    api_key: str = field(repr=False)
    model: str
    max_model_len: int
    run: str
    engine_version: str
    shared_url: str = field(default="", compare=False)
    not_shared: AppError | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class PhaseChanged:
    """The session is in another phase; `error` says why when it is FAILED or RECONNECTING."""

    phase: Phase
    error: AppError | None = None


@dataclass(frozen=True, slots=True)
class TaskChanged:
    """A task of the host's graph (remote.wire.TASKS), or "connect" and "deploy" of our own.

    `state` is one of remote.wire's: waiting, running, done, skipped, failed, cancelled.
    """

    task: str
    state: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a task is. `total` and `eta_s` are None where nobody can tell."""

    task: str
    done: float
    total: float | None
    unit: str
    step: str = ""
    rate: float | None = None
    eta_s: float | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """Something found out about the host; names as `paperkite doctor --json` prints them."""

    name: str
    value: object


@dataclass(frozen=True, slots=True)
class Ready:
    """The model answers."""

    endpoint: Endpoint


@dataclass(frozen=True, slots=True)
class Retrying:
    """The next try to reach the host starts in `wait_s` seconds.

    Attributes:
        attempt: tries that failed in a row before this wait.
        wait_s: from now.
        error: why the last try failed.
        left_s: seconds until a first connect is given up; None where it never is.
        asks: it failed so often that a person should be asked whether the address is another one
            (`Session.move`); stays true until the host was reached.
    """

    attempt: int
    wait_s: float
    error: AppError | None = None
    left_s: float | None = None
    asks: bool = False


@dataclass(frozen=True, slots=True)
class Restarting:
    """The engine crashed, and the host starts it again; `error` says why it crashed."""

    error: AppError


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a log on the host; `task` is a task's name, "engine" or "supervisor"."""

    task: str
    text: str


@dataclass(frozen=True, slots=True)
class Logged:
    """Lines of the host's logs, for who follows them (`Session.follow_log`).

    Attributes:
        lines: in their order.
        anew: they take the place of everything that was told before.
        live: more come by themselves; else these are the last ones that are known.
    """

    lines: tuple[LogLine, ...]
    anew: bool = False
    live: bool = True


@dataclass(frozen=True, slots=True)
class Tidying:
    """What is half there on the host is being removed, to have room again."""


@dataclass(frozen=True, slots=True)
class Tidied:
    """That is over: what the host's disk has back, or why nothing was removed."""

    bytes: int = 0
    files: int = 0
    error: AppError | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """What one GPU does just now: percent, and bytes; None where the driver does not tell."""

    utilization: int | None
    memory_used: int | None
    memory_total: int | None


@dataclass(frozen=True, slots=True)
class Sample:
    """What the host does just now, about every two seconds while the model answers.

    Attributes:
        cards: in the driver's order; none on a host without a GPU.
        kv_use: share of the KV cache that is used, 0 to 1.
        running: requests that are being answered.
        waiting: requests in the engine's queue.
        tokens_per_s: written, of all requests together; None where nothing came before.
        prompt_tokens_per_s: read, likewise.
        generation_tokens: written since the engine began, of all requests of everybody together;
            None where the engine does not tell. A restart begins again at 0.
        prompt_tokens: read, likewise.
        requests_done: likewise.
        ttft_s: mean seconds to the first token of the requests that got theirs since the sample
            before; None where none did.
    """

    cards: tuple[Card, ...]
    kv_use: float
    running: int
    waiting: int
    tokens_per_s: float | None
    prompt_tokens_per_s: float | None
    generation_tokens: int | None = None
    prompt_tokens: int | None = None
    requests_done: int | None = None
    ttft_s: float | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """The run on the host is over.

    Attributes:
        reason: "stopped", "failed" or "lost".
        because: why it was stopped, where it was: remote.wire's "asked", "lease", "idle", "limit",
            or SPENDING where that limit was the spending limit.
        powered_off: the host was powered off after it, and was seen to be off.
    """

    reason: str
    because: str = ""
    powered_off: bool = False


@dataclass(frozen=True, slots=True)
class PoweringOff:
    """The server was seen to be stopped; the host is being powered off.

    Attributes:
        silent: how often in a row its SSH port has been silent.
        needed: so often is the proof that it is off.
    """

    silent: int
    needed: int


@dataclass(frozen=True, slots=True)
class TermsChanged:
    """New terms hold on the host, or `error` says why they do not."""

    error: AppError | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts of one reply, from the engine."""

    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True, slots=True)
class ReplyStarted:
    """The request is on its way."""

    reply: int


@dataclass(frozen=True, slots=True)
class Delta:
    """More text of a reply."""

    reply: int
    text: str


@dataclass(frozen=True, slots=True)
class Reasoning:
    """More of the reasoning before a reply."""

    reply: int
    text: str


@dataclass(frozen=True, slots=True)
class ReplyDone:
    """A reply is complete.

    Attributes:
        reply: its number.
        finish_reason: the engine's, or "cancelled" by the user.
        usage: token counts, where the engine told them.
        ttft_s: seconds to the first token.
        tokens_per_s: from the first token on.
        reasoning_s: seconds from the first to the last token of the reasoning.
    """

    reply: int
    finish_reason: str
    usage: Usage | None
    ttft_s: float | None
    tokens_per_s: float | None
    reasoning_s: float | None = None


@dataclass(frozen=True, slots=True)
class Trimmed:
    """The oldest turns of the conversation are not in the request: they no longer fit."""

    reply: int
    turns: int


@dataclass(frozen=True, slots=True)
class Counted:
    """What was asked to be counted takes so many tokens of the context's `limit`."""

    count: int
    tokens: int
    limit: int


@dataclass(frozen=True, slots=True)
class ReplyBroken:
    """A reply ended early; what came so far stays."""

    reply: int
    error: AppError


@dataclass(frozen=True, slots=True)
class Surveying:
    """What follows is a look at the host: nothing is started on it."""


@dataclass(frozen=True, slots=True)
class Surveyed:
    """A look at the host is over; one that was cancelled ends without it.

    Attributes:
        facts: what was found out, by name; none where the host was not reached.
        error: why it was not reached, or what stands against the model that was asked about.
    """

    facts: Mapping[str, object]
    error: AppError | None = None


SessionEvent = (
    PhaseChanged
    | TaskChanged
    | Progress
    | Fact
    | Ready
    | Retrying
    | Restarting
    | Sample
    | PoweringOff
    | TermsChanged
    | Logged
    | Tidying
    | Tidied
    | Ended
    | Surveying
    | Surveyed
)
ReplyEvent = ReplyStarted | Trimmed | Delta | Reasoning | ReplyDone | ReplyBroken
Event = SessionEvent | ReplyEvent | Counted
Emit = Callable[[Event], None]
