"""Changes of a real network, in a namespace of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from desktop.system.network import NetlinkWatcher
from tests.helpers.cable import Laptop, is_possible


@pytest.fixture
def laptop() -> Iterator[Laptop]:
    if not is_possible():
        pytest.skip("needs root")
    made = Laptop()
    yield made
    made.close()


def test_a_new_address_is_told_once_though_it_is_many_messages(laptop: Laptop) -> None:
    told: list[int] = []
    first, second = threading.Event(), threading.Event()

    def tell() -> None:
        told.append(0)
        (second if first.is_set() else first).set()

    watcher = NetlinkWatcher(tell)
    laptop.run(watcher.start)
    laptop.ip("link", "set", "lo", "up")
    laptop.ip("address", "add", "10.213.0.1/24", "dev", "lo")
    assert first.wait(10)
    assert len(told) == 1
    laptop.ip("address", "delete", "10.213.0.1/24", "dev", "lo")
    assert second.wait(10)
    watcher.stop()
    assert len(told) == 2


def test_it_may_be_stopped_without_a_start_and_twice_and_leaves_no_thread() -> None:
    NetlinkWatcher(lambda: None).stop()
    watcher = NetlinkWatcher(lambda: None)
    watcher.start()
    watcher.start()
    watcher.stop()
    watcher.stop()
    assert "network-watch" not in {thread.name for thread in threading.enumerate()}


def test_where_the_kernel_tells_nothing_nothing_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise PermissionError

    monkeypatch.setattr("desktop.system.network._subscribed", refuse)
    watcher = NetlinkWatcher(lambda: None)
    watcher.start()
    watcher.stop()
