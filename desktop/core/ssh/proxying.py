"""Through a SOCKS5 or HTTP proxy: for people whose network lets SSH out no other way.

Only where the user asks for it: the system's proxy settings are never read, because a proxy that
does not know SSH is the usual reason for a connection that fails. The name goes to the proxy
unresolved, so that a made-up address (Clash's fake-ip) cannot get in between.
"""

from __future__ import annotations

import base64
import ipaddress
import socket
import time
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from desktop.core.errors import DestinationError
from desktop.core.plain_text import plain_text

_MOST_HEADER = 16 << 10  # bytes of an HTTP proxy's answer
_PORTS = {"socks5": 1080, "http": 8080}
_SCHEMES = {"socks5": "socks5", "socks5h": "socks5", "socks": "socks5", "http": "http"}
_SOCKS_REPLIES = {  # RFC 1928 §6
    1: "general failure",
    2: "not allowed by its rules",
    3: "network unreachable",
    4: "host unreachable",
    5: "connection refused",
    6: "timed out",
    7: "command not supported",
    8: "address type not supported",
}


class ProxyRefused(Exception):
    """The proxy answered, and does not connect us; the message says why, in plain text."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """Where the proxy is. `kind` is "socks5" or "http"."""

    kind: str
    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)

    def __str__(self) -> str:
        """Return the address without user and password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.kind}://{host}:{self.port}"


def parse_proxy(text: str) -> Proxy:
    """Return the proxy in `socks5://[user:password@]host:port` or `http://…`.

    Raises:
        DestinationError: `destination-bad-proxy`; the text is not repeated, for it may hold a
            password.
    """
    try:
        parts = urlsplit(text.strip())
        kind, host, port = _SCHEMES.get(parts.scheme, ""), parts.hostname, parts.port
    except ValueError as error:
        raise DestinationError("destination-bad-proxy") from error
    if not kind or not host or not host.isprintable() or " " in host:
        raise DestinationError("destination-bad-proxy")
    return Proxy(
        kind,
        host,
        port or _PORTS[kind],
        unquote(parts.username or ""),
        unquote(parts.password or ""),
    )


def ask_through(sock: socket.socket, proxy: Proxy, host: str, port: int, timeout: float) -> None:
    """Have the proxy at the other end of this socket connect it to a port of a host.

    Raises:
        ProxyRefused: it does not.
        OSError, EOFError: it broke, or gave no answer within `timeout` seconds.
    """
    talk = _Talk(sock, time.monotonic() + timeout)
    if proxy.kind == "socks5":
        _socks5(talk, proxy, host, port)
    else:
        _http(talk, proxy, host, port)


@dataclass
class _Talk:
    """Exact reads before a deadline: what follows the proxy's answer belongs to SSH."""

    sock: socket.socket
    deadline: float

    def send(self, data: bytes) -> None:
        self._bound()
        self.sock.sendall(data)

    def read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            self._bound()
            piece = self.sock.recv(size - len(data))
            if not piece:
                raise EOFError("the proxy hung up")
            data += piece
        return data

    def _bound(self) -> None:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("no answer from the proxy")
        self.sock.settimeout(left)


def _socks5(talk: _Talk, proxy: Proxy, host: str, port: int) -> None:
    """Speak RFC 1928, and RFC 1929 where there is a user."""
    methods = b"\x00\x02" if proxy.user else b"\x00"
    talk.send(bytes((5, len(methods))) + methods)
    version, method = talk.read(2)
    if version != 5:
        raise ProxyRefused("this is not a SOCKS5 proxy")
    if method == 2 and proxy.user:
        user, password = proxy.user.encode()[:255], proxy.password.encode()[:255]
        talk.send(bytes((1, len(user))) + user + bytes((len(password),)) + password)
        if talk.read(2)[1] != 0:
            raise ProxyRefused("user or password refused")
    elif method != 0:
        raise ProxyRefused("it wants a user and a password")
    talk.send(b"\x05\x01\x00" + _socks_address(host) + port.to_bytes(2, "big"))
    _, reply, _, kind = talk.read(4)
    if reply != 0:
        raise ProxyRefused(_SOCKS_REPLIES.get(reply, f"reply {reply}"))
    size = {1: 4, 4: 16}.get(kind) or talk.read(1)[0]
    talk.read(size + 2)


def _socks_address(host: str) -> bytes:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        name = host.encode("idna") if not host.isascii() else host.encode()
        if not 0 < len(name) < 256:
            raise ProxyRefused("the host name is too long") from None
        return bytes((3, len(name))) + name
    return (b"\x01" if address.version == 4 else b"\x04") + address.packed


def _http(talk: _Talk, proxy: Proxy, host: str, port: int) -> None:
    """Ask with CONNECT, RFC 9110 §9.3.6."""
    name = host if host.isascii() else host.encode("idna").decode()
    target = f"[{name}]:{port}" if ":" in name else f"{name}:{port}"
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    if proxy.user:
        both = base64.b64encode(f"{proxy.user}:{proxy.password}".encode()).decode()
        lines.append(f"Proxy-Authorization: Basic {both}")
    talk.send(("\r\n".join(lines) + "\r\n\r\n").encode())
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        answer += talk.read(1)  # not a byte too many: the SSH greeting may come right after
        if len(answer) > _MOST_HEADER:
            raise ProxyRefused("its answer has no end")
    status = answer.split(b"\r\n", 1)[0].decode("latin-1")
    words = status.split()
    if not status.startswith("HTTP/1.") or len(words) < 2 or not words[1].startswith("2"):
        raise ProxyRefused(plain_text(status[:80]))
