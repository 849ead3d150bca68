"""The pace of a hub: all bodies together are as slow as was asked."""

from __future__ import annotations

import threading

from desktop.rehearsal.faults import Pace


class Patience(threading.Event):
    """An event whose waits take no time and are remembered."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.waits.append(timeout)
        return False


def test_bytes_wait_for_those_before_them() -> None:
    patience = Patience()
    pace = Pace(1000, patience)
    for count in (500, 500, 2000):
        pace.wait_for(count)
    assert [round(wait, 1) for wait in patience.waits] == [0.5, 1.0, 3.0]


def test_without_a_limit_nobody_waits() -> None:
    patience = Patience()
    Pace(None, patience).wait_for(10**12)
    assert patience.waits == []
