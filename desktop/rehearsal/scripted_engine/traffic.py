"""Who is being answered and who waits, and what /metrics says about it: vLLM's names and format.

A watcher on the host decides by these figures when a machine is idle and switched off, so they tell
of real requests: each is counted in when it comes and out when it ends or its reader goes away.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field


@dataclass(eq=False)  # two alike are not the same one
class Request:
    """One request: what it holds of the cache, and whether its turn has come."""

    prompt_tokens: int
    generated: int = 0
    is_running: bool = False


@dataclass(frozen=True)
class Figures:
    """What /metrics tells.

    Attributes:
        running: requests that are being answered.
        waiting: requests whose turn has not come.
        kv_use: share of the cache that the running ones hold, 0 to 1.
        prompt_tokens: of all requests since the start.
        generation_tokens: of all requests since the start.
        successes: replies that were sent whole.
    """

    running: int
    waiting: int
    kv_use: float
    prompt_tokens: int
    generation_tokens: int
    successes: int


@dataclass
class Traffic:
    """The requests of one engine, counted behind one lock.

    Attributes:
        seats: how many are answered at a time (`--max-num-seqs`).
        room: tokens in the cache.
    """

    seats: int
    room: int
    _requests: list[Request] = field(default_factory=list)
    _prompt_tokens: int = 0
    _generation_tokens: int = 0
    _successes: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def arrive(self, prompt_tokens: int) -> Request:
        """Return a new request at the end of the queue."""
        request = Request(prompt_tokens)
        with self._lock:
            self._requests.append(request)
        return request

    def may_run(self, request: Request) -> bool:
        """Tell whether a request's turn has come: first come, first served."""
        with self._lock:
            if not request.is_running and request in self._requests[: self.seats]:
                request.is_running = True
                self._prompt_tokens += request.prompt_tokens
            return request.is_running

    def generated(self, request: Request) -> None:
        """Count one more token of a reply."""
        with self._lock:
            request.generated += 1
            self._generation_tokens += 1

    def leave(self, request: Request, *, whole: bool) -> None:
        """Count a request out; `whole` where its reply was sent to its end."""
        with self._lock:
            self._requests = [other for other in self._requests if other is not request]
            self._successes += whole

    def figures(self) -> Figures:
        """Return how things stand."""
        with self._lock:
            running = [request for request in self._requests if request.is_running]
            held = sum(request.prompt_tokens + request.generated for request in running)
            return Figures(
                running=len(running),
                waiting=len(self._requests) - len(running),
                kv_use=min(1.0, held / self.room),
                prompt_tokens=self._prompt_tokens,
                generation_tokens=self._generation_tokens,
                successes=self._successes,
            )


def as_prometheus(figures: Figures, model: str, started: float) -> str:
    """Return the series that a watcher reads, in the format of vLLM's /metrics.

    A counter has a second series `…_created` with the time of its birth, as vLLM's have: a reader
    that takes it for tokens shows it.
    """
    one = f'engine="0",model_name="{model}"'
    gauges = {
        "num_requests_running": figures.running,
        "num_requests_waiting": figures.waiting,
        "kv_cache_usage_perc": figures.kv_use,
    }
    counters = {
        "prompt_tokens": (one, figures.prompt_tokens),
        "generation_tokens": (one, figures.generation_tokens),
        "request_success": (f'finished_reason="stop",{one}', figures.successes),
    }
    lines: list[str] = []
    for name, value in gauges.items():
        lines += _series(name, "gauge", one, value)
    for name, (labels, value) in counters.items():
        lines += _series(f"{name}_total", "counter", labels, value)
        lines += _series(f"{name}_created", "gauge", labels, started)
    return "\n".join(lines) + "\n"


def _series(name: str, kind: str, labels: str, value: float) -> list[str]:
    full = f"vllm:{name}"
    return [
        f"# HELP {full} As vLLM counts it.",
        f"# TYPE {full} {kind}",
        f"{full}{{{labels}}} {float(value)!r}",
    ]
