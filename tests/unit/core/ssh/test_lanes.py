"""A spare connection beside bulk: when it is dialled, what goes over it, and what becomes of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from desktop.core.errors import ConnectionLost, ForwardFailed
from desktop.core.ssh import lanes as lanes_module
from desktop.core.ssh.downflow import Downflow
from desktop.core.ssh.lanes import Lane, Lanes
from desktop.core.ssh.load import BULK_BYTES, FULL, NARROW, Load
from tests.helpers.waiting import until


class FakeChannel:
    """A channel that does nothing."""

    def divert(self, sink: Downflow, /) -> None: ...
    def give_window(self, n: int, most: int, /) -> None: ...
    def sendall(self, s: bytes | memoryview, /) -> None: ...
    def shutdown_write(self) -> None: ...
    def close(self) -> None: ...


class FakeConnection:
    """A connection that opens every tunnel until it is lost or refuses."""

    def __init__(self) -> None:
        self.opened = 0
        self.calls: list[str] = []
        self.error: Exception | None = None
        self.ended = threading.Event()
        self._action: Callable[[], None] = lambda: None

    def open_tunnel(self, host: str, port: int) -> FakeChannel:
        if self.error is not None:
            raise self.error
        self.calls.append("tunnel")
        return FakeChannel()

    def send_promptly(self) -> None:
        self.calls.append("promptly")

    def when_ended(self, action: Callable[[], None]) -> None:
        self._action = action

    def die(self) -> None:
        self._action()

    def close(self) -> None:
        self.ended.set()


class Thing:
    """What goes over a lane."""

    def __init__(self) -> None:
        self.load = Load()
        self.is_cut = False

    def cut(self) -> None:
        self.is_cut = True


class Dial:
    """Dials fakes, when it is let."""

    def __init__(self) -> None:
        self.dialled: list[FakeConnection] = []
        self.tries = 0
        self.error: Exception | None = None
        self.may_return = threading.Event()
        self.may_return.set()

    def __call__(self) -> FakeConnection:
        self.tries += 1
        assert self.may_return.wait(10)
        if self.error is not None:
            raise self.error
        self.dialled.append(FakeConnection())
        return self.dialled[-1]


@pytest.fixture
def main() -> FakeConnection:
    return FakeConnection()


@pytest.fixture
def dial() -> Dial:
    return Dial()


@pytest.fixture
def lanes(main: FakeConnection, dial: Dial) -> Iterator[Lanes]:
    lanes = Lanes(main, 8000, dial)
    yield lanes
    dial.may_return.set()
    lanes.close()
    assert lanes.join(10)
    assert all(connection.ended.is_set() for connection in dial.dialled)


def _bulk(lanes: Lanes) -> tuple[Lane, Thing]:
    """Move bulk over a new tunnel."""
    thing = Thing()
    lane, _ = lanes.open(thing)
    lane.moved(thing.load, BULK_BYTES + 100_000)
    return lane, thing


def _beside_bulk(lanes: Lanes, dial: Dial) -> FakeConnection:
    """Return the spare, dialled because of bulk and ready for tunnels."""
    _bulk(lanes)
    until(lambda: lanes._spare is not None)
    return dial.dialled[-1]


def test_without_bulk_no_spare_is_dialled(lanes: Lanes, dial: Dial, main: FakeConnection) -> None:
    for _ in range(5):
        thing = Thing()
        lane, _ = lanes.open(thing)
        assert lane.moved(thing.load, 10_000) == FULL
    assert (dial.tries, main.calls) == (0, ["tunnel"] * 5)


def test_beside_bulk_new_tunnels_go_over_the_spare(
    lanes: Lanes, dial: Dial, main: FakeConnection
) -> None:
    spare = _beside_bulk(lanes, dial)
    lanes.open(Thing())
    assert main.calls == ["tunnel"]
    assert spare.calls == ["promptly", "tunnel"]  # no stream before Nagle is off


def test_a_tunnel_does_not_wait_for_the_spare(
    lanes: Lanes, dial: Dial, main: FakeConnection
) -> None:
    dial.may_return.clear()
    _bulk(lanes)
    lanes.open(Thing())
    assert main.calls == ["tunnel", "tunnel"]


def test_a_tunnel_goes_over_the_main_connection_again_when_its_bulk_is_over(
    lanes: Lanes, dial: Dial, main: FakeConnection
) -> None:
    lane, thing = _bulk(lanes)
    until(lambda: lanes._spare is not None)
    lanes.leave(lane, thing)
    lanes.open(Thing())
    assert main.calls == ["tunnel", "tunnel"]


def test_where_both_carry_bulk_the_main_connection_is_used(
    lanes: Lanes, dial: Dial, main: FakeConnection
) -> None:
    _beside_bulk(lanes, dial)
    _bulk(lanes)
    lanes.open(Thing())
    assert main.calls == ["tunnel", "tunnel"]


def test_there_is_one_spare_at_most(lanes: Lanes, dial: Dial) -> None:
    _beside_bulk(lanes, dial)
    for _ in range(3):
        _bulk(lanes)
    assert dial.tries == 1


def test_bulk_is_narrowed_while_a_stream_shares_its_connection(lanes: Lanes) -> None:
    lane, thing = _bulk(lanes)
    assert lane.moved(thing.load, 1) == FULL
    stream = Thing()
    other, _ = lanes._open_on_main(stream)
    other.moved(stream.load, 250)
    assert lane.moved(thing.load, 1) == NARROW
    lanes.leave(other, stream)
    assert lane.moved(thing.load, 1) == FULL


def test_a_spare_that_dies_takes_its_tunnels_along_and_nothing_else(
    lanes: Lanes, dial: Dial, main: FakeConnection
) -> None:
    lane, bulk = _bulk(lanes)
    until(lambda: lanes._spare is not None)
    stream = Thing()
    lanes.open(stream)
    dial.dialled[-1].die()
    assert dial.dialled[-1].ended.wait(10)
    assert (stream.is_cut, bulk.is_cut) == (True, False)
    until(lambda: lanes._keeper is None)
    lane.moved(bulk.load, 100_000)
    assert dial.tries == 1  # it is not dialled again at once
    lanes.open(Thing())
    assert main.calls == ["tunnel", "tunnel"]


def test_a_spare_that_is_lost_while_a_tunnel_opens_costs_no_tunnel(
    lanes: Lanes, dial: Dial, main: FakeConnection
) -> None:
    _beside_bulk(lanes, dial).error = ConnectionLost("connection-lost")
    lanes.open(Thing())
    assert main.calls == ["tunnel", "tunnel"]


def test_a_port_that_refuses_is_told_and_leaves_the_lane_free(
    lanes: Lanes, dial: Dial, main: FakeConnection
) -> None:
    main.error = ForwardFailed("forward-refused", remote_port=8000)
    with pytest.raises(ForwardFailed):
        lanes.open(Thing())
    assert lanes._main.idle_seconds() is not None


def test_a_dial_that_fails_is_tried_again_later_only(
    lanes: Lanes, dial: Dial, monkeypatch: pytest.MonkeyPatch
) -> None:
    dial.error = ConnectionLost("connection-lost")
    lane, thing = _bulk(lanes)
    until(lambda: lanes._not_before > 0 and lanes._keeper is None)
    lane.moved(thing.load, 100_000)
    assert dial.tries == 1
    lanes._not_before = 0.0  # a minute later
    lane.moved(thing.load, 100_000)
    until(lambda: dial.tries == 2)


def test_a_spare_without_a_tunnel_is_dropped_and_can_be_dialled_again(
    lanes: Lanes, dial: Dial, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes_module, "_IDLE_SECONDS", 0.02)
    lane, thing = _bulk(lanes)
    until(lambda: dial.dialled != [])
    assert dial.dialled[0].ended.wait(10)
    until(lambda: lanes._keeper is None)
    lane.moved(thing.load, 100_000)
    until(lambda: dial.tries == 2)


def test_a_spare_with_a_tunnel_is_not_dropped(
    lanes: Lanes, dial: Dial, monkeypatch: pytest.MonkeyPatch
) -> None:
    spare = _beside_bulk(lanes, dial)
    stream = Thing()
    lane, _ = lanes.open(stream)
    monkeypatch.setattr(lanes_module, "_IDLE_SECONDS", 0.02)
    with lanes._changed:
        lanes._changed.notify_all()
    assert not spare.ended.wait(0.1)
    lanes.leave(lane, stream)
    assert spare.ended.wait(10)


def test_closing_while_it_is_dialled_closes_what_comes_of_it(lanes: Lanes, dial: Dial) -> None:
    dial.may_return.clear()
    _bulk(lanes)
    lanes.close()
    dial.may_return.set()
    assert lanes.join(10)
    assert dial.dialled[0].ended.is_set()


def test_closing_cuts_what_goes_over_the_spare(lanes: Lanes, dial: Dial) -> None:
    spare = _beside_bulk(lanes, dial)
    stream = Thing()
    lanes.open(stream)
    lanes.close()
    assert lanes.join(10)
    assert stream.is_cut
    assert spare.ended.is_set()
