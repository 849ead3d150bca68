"""What counts as bulk, and how far ahead of it the host may be: pure decisions."""

from __future__ import annotations

import pytest

from desktop.core.ssh.load import BULK_BYTES, FULL, NARROW, Load, due, most_ahead

_WINDOW = 2 << 20


def _load(rate: float, seconds: float, begin: float = 1000.0) -> Load:
    """Return what moved `rate` bytes a second for so long, a hundred times a second."""
    load = Load()
    for tick in range(round(seconds * 100)):
        load.count(round(rate / 100), begin + tick / 100)
    return load


@pytest.mark.parametrize(
    ("rate", "seconds", "is_bulk"),
    [
        (100 << 20, 0.1, True),
        (2.5e6, 1.0, True),  # 20 Mbit/s
        (125_000 * 4, 10.0, True),  # 4 Mbit/s
        (500 * 250, 600.0, False),  # 500 events a second, for ten minutes
        (1 << 20, 1.0, False),  # a long prompt
    ],
)
def test_bulk_is_what_a_stream_never_becomes(rate: float, seconds: float, is_bulk: bool) -> None:
    assert _load(rate, seconds).is_bulk(1000.0 + seconds) == is_bulk


def test_bulk_is_over_a_second_after_its_last_byte_however_long_it_was() -> None:
    load = _load(100 << 20, 10.0)
    assert load.is_bulk(1010.5)
    assert not load.is_bulk(1011.5)


def test_a_tunnel_is_active_until_it_was_silent_for_longer_than_tokens_are_apart() -> None:
    load = Load()
    assert not load.is_active(1000.0)
    load.count(1, 1000.0)
    assert load.is_active(1004.9)
    assert not load.is_active(1005.1)


def test_bulk_alone_has_the_full_window() -> None:
    bulk, idle = _load(100 << 20, 1.0), Load()
    assert most_ahead(bulk, [bulk, idle], 1001.0) == FULL


def test_bulk_beside_a_stream_has_a_narrow_window_and_the_full_one_again_after_it() -> None:
    bulk, stream = _load(100 << 20, 1.0), _load(50_000, 1.0)
    assert most_ahead(bulk, [bulk, stream], 1001.0) == NARROW
    later = 1010.0
    bulk.count(BULK_BYTES + 1000, later)
    assert most_ahead(bulk, [bulk, stream], later) == FULL


def test_bulk_beside_bulk_has_the_full_window() -> None:
    one, other = _load(100 << 20, 1.0), _load(100 << 20, 1.0)
    assert most_ahead(one, [one, other], 1001.0) == FULL


class _Host:
    """Sends whatever it may, at once; what it sent is taken at once too."""

    def __init__(self) -> None:
        self.may_send = _WINDOW
        self.owed = 0

    def send(self, most: int, piece: int = 32 << 10) -> None:
        size = min(piece, self.may_send)
        self.may_send -= size
        self.owed += size
        given = due(self.owed, _WINDOW, most)
        self.owed -= given
        self.may_send += given


def test_the_window_narrows_to_what_it_should_be_and_never_closes() -> None:
    host = _Host()
    for _ in range(1000):
        host.send(NARROW)
        assert host.may_send > 0
    assert NARROW // 2 < host.may_send <= NARROW


def test_the_window_grows_back_with_the_next_piece() -> None:
    host = _Host()
    for _ in range(1000):
        host.send(NARROW)
    host.send(FULL)
    assert host.may_send == _WINDOW


def test_nothing_of_the_window_is_lost_on_the_way() -> None:
    host = _Host()
    for number in range(10_000):
        host.send(NARROW if number // 100 % 2 else FULL, piece=1 + number % 40_000)
        assert host.may_send + host.owed == _WINDOW


def test_window_is_given_back_in_thirds() -> None:
    assert due(_WINDOW // 3, _WINDOW, FULL) == 0
    assert due(_WINDOW // 3 + 1, _WINDOW, FULL) == _WINDOW // 3 + 1


def test_a_window_that_is_narrow_anyway_is_given_back_in_full() -> None:
    assert due(1000, 1000, NARROW) == 1000
