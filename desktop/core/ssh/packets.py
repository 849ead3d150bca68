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
_LENGTH = struct.Struct(">I")
_NONCE = struct.Struct(">4sQ")  # RFC 5647 §7.1: what stays, and what counts the packets
_LAST_NUMBER = 2**64 - 1

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
    """One direction of AES-GCM as RFC 5647 §7 uses it: the length is authenticated, not hidden.

    Attributes:
        count: of the packets that were closed or opened.
    """

    def __init__(self, cipher: AESGCM, iv: bytes) -> None:
        self._cipher = cipher
        self._fixed, self._first = _NONCE.unpack(iv)
        self._nonce = b""
        self.count = 0

    def prepare(self) -> None:
        """Do before the next packet what it need not wait for; done twice it does no harm."""
        self._nonce = _NONCE.pack(self._fixed, (self._first + self.count) & _LAST_NUMBER)

    def close(self, payload: Sequence[Bytes], out: memoryview) -> int:
        """Write the packet that carries these pieces, and return its size; `out` has room."""
        padding = _BLOCK - (sum(map(len, payload)) + 1) % _BLOCK
        padding += _BLOCK if padding < 4 else 0  # RFC 4253 §6: at least four bytes
        plain = b"".join((padding.to_bytes(1, "big"), *payload, os.urandom(padding)))
        size = 4 + len(plain) + _TAG
        out[:4] = length = len(plain).to_bytes(4, "big")
        self.prepare()
        self._cipher.encrypt_into(self._nonce, plain, length, out[4:size])
        self.count += 1
        return size

    def open(self, store: memoryview, start: int, end: int) -> bytes:
        """Return the payload of the packet that lies there, at least one byte; `prepare` first.

        Raises:
            paramiko.SSHException: it is not what the host sent.
        """
        try:
            text = start + 4
            plain = self._cipher.decrypt(self._nonce, store[text:end], store[start:text])
        except InvalidTag as error:
            raise paramiko.SSHException("a packet was changed on its way") from error
        padding_at = len(plain) - plain[0]
        if padding_at < 2:
            raise paramiko.SSHException("a packet without content")
        self.count += 1
        return plain[1:padding_at]  # copied: a view takes an event longer, and bulk does not notice


class Packets(StockPacketizer):
    """Reads and writes packets; knows when the host was last heard, and what it said first.

    Attributes:
        last_inbound: `time.monotonic()` of the last bytes, when they had been delivered.
        greeting: the first bytes of the host.
        deliver: is given a payload and whether more has arrived behind it, and returns whether it
            took it; what it does not take goes paramiko's way.
        before_waiting: is called before the host is waited for; everything that has arrived has
            been delivered then.
    """

    # AES-GCM is safe for 2**36 bytes (what OpenSSH itself uses): the host asks first, and a key
    # exchange that the host starts cannot race with our own sending. So many bytes are fewer than
    # 2**31 packets, which have 36 at least.
    REKEY_BYTES = 2**36
    REKEY_PACKETS = 2**31

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        self.last_inbound = time.monotonic()
        self.greeting = b""
        self.deliver: Callable[[bytes, bool], bool] = lambda *_: False
        self.before_waiting: Callable[[], None] = lambda: None
        self._sock = sock
        _wait_in_the_kernel(sock)
        self._inbox = Inbox(_MOST_PACKET + 4 + _TAG)
        self._seal_in: Seal | None = None
        self._seal_out: Seal | None = None
        self._write_lock = threading.Lock()
        self._sealed = memoryview(b"")  # what is being written: room that is asked for once
        self._bytes_in = self._bytes_out = 0
        self._keys_are_due = False  # as `need_rekey` says
        self._has_news = False  # something was read that is not accounted for yet

    def set_inbound_cipher(self, *args: Any, **options: Any) -> None:
        """Take the keys of the way in from paramiko."""
        super().set_inbound_cipher(*args, **options)
        self._seal_in = _seal(options["block_engine"], options["iv_in"])
        self._bytes_in = 0
        self._keys_are_due = self.need_rekey()

    def set_outbound_cipher(self, *args: Any, **options: Any) -> None:
        """Take the keys of the way out from paramiko."""
        super().set_outbound_cipher(*args, **options)
        self._seal_out = _seal(options["block_engine"], options["iv_out"])
        self._bytes_out = 0
        self._keys_are_due = self.need_rekey()

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
            self._ask_for_keys_after(self._bytes_out)

    def read_message(self) -> tuple[int, Message]:
        """Return the next packet's type and content, other than what was delivered."""
        while self._seal_in is not None:
            payload = self._read_sealed(self._seal_in)
            # While a key exchange is due, paramiko's loop must see each packet to begin it.
            if not self._keys_are_due and self.deliver(payload, self._inbox.size > 0):
                continue
            message = Message(payload[1:])
            message.seqno = self._seal_in.count - 1
            return _checked(payload[0], message)
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

    def _read_sealed(self, seal: Seal) -> bytes:
        # Few steps between the socket and the sink: after a pause caches are cold, and each call
        # takes an event a microsecond or more (measured).
        seal.prepare()
        inbox = self._inbox
        if inbox.size < 4:
            self._await(4, check_rekey=True)
        size: int = 4 + _LENGTH.unpack_from(inbox.store, inbox.start)[0] + _TAG
        if size % _BLOCK != 4 or size < 4 + _BLOCK + _TAG:
            raise paramiko.SSHException("a packet of an impossible size")
        if inbox.size < size:
            self._await(size)
        start = inbox.start
        inbox.start = end = start + size
        inbox.size -= size
        return seal.open(inbox.store, start, end)

    def _await(self, n: int, *, check_rekey: bool = False) -> None:
        """Return when the inbox holds `n` bytes."""
        if n > _MOST_PACKET + 4 + _TAG or n < 0:
            raise paramiko.SSHException("a packet of an impossible size")
        while self._inbox.size < n:
            self.before_waiting()
            if self._has_news:
                self._account()
            if self._seal_in is None and self.handshake_timed_out():
                raise EOFError
            try:
                self._bytes_in += self._inbox.fill(self._sock)
                self._has_news = True
            except (TimeoutError, BlockingIOError):
                if self.closed:
                    raise EOFError from None
                if check_rekey and not self._inbox.size and self.need_rekey():
                    raise NeedRekeyException from None
            except OSError:
                if self.closed:
                    raise EOFError from None
                raise

    def _account(self) -> None:
        """Do what an event need not wait for; it has been delivered."""
        self._has_news = False
        self.last_inbound = time.monotonic()
        self._ask_for_keys_after(self._bytes_in)

    def _ask_for_keys_after(self, size: int) -> None:
        """Ask for new keys when these many bytes of a direction are enough for the old ones."""
        if size >= self.REKEY_BYTES and not self._keys_are_due:
            self._trigger_rekey()
            self._keys_are_due = True


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
