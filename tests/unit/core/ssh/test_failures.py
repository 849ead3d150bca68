"""Each way to fail is told by its own code."""

import errno
import socket
from types import SimpleNamespace
from typing import cast

import paramiko
import pytest
from paramiko.ssh_exception import IncompatiblePeer

from desktop.core.errors import ConnectionFailed, ConnectionLost, ForwardFailed
from desktop.core.ssh.destination import Destination
from desktop.core.ssh.failures import (
    is_fake,
    of_dialling,
    of_entering,
    of_greeting,
    of_jump,
    of_tunnel,
    of_use,
)
from desktop.core.ssh.transport import SafeTransport

WHERE = Destination("gpu", 2222, "root")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (socket.gaierror(socket.EAI_NONAME, "unknown"), "host-not-found"),
        (socket.gaierror(socket.EAI_AGAIN, "try again"), "name-service-silent"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), "host-refused"),
        (TimeoutError(), "host-silent"),
        (OSError(errno.ETIMEDOUT, "timed out"), "host-silent"),
        (OSError(errno.EHOSTUNREACH, "no route"), "host-unreachable"),
        (OSError(errno.ENETUNREACH, "no network"), "host-unreachable"),
        (PermissionError(errno.EPERM, "firewall"), "host-unreachable"),
    ],
)
def test_why_there_was_no_tcp_connection(error: Exception, code: str) -> None:
    failure = of_dialling(WHERE, error)
    assert failure.code == code
    assert failure.retryable
    assert (failure.facts["host"], failure.facts["port"]) == ("gpu", 2222)


@pytest.mark.parametrize(
    ("heard", "error", "code"),
    [
        (b"", EOFError(), "greeting-closed"),
        (b"", TimeoutError(), "greeting-silent"),
        (b"System is booting up. Unprivileged users are not permitted", EOFError(), "host-booting"),
        (b"HTTP/1.1 400 Bad Request\r\n", paramiko.SSHException(), "not-ssh"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", EOFError(), "handshake-failed"),
        (b"SSH-2.0-Old\r\n", IncompatiblePeer("no acceptable ciphers"), "ssh-incompatible"),
    ],
)
def test_why_a_port_that_answered_did_not_lead_to_ssh(
    heard: bytes, error: Exception, code: str
) -> None:
    assert of_greeting(WHERE, "203.0.113.5", heard, error).code == code


def test_what_a_port_said_is_shown_as_plain_text() -> None:
    failure = of_greeting(WHERE, "203.0.113.5", b"\x1b[31mHTTP/1.1\x00 400\r\n", EOFError())
    assert failure.facts["heard"] == "[31mHTTP/1.1  400"


def test_an_address_made_up_by_a_proxy_is_named_as_the_cause() -> None:
    failure = of_greeting(WHERE, "198.18.0.7", b"", EOFError())
    assert (failure.code, failure.facts["address"]) == ("host-fake-ip", "198.18.0.7")


@pytest.mark.parametrize("error", [TimeoutError(), ConnectionRefusedError(), OSError(113, "x")])
def test_an_address_made_up_by_a_proxy_is_named_also_where_nothing_answers(error: OSError) -> None:
    failure = of_dialling(WHERE, error, ["198.19.0.9"])
    assert (failure.code, failure.facts["address"]) == ("host-fake-ip", "198.19.0.9")


def test_a_refusal_on_the_way_is_told_from_one_at_the_host() -> None:
    behind = Destination("gpu", 2222, "root", via=Destination("jump"))
    for number, code in ((1, "jump-prohibited"), (2, "jump-failed")):
        refused = of_tunnel(WHERE, 2222, paramiko.ChannelException(number, "no\x1b[0m"))
        failure = of_jump(behind, refused)
        assert (failure.code, failure.facts["via"]) == (code, "jump")
        assert failure.facts["reason"] == "no [0m"


@pytest.mark.parametrize(
    ("address", "fake"),
    [
        ("198.18.0.1", True),
        ("198.19.255.255", True),
        ("198.20.0.1", False),
        ("fe80::1%eth0", False),
        ("nonsense", False),
    ],
)
def test_fake_addresses_are_those_of_rfc_2544(address: str, fake: bool) -> None:
    assert is_fake(address) is fake


@pytest.mark.parametrize(
    ("error", "code", "kind"),
    [
        (paramiko.ChannelException(1, "no"), "forward-prohibited", ForwardFailed),
        (paramiko.ChannelException(2, "no"), "forward-refused", ForwardFailed),
        (paramiko.ChannelException(4, "no"), "forward-failed", ForwardFailed),
        (EOFError(), "connection-lost", ConnectionLost),
        (TimeoutError("no answer"), "connection-lost", ConnectionLost),
    ],
)
def test_why_a_tunnel_was_not_opened(error: Exception, code: str, kind: type) -> None:
    failure = of_tunnel(WHERE, 8000, error)
    assert failure.code == code
    assert isinstance(failure, kind)


class SaidBefore:
    """A transport whose host said something before it hung up."""

    def __init__(self, banner: bytes) -> None:
        self.auth_handler = SimpleNamespace(banner=banner)


@pytest.mark.parametrize(
    ("banner", "code"),
    [
        (b'"System is booting up. Unprivileged users are not permitted', "host-booting"),
        (b"Welcome", "connection-lost"),
        (b"", "connection-lost"),
    ],
)
def test_a_host_that_lets_nobody_in_yet_is_told_from_one_that_hangs_up(
    banner: bytes, code: str
) -> None:
    transport = cast("SafeTransport", SaidBefore(banner))
    assert of_entering(WHERE, transport, EOFError()).code == code


def test_a_refused_session_is_no_lost_connection() -> None:
    failure = of_use(WHERE, paramiko.ChannelException(2, "open failed"))
    assert failure.code == "session-refused"
    assert type(failure) is ConnectionFailed


@pytest.mark.parametrize("words", ["\x1b[2Jfine", "one\ntwo", "\u202etxet", "x" * 9000])
def test_a_hosts_words_in_a_reason_are_plain_and_short(words: str) -> None:
    said = paramiko.ChannelException(1, words)
    for failure in (of_tunnel(WHERE, 8000, said), of_use(WHERE, paramiko.SSHException(words))):
        reason = failure.facts["reason"]
        assert reason.isprintable()
        assert 0 < len(reason) <= 200
