"""paramiko's transport without the two defects that end a session under load.

- EOF or DATA after CLOSE (#1115): cured in `SafeChannel`, which this transport opens.
- The reading thread waiting for itself in a key exchange (#822): whatever that thread has to send
  goes to an outbox, which a second thread empties. Key exchanges are left to the host to start.

It also opens channels with a deadline and an error of their own, and remembers when the last
packet came in, which is all that liveness needs.
"""

from __future__ import annotations

import logging
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from queue import SimpleQueue

import paramiko
from paramiko.common import (
    MSG_CHANNEL_DATA,
    MSG_CHANNEL_WINDOW_ADJUST,
    cMSG_CHANNEL_OPEN,
    cMSG_GLOBAL_REQUEST,
)
from paramiko.message import Message

from desktop.core.ssh.channel import SafeChannel, Sink
from desktop.core.ssh.packets import Packets
from desktop.core.ssh.stock import StockTransport

_LOG = logging.getLogger(__name__)
logging.getLogger("paramiko").setLevel(logging.WARNING)  # below that it names hosts and keys
logging.getLogger("paramiko").addHandler(logging.NullHandler())

FOREIGN = (OSError, EOFError, paramiko.SSHException)  # all that a transport may raise

_OUTBOX_SECONDS = 5.0  # for the outbox to see that the socket is closed
_OPEN_SECONDS = 10.0
_MOST_WAITING = 10_000  # answers in the outbox
_MOST_EXTENSIONS = 100  # RFC 8308; OpenSSH sends three
_HEAD = struct.Struct(">BII")  # RFC 4254 §5.2: the type, the channel, and a length or a number


@dataclass
class _Opening:
    """A channel that was asked for."""

    channel: SafeChannel
    answered: threading.Event = field(default_factory=threading.Event)
    refusal: paramiko.ChannelException | None = None
    abandoned: bool = False


class SafeTransport(StockTransport):
    """One SSH transport over a connected socket, client side.

    Attributes:
        ended: set when it is over and its threads are done.
        failure: why it ended, if it was not closed from here.
    """

    # facts: AES-GCM halves the cost per byte; no CBC, MD5 or SHA-1; RSA keys sign with SHA-2 only.
    _preferred_kex = (
        "mlkem768x25519-sha256",
        "curve25519-sha256@libssh.org",
        "diffie-hellman-group16-sha512",
        "diffie-hellman-group-exchange-sha256",
        "ecdh-sha2-nistp256",
    )
    _preferred_ciphers = (
        "aes128-gcm@openssh.com",
        "aes256-gcm@openssh.com",
        "aes128-ctr",
        "aes192-ctr",
        "aes256-ctr",
    )
    _preferred_macs = (
        "hmac-sha2-256-etm@openssh.com",
        "hmac-sha2-512-etm@openssh.com",
        "hmac-sha2-256",
        "hmac-sha2-512",
    )

    # The stock table holds the stock class's functions, which a subclass of Channel cannot replace.
    _channel_handler_table = StockTransport._channel_handler_table | SafeChannel.HANDLERS  # noqa: SLF001 - a subclass's right

    packetizer: Packets

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock, packetizer_class=Packets)
        self.name = "ssh-transport"
        self._outbox: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._opening: dict[int, _Opening] = {}
        self._at_end: list[Callable[[], None]] = []
        self.ended = threading.Event()
        self.failure: Exception | None = None
        self._diverted: dict[int, SafeChannel] = {}  # those that have a sink
        self._to_flush: dict[Sink, None] = {}
        self.packetizer.deliver = self._deliver
        self.packetizer.before_waiting = self._flush

    @property
    def last_inbound(self) -> float:
        """`time.monotonic()` when the host was last heard."""
        return self.packetizer.last_inbound

    @property
    def greeting(self) -> bytes:
        """The first bytes that the host sent."""
        return self.packetizer.greeting

    def prefer_host_keys(self, kinds: tuple[str, ...]) -> None:
        """Ask for these types of host key first: those that are pinned."""
        names = [name for kind in kinds for name in _algorithms(kind)]
        first = [name for name in names if name in self._preferred_keys]
        rest = [name for name in self._preferred_keys if name not in first]
        self._preferred_keys = (*first, *rest)

    def shake_hands(self, greeting: float, handshake: float) -> None:
        """Exchange versions and keys within these many seconds; the host key is known then.

        Raises:
            OSError, EOFError, paramiko.SSHException: it did not come about.
        """
        self.banner_timeout, self.handshake_timeout = greeting, handshake
        done = threading.Event()
        self.when_ended(done.set)  # paramiko itself tells of no end that was wished for
        self.start_client(event=done)
        done.wait(greeting + handshake)
        if not self.active:
            self.ended.wait(_OUTBOX_SECONDS)  # paramiko hands an exception out once: to its own end
            raise self.failure or EOFError("the host hung up")
        if not self.initial_kex_done:
            raise TimeoutError("no end of the handshake")

    def send(self, message: Message) -> None:
        """Send, waiting for a key exchange to end; raises OSError or EOFError."""
        try:
            self._send_user_message(message)
        except paramiko.SSHException as error:  # the key exchange did not end
            raise OSError(str(error)) from error

    def post(self, action: Callable[[], object]) -> None:
        """Have the outbox thread run this."""
        self._outbox.put(action)

    def forget(self, chanid: int) -> None:
        """Take the channel out of the tables."""
        self.undivert(chanid)
        self._unlink_channel(chanid)

    def divert(self, channel: SafeChannel) -> None:
        """Have the data of an open channel go straight to its sink."""
        self._diverted[channel.chanid] = channel
        if channel.closed:  # by another thread, which may have been here before
            self.undivert(channel.chanid)

    def undivert(self, chanid: int) -> None:
        """Have the channel's data take paramiko's way again."""
        self._diverted.pop(chanid, None)

    def flush_soon(self, sink: Sink) -> None:
        """Have it flushed when everything that has arrived was delivered."""
        self._to_flush[sink] = None

    def probe(self) -> None:
        """Ask the host for a sign of life; never waits. Any answer (also "no") is one."""
        message = Message()
        message.add_byte(cMSG_GLOBAL_REQUEST)
        message.add_string("keepalive@openssh.com")  # OpenSSH's own name for it
        message.add_boolean(True)
        self.post(partial(self.send, message))

    def when_ended(self, action: Callable[[], None]) -> None:
        """Run this once, on some thread, when the transport has ended or if it already has."""
        with self.lock:
            if not self.ended.is_set():
                self._at_end.append(action)
                return
        action()

    def open_channel(
        self,
        kind: str,
        dest_addr: tuple[str, int] | None = None,
        src_addr: tuple[str, int] | None = None,
        window_size: int | None = None,
        max_packet_size: int | None = None,
        timeout: float | None = None,
    ) -> SafeChannel:
        """Return a new channel.

        Raises:
            paramiko.ChannelException: the host refused it, with RFC 4254 §5.1's reason code.
            TimeoutError: no answer within `timeout` seconds (10 by default).
            EOFError: the transport has ended.
        """
        window = window_size or self.default_window_size
        packet = max_packet_size or self.default_max_packet_size
        opening = self._new_opening(window, packet)
        message = Message()
        message.add_byte(cMSG_CHANNEL_OPEN)
        message.add_string(kind)
        for number in (opening.channel.chanid, window, packet):
            message.add_int(number)
        for address in (dest_addr, src_addr):
            if address is not None:
                message.add_string(address[0])
                message.add_int(address[1])
        self.send(message)
        return self._opened(opening, _OPEN_SECONDS if timeout is None else timeout)

    def _new_opening(self, window: int, packet: int) -> _Opening:
        with self.lock:
            if not self.active:
                raise EOFError("the transport has ended")
            channel = SafeChannel(self._next_channel(), self)
            channel.bind(self, window, packet)
            self._channels.put(channel.chanid, channel)
            self.channels_seen[channel.chanid] = True
            opening = self._opening[channel.chanid] = _Opening(channel)
        return opening

    def _opened(self, opening: _Opening, timeout: float) -> SafeChannel:
        opening.answered.wait(timeout)
        with self.lock:
            opening.abandoned = not opening.answered.is_set()
        if opening.refusal is not None:
            raise opening.refusal
        if not self.active:
            raise EOFError("the transport has ended")
        if opening.abandoned:
            raise TimeoutError("no answer to opening a channel")
        return opening.channel

    def close(self) -> None:
        """End it, from any thread; whoever waits on it wakes up."""
        super().close()
        self.packetizer.complete_handshake()  # its timer would outlive a failed handshake
        self.sock.close()

    def finish(self) -> None:
        """Close, and wait for its threads unless called on one of them."""
        self.close()
        if self.ident is not None and threading.current_thread() is not self:
            self.join(_OUTBOX_SECONDS)

    def get_exception(self) -> Exception | None:
        """Return why the transport ended; a stranger's exception as an SSHException."""
        error = super().get_exception()
        if error is None or isinstance(error, FOREIGN):
            return error
        return paramiko.SSHException(f"{type(error).__name__}: {error}")

    def run(self) -> None:
        """Read until the end, with the outbox beside it."""
        outbox = threading.Thread(target=self._empty_outbox, name="ssh-outbox", daemon=True)
        outbox.start()
        try:
            super().run()
        finally:
            self._outbox.put(None)
            outbox.join(_OUTBOX_SECONDS)
            self._end()

    def _deliver(self, payload: bytes, more: bool) -> bool:
        """Take a CHANNEL_DATA to its channel's sink, if it has one, or more window to its channel.

        Returns False where paramiko's own way is to decide, an unknown channel among it.
        """
        if self._expected_packet or len(payload) < _HEAD.size:
            return False
        kind, chanid, number = _HEAD.unpack_from(payload)
        if kind == MSG_CHANNEL_DATA:
            channel = self._diverted.get(chanid)
            if channel is None or channel.sink is None:
                return False
            data = payload[_HEAD.size : _HEAD.size + number]
            channel.sink.feed(data)
            if more:
                self._to_flush[channel.sink] = None
            else:
                channel.sink.flush()
            channel.count(len(data))  # only now: an event goes first, and too much is one packet
            return True
        if kind == MSG_CHANNEL_WINDOW_ADJUST:
            return self._widen(chanid, number)
        return False

    def _widen(self, chanid: int, number: int) -> bool:
        channel = self._channels.get(chanid)
        if not isinstance(channel, SafeChannel):
            return False
        channel.widen(number)
        return True

    def _flush(self) -> None:
        while self._to_flush:
            self._to_flush.popitem()[0].flush()

    def _end(self) -> None:
        self._flush()
        self.active = False
        self.failure = self.get_exception()
        with self.lock:
            self.ended.set()
            openings, self._opening = list(self._opening.values()), {}
            actions, self._at_end = self._at_end, []
        for opening in openings:
            opening.answered.set()
        for action in actions:
            action()

    def _empty_outbox(self) -> None:
        while (action := self._outbox.get()) is not None:
            try:
                action()
            except FOREIGN as error:
                _LOG.debug("outbox: %r", error)  # the transport is going down; run() says why

    def _send_user_message(self, data: Message) -> None:
        if threading.current_thread() is self:
            if self._outbox.qsize() > _MOST_WAITING:
                raise paramiko.SSHException("the host asks and does not listen")
            self.post(partial(super()._send_user_message, data))
        else:
            super()._send_user_message(data)

    def _parse_ext_info(self, m: Message) -> None:
        if m.get_int() > _MOST_EXTENSIONS:  # stock paramiko would count to four billion
            raise paramiko.SSHException("too many extensions")
        m.rewind()
        super()._parse_ext_info(m)

    def _parse_channel_open_success(self, m: Message) -> None:
        opening = self._opening.pop(m.get_int(), None)
        if opening is None:
            return
        channel = opening.channel
        with self.lock:
            channel.opened(m.get_int(), m.get_int(), m.get_int())
            abandoned = opening.abandoned
            opening.answered.set()
        if abandoned:
            self.post(channel.close)

    def _parse_channel_open_failure(self, m: Message) -> None:
        opening = self._opening.pop(m.get_int(), None)
        if opening is not None:
            self._unlink_channel(opening.channel.chanid)
            opening.refusal = paramiko.ChannelException(m.get_int(), m.get_text()[:200])
            opening.answered.set()

    def _log(self, level: int, msg: str | list[str], *args: object) -> None:
        """Drop paramiko's own log: what it would print is raised or logged by those who call."""


def _algorithms(kind: str) -> tuple[str, ...]:
    """Return the signature algorithms of a type of key (RFC 8332 for RSA)."""
    return ("rsa-sha2-512", "rsa-sha2-256") if kind == "ssh-rsa" else (kind,)
