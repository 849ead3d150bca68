"""What the engine is doing while it loads, read from its log: vLLM has no other way to tell.

The patterns are those of facts measured over vLLM 0.6 to 0.33; they are searched in the message, so
that the prefix, which differs between versions, does not matter.
"""

import re
from typing import Mapping, NamedTuple, Optional, Sequence

# In the order in which they come; see PROTOCOL.md.
STEPS = ("start", "weights", "compile", "memory", "graphs", "warm-up", "ready")

# Seconds a step takes on a 4090 with a 32B AWQ model, coarsely (4.1 of the vLLM facts): for an
# estimate of what is left, never for a decision; `experience` knows better after the first start.
# An eager engine skips compile and graphs.
USUAL_SECONDS = {
    "start": 25.0,
    "weights": 30.0,
    "compile": 50.0,
    "memory": 10.0,
    "graphs": 10.0,
    "warm-up": 5.0,
    "ready": 0.0,
}
EAGER_SKIPS = ("compile", "graphs")
_ALMOST = 0.95  # of a step that has not ended yet
_OVERRUN = 0.1  # a step that takes longer than usual is expected to take so much longer still
_TELLING_SHARE = 0.05  # a bar is believed from here on

_STEP_OF = tuple(
    (re.compile(pattern), step)
    for pattern, step in (
        (r"Starting to load model|Loading model from scratch|Loading \w+ checkpoint", "weights"),
        (r"Starting torch\.compile|for vLLM's torch\.compile|Dynamo bytecode", "compile"),
        (
            r"Initial profiling/warmup|Available KV cache memory|KV cache size:|GPU blocks:",
            "memory",
        ),
        (r"Capturing CUDA graph", "graphs"),
        (r"Graph capturing finished|init engine \(profile|Starting vLLM (?:API )?serv", "warm-up"),
        (r"Application startup complete", "ready"),
    )
)
# Both progress bars begin with their percentage.
_SHARES = re.compile(r"(?:checkpoint shards|Capturing CUDA graph)[^|]*?(\d{1,3})%")


class Loading(NamedTuple):
    """How far the engine is.

    Attributes:
        step: one of STEPS; never goes back.
        share: of the step, 0 to 1, where a bar tells.
        eager: whether it will not compile.
        usual: seconds that each step usually takes.
    """

    step: str = STEPS[0]
    share: float = 0.0
    eager: bool = False
    usual: Mapping[str, float] = USUAL_SECONDS

    @property
    def total(self) -> float:
        """The usual seconds of all steps together."""
        return self._sum(STEPS)

    def done(self, in_step: float) -> float:
        """Return how much of `total` is behind us; grows with the time spent in this step so far.

        A step that takes longer than usual waits just before its end, so it never goes back.
        """
        usual = self._usual(self.step)
        share = max(self.share, min(in_step / usual, _ALMOST)) if usual else 1.0
        return self._sum(STEPS[: STEPS.index(self.step)]) + share * usual

    def seconds_left(self, in_step: float) -> float:
        """Estimate the time to readiness from the time spent in this step so far."""
        later = self._sum(STEPS[STEPS.index(self.step) + 1 :])
        if self.step == STEPS[-1]:
            return later
        if self.share > _TELLING_SHARE:
            return later + in_step * (1.0 - self.share) / self.share
        return later + max(self._usual(self.step) - in_step, _OVERRUN * in_step)

    def _sum(self, steps: Sequence[str]) -> float:
        return sum(self._usual(step) for step in steps)

    def _usual(self, step: str) -> float:
        skipped = self.eager and step in EAGER_SKIPS
        return 0.0 if skipped else self.usual.get(step, 0.0)


def after(line: str, loading: Loading) -> Loading:
    """Return where the engine is after one more line of its log."""
    step = _step(line)
    if step is None or STEPS.index(step) < STEPS.index(loading.step):
        return loading
    share = _share(line)
    if step == loading.step:
        return loading._replace(share=max(share, loading.share))
    return loading._replace(step=step, share=share)


def _step(line: str) -> Optional[str]:
    return next((step for pattern, step in _STEP_OF if pattern.search(line)), None)


def _share(line: str) -> float:
    found = _SHARES.search(line)
    return min(1.0, int(found.group(1)) / 100.0) if found else 0.0
