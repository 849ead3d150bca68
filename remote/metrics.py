"""The few figures that we read of vLLM's Prometheus text (facts of its `/metrics`, without a key).

The text comes from a process that may run a model's own code: it is bounded, and a line that is
none is passed over.
"""

import re
from typing import Dict, NamedTuple, Optional, Tuple

from remote import loopback

SECONDS = 2.0
LARGEST_ANSWER = 1024 * 1024
_LARGEST = 2.0**63  # a greater figure, or one that is none (NaN, +Inf), is not ours
# name{labels} value [timestamp]; a label's value may hold any character, escaped quotes too.
_SERIES = re.compile(
    r'^vllm:(\w{1,80})(?:\{(?:[^"{}]|"(?:[^"\\]|\\.)*")*\})?[ \t]+(\S{1,40})(?:[ \t]+-?\d+)?[ \t]*$'
)
_ADDED = {  # one series per engine, or per reason: their sum counts
    "num_requests_running": "running",
    "num_requests_waiting": "waiting",
    "generation_tokens_total": "generation_tokens",
    "prompt_tokens_total": "prompt_tokens",
    "request_success_total": "requests_done",
    "time_to_first_token_seconds_sum": "first_token_seconds",
    "time_to_first_token_seconds_count": "first_tokens",
}
# 0 to 1; the second name up to 0.11, both of them from 0.9.2 to there.
_KV_USE = ("kv_cache_usage_perc", "gpu_cache_usage_perc")


class Metrics(NamedTuple):
    """What the engine does, and has done since its start.

    Attributes:
        running: requests being answered.
        waiting: requests in the queue.
        kv_use: share of the KV cache that is used, 0 to 1 (of several engines the fullest one).
        generation_tokens: written since the start; None where the engine does not tell.
        prompt_tokens: read since the start, likewise.
        requests_done: since the start, likewise.
        first_token_seconds: that all requests together waited for their first token, likewise.
        first_tokens: requests that got one, likewise.
    """

    running: float = 0.0
    waiting: float = 0.0
    kv_use: float = 0.0
    generation_tokens: Optional[float] = None
    prompt_tokens: Optional[float] = None
    requests_done: Optional[float] = None
    first_token_seconds: Optional[float] = None
    first_tokens: Optional[float] = None

    @property
    def busy(self) -> bool:
        """Whether a request runs or waits."""
        return self.running > 0 or self.waiting > 0

    @property
    def counters(self) -> Tuple[Optional[float], ...]:
        """What changes with every request."""
        return self.generation_tokens, self.prompt_tokens, self.requests_done


def parse(text: str) -> Optional[Metrics]:
    """Return the figures in a `/metrics` text; None where it tells nothing of running requests.

    `_created` series and whatever else is there are passed over.
    """
    found: Dict[str, float] = {}
    for line in text[:LARGEST_ANSWER].split("\n"):
        series = _SERIES.match(line) if line.startswith("vllm:") else None
        value = _figure(series.group(2)) if series else None
        if series is None or value is None:
            continue
        name = series.group(1)
        if name in _ADDED:
            found[_ADDED[name]] = found.get(_ADDED[name], 0.0) + value
        elif name in _KV_USE:
            found["kv_use"] = max(found.get("kv_use", 0.0), min(value, 1.0))
    return Metrics(**found) if "running" in found else None


def fetch(port: int) -> Optional[Metrics]:
    """Return the figures of the engine on this port, or None where it does not tell them."""
    answer = loopback.get(port, "/metrics", SECONDS, LARGEST_ANSWER)
    if answer is None or answer.status != 200:
        return None
    return parse(answer.body.decode("utf-8", "replace"))


def _figure(word: str) -> Optional[float]:
    try:
        value = float(word)
    except ValueError:
        return None
    return value if 0 <= value < _LARGEST else None
