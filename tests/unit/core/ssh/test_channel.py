"""A channel's messages leave in a legal order: nothing after CLOSE, no data after EOF (#1115)."""

from __future__ import annotations

import threading
from collections.abc import Callable

import paramiko
import pytest
from paramiko.common import MSG_NAMES
from paramiko.message import Message

from desktop.core.ssh.channel import SafeChannel, Sink
from desktop.core.ssh.load import FULL, NARROW
from desktop.core.ssh.packets import Batch

_WINDOW = 1 << 20


class SlowWire:
    """A wire whose first message waits until it is let through; records what left, in order."""

    def __init__(self, *, slow: bool = False) -> None:
        self.left: list[str] = []
        self.messages: list[Message] = []
        self.posted: list[Callable[[], object]] = []
        self.forgotten: list[int] = []
        self.diverted: list[int] = []
        self.is_sending = threading.Event()
        self.let_through = threading.Event()
        if not slow:
            self.let_through.set()

    def send(self, message: Message) -> None:
        first = not self.is_sending.is_set()
        self.is_sending.set()
        if first:
            assert self.let_through.wait(10)
        self.messages.append(message)
        self.left.append(MSG_NAMES[message.asbytes()[0]])

    def post(self, action: Callable[[], object]) -> None:
        self.posted.append(action)

    def forget(self, chanid: int) -> None:
        self.forgotten.append(chanid)

    def divert(self, channel: SafeChannel) -> None:
        self.diverted.append(channel.chanid)

    def undivert(self, chanid: int) -> None:
        if chanid in self.diverted:
            self.diverted.remove(chanid)

    def flush_soon(self, sink: Sink) -> None:
        sink.flush()


class Basin:
    """A sink that keeps what it was given."""

    def __init__(self) -> None:
        self.heard: list[bytes | str] = []

    def feed(self, data: bytes | bytearray | memoryview, /) -> None:
        if data:
            self.heard.append(bytes(data))

    def end(self) -> None:
        self.heard.append("end")

    def flush(self) -> None:
        self.heard.append("flush")


class _NoTransport:
    """What a channel asks of paramiko's transport when it is bound."""

    def get_log_channel(self) -> str:
        return "paramiko.test"

    def _sanitize_packet_size(self, size: int) -> int:
        return size


def _channel(wire: SlowWire) -> SafeChannel:
    channel = SafeChannel(1, wire)
    channel.bind(_NoTransport(), _WINDOW, 32768)  # type: ignore[arg-type]
    channel.opened(7, _WINDOW, 32768)
    return channel


def _racing(wire: SlowWire, first: Callable[[], object], second: Callable[[], object]) -> None:
    """Run `second` while `first` is held in the middle of its sending."""
    one = threading.Thread(target=first)
    one.start()
    assert wire.is_sending.wait(10)
    two = threading.Thread(target=second)
    two.start()
    two.join(0.05)  # stock paramiko is through by now, and has overtaken
    wire.let_through.set()
    one.join()
    two.join()


def test_close_does_not_overtake_an_eof_that_is_on_its_way() -> None:
    wire = SlowWire(slow=True)
    channel = _channel(wire)
    _racing(wire, channel.shutdown_write, channel.close)
    assert wire.left == ["channel-eof", "channel-close"]


def test_close_does_not_overtake_data_that_is_on_its_way() -> None:
    wire = SlowWire(slow=True)
    channel = _channel(wire)
    _racing(wire, lambda: channel.sendall(b"x"), channel.close)
    assert wire.left == ["channel-data", "channel-close"]


def test_eof_does_not_overtake_data_that_is_on_its_way() -> None:
    wire = SlowWire(slow=True)
    channel = _channel(wire)
    _racing(wire, lambda: channel.sendall(b"x"), channel.shutdown_write)
    assert wire.left == ["channel-data", "channel-eof"]


@pytest.mark.parametrize("use", ["send", "sendall", "eof", "read", "close"])
def test_nothing_follows_a_close(use: str) -> None:
    wire = SlowWire()
    channel = _channel(wire)
    channel.in_buffer.feed(b"x" * _WINDOW)
    channel.close()
    if use == "send":
        assert channel.send(b"x") == 0
    elif use == "sendall":
        with pytest.raises(OSError, match="closed"):
            channel.sendall(b"x")
    elif use == "eof":
        channel.shutdown_write()
    elif use == "read":
        assert len(channel.recv(_WINDOW)) == _WINDOW
    else:
        channel.close()
    assert wire.left == ["channel-close"]


def test_no_data_follows_an_eof_and_sendall_does_not_spin() -> None:
    wire = SlowWire()
    channel = _channel(wire)
    channel.shutdown_write()
    with pytest.raises(OSError, match="closed"):
        channel.sendall(b"x")
    channel.shutdown_write()
    assert wire.left == ["channel-eof"]
    channel.close()


def test_reading_still_gives_window_after_an_eof() -> None:
    wire = SlowWire()
    channel = _channel(wire)
    channel.shutdown_write()
    channel.in_buffer.feed(b"x" * _WINDOW)
    channel.recv(_WINDOW)
    assert wire.left == ["channel-eof", "channel-window-adjust"]
    channel.close()


def test_the_transports_thread_answers_a_close_without_sending_itself() -> None:
    wire = SlowWire()
    channel = _channel(wire)
    SafeChannel.HANDLERS[97](channel, Message())
    assert (channel.closed, wire.left, wire.forgotten) == (True, [], [1])
    (answer,) = wire.posted
    answer()
    answer()
    assert wire.left == ["channel-close"]


def test_a_forgotten_channel_is_closed_by_the_outbox_and_not_by_the_collector() -> None:
    wire = SlowWire()
    channel = _channel(wire)
    del channel
    assert wire.left == []
    (close,) = wire.posted
    close()
    assert wire.left == ["channel-close"]


def test_a_request_without_an_answer_ends_with_its_deadline() -> None:
    channel = _channel(SlowWire())
    channel.settimeout(0.01)
    channel.transport = _FakeTransport()  # type: ignore[assignment]
    with pytest.raises(TimeoutError):
        channel.exec_command("true")
    channel.close()


class _FakeTransport(_NoTransport):
    def _send_user_message(self, message: Message) -> None:
        pass


def test_a_sink_gets_what_came_before_it_and_after_it_and_the_end_in_order() -> None:
    channel = _channel(SlowWire())
    basin = Basin()
    SafeChannel.HANDLERS[94](channel, Message(b"\0\0\0\5early"))
    channel.divert(basin)
    SafeChannel.HANDLERS[94](channel, Message(b"\0\0\0\4late"))
    SafeChannel.HANDLERS[96](channel, Message())
    heard = ["early", "flush", "late", "flush", "end", "flush"]
    assert [str(one, "ascii") if isinstance(one, bytes) else one for one in basin.heard] == heard
    channel.close()


def test_a_sink_that_comes_after_the_end_is_told_so() -> None:
    channel = _channel(SlowWire())
    SafeChannel.HANDLERS[97](channel, Message())
    basin = Basin()
    channel.divert(basin)
    assert basin.heard == ["end", "flush"]


def test_its_data_goes_straight_to_its_sink_until_it_is_closed() -> None:
    wire = SlowWire()
    channel = _channel(wire)
    assert wire.diverted == []
    channel.divert(Basin())
    assert wire.diverted == [channel.chanid]
    channel.close()
    assert wire.diverted == []


def test_window_is_given_by_the_outbox_for_what_a_sink_has_written() -> None:
    wire = SlowWire()
    channel = _channel(wire)
    channel.divert(Basin())
    channel.give_window(_WINDOW)
    assert wire.left == []
    (give,) = wire.posted
    give()
    assert wire.left == ["channel-window-adjust"]
    channel.close()


def test_the_names_of_the_messages_are_the_ones_expected() -> None:
    assert {MSG_NAMES[number] for number in (94, 96, 97)} == {
        "channel-data",
        "channel-eof",
        "channel-close",
    }
    assert paramiko.common.MSG_CHANNEL_CLOSE == 97


def _sizes(batch: Message) -> list[int]:
    assert isinstance(batch, Batch)
    return [len(data) for _, data in batch.payloads]


def test_a_large_send_is_one_batch_of_packets_within_the_window() -> None:
    wire = SlowWire()
    channel = _channel(wire)
    channel.out_window_size = 100_000
    assert channel.send(bytes(300_000)) == 100_000
    packet = 32768 - 64  # as paramiko leaves room in a packet
    assert _sizes(wire.messages[-1]) == [packet, packet, packet, 100_000 - 3 * packet]
    assert channel.out_window_size == 0
    channel.close()


def test_a_sender_without_window_waits_until_the_host_gives_some() -> None:
    wire = SlowWire()
    channel = _channel(wire)
    channel.settimeout(10)
    channel.out_window_size = 0
    sender = threading.Thread(target=channel.sendall, args=(bytes(50_000),))
    sender.start()
    assert not wire.is_sending.wait(0.05)
    channel.widen(20_000)
    channel.widen(30_000)
    sender.join(10)
    assert sum(size for batch in wire.messages for size in _sizes(batch)) == 50_000
    channel.close()


def test_a_channel_that_closes_while_a_sender_waits_sends_nothing_more() -> None:
    wire = SlowWire()
    channel = _channel(wire)
    channel.out_window_size = 0
    sent: list[int] = []
    sender = threading.Thread(target=lambda: sent.append(channel.send(b"x")))
    sender.start()
    channel.close()
    sender.join(10)
    assert (sent, wire.left) == ([0], ["channel-close"])


def test_a_narrow_window_is_reached_by_giving_nothing_back() -> None:
    wire = SlowWire()
    channel = _channel(wire)
    channel.divert(Basin())
    channel.give_window(_WINDOW - NARROW, NARROW)
    assert wire.posted == []
    channel.give_window(NARROW, NARROW)
    assert len(wire.posted) == 1
    channel.give_window(1, FULL)
    assert len(wire.posted) == 2
    channel.close()
