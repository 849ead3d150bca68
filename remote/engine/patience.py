"""How long an engine that starts is waited for: a slow one to its end, a dead one not.

Three kinds stand still while their process lives. One says nothing more: it hangs, in NCCL or on a
disk that is gone. One says every minute that it waits for itself: vLLM's core does, whose workers
hang, for ever. And one says that it has started, and listens on nothing: vLLM binds its port at the
start without listening, two programs may hold a port so, and the first to listen has it. uvloop
(0.23 with uvicorn 0.54, tried) then loses the other's error: no line more, and no end.
"""

import re
import time
from typing import Callable, Optional, Sequence

from remote import processes, pulse
from remote.pulse import Beat

# An engine that has started answers at once: uvicorn listens as the next thing after that line. The
# times are those of an engine that was ready before and does not answer any more.
DEAF_SECONDS = pulse.FROZEN_SECONDS  # without a word, and without using the CPU
LONGEST_DEAF_SECONDS = pulse.SILENT_SECONDS  # whatever it says and does

# Shards, graphs and compilation all tell. What is silent and uses the CPU may be building kernels:
# 15 minutes of FlashInfer's have been seen by others, and 30 are the longest that torch's own
# process groups wait for each other. Of weights that come from a slow disk only whole files are
# told, and reading takes no CPU: 30 minutes are 19 GB at 11 MB/s.
LONGEST_SILENCE_SECONDS = 900.0
LONGEST_WORK_SECONDS = 1800.0
_READS = "weights"

# vLLM's shm_broadcast.py, every minute (0.11 and on: vllm-project/vllm issues 27313, 51986). "This
# typically happens when some processes are hanging or doing some time-consuming work", it goes on,
# and work shows in the CPU's time.
WAITS = re.compile(r"No available (?:shared memory broadcast )?block found in \d{1,9} second")


def is_over(silent: float, deaf: float, idle: bool, step: str) -> bool:
    """Tell whether an engine that starts has to be given up.

    Args:
        silent: seconds since its last word.
        deaf: seconds since it said that it had started, 0.0 before.
        idle: whether it has used no CPU since its last word.
        step: what it is doing.
    """
    if deaf:
        return deaf >= LONGEST_DEAF_SECONDS or (silent >= DEAF_SECONDS and idle)
    may_work = step == _READS or not idle
    return silent >= (LONGEST_WORK_SECONDS if may_work else LONGEST_SILENCE_SECONDS)


class Patience:
    """Watches one engine until it is ready."""

    def __init__(self, group: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Take its process group; it has just been started."""
        self._group = group
        self._clock = clock
        self._last = Beat(clock(), None)
        self._used: Optional[float] = None
        self._next = clock()

    def hear(self, lines: Sequence[str]) -> None:
        """Take what it wrote since the last look."""
        now = self._clock()
        if any(not WAITS.search(line) for line in lines):
            self._last = Beat(now, None)
        if now < self._next:
            return
        self._next = now + pulse.LOOK_SECONDS
        self._used = processes.cpu_seconds(self._group)
        if self._last.cpu is None:  # what its last word was about was done by then
            self._last = self._last._replace(cpu=self._used)

    def pause(self, seconds: float) -> None:
        """Take how long nobody looked: a host that stood still as a whole begins anew."""
        if seconds > pulse.MISSED_SECONDS:
            self._last = Beat(self._clock(), None)

    @property
    def silence(self) -> float:
        """Seconds since its last word; that it waits is none."""
        return self._clock() - self._last.time

    def is_over(self, step: str, deaf: float) -> bool:
        """Tell whether it has to be given up; the arguments are `is_over`'s."""
        idle = pulse.idle(self._last, self._clock(), self._used)
        return is_over(self.silence, deaf, idle, step)
