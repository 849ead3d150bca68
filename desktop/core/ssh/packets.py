"""Packets in and out, bounded before the host is trusted, and with the time of the last one."""

from __future__ import annotations

import socket
import time

import paramiko
from paramiko.message import Message

from desktop.core.ssh.stock import StockPacketizer

_GREETING_BYTES = 16 << 10  # before the SSH version line; RFC 4253 §4.2 allows a few lines
_MOST_PACKET = 512 << 10  # bytes; OpenSSH sends no more than 256 KiB


class Packets(StockPacketizer):
    """Reads and writes packets; knows when the last one came, and what a non-SSH port said.

    Attributes:
        last_inbound: `time.monotonic()` of the last packet.
        greeting: the first bytes of the host.
    """

    # AES-GCM is safe for 2**36 bytes (what OpenSSH itself uses): the host asks first, and a key
    # exchange that the host starts cannot race with our own sending.
    REKEY_BYTES = 2**36
    REKEY_PACKETS = 2**31

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        self.last_inbound = time.monotonic()
        self.greeting = b""

    def read_message(self) -> tuple[int, Message]:
        """Return the next packet's type and content."""
        message = super().read_message()
        self.last_inbound = time.monotonic()
        return message

    def read_all(self, n: int, check_rekey: bool = False) -> bytes:
        """Return the next `n` bytes; a host that is not trusted yet cannot ask for gigabytes."""
        if not 0 <= n <= _MOST_PACKET:
            raise paramiko.SSHException("a packet of an impossible size")
        return super().read_all(n, check_rekey)

    def _read_timeout(self, timeout: float) -> bytes:
        """Read a piece of the greeting; a port that talks without end is not SSH."""
        data = super()._read_timeout(timeout)
        self.greeting += data
        if len(self.greeting) > _GREETING_BYTES:
            raise paramiko.SSHException("no SSH version line")
        return data
