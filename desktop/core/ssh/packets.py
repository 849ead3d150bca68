"""Packets in and out: few system calls, no needless copies, bounded before the host is trusted.

paramiko reads a packet in three system calls and copies it five times. Here the socket is read in
large pieces, and an AES-GCM packet (the cipher that is asked for first) is opened where it lies;
the packets of an upload are sealed side by side and written in one call. Other ciphers take
paramiko's own way, from the same inbox.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import paramiko
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from paramiko.common import MSG_CHANNEL_DATA, MSG_CHANNEL_WINDOW_ADJUST
from paramiko.message import Message
from paramiko.packet import NeedRekeyException

from desktop.core.ssh.inbox import Inbox
from desktop.core.ssh.pages import pages
from desktop.core.ssh.stock import StockPacketizer

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_GREETING_BYTES = 16 << 10  # before the SSH version line; RFC 4253 §4.2 allows a few lines
_MOST_PACKET = 512 << 10  # bytes; OpenSSH sends no more than 256 KiB
_OF_EXCHANGES = range(20, 50)  # types of messages, RFC 4250 §4.1.2
_MOST_OF_EXCHANGE = 32 << 10  # bytes; RFC 4253 §6.1 asks for 32768, OpenSSH's are below 2 KiB
_DEAF_SECONDS = 20.0  # as long as a dead host may stay unnoticed
_BLOCK = 16  # bytes of an AES block, to which a packet is padded
_TAG = 16
_MOST_AROUND = 4 + 1 + _BLOCK + 3 + _TAG  # bytes: length, padding and its length, tag
_SHORT_WAY = (MSG_CHANNEL_DATA, MSG_CHANNEL_WINDOW_ADJUST)

Bytes = bytes | bytearray | memoryview


class Batch(Message):
    """Packets that leave one after the other, with nothing between them.

    Attributes:
        payloads: of each packet, in pieces; they are not copied and must not change until sent.
    """

    def __init__(self, payloads: Sequence[tuple[Bytes, ...]]) -> None:
        super().__init__()
        self.payloads = payloads

    def asbytes(self) -> bytes:
        """Return all payloads as one."""
        return b"".join(piece for payload in self.payloads for piece in payload)


class Seal:
    """One direction of AES-GCM as RFC 5647 §7 uses it: the length is authenticated, not hidden."""

    def __init__(self, cipher: AESGCM, iv: bytes) -> None:
        self._cipher = cipher
        self._fixed = iv[:4]
        self._counter = int.from_bytes(iv[4:], "big")

    def close(self, payload: Sequence[Bytes], out: memoryview) -> int:
        """Write the packet that carries these pieces, and return its size; `out` has room."""
        padding = _BLOCK - (sum(map(len, payload)) + 1) % _BLOCK
        padding += _BLOCK if padding < 4 else 0  # RFC 4253 §6: at least four bytes
        plain = b"".join((padding.to_bytes(1, "big"), *payload, os.urandom(padding)))
        size = 4 + len(plain) + _TAG
        out[:4] = length = len(plain).to_bytes(4, "big")
        self._cipher.encrypt_into(self._next_nonce(), plain, length, out[4:size])
        return size

    def open(self, packet: memoryview) -> memoryview:
        """Return the payload of a packet, at least one byte.

        Raises:
            paramiko.SSHException: it is not what the host sent.
        """
        try:
            plain = self._cipher.decrypt(self._next_nonce(), packet[4:], packet[:4])
        except InvalidTag as error:
            raise paramiko.SSHException("a packet was changed on its way") from error
        end = len(plain) - plain[0]
        if end < 2:
            raise paramiko.SSHException("a packet without content")
        return memoryview(plain)[1:end]

    def _next_nonce(self) -> bytes:
        nonce = self._fixed + self._counter.to_bytes(8, "big")
        self._counter = (self._counter + 1) % 2**64
        return nonce


class Packets(StockPacketizer):
    """Reads and writes packets; knows when the host was last heard, and what it said first.

    Attributes:
        last_inbound: `time.monotonic()` of the last bytes.
        greeting: the first bytes of the host.
        deliver: takes the payload of a CHANNEL_DATA or CHANNEL_WINDOW_ADJUST and returns whether
            it did; what it does not take goes paramiko's way.
        before_waiting: is called before the host is waited for; everything that has arrived has
            been delivered then.
    """

    # AES-GCM is safe for 2**36 bytes (what OpenSSH itself uses): the host asks first, and a key
    # exchange that the host starts cannot race with our own sending.
    REKEY_BYTES = 2**36
    REKEY_PACKETS = 2**31

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        self.last_inbound = time.monotonic()
        self.greeting = b""
        self.deliver: Callable[[memoryview], bool] = lambda _: False
        self.before_waiting: Callable[[], None] = lambda: None
        self._sock = sock
        _wait_in_the_kernel(sock)
        self._inbox = Inbox(_MOST_PACKET + 4 + _TAG)
        self._seal_in: Seal | None = None
        self._seal_out: Seal | None = None
        self._write_lock = threading.Lock()
        self._sealed = memoryview(b"")  # what is being written: room that is asked for once
        self._bytes_in = self._bytes_out = self._packets_in = self._packets_out = 0

    def set_inbound_cipher(self, *args: Any, **options: Any) -> None:
        """Take the keys of the way in from paramiko."""
        super().set_inbound_cipher(*args, **options)
        self._seal_in = _seal(options["block_engine"], options["iv_in"])
        self._bytes_in = self._packets_in = 0

    def set_outbound_cipher(self, *args: Any, **options: Any) -> None:
        """Take the keys of the way out from paramiko."""
        super().set_outbound_cipher(*args, **options)
        self._seal_out = _seal(options["block_engine"], options["iv_out"])
        self._bytes_out = self._packets_out = 0

    def send_message(self, data: Message) -> None:
        """Send one packet; the caller sees to it that no key exchange is under way."""
        payloads = data.payloads if isinstance(data, Batch) else ((data.asbytes(),),)
        if self._seal_out is None:
            for payload in payloads:
                super().send_message(Message(b"".join(payload)))
            return
        with self._write_lock:
            packets = self._close_all(self._seal_out, payloads)
            self.write_all(packets)
            self._bytes_out += len(packets)
            self._packets_out += len(payloads)
            if self._bytes_out >= self.REKEY_BYTES or self._packets_out >= self.REKEY_PACKETS:
                self._ask_for_keys()

    def read_message(self) -> tuple[int, Message]:
        """Return the next packet's type and content, other than what was delivered."""
        while self._seal_in is not None:
            payload = self._read_sealed(self._seal_in)
            kind = payload[0]
            # While a key exchange is due, paramiko's loop must see each packet to begin it.
            if kind in _SHORT_WAY and not self.need_rekey() and self.deliver(payload):
                continue
            message = Message(bytes(payload[1:]))
            message.seqno = self._packets_in - 1
            return _checked(kind, message)
        return _checked(*super().read_message())

    def read_all(self, n: int, check_rekey: bool = False) -> bytes:
        """Return the next `n` bytes; a host that is not trusted yet cannot ask for gigabytes."""
        self._await(n, check_rekey=check_rekey)
        return bytes(self._inbox.take(n))

    def write_all(self, out: ReadableBuffer) -> None:
        """Write all of it.

        Raises:
            EOFError: the connection is gone; or the host took nothing for 20 s, which ends it: one
                that talks on meanwhile looks alive, and half a packet cannot be taken back.
        """
        rest, deadline = memoryview(out), time.monotonic() + _DEAF_SECONDS
        while rest:
            try:
                rest = rest[self._sock.send(rest) :]
                deadline = time.monotonic() + _DEAF_SECONDS
            except (TimeoutError, BlockingIOError):
                if time.monotonic() > deadline:
                    with suppress(OSError):
                        self._sock.shutdown(socket.SHUT_RDWR)  # wakes the reading thread too
                    raise EOFError("the host takes nothing any more") from None
                if self.closed:
                    raise EOFError from None
            except OSError as error:
                raise EOFError from error

    def readline(self, timeout: float) -> str:
        """Return the next line of the greeting; a port that talks without end is not SSH."""
        deadline = time.monotonic() + timeout
        while (line := self._inbox.take_line()) is None:
            if len(self.greeting) > _GREETING_BYTES:
                raise paramiko.SSHException("no SSH version line")
            try:
                self.greeting += self._inbox.last(self._inbox.fill(self._sock))
            except (TimeoutError, BlockingIOError):
                if self.closed:
                    raise EOFError from None
                if time.monotonic() >= deadline:
                    raise TimeoutError("no SSH version line") from None
        return line.rstrip(b"\r\n").decode()

    def _close_all(self, seal: Seal, payloads: Sequence[Sequence[Bytes]]) -> memoryview:
        """Return the packets that carry these; valid until the next call."""
        most = sum(_MOST_AROUND + sum(map(len, payload)) for payload in payloads)
        if len(self._sealed) < most:
            self._sealed = pages(most)
        out, size = self._sealed, 0
        for payload in payloads:
            size += seal.close(payload, out[size:])
        return out[:size]

    def _read_sealed(self, seal: Seal) -> memoryview:
        # Few calls between the socket and the sink: after a pause each costs a microsecond or more.
        inbox = self._inbox
        if inbox.size < 4:
            self._await(4, check_rekey=True)
        size = 4 + inbox.length() + _TAG
        if size % _BLOCK != 4 or size < 4 + _BLOCK + _TAG:
            raise paramiko.SSHException("a packet of an impossible size")
        if inbox.size < size:
            self._await(size)
        payload = seal.open(inbox.take(size))
        self._bytes_in += size
        self._packets_in += 1
        if self._bytes_in >= self.REKEY_BYTES or self._packets_in >= self.REKEY_PACKETS:
            self._ask_for_keys()
        return payload

    def _await(self, n: int, *, check_rekey: bool = False) -> None:
        """Return when the inbox holds `n` bytes."""
        if n > _MOST_PACKET + 4 + _TAG or n < 0:
            raise paramiko.SSHException("a packet of an impossible size")
        while self._inbox.size < n:
            self.before_waiting()
            if self.handshake_timed_out():
                raise EOFError
            try:
                self._inbox.fill(self._sock)
                self.last_inbound = time.monotonic()
            except (TimeoutError, BlockingIOError):
                if self.closed:
                    raise EOFError from None
                if check_rekey and not self._inbox.size and self.need_rekey():
                    raise NeedRekeyException from None
            except OSError:
                if self.closed:
                    raise EOFError from None
                raise

    def _ask_for_keys(self) -> None:
        if not self.need_rekey():
            self._trigger_rekey()


def _checked(kind: int, message: Message) -> tuple[int, Message]:
    """Return both, unless it is a key exchange's and larger than any honest one.

    paramiko takes seconds of processor time to read a number of half a megabyte.
    """
    if kind in _OF_EXCHANGES and len(message.asbytes()) > _MOST_OF_EXCHANGE:
        raise paramiko.SSHException("a key exchange of an impossible size")
    return kind, message


def _wait_in_the_kernel(sock: socket.socket) -> None:
    """Have each call wait by itself for as long as it does now.

    Python's own timeout takes a second call, and the interpreter's lock once more, for each event.
    Windows leaves open what a socket is good for after such a timeout.
    """
    seconds = sock.gettimeout()
    if sys.platform == "win32" or not seconds:
        return
    interval = struct.pack("ll", int(seconds), int(seconds % 1 * 1e6))  # struct timeval
    sock.settimeout(None)
    for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
        sock.setsockopt(socket.SOL_SOCKET, option, interval)


def _seal(cipher: object, iv: bytes | None) -> Seal | None:
    """Return the seal of an AES-GCM direction; None for another cipher, which has no such `iv`."""
    return Seal(cipher, iv) if isinstance(cipher, AESGCM) and iv else None
