"""A dead peer noticed within 18 seconds, 10 while a stream is open, by a question of our own.

paramiko's keepalive asks for no answer and never notices (measured: 949 s on a cut link). Ours
wants one, and any packet from the host counts as life: while bytes flow nothing is asked. The
probes go through the outbox, so that a full socket cannot stop the watch itself. Long before it is
dead a silent connection counts as stalled: time to dial another one beside it (facts: after an
outage the old one stays silent for as long again).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

INTERVAL = 4.5  # seconds of silence before each question
BUSY_INTERVAL = 2.4  # the same while somebody waits for what comes through a tunnel
COUNT = 3  # unanswered questions, then one more interval: 18 s, or 9.6 s
STALLED = 2  # questions: the first has had no answer for an interval, 9 s or 4.8 s of silence
POKE_SECONDS = 5.0  # for an answer after `poke`
POKE_STALLED_SECONDS = 1.0  # longer than any round trip of a healthy network


class Step(Enum):
    """What to do about the silence so far."""

    WAIT = "wait"
    PROBE = "probe"
    DEAD = "dead"


@dataclass
class Silence:
    """Counts unanswered probes; a pure decision, given the time.

    Attributes:
        interval: seconds of silence before each probe.
        count: probes that may stay unanswered for an interval.
        busy_interval: the interval while somebody waits for what the host sends, if it is shorter.
    """

    interval: float = INTERVAL
    count: int = COUNT
    busy_interval: float = BUSY_INTERVAL
    unanswered: int = 0
    probed_at: float = 0.0

    def step(self, now: float, last_inbound: float, *, busy: bool = False) -> Step:
        """Return what is due at `now`, when the host was last heard at `last_inbound`."""
        if last_inbound >= self.probed_at:
            self.unanswered = 0
        if now < self.due_at(last_inbound, busy=busy):
            return Step.WAIT
        if self.unanswered >= self.count:
            return Step.DEAD
        self.unanswered += 1
        self.probed_at = now
        return Step.PROBE

    def due_at(self, last_inbound: float, *, busy: bool = False) -> float:
        """Return when the next step is due."""
        interval = min(self.interval, self.busy_interval) if busy else self.interval
        return max(last_inbound, self.probed_at if self.unanswered else 0.0) + interval


class Liveness:
    """The watch over one transport, on a thread of its own."""

    def __init__(
        self,
        last_inbound: Callable[[], float],
        probe: Callable[[], None],
        dead: Callable[[], None],
        silence: Silence | None = None,
        poke_seconds: float = POKE_SECONDS,
        is_busy: Callable[[], bool] = lambda: False,
    ) -> None:
        """Begin to watch.

        Args:
            last_inbound: `time.monotonic()` when the host was last heard.
            probe: asks it for a sign of life; must not wait.
            dead: called once, on the watch's thread, when it gives none.
            silence: how long it may be silent.
            poke_seconds: the same after a poke.
            is_busy: whether somebody waits for what the host sends: asked every two seconds or so.
        """
        self._last_inbound = last_inbound
        self._probe = probe
        self._dead = dead
        self._silence = silence or Silence()
        self._poke_seconds = poke_seconds
        self._is_busy = is_busy
        self._stalled: Callable[[], None] = lambda: None
        self._wake = threading.Event()
        self._stopped = False
        self._poked = False
        self._thread = threading.Thread(target=self._watch, name="ssh-liveness", daemon=True)
        self._thread.start()

    def poke(self) -> None:
        """Ask at once, and take no answer within five seconds for dead: the laptop woke up."""
        self._poked = True
        self._wake.set()

    def when_stalled(self, action: Callable[[], None]) -> None:
        """Run this, on the watch's thread, each time the host begins to be late with an answer."""
        self._stalled = action

    def stop(self) -> None:
        """End the watch; does not wait."""
        self._stopped = True
        self._wake.set()

    def join(self, timeout: float) -> None:
        """Wait for the thread to end, unless called on it."""
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout)

    def _watch(self) -> None:
        while True:
            if not self._poked:  # again, while the last poke was being answered
                self._wake.wait(self._pause())
            self._wake.clear()
            if self._stopped:
                return
            if self._poked and not self._answers_a_poke():
                self._dead()
                return
            now, heard = time.monotonic(), self._last_inbound()
            step = self._silence.step(now, heard, busy=self._is_busy())
            if step is Step.PROBE:
                self._probe()
                if self._silence.unanswered == STALLED:
                    self._stalled()
            elif step is Step.DEAD:
                self._dead()
                return

    def _pause(self) -> float:
        """Return the seconds until the next step, or until somebody may have begun to wait."""
        due = self._silence.due_at(self._last_inbound(), busy=self._is_busy())
        return min(max(0.0, due - time.monotonic()), self._silence.busy_interval)

    def _answers_a_poke(self) -> bool:
        self._poked = False
        asked_at = time.monotonic()
        self._probe()
        if self._is_heard(asked_at, POKE_STALLED_SECONDS):
            return True
        self._stalled()
        return self._is_heard(asked_at, self._poke_seconds)

    def _is_heard(self, asked_at: float, seconds: float) -> bool:
        """Wait until the host was heard (True; also when the watch ends) or the time is over."""
        while self._last_inbound() < asked_at and not self._stopped:
            if time.monotonic() >= asked_at + seconds:
                return False
            self._wake.wait(0.05)  # only after a wake-up; no event tells of a packet
            self._wake.clear()
        return True
