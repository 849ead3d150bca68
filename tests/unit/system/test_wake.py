"""A sleep is seen in the clocks, and nothing else is taken for one."""

from __future__ import annotations

import itertools
import threading

import pytest

from desktop.system.wake import Clocks, SleepWatcher, has_slept

HOURS = 8 * 3600.0


@pytest.mark.parametrize(
    ("wall", "monotonic", "slept"),
    [
        (1.0, 1.0, False),
        (HOURS, 1.0, True),  # Linux and macOS: the monotonic clock stood still
        (HOURS, HOURS, True),  # Windows: both went on
        (3.9, 3.9, False),  # a busy computer
        (-3600.0, 1.0, False),  # a clock that was set back
    ],
)
def test_the_clock_that_went_furthest_decides(wall: float, monotonic: float, slept: bool) -> None:
    assert has_slept((1000.0, 50.0), (1000.0 + wall, 50.0 + monotonic)) is slept


def test_a_sleep_is_told_once() -> None:
    told: list[float] = []
    looks = threading.Semaphore(0)
    times = itertools.chain([0.0, 1.0, HOURS], itertools.count(HOURS + 1))

    def clocks() -> Clocks:
        looks.release()
        return (next(times),)

    watcher = SleepWatcher(lambda: told.append(0), clocks, interval=0.001)
    watcher.start()
    for _ in range(10):
        assert looks.acquire(timeout=5)
    watcher.stop()
    assert len(told) == 1


def test_it_may_be_stopped_without_a_start_and_twice_and_leaves_no_thread() -> None:
    SleepWatcher(lambda: None).stop()
    watcher = SleepWatcher(lambda: None)
    watcher.start()
    watcher.stop()
    watcher.stop()
    assert "sleep-watch" not in {thread.name for thread in threading.enumerate()}
