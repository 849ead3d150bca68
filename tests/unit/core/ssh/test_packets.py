"""Packets sealed with AES-GCM: as OpenSSH writes them, and never more than the bounds."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import paramiko
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from paramiko.message import Message
from paramiko.packet import NeedRekeyException, Packetizer

from desktop.core.ssh.packets import Batch, Packets, Seal

_IV = bytes(range(12))
_KEY = bytes(16)
_DATA, _ADJUST = 94, 93  # RFC 4250 §4.1.2


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        for end in (ours, theirs):
            end.settimeout(0.05)
        yield ours, theirs


def _cipher(way: str) -> dict[str, object]:
    return {
        "block_engine": AESGCM(_KEY),
        "block_size": 16,
        "mac_engine": None,
        "mac_size": 16,
        "mac_key": None,
        "aead": True,
        f"iv_{way}": _IV,
    }


def _packets(sock: socket.socket) -> Packets:
    packets = Packets(sock)
    packets.set_inbound_cipher(**_cipher("in"))
    packets.set_outbound_cipher(**_cipher("out"))
    return packets


def _stock(sock: socket.socket) -> Packetizer:
    stock = Packetizer(sock)
    stock.set_inbound_cipher(**_cipher("in"))  # type: ignore[arg-type]
    stock.set_outbound_cipher(**_cipher("out"))  # type: ignore[arg-type]
    return stock


@pytest.mark.parametrize("size", [1, 10, 11, 12, 15, 16, 17, 32768])
def test_paramiko_reads_what_we_write_and_we_what_it_writes(
    ends: tuple[socket.socket, socket.socket], size: int
) -> None:
    ours, theirs = _packets(ends[0]), _stock(ends[1])
    content = os.urandom(size)
    for _ in range(3):
        for one, other in ((ours, theirs), (theirs, ours)):
            one.send_message(Message(b"\x02" + content))
            kind, message = other.read_message()
            assert (kind, message.asbytes()) == (2, content)


def test_a_packet_that_was_changed_ends_it(ends: tuple[socket.socket, socket.socket]) -> None:
    packet = bytearray(100)
    size = Seal(AESGCM(_KEY), _IV).close([b"\x02", b"content"], memoryview(packet))
    packet[6] ^= 1
    ends[1].sendall(packet[:size])
    with pytest.raises(paramiko.SSHException, match="changed"):
        _packets(ends[0]).read_message()


@pytest.mark.parametrize("length", [0, 15, 17, (512 << 10) + 16, 0xFFFFFFF0])
def test_an_impossible_length_ends_it_before_anything_is_awaited(
    ends: tuple[socket.socket, socket.socket], length: int
) -> None:
    ends[1].sendall(length.to_bytes(4, "big"))
    with pytest.raises(paramiko.SSHException, match="impossible"):
        _packets(ends[0]).read_message()


def test_a_packet_of_padding_only_ends_it(ends: tuple[socket.socket, socket.socket]) -> None:
    length = (16).to_bytes(4, "big")
    ends[1].sendall(length + AESGCM(_KEY).encrypt(_IV, b"\x0f" + bytes(15), length))
    with pytest.raises(paramiko.SSHException, match="without content"):
        _packets(ends[0]).read_message()


def test_data_is_delivered_before_the_host_is_waited_for_again(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = _packets(ends[0]), _packets(ends[1])
    events: list[object] = []

    def deliver(payload: bytes, more: bool) -> bool:
        events.append((payload[1:], more))
        return payload[0] == _DATA

    ours.deliver = deliver
    ours.before_waiting = lambda: events.append("wait")
    for text in (b"one", b"two"):
        theirs.send_message(Message(bytes([_DATA]) + text))
    theirs.send_message(Message(b"\x02other"))
    assert ours.read_message()[0] == 2
    assert events == ["wait", (b"one", True), (b"two", True), (b"other", False)]


def test_after_the_limit_a_new_key_exchange_is_asked_for(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = _packets(ends[0]), _packets(ends[1])
    ours.REKEY_BYTES = 1
    theirs.send_message(Message(b"\x02x"))
    ours.read_message()
    with pytest.raises(NeedRekeyException):
        ours.read_message()
    assert ours.need_rekey()


def test_a_new_key_ends_the_wish_for_one_when_both_ways_have_it(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = _packets(ends[0]), _packets(ends[1])
    taken: list[bytes] = []

    def deliver(payload: bytes, _more: bool) -> bool:
        taken.append(payload)
        return payload[0] == _DATA

    ours.deliver = deliver
    ours.REKEY_BYTES = 1
    theirs.send_message(Message(b"\x02before"))
    ours.read_message()
    with pytest.raises(NeedRekeyException):
        ours.read_message()
    ours.REKEY_BYTES = Packets.REKEY_BYTES
    theirs = _packets(ends[1])
    for take_keys, way in ((ours.set_inbound_cipher, "in"), (ours.set_outbound_cipher, "out")):
        taken.clear()
        theirs.send_message(Message(b"\x5eslow"))
        take_keys(**_cipher(way))
        if way == "in":
            assert ours.read_message()[0] == _DATA
            assert taken == []
    theirs.send_message(Message(b"\x02after"))
    assert ours.read_message()[0] == 2
    assert taken == [b"\x5eslow", b"\x02after"]


def test_the_numbers_of_the_nonces_begin_again_after_the_last() -> None:
    seals = [Seal(AESGCM(_KEY), bytes(4) + bytes([255]) * 8) for _ in range(2)]
    stock = AESGCM(_KEY)
    room = memoryview(bytearray(100))
    for nonce in (bytes(4) + bytes([255]) * 8, bytes(12), bytes(11) + b"\x01"):
        size = seals[0].close([b"content"], room)
        assert stock.decrypt(nonce, room[4:size], room[:4])[1:8] == b"content"
        seals[1].prepare()
        seals[1].prepare()
        assert seals[1].open(room, 0, size) == b"content"


def test_a_port_that_talks_without_a_line_is_left(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    ends[1].sendall(b"x" * (17 << 10))
    with pytest.raises(paramiko.SSHException, match="version line"):
        Packets(ends[0]).readline(1.0)


@pytest.mark.parametrize("sizes", [[1], [32704, 32704, 5], [7] * 40])
def test_packets_of_a_batch_arrive_one_by_one_as_paramiko_reads_them(
    ends: tuple[socket.socket, socket.socket], sizes: list[int]
) -> None:
    ours, theirs = _packets(ends[0]), _stock(ends[1])
    contents = [os.urandom(size) for size in sizes]
    ours.send_message(Batch([(b"\x5e", memoryview(content)) for content in contents]))
    for content in contents:
        kind, message = theirs.read_message()
        assert (kind, message.asbytes()) == (_DATA, content)
    ours.send_message(Message(b"\x02after"))
    assert theirs.read_message()[1].asbytes() == b"after"


def test_a_batch_leaves_in_one_call(ends: tuple[socket.socket, socket.socket]) -> None:
    ours = _packets(ends[0])
    written: list[object] = []
    ours.write_all = written.append  # type: ignore[method-assign,assignment]
    ours.send_message(Batch([(b"\x5e", bytes(1000))] * 8))
    (packets,) = written
    assert isinstance(packets, memoryview)
    assert len(packets) > 8000


def test_before_the_first_keys_a_batch_takes_paramikos_way(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = Packets(ends[0]), Packetizer(ends[1])
    ours.send_message(Batch([(b"\x02", b"one"), (b"\x02", b"two")]))
    assert [theirs.read_message()[1].asbytes() for _ in range(2)] == [b"one", b"two"]


def test_more_window_takes_the_short_way_until_keys_are_due(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = _packets(ends[0]), _packets(ends[1])
    taken: list[bytes] = []

    def deliver(payload: bytes, _more: bool) -> bool:
        taken.append(payload)
        return payload[0] == _ADJUST

    ours.deliver = deliver
    adjust = bytes([_ADJUST]) + bytes(8)
    theirs.send_message(Message(adjust))
    theirs.send_message(Message(b"\x02x"))
    assert ours.read_message()[0] == 2
    assert taken == [adjust, b"\x02x"]
    ours.REKEY_BYTES = 1
    theirs.send_message(Message(adjust))
    assert ours.read_message()[0] == _ADJUST
    assert taken == [adjust, b"\x02x"]
