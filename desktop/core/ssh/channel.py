"""A channel whose messages leave in a legal order, whichever thread or side closes it first.

Stock paramiko decides under a lock what to send and sends it after the lock is released, so
another thread's CLOSE can overtake an EOF or DATA; sshd answers a message for a closed channel by
ending the whole session (paramiko #1115). Here deciding and sending are one step under `_order`.

Nothing in this file that runs on the transport's own thread takes `_order` or sends: during a key
exchange a sender waits for that very thread (paramiko #822). It posts to the outbox instead.
"""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable
from functools import partial
from typing import ClassVar, Protocol

import paramiko
from paramiko.common import (
    MSG_CHANNEL_CLOSE,
    MSG_CHANNEL_DATA,
    MSG_CHANNEL_EOF,
    MSG_CHANNEL_EXTENDED_DATA,
    MSG_CHANNEL_FAILURE,
    MSG_CHANNEL_REQUEST,
    cMSG_CHANNEL_CLOSE,
    cMSG_CHANNEL_DATA,
    cMSG_CHANNEL_EOF,
    cMSG_CHANNEL_WINDOW_ADJUST,
)
from paramiko.message import Message

from desktop.core.ssh.load import FULL, due
from desktop.core.ssh.packets import Batch, Bytes
from desktop.core.ssh.stock import StockChannel

_MOST_AT_ONCE = 256 << 10  # bytes that a sender seals before it writes; eight packets of OpenSSH's
_STDERR_TAIL = 64 << 10  # bytes of stderr that are kept; it is for people, not protocol


class Wire(Protocol):
    """What a channel needs of its transport."""

    def send(self, message: Message) -> None:
        """Send, waiting for a key exchange to end."""
        ...

    def post(self, action: Callable[[], object]) -> None:
        """Have the outbox thread run this; never waits."""
        ...

    def forget(self, chanid: int) -> None:
        """Take the channel out of the transport's table."""
        ...

    def divert(self, channel: SafeChannel) -> None:
        """Have the data of an open channel go straight to its sink."""
        ...

    def undivert(self, chanid: int) -> None:
        """Have the channel's data come by `_feed` again."""
        ...

    def flush_soon(self, sink: Sink) -> None:
        """Have the sink flushed before the host is waited for; on the transport's thread only."""
        ...


class Sink(Protocol):
    """Takes what the host sends, on the transport's thread; none of its calls may wait."""

    def feed(self, data: Bytes, /) -> None:
        """Take bytes."""
        ...

    def end(self) -> None:
        """Take the end; nothing is fed after it."""
        ...

    def flush(self) -> None:
        """Pass on what was taken."""
        ...


class SafeChannel(StockChannel):
    """One channel. Every blocking call obeys `settimeout`, exec requests too.

    Attributes:
        exit_signal: the name of the signal that ended the remote command, or "".
        sink: takes what the host sends in the place of `recv`, from `divert` on.
    """

    def __init__(self, chanid: int, wire: Wire) -> None:
        self._wire = wire
        self._order = threading.Lock()
        self._close_sent = False
        self._stderr = bytearray()
        self._arrived = 0  # bytes that the host has sent, and how many it may have
        self._allowed = 0
        self.exit_signal = ""
        self.sink: Sink | None = None
        super().__init__(chanid)

    def bind(self, transport: paramiko.Transport, window: int, max_packet: int) -> None:
        """Belong to this transport, and let the host send `window` bytes ahead."""
        self._set_transport(transport)
        self._set_window(window, max_packet)
        self._allowed = window

    def opened(self, remote: int, window: int, max_packet: int) -> None:
        """Take what the host granted."""
        self._set_remote_channel(remote, window, max_packet)

    def __del__(self) -> None:
        # The stock one closes here, and deadlocks when the collector runs inside a send (#247).
        if self.active and not self.closed:
            self._wire.post(self._send_close)

    def send(self, s: Bytes) -> int:
        """Send the beginning of `s` and return how many bytes; 0 when the channel is closed."""
        view = memoryview(s)
        with self.lock:
            sizes = [] if self.closed else self._granted(min(len(view), _MOST_AT_ONCE))
        packets, start = [], 0
        for size in sizes:
            head = cMSG_CHANNEL_DATA + struct.pack(">II", self.remote_chanid, size)
            packets.append((head, view[start : start + size]))
            start += size
        return start if start and self._emit(Batch(packets)) else 0

    def sendall(self, s: Bytes) -> None:
        """Send all of it, in time linear in its size; raises OSError when the channel is closed."""
        view = memoryview(s)
        while view:
            size = self.send(view)
            if not size:
                raise OSError("the channel is closed")
            view = view[size:]

    def shutdown(self, how: int) -> None:
        """Say that we send no more (`how` 1 or 2). Reading needs no such call."""
        if how == 0:
            return
        with self._order:
            if not self.active or self.closed or self._close_sent or self.eof_sent:
                return
            self.eof_sent = 1
            self._wire.send(self._message(cMSG_CHANNEL_EOF))
        with self.lock:
            self.out_buffer_cv.notify_all()

    def close(self) -> None:
        """Close both ways; what has arrived can still be read."""
        with self.lock:
            if not self.active or self.closed:
                return
            self._set_closed()
        self._wire.undivert(self.chanid)
        self._send_close()

    def divert(self, sink: Sink) -> None:
        """Give all that the host sends, and has sent, to the sink, which calls `give_window`."""
        with self.lock:
            sink.feed(self.in_buffer.empty())
            if self.eof_received or self.closed:
                sink.end()
            self.sink = sink
        self._wire.divert(self)
        sink.flush()

    def give_window(self, n: int, most: int = FULL) -> None:
        """Let the host send `n` bytes more, by and by, but not more than `most` ahead.

        Never waits.
        """
        window = self._due(n, most)
        if window:
            self._wire.post(partial(self._emit_window, window))

    def stderr_tail(self) -> bytes:
        """Return the last bytes of the remote command's stderr so far."""
        with self.lock:
            return bytes(self._stderr)

    # What follows runs in a sender's thread or in the outbox.

    def _granted(self, size: int) -> list[int]:
        """Take window for at most `size` bytes, and wait where there is none; sizes of packets.

        The lock is held. Nothing comes back from a channel that is closed meanwhile.
        """
        sizes: list[int] = []
        while size and (self.out_window_size or not sizes):
            taken = self._wait_for_send_window(size)
            if not taken:
                return []
            sizes.append(taken)
            size -= taken
        return sizes

    def _message(self, kind: bytes) -> Message:
        message = Message()
        message.add_byte(kind)
        message.add_int(self.remote_chanid)
        return message

    def _emit(self, message: Message, *, after_eof: bool = False) -> bool:
        """Send unless it would be illegal by now; return whether it was sent."""
        with self._order:
            if self._close_sent or (self.eof_sent and not after_eof):
                return False
            self._wire.send(message)
            return True

    def _send_close(self) -> None:
        with self._order:
            if not self._close_sent:
                self._close_sent = True
                self._wire.send(self._message(cMSG_CHANNEL_CLOSE))

    def _check_add_window(self, n: int) -> int:
        """Give the host more window for `n` bytes that were read; the caller has none to send."""
        window = self._due(n, FULL)
        if window:
            self._emit_window(window)
        return 0

    def _due(self, n: int, most: int) -> int:
        with self.lock:
            if self.closed or self.eof_received or not self.active:
                return 0
            self.in_window_sofar += n
            window = due(self.in_window_sofar, self.in_window_size, most)
            self.in_window_sofar -= window
            return window

    def _emit_window(self, window: int) -> None:
        with self.lock:
            self._allowed += window
        message = self._message(cMSG_CHANNEL_WINDOW_ADJUST)
        message.add_int(window)
        self._emit(message, after_eof=True)

    def _wait_for_event(self) -> None:
        """Wait for the answer to a request; stock paramiko waits for ever."""
        if not self.event.wait(self.timeout):
            raise TimeoutError("no answer to the channel request")
        super()._wait_for_event()

    # What follows runs on the transport's thread: post, never send.

    def widen(self, n: int) -> None:
        """Take the host's word that we may send `n` bytes more."""
        with self.lock:
            self.out_window_size += n
            self.out_buffer_cv.notify_all()

    def count(self, n: int) -> None:
        """Count bytes that have arrived.

        Raises:
            paramiko.SSHException: the host ignores the window (RFC 4254 §5.2), which is what
                bounds our memory.
        """
        self._arrived += n
        if self._arrived > self._allowed:
            raise paramiko.SSHException("more data than was allowed")

    def _feed(self, m: Message) -> None:
        data = m.get_binary()
        self.count(len(data))
        with self.lock:
            if self.sink is None:
                self.in_buffer.feed(data)
                return
        self.sink.feed(data)
        self._wire.flush_soon(self.sink)

    def _set_closed(self) -> None:
        super()._set_closed()
        if self.sink is not None:
            self.sink.end()

    def _unlink(self) -> None:
        """Close, because the transport has ended."""
        super()._unlink()
        if self.sink is not None:
            self.sink.flush()

    def _handle_eof(self, m: Message) -> None:
        super()._handle_eof(m)
        if self.sink is not None:
            self.sink.end()
            self._wire.flush_soon(self.sink)

    def _handle_close(self, m: Message) -> None:
        with self.lock:
            self._set_closed()
        if self.sink is not None:
            self._wire.flush_soon(self.sink)
        self._wire.forget(self.chanid)
        self._wire.post(self._send_close)

    def _request_failed(self, m: Message) -> None:
        with self.lock:
            if self.closed:
                return
            self._set_closed()
        self._wire.post(self._send_close)

    def _handle_request(self, m: Message) -> None:
        start = m.packet.tell()
        if m.get_text() == "exit-signal":  # RFC 4254 §6.10; stock paramiko drops it
            m.get_boolean()
            self.exit_signal = m.get_text()[:20]
            self.status_event.set()
            return
        m.packet.seek(start)
        super()._handle_request(m)

    def _feed_extended(self, m: Message) -> None:
        """Keep the tail of stderr: nobody has to drain it, and it cannot fill the window."""
        m.get_int()
        data = m.get_binary()
        self.count(len(data))
        with self.lock:
            self._stderr += data
            del self._stderr[:-_STDERR_TAIL]
        self.give_window(len(data))

    # For the transport's table, which calls these by the type of the message.
    HANDLERS: ClassVar[dict[int, Callable[[SafeChannel, Message], None]]] = {
        MSG_CHANNEL_DATA: _feed,
        MSG_CHANNEL_EOF: _handle_eof,
        MSG_CHANNEL_FAILURE: _request_failed,
        MSG_CHANNEL_EXTENDED_DATA: _feed_extended,
        MSG_CHANNEL_REQUEST: _handle_request,
        MSG_CHANNEL_CLOSE: _handle_close,
    }
