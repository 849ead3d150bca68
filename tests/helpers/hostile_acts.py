"""What a hostile host does: each act is a function, in the dictionary of its stage.

The keys are the names by which the tests ask for an act. An act that counts on being borne ends
its command with status 0; the others go on until the other side has had enough.
"""

from __future__ import annotations

import os
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass

import paramiko
from paramiko.message import Message

from desktop.core.ssh.stock import StockTransport

Field = int | bool | bytes

_SHOUT = b"\x1b[31m\x1b]0;owned\x07"  # what a terminal would obey
_MIB = 1 << 20
_SECONDS = 20.0


@dataclass
class Plain:
    """A connection before any key exchange.

    Attributes:
        said: messages, or pieces of a greeting, that were sent.
    """

    sock: socket.socket
    said: int = 0

    def shout(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.said += 1
        self.sock.sendall(data)

    def greet(self) -> None:
        """Send a version line that promises no strict key exchange."""
        self.shout(b"SSH-2.0-hostile\r\n")

    def say(self, kind: int, *fields: Field) -> None:
        """Send one packet."""
        payload = _message(kind, *fields).asbytes()
        padding = 8 - (5 + len(payload)) % 8 + 8
        head = struct.pack(">IB", 1 + len(payload) + padding, padding)
        self.shout(head + payload + bytes(padding))


@dataclass
class Sealed:
    """A connection after the key exchange, and the channel whose command asked for the act.

    Attributes:
        said: messages that were sent.
        refused: how many of our channels were refused.
    """

    transport: StockTransport
    channel: paramiko.Channel | None = None
    said: int = 0
    refused: int = 0

    @property
    def remote(self) -> int:
        """The channel's number on the other side."""
        assert self.channel is not None
        return int(self.channel.remote_chanid)

    def say(self, kind: int, *fields: Field) -> None:
        """Send one message, whatever the state of things."""
        self.said += 1
        self.transport._send_message(_message(kind, *fields))

    def shout(self, data: bytes) -> None:
        """Send bytes past the encryption."""
        self.said += 1
        self.transport.sock.sendall(data)

    def finish(self, status: int = 0) -> None:
        """End the command as an honest host does."""
        assert self.channel is not None
        self.channel.send_exit_status(status)
        self.channel.close()


def _message(kind: int, *fields: Field) -> Message:
    message = Message()
    message.add_byte(bytes([kind]))
    for field in fields:
        if isinstance(field, bool):
            message.add_boolean(field)
        elif isinstance(field, int):
            message.add_int(field)
        else:
            message.add_string(field)
    return message


# Before the key exchange


def _greeting_without_end(host: Plain) -> None:
    while True:
        host.shout(b"Welcome to the waiting room\r\n" * 100)


def _greeting_without_line_end(host: Plain) -> None:
    while True:
        host.shout(b"x" * 65536)


def _version_of_a_mebibyte(host: Plain) -> None:
    host.shout(b"SSH-2.0-" + b"x" * _MIB + b"\r\n")


def _version_with_escapes(host: Plain) -> None:
    host.shout(b"SSH-9.9-" + _SHOUT + b"\r\n")


def _packet_of(size: int) -> Callable[[Plain], None]:
    def act(host: Plain) -> None:
        host.greet()
        host.shout(struct.pack(">I", size) + bytes(_MIB))

    return act


def _ignore_without_end(host: Plain) -> None:
    host.greet()
    while True:
        host.say(2, b"x" * 30_000)


def _farewell_with_escapes(host: Plain) -> None:
    host.greet()
    host.say(1, 2, _SHOUT * 1000, b"en")


def _offer_of_many_names(host: Plain) -> None:
    host.greet()
    lists = [b",".join([b"ext-info-s"] * 20_000), *[b"x," * 10_000] * 9]
    host.shout(_plain_offer(*lists))


def _answer_with_a_huge_number(host: Plain) -> None:
    """Agree on a classic exchange and answer with a number of four million bits."""
    host.greet()
    ciphers, macs = b"aes128-gcm@openssh.com", b"hmac-sha2-256"
    kinds = (b"diffie-hellman-group16-sha512", b"ssh-ed25519", ciphers, ciphers, macs, macs)
    host.shout(_plain_offer(*kinds, b"none", b"none", b"", b""))
    host.say(31, b"key", b"\x7f" + bytes(450_000), b"signature")


def _plain_offer(*lists: bytes) -> bytes:
    """Return a KEXINIT packet, RFC 4253 §7.1."""
    payload = b"\x14" + bytes(16) + b"".join(struct.pack(">I", len(one)) + one for one in lists)
    payload += bytes(5)
    padding = 8 - (5 + len(payload)) % 8 + 8
    return struct.pack(">IB", 1 + len(payload) + padding, padding) + payload + bytes(padding)


BEFORE_KEYS: dict[str, Callable[[Plain], None]] = {
    "a greeting without end": _greeting_without_end,
    "a greeting without a line end": _greeting_without_line_end,
    "a version line of a mebibyte": _version_of_a_mebibyte,
    "a version line with escapes": _version_with_escapes,
    **{f"a packet of {size} bytes": _packet_of(size) for size in (0, 1, 4, 2**31, 2**32 - 1)},
    "ignore without end": _ignore_without_end,
    "a farewell with escapes": _farewell_with_escapes,
    "an offer of many names": _offer_of_many_names,
    "an answer with a huge number": _answer_with_a_huge_number,
}


# While we ask to be let in


def _banners(host: Sealed) -> None:
    for _ in range(200):
        host.say(53, _SHOUT * 10_000, b"en")


def _refusals_that_nobody_asked_for(host: Sealed) -> None:
    for _ in range(1000):
        host.say(51, b"password," + _SHOUT, False)


def _a_list_of_extensions_without_end(host: Sealed) -> None:
    host.say(7, 2**32 - 1)


ON_LOGIN: dict[str, Callable[[Sealed], None]] = {
    "banners": _banners,
    "refusals that nobody asked for": _refusals_that_nobody_asked_for,
    "a list of extensions without end, early": _a_list_of_extensions_without_end,
}


# While a command runs: what is borne


def _requests(host: Sealed) -> None:
    for number in range(4000):
        name = (b"hostkeys-00@openssh.com", b"tcpip-forward", _SHOUT)[number % 3]
        host.say(80, name, number % 2 == 0, b"x" * 500)
    host.finish()


def _channels_of_the_hosts_own(host: Sealed) -> None:
    kinds = (b"forwarded-tcpip", b"x11", b"auth-agent@openssh.com", b"session", _SHOUT)
    all_refused = threading.Event()

    def count(_: Message) -> None:
        host.refused += 1
        if host.refused == 500:
            all_refused.set()

    host.transport._handler_table[92] = count  # type: ignore[attr-defined]
    for number in range(500):
        host.say(90, kinds[number % 5], number, _MIB, 32768, b"127.0.0.1", 1, b"127.0.0.1", 2)
    host.finish(0 if all_refused.wait(_SECONDS) else 1)


def _remarks(host: Sealed) -> None:
    for _ in range(4000):
        host.say(2, b"x" * 2000)
        host.say(4, True, _SHOUT * 100, b"en")
    host.finish()


def _answers_that_nobody_waits_for(host: Sealed) -> None:
    for number in range(2000):
        host.say(91, 1000 + number, 1, _MIB, 32768)
        host.say(92, 1000 + number, 1, _SHOUT, b"en")
        host.say(81)
        host.say(82)
    host.finish()


def _windows_beyond_all_bounds(host: Sealed) -> None:
    for _ in range(1000):
        host.say(93, host.remote, 2**32 - 1)
    host.finish()


def _nothing_many_times(host: Sealed) -> None:
    for _ in range(20_000):
        host.say(94, host.remote, b"")
        host.say(95, host.remote, 1, b"")
    host.finish()


def _stderr_within_its_window(host: Sealed) -> None:
    assert host.channel is not None
    host.said += 1
    host.channel.sendall_stderr(_SHOUT * _MIB)
    host.finish()


def _a_signal_of_junk(host: Sealed) -> None:
    host.say(98, host.remote, b"exit-signal", False, _SHOUT * 1000, False, _SHOUT, b"")
    host.finish()


BORNE: dict[str, Callable[[Sealed], None]] = {
    "requests": _requests,
    "channels of the host's own": _channels_of_the_hosts_own,
    "remarks": _remarks,
    "answers that nobody waits for": _answers_that_nobody_waits_for,
    "windows beyond all bounds": _windows_beyond_all_bounds,
    "nothing, many times": _nothing_many_times,
    "stderr within its window": _stderr_within_its_window,
    "a signal of junk": _a_signal_of_junk,
}


# While a command runs: what ends the connection


def _data_for_nobody(host: Sealed) -> None:
    host.say(94, 4711, b"x")


def _keys_from_nowhere(host: Sealed) -> None:
    host.say(21)


def _an_offer_of_garbage(host: Sealed) -> None:
    host.say(20, b"\xff" * 5000)


def _two_offers(host: Sealed) -> None:
    for _ in range(2):
        host.said += 1
        host.transport._send_kex_init()  # type: ignore[attr-defined]


def _text_that_is_none(host: Sealed) -> None:
    host.say(80, b"\xff\xfe", True)


def _a_signal_that_is_no_text(host: Sealed) -> None:
    host.say(98, host.remote, b"exit-signal", False, b"\xff\xfe", False)


def _a_farewell(host: Sealed) -> None:
    host.say(1, 2, _SHOUT * 10_000, b"en")


def _a_farewell_of_a_mebibyte(host: Sealed) -> None:
    host.say(1, 2, b"x" * _MIB, b"en")


def _a_packet_that_was_changed(host: Sealed) -> None:
    host.shout(struct.pack(">I", 64) + os.urandom(80))


def _sealed_packet_of(size: int) -> Callable[[Sealed], None]:
    def act(host: Sealed) -> None:
        host.shout(struct.pack(">I", size) + bytes(_MIB))

    return act


def _questions_without_listening(host: Sealed) -> None:
    while True:
        host.say(98, host.remote, b"anything", True)


CUT_OFF: dict[str, Callable[[Sealed], None]] = {
    "questions without listening": _questions_without_listening,
    "data for nobody": _data_for_nobody,
    "keys from nowhere": _keys_from_nowhere,
    "an offer of garbage": _an_offer_of_garbage,
    "two offers": _two_offers,
    "text that is none": _text_that_is_none,
    "a signal that is no text": _a_signal_that_is_no_text,
    "a farewell": _a_farewell,
    "a farewell of a mebibyte": _a_farewell_of_a_mebibyte,
    "a list of extensions without end": _a_list_of_extensions_without_end,
    "a packet that was changed": _a_packet_that_was_changed,
    **{f"a sealed packet of {n}": _sealed_packet_of(n) for n in (0, 1, 16, 2**31, 2**32 - 1)},
}


# While a command runs: what only a deadline ends


def _output_without_end(host: Sealed) -> None:
    assert host.channel is not None
    while True:
        host.said += 1
        host.channel.sendall(b"y" * 65536)


def _keys_without_end(host: Sealed) -> None:
    while True:
        host.said += 1
        host.transport.renegotiate_keys()


def _stderr_without_end(host: Sealed) -> None:
    while True:
        host.say(95, host.remote, 1, b"x" * 32_768)


def _more_than_the_window(host: Sealed) -> None:
    while True:
        host.say(94, host.remote, b"x" * 32_768)


def _remarks_without_end(host: Sealed) -> None:
    while True:
        host.say(2, b"x" * 2000)


def _requests_without_listening(host: Sealed) -> None:
    while True:
        host.say(80, b"tcpip-forward", True)


def _failures_without_end(host: Sealed) -> None:
    while True:
        host.say(100, host.remote)


def _a_wide_window_and_no_ear(host: Sealed) -> None:
    host.say(93, host.remote, 2**31)
    while True:
        host.say(2, b"x" * 2000)


WITHOUT_END: dict[str, Callable[[Sealed], None]] = {
    "output without end": _output_without_end,
    "keys without end": _keys_without_end,
    "stderr without end": _stderr_without_end,
    "remarks without end": _remarks_without_end,
    "requests without listening": _requests_without_listening,
    "failures without end": _failures_without_end,
    "a wide window and no ear": _a_wide_window_and_no_ear,
}

# The host stops reading before these begin.
DEAF = {
    "requests without listening",
    "questions without listening",
    "a wide window and no ear",
    "failures without end",
}
TOO_MUCH = "more than the window"
ON_COMMAND = BORNE | CUT_OFF | WITHOUT_END | {TOO_MUCH: _more_than_the_window}
