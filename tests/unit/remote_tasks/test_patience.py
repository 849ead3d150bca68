"""How long an engine that starts is waited for, with the clock in the test's hands."""

from __future__ import annotations

from pathlib import Path

import pytest

from remote import processes, pulse
from remote.engine import patience
from remote.engine.patience import (
    DEAF_SECONDS,
    LONGEST_DEAF_SECONDS,
    LONGEST_SILENCE_SECONDS,
    LONGEST_WORK_SECONDS,
    Patience,
)

LOGS = Path(__file__).parents[2] / "data" / "engine-logs"
WAITING = (
    "(EngineCore pid=9) INFO 12-16 08:25:51 [shm_broadcast.py:466] No available shared memory "
    "broadcast block found in 60 seconds. This typically happens when some processes are hanging"
)
WORD = "(Worker pid=1) INFO 11-22 22:25:40 [x.py:1] vLLM is using nccl==2.27.3"


@pytest.mark.parametrize(
    ("silent", "deaf", "idle", "step", "over"),
    [
        (LONGEST_SILENCE_SECONDS - 1, 0.0, True, "start", False),
        (LONGEST_SILENCE_SECONDS, 0.0, True, "start", True),
        (LONGEST_SILENCE_SECONDS, 0.0, False, "start", False),  # it builds something
        (LONGEST_SILENCE_SECONDS, 0.0, True, "weights", False),  # a slow disk uses no CPU
        (LONGEST_WORK_SECONDS - 1, 0.0, False, "compile", False),
        (LONGEST_WORK_SECONDS, 0.0, False, "compile", True),
        (LONGEST_WORK_SECONDS, 0.0, True, "weights", True),
        (DEAF_SECONDS - 1, DEAF_SECONDS - 1, True, "ready", False),
        (DEAF_SECONDS, DEAF_SECONDS, True, "ready", True),
        (DEAF_SECONDS, DEAF_SECONDS, False, "ready", False),
        (1.0, LONGEST_DEAF_SECONDS - 1, True, "ready", False),
        (1.0, LONGEST_DEAF_SECONDS, False, "ready", True),
    ],
)
def test_a_slow_engine_is_waited_for_and_a_dead_one_is_not(
    silent: float, deaf: float, idle: bool, step: str, over: bool
) -> None:
    assert patience.is_over(silent, deaf, idle, step) is over


class Engine:
    """An engine's words and its CPU, and the time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, cpu_share: float = 0.0) -> None:
        self.now = 1000.0
        self.cpu_share = cpu_share
        monkeypatch.setattr(processes, "cpu_seconds", lambda _: self.now * self.cpu_share)
        self.watch = Patience(1, lambda: self.now)

    def given_up_after(self, seconds: float, *words: str, step: str = "start") -> float:
        """Say `words` once a minute; return when patience was over, `seconds` when it never was."""
        begun = self.now
        while self.now - begun < seconds:
            self.watch.hear(words if (self.now - begun) % 60 == 0 else ())
            deaf = self.now - begun if step == "ready" else 0.0
            if self.watch.is_over(step, deaf):
                return self.now - begun
            self.now += pulse.LOOK_SECONDS
        return seconds


@pytest.mark.parametrize(
    ("cpu_share", "words", "after"),
    [
        (0.0, [], LONGEST_SILENCE_SECONDS),
        (0.0, [WAITING], LONGEST_SILENCE_SECONDS),
        (1.0, [WAITING], LONGEST_WORK_SECONDS),  # NCCL's waiting threads spin
        (0.0, [WORD], 7200.0),
        (0.0, [WAITING, WORD], 7200.0),
    ],
)
def test_that_it_waits_is_no_sign_of_life(
    monkeypatch: pytest.MonkeyPatch, cpu_share: float, words: list[str], after: float
) -> None:
    assert Engine(monkeypatch, cpu_share).given_up_after(7200.0, *words) == after


@pytest.mark.parametrize(
    ("cpu_share", "words", "after"),
    [
        (0.0, [], DEAF_SECONDS),
        (0.02, [], DEAF_SECONDS),  # what an idle server uses
        (1.0, [], LONGEST_DEAF_SECONDS),
        (0.0, [WORD], LONGEST_DEAF_SECONDS),
    ],
)
def test_one_that_has_started_has_to_answer(
    monkeypatch: pytest.MonkeyPatch, cpu_share: float, words: list[str], after: float
) -> None:
    engine = Engine(monkeypatch, cpu_share)
    assert engine.given_up_after(7200.0, *words, step="ready") == after


def test_a_host_that_stood_still_as_a_whole_gives_up_no_engine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = Engine(monkeypatch)
    engine.watch.hear([WORD])
    engine.now += LONGEST_WORK_SECONDS * 2  # a paused container
    engine.watch.pause(LONGEST_WORK_SECONDS * 2)
    assert engine.given_up_after(7200.0) == LONGEST_SILENCE_SECONDS


def test_where_the_cpu_cannot_be_seen_it_is_taken_for_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = Engine(monkeypatch)
    monkeypatch.setattr(processes, "cpu_seconds", lambda _: None)
    assert engine.given_up_after(7200.0) == LONGEST_WORK_SECONDS
    engine.watch.hear([WORD])
    assert engine.given_up_after(7200.0, step="ready") == LONGEST_DEAF_SECONDS


@pytest.mark.parametrize("log", sorted(LOGS.glob("vllm-*.log")), ids=lambda log: log.stem)
def test_no_line_of_a_real_log_counts_as_mere_waiting(log: Path) -> None:
    text = log.read_text(encoding="utf-8")
    assert not patience.WAITS.search(text)
