"""Packets in and out: few system calls, no needless copies, bounded before the host is trusted.

paramiko reads a packet in three system calls and copies it five times. Here the socket is read in
large pieces, and an AES-GCM packet (the cipher that is asked for first) is opened where it lies.
Other ciphers take paramiko's own way, from the same inbox.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import paramiko
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from paramiko.common import MSG_CHANNEL_DATA
from paramiko.message import Message
from paramiko.packet import NeedRekeyException

from desktop.core.ssh.inbox import Inbox
from desktop.core.ssh.stock import StockPacketizer

_GREETING_BYTES = 16 << 10  # before the SSH version line; RFC 4253 §4.2 allows a few lines
_MOST_PACKET = 512 << 10  # bytes; OpenSSH sends no more than 256 KiB
_BLOCK = 16  # bytes of an AES block, to which a packet is padded
_TAG = 16


class Seal:
    """One direction of AES-GCM as RFC 5647 §7 uses it: the length is authenticated, not hidden."""

    def __init__(self, cipher: AESGCM, iv: bytes) -> None:
        self._cipher = cipher
        self._fixed = iv[:4]
        self._counter = int.from_bytes(iv[4:], "big")

    def close(self, payload: bytes) -> bytearray:
        """Return the packet that carries this payload."""
        padding = _BLOCK - (len(payload) + 1) % _BLOCK
        padding += _BLOCK if padding < 4 else 0  # RFC 4253 §6: at least four bytes
        plain = b"".join((padding.to_bytes(1, "big"), payload, os.urandom(padding)))
        packet = bytearray(4 + len(plain) + _TAG)
        packet[:4] = len(plain).to_bytes(4, "big")
        # Into its place: the packet of an upload is copied once less.
        self._cipher.encrypt_into(
            self._next_nonce(), plain, bytes(packet[:4]), memoryview(packet)[4:]
        )
        return packet

    def open(self, packet: memoryview) -> memoryview:
        """Return the payload of a packet, at least one byte.

        Raises:
            paramiko.SSHException: it is not what the host sent.
        """
        try:
            plain = self._cipher.decrypt(self._next_nonce(), packet[4:], packet[:4])
        except InvalidTag as error:
            raise paramiko.SSHException("a packet was changed on its way") from error
        payload = memoryview(plain)[1 : len(plain) - plain[0]]
        if not payload:
            raise paramiko.SSHException("a packet without content")
        return payload

    def _next_nonce(self) -> bytes:
        nonce = self._fixed + self._counter.to_bytes(8, "big")
        self._counter = (self._counter + 1) % 2**64
        return nonce


class Packets(StockPacketizer):
    """Reads and writes packets; knows when the host was last heard, and what it said first.

    Attributes:
        last_inbound: `time.monotonic()` of the last bytes.
        greeting: the first bytes of the host.
        deliver: takes the payload of a CHANNEL_DATA and returns whether it did; what it does not
            take goes paramiko's way.
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
        self._inbox = Inbox(_MOST_PACKET + 4 + _TAG)
        self._seal_in: Seal | None = None
        self._seal_out: Seal | None = None
        self._write_lock = threading.Lock()
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
        if self._seal_out is None:
            super().send_message(data)
            return
        with self._write_lock:
            packet = self._seal_out.close(data.asbytes())
            self.write_all(packet)
            self._bytes_out += len(packet)
            self._packets_out += 1
            self._count_for_rekey(self._packets_out, self._bytes_out)

    def read_message(self) -> tuple[int, Message]:
        """Return the next packet's type and content, other than what was delivered."""
        while self._seal_in is not None:
            payload = self._read_sealed(self._seal_in)
            kind = payload[0]
            # While a key exchange is due, paramiko's loop must see each packet to begin it.
            if kind == MSG_CHANNEL_DATA and not self.need_rekey() and self.deliver(payload):
                continue
            message = Message(bytes(payload[1:]))
            message.seqno = self._packets_in - 1
            return kind, message
        return super().read_message()

    def read_all(self, n: int, check_rekey: bool = False) -> bytes:
        """Return the next `n` bytes; a host that is not trusted yet cannot ask for gigabytes."""
        self._await(n, check_rekey=check_rekey)
        return bytes(self._inbox.take(n))

    def readline(self, timeout: float) -> str:
        """Return the next line of the greeting; a port that talks without end is not SSH."""
        deadline = time.monotonic() + timeout
        while (line := self._inbox.take_line()) is None:
            if len(self.greeting) > _GREETING_BYTES:
                raise paramiko.SSHException("no SSH version line")
            try:
                self.greeting += self._inbox.fill(self._sock)
            except TimeoutError:
                if self.closed:
                    raise EOFError from None
                if time.monotonic() >= deadline:
                    raise
        return line.rstrip(b"\r\n").decode()

    def _read_sealed(self, seal: Seal) -> memoryview:
        self._await(4, check_rekey=True)
        size = 4 + int.from_bytes(self._inbox.peek(4), "big") + _TAG
        if size % _BLOCK != 4 or size < 4 + _BLOCK + _TAG:
            raise paramiko.SSHException("a packet of an impossible size")
        self._await(size)
        payload = seal.open(self._inbox.take(size))
        self._bytes_in += size
        self._packets_in += 1
        self._count_for_rekey(self._packets_in, self._bytes_in)
        return payload

    def _await(self, n: int, *, check_rekey: bool = False) -> None:
        """Return when the inbox holds `n` bytes."""
        if n > _MOST_PACKET + 4 + _TAG or n < 0:
            raise paramiko.SSHException("a packet of an impossible size")
        while len(self._inbox) < n:
            self.before_waiting()
            if self.handshake_timed_out():
                raise EOFError
            try:
                self._inbox.fill(self._sock)
                self.last_inbound = time.monotonic()
            except (TimeoutError, BlockingIOError):
                if self.closed:
                    raise EOFError from None
                if check_rekey and not self._inbox and self.need_rekey():
                    raise NeedRekeyException from None
            except OSError:
                if self.closed:
                    raise EOFError from None
                raise

    def _count_for_rekey(self, packets: int, size: int) -> None:
        if (size >= self.REKEY_BYTES or packets >= self.REKEY_PACKETS) and not self.need_rekey():
            self._trigger_rekey()


def _seal(cipher: object, iv: bytes | None) -> Seal | None:
    """Return the seal of an AES-GCM direction; None for another cipher, which has no such `iv`."""
    return Seal(cipher, iv) if isinstance(cipher, AESGCM) and iv else None
