"""From the exceptions of sockets and paramiko to ours: the one place where they are converted."""

from __future__ import annotations

import errno
import ipaddress
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import paramiko

from desktop.core.errors import (
    AppError,
    ConnectionFailed,
    ConnectionLost,
    ForwardFailed,
    HostUnreachable,
)
from desktop.core.plain_text import plain_text
from desktop.core.ssh.destination import Destination
from desktop.core.ssh.proxying import ProxyRefused
from desktop.core.ssh.transport import FOREIGN, SafeTransport

_FAKE_IP = ipaddress.ip_network("198.18.0.0/15")  # RFC 2544; what Clash and its kin hand out
_UNREACHABLE = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL}
_OF_OPEN_FAILURE = {1: "forward-prohibited", 2: "forward-refused"}  # RFC 4254 §5.1
_BOOTING = (b"booting up", b"pam_nologin", b"not yet ready")  # systemd's and sshd's own words
_NO_ANSWER = {errno.ETIMEDOUT, 10060}  # 10060: WSAETIMEDOUT


@contextmanager
def converted(convert: Callable[[Exception], AppError]) -> Iterator[None]:
    """Turn whatever a socket or paramiko raises into what `convert` makes of it."""
    try:
        yield
    except FOREIGN as error:
        raise convert(error) from error


def is_fake(address: str) -> bool:
    """Return whether an address is one that a local proxy made up."""
    try:
        return ipaddress.ip_address(address.partition("%")[0]) in _FAKE_IP
    except ValueError:
        return False


def of_dialling(
    where: Destination, error: Exception, addresses: Iterable[str] = ()
) -> HostUnreachable:
    """Return why no TCP connection to these addresses came about."""
    code, reason = "host-unreachable", _reason(error)
    fake = next((address for address in addresses if is_fake(address)), "")
    if fake:
        return HostUnreachable("host-fake-ip", host=where.host, port=where.port, address=fake)
    if isinstance(error, socket.gaierror):
        code = "host-not-found" if error.errno != socket.EAI_AGAIN else "name-service-silent"
    elif isinstance(error, ConnectionRefusedError):
        code = "host-refused"
    elif isinstance(error, TimeoutError) or _number(error) in _NO_ANSWER:
        code = "host-silent"
    elif _number(error) in _UNREACHABLE:
        reason = ""
    return HostUnreachable(code, host=where.host, port=where.port, reason=reason)


def of_greeting(
    where: Destination, address: str, heard: bytes, error: Exception
) -> HostUnreachable:
    """Return why the port that answered did not lead to SSH; `heard` is what it said first."""
    facts: dict[str, object] = {"host": where.host, "port": where.port, "address": address}
    if is_fake(address):
        return HostUnreachable("host-fake-ip", **facts)
    incompatible = isinstance(error, paramiko.ssh_exception.IncompatiblePeer)
    if incompatible or _is_another_version(heard):
        return HostUnreachable("ssh-incompatible", **facts, reason=_reason(error))
    if heard.startswith(b"SSH-"):
        return HostUnreachable("handshake-failed", **facts, reason=_reason(error))
    if not heard:
        # paramiko wraps what happened while it waited for the greeting.
        cause = error.__context__ if isinstance(error, paramiko.SSHException) else error
        code = "greeting-silent" if isinstance(cause, TimeoutError) else "greeting-closed"
        return HostUnreachable(code, **facts)
    if _is_of_a_start(heard):
        return HostUnreachable("host-booting", **facts, seconds=0)
    return HostUnreachable("not-ssh", **facts, heard=_plain(heard[:80].decode("utf-8", "replace")))


def of_entering(where: Destination, transport: SafeTransport, error: Exception) -> ConnectionFailed:
    """Return why the connection broke while we authenticated."""
    if says_booting(transport):
        return HostUnreachable("host-booting", host=where.host, port=where.port, seconds=0)
    return lost(where, error)


def says_booting(transport: SafeTransport) -> bool:
    """Tell whether the host said that it is starting before it hung up on us.

    Through PAM it lets nobody but root in then, with the right password either (pam_nologin).
    """
    banner = getattr(transport.auth_handler, "banner", None)
    return isinstance(banner, bytes) and _is_of_a_start(banner)


def _is_of_a_start(heard: bytes) -> bool:
    return any(words in heard.lower() for words in _BOOTING)


def of_jump(where: Destination, error: AppError) -> AppError:
    """Return why the host on the way did not connect us further; other errors as they are."""
    if not isinstance(error, ForwardFailed) or where.via is None:
        return error
    prohibited = error.code == "forward-prohibited"
    return HostUnreachable(
        "jump-prohibited" if prohibited else "jump-failed",
        host=where.host,
        port=where.port,
        via=where.via.host,
        reason=_plain(str(error.facts.get("reason", ""))),
    )


def of_proxy(where: Destination, proxy: str, error: Exception) -> HostUnreachable:
    """Return why the proxy that the user asked for did not lead to the host."""
    code = "proxy-refused" if isinstance(error, ProxyRefused) else "proxy-unreachable"
    facts = {"host": where.host, "port": where.port, "proxy": proxy, "reason": _reason(error)}
    return HostUnreachable(code, **facts)


def of_proxy_command(where: Destination, said: str) -> HostUnreachable:
    """Return that the user's ProxyCommand ended; `said` is the end of its stderr."""
    return HostUnreachable("proxy-command-failed", host=where.host, port=where.port, reason=said)


def _is_another_version(heard: bytes) -> bool:
    """Tell whether a greeting names an SSH that is not 2.0 (RFC 4253 §4.2 and §5.1)."""
    return heard.startswith(b"SSH-") and not heard.startswith((b"SSH-2.0-", b"SSH-1.99-"))


def of_use(where: Destination, error: Exception) -> ConnectionFailed:
    """Return that a connection that stood is gone, or that the host refused a session on it."""
    if isinstance(error, paramiko.ChannelException):
        return ConnectionFailed(
            "session-refused", host=where.host, port=where.port, reason=_reason(error)
        )
    return lost(where, error)


def of_tunnel(where: Destination, port: int, error: Exception) -> AppError:
    """Return why a port of the host could not be reached through the connection."""
    if not isinstance(error, paramiko.ChannelException):
        return lost(where, error)
    code = _OF_OPEN_FAILURE.get(error.code, "forward-failed")
    return ForwardFailed(code, host=where.host, remote_port=port, reason=_plain(error.text))


def lost(where: Destination, error: Exception) -> ConnectionLost:
    """Return that a connection that stood is gone."""
    return ConnectionLost(
        "connection-lost", host=where.host, port=where.port, reason=_reason(error)
    )


def stalled(where: Destination, seconds: float) -> ConnectionLost:
    """Return that a command on the host gave no sign for too long."""
    return ConnectionLost("host-stalled", host=where.host, port=where.port, seconds=round(seconds))


def _number(error: Exception) -> int | None:
    return error.errno if isinstance(error, OSError) else None


def _reason(error: Exception) -> str:
    if isinstance(error, EOFError) and not error.args:
        return "closed by the other side"
    return _plain(getattr(error, "strerror", None) or str(error) or type(error).__name__)


def _plain(text: str) -> str:
    """Return it bounded and as one line: a host's or a library's words, with a host's in them."""
    return plain_text(text[:200]).strip()
