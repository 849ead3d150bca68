from __future__ import annotations

import os

import pytest

from remote import loopback, processes, pulse
from remote.loopback import Answer
from remote.pulse import FROZEN_SECONDS, LOOK_SECONDS, SILENT_SECONDS, Beat, Pulse


@pytest.mark.parametrize(
    ("silent", "cpu", "says_dead", "frozen"),
    [
        (FROZEN_SECONDS - 1, 0.0, True, False),
        (FROZEN_SECONDS, 0.0, False, True),
        (FROZEN_SECONDS, FROZEN_SECONDS, False, False),  # it works, on a long request perhaps
        (FROZEN_SECONDS, FROZEN_SECONDS, True, True),
        (FROZEN_SECONDS, None, False, False),  # nobody can tell whether it works
        (SILENT_SECONDS - 1, None, False, False),
        (SILENT_SECONDS, SILENT_SECONDS, False, True),
    ],
)
def test_an_engine_is_frozen_when_it_neither_answers_nor_works(
    silent: float, cpu: float | None, says_dead: bool, frozen: bool
) -> None:
    last = Beat(100.0, 7.0)
    now = None if cpu is None else 7.0 + cpu
    assert pulse.frozen(last, 100.0 + silent, now, says_dead) is frozen


class Engine:
    """What answers on the loopback, and the time, in the hands of the test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        self.answer: Answer | None = Answer(200, b"")
        self.asked = 0
        monkeypatch.setattr(loopback, "get", self.get)
        monkeypatch.setattr(processes, "cpu_seconds", lambda _: 1.0)

    def get(self, port: int, path: str, seconds: float) -> Answer | None:
        assert (port, path) == (8000, "/health")
        self.asked += 1
        return self.answer

    def silence_after(self, beating: Pulse, seconds: float) -> float:
        end = self.now + seconds
        while self.now < end:
            self.now += LOOK_SECONDS
            found = beating.silence()
            if found:
                return found
        return 0.0


def test_an_engine_that_answers_is_asked_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(monkeypatch)
    beating = Pulse(8000, 1, lambda: engine.now)
    assert engine.silence_after(beating, 3600) == 0.0
    assert engine.asked == 3600 / LOOK_SECONDS
    assert beating.silence() == 0.0
    assert engine.asked == 3600 / LOOK_SECONDS


@pytest.mark.parametrize("answer", [None, Answer(503, b""), Answer(500, b"")])
def test_an_engine_that_does_not_answer_for_a_minute_is_given_up(
    monkeypatch: pytest.MonkeyPatch, answer: Answer | None
) -> None:
    engine = Engine(monkeypatch)
    beating = Pulse(8000, 1, lambda: engine.now)
    engine.answer = answer
    assert engine.silence_after(beating, FROZEN_SECONDS - LOOK_SECONDS) == 0.0
    assert engine.silence_after(beating, FROZEN_SECONDS) == FROZEN_SECONDS


def test_an_engine_that_answers_again_is_forgiven(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(monkeypatch)
    beating = Pulse(8000, 1, lambda: engine.now)
    for _ in range(5):
        engine.answer = None
        assert engine.silence_after(beating, FROZEN_SECONDS - LOOK_SECONDS) == 0.0
        engine.answer = Answer(200, b"")
        assert engine.silence_after(beating, LOOK_SECONDS) == 0.0


def test_a_host_that_stood_still_as_a_whole_freezes_no_engine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = Engine(monkeypatch)
    beating = Pulse(8000, 1, lambda: engine.now)
    engine.now += SILENT_SECONDS * 10  # a paused container
    engine.answer = None  # it wakes up later than we do
    assert engine.silence_after(beating, FROZEN_SECONDS - LOOK_SECONDS) == 0.0
    assert engine.silence_after(beating, FROZEN_SECONDS) >= FROZEN_SECONDS


def test_a_node_that_listens_nowhere_is_never_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(monkeypatch)
    engine.answer = None
    assert engine.silence_after(Pulse(0, 1, lambda: engine.now), SILENT_SECONDS * 2) == 0.0
    assert engine.asked == 0


def test_the_cpu_time_of_a_group_grows_with_its_work() -> None:
    group = os.getpgid(0)
    before = processes.cpu_seconds(group)
    assert before is not None
    assert processes.cpu_seconds(2**30) == 0.0
    while (processes.cpu_seconds(group) or 0.0) <= before:
        sum(range(100_000))
