"""What a command's output becomes: lines, their bounds, and the difference between end and cut."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from desktop.core.errors import ConnectionLost
from desktop.core.ssh.destination import Destination
from desktop.core.ssh.process import MAX_LINE, Process


class FakeChannel:
    """The reading side of a SafeChannel, scripted."""

    def __init__(self, *pieces: bytes, status: int = 0, exit_signal: str = "") -> None:
        self._pieces = list(pieces)
        self.exit_status = status
        self.exit_signal = exit_signal
        self.status_event = threading.Event()
        self.status_event.set()
        self.timeout: float | None = None

    def settimeout(self, timeout: float | None) -> None:
        self.timeout = timeout

    def gettimeout(self) -> float | None:
        return self.timeout

    def recv(self, _: int) -> bytes:
        if not self._pieces:
            return b""
        piece = self._pieces.pop(0)
        if piece == b"silence":
            raise TimeoutError
        return piece


def _process(*pieces: bytes, status: int = 0, exit_signal: str = "") -> Process:
    channel = FakeChannel(*pieces, status=status, exit_signal=exit_signal)
    return Process(channel, Destination("gpu"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("pieces", "lines"),
    [
        ([], []),
        ([b"a\nb\n"], ["a", "b"]),
        ([b"a\nb"], ["a", "b"]),
        ([b"a", b"b\n", b"\n"], ["ab", ""]),
        ([b"a\r\n"], ["a"]),
        (["纸鸢\n".encode()[:2], "纸鸢\n".encode()[2:]], ["纸鸢"]),
        ([b"\xff\n"], ["\ufffd"]),
        ([b"a\x0bb\x0cc\x1cd\xc2\x85e\n"], ["a\x0bb\x0cc\x1cd\x85e"]),
    ],
)
def test_output_is_split_at_newlines_only(pieces: list[bytes], lines: list[str]) -> None:
    assert list(_process(*pieces).lines()) == lines


def test_a_line_without_end_is_bounded_and_does_not_swallow_the_next() -> None:
    pieces = [b"x" * 300_000] * 5 + [b"\nnext\n"]
    first, second = list(_process(*pieces).lines())
    assert (len(first), second) == (MAX_LINE, "next")


def test_output_that_was_cut_is_an_error_after_its_whole_lines() -> None:
    lines = _process(b"whole\nhal", status=-1).lines()
    assert next(lines) == "whole"
    with pytest.raises(ConnectionLost) as caught:
        next(lines)
    assert caught.value.code == "connection-lost"


@pytest.mark.parametrize(
    "read", [lambda one: list(one.lines(within=0.0)), lambda one: one.read_all(0.0)]
)
def test_output_that_drips_without_end_is_given_up(read: Callable[[Process], object]) -> None:
    with pytest.raises(ConnectionLost) as caught:
        read(_process(*[b"."] * 1000))
    assert caught.value.code == "host-stalled"


def test_silence_beyond_the_deadline_is_told_apart_from_a_cut() -> None:
    lines = _process(b"a\n", b"silence").lines(timeout=3.0)
    assert next(lines) == "a"
    with pytest.raises(ConnectionLost) as caught:
        next(lines)
    assert caught.value.code == "host-stalled"
    assert caught.value.facts["seconds"] == 3


@pytest.mark.parametrize("pieces", [[b"a", b"silence"], [b"y\n"] * 1_000_000])
def test_a_command_that_does_not_end_in_time_is_told_with_the_time_it_had(
    pieces: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(float(second) for second in range(1_000_000))
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    with pytest.raises(ConnectionLost) as caught:
        _process(*pieces).read_all(30.0)
    assert caught.value.code == "host-stalled"
    assert caught.value.facts["seconds"] == 30


def test_a_signal_counts_as_a_shell_counts_it() -> None:
    assert _process(status=-1, exit_signal="KILL").exit_status == 137
    assert _process(status=-1, exit_signal="TERM").exit_status == 143
    assert _process(status=-1).exit_status is None
    assert _process(status=7).exit_status == 7


def test_read_all_returns_everything() -> None:
    assert _process(b"a", b"b").read_all(1.0) == b"ab"
