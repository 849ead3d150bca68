"""The figures under a reply are measured, or left out."""

from __future__ import annotations

import pytest

from desktop.core.chat.clock import Clock
from desktop.core.events import Usage


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that a monotonic clock shows."""
    shown = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: shown[0])
    return shown


def test_a_reply_is_timed_from_its_request_to_its_last_token(now: list[float]) -> None:
    clock = Clock()
    now[0] = 102.0
    clock.thought()
    now[0] = 105.0
    clock.thought()
    now[0] = 112.0
    clock.token()
    clock.usage = Usage(9, 41)
    done = clock.done(7, "stop")
    assert (done.reply, done.ttft_s, done.reasoning_s) == (7, 2.0, 3.0)
    assert done.tokens_per_s == 4.0


@pytest.mark.parametrize("tokens", [0, 1])
def test_what_an_odd_engine_counts_is_no_speed(now: list[float], tokens: int) -> None:
    clock = Clock()
    clock.token()
    now[0] = 101.0
    clock.token()
    clock.usage = Usage(9, tokens)
    assert clock.done(1, "stop").tokens_per_s is None


def test_a_reply_of_nothing_has_no_figures(now: list[float]) -> None:
    done = Clock().done(1, "cancelled")
    assert (done.ttft_s, done.tokens_per_s, done.reasoning_s, done.usage) == (None,) * 4
