"""The way to a host's SSH port: straight, through a proxy, a program, or another host.

Whatever it is, what comes out is a connected socket; the transport above knows no difference.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from desktop.core.errors import AppError, HostUnreachable
from desktop.core.ssh.attempt import Abandon
from desktop.core.ssh.bridging import bridge
from desktop.core.ssh.channel import SafeChannel
from desktop.core.ssh.destination import Destination
from desktop.core.ssh.dialling import dial, dial_first
from desktop.core.ssh.failures import (
    converted,
    of_dialling,
    of_jump,
    of_proxy,
    of_proxy_command,
)
from desktop.core.ssh.lookup import LOOKUPS, Address
from desktop.core.ssh.proxy_command import ProxyCommand
from desktop.core.ssh.proxying import Proxy, ProxyRefused, ask_through, parse_proxy
from desktop.core.ssh.transport import FOREIGN

Tunnel = Callable[[str, int], SafeChannel]


def _nothing() -> None:
    """Nothing but the socket carries a direct way."""


@dataclass(frozen=True, slots=True)
class Route:
    """A way that stands.

    Attributes:
        sock: leads to the host's SSH port.
        address: the numeric address that was reached; the name where others resolved it.
        close: ends what carries the socket; safe from any thread and more than once.
        why: what the carrier says about a greeting that never came, or None.
    """

    sock: socket.socket
    address: str
    close: Callable[[], None] = _nothing
    why: Callable[[], HostUnreachable | None] = lambda: None


def open_route(
    where: Destination, timeout: float, tunnel: Tunnel | None, abandon: Abandon
) -> Route:
    """Return the way that the destination asks for, within `timeout` seconds.

    Args:
        where: its proxy command or proxy, unless there is a tunnel.
        timeout: seconds for each step.
        tunnel: opens a channel on the connection to `where.via`, where that is the way.
        abandon: gives it up.

    Raises:
        Cancelled: it was given up.
        HostUnreachable: `host-*`, `jump-*`, `proxy-*`.
        DestinationError: `destination-bad-proxy`.
        ConnectionLost: the jump host is gone.
    """
    if tunnel is not None:
        return _through_host(where, tunnel)
    if where.proxy_command:
        return _through_program(where)
    if where.proxy:
        return _through_proxy(where, parse_proxy(where.proxy), timeout, abandon)
    sock = _connected(where, timeout, abandon)
    return Route(sock, str(sock.getpeername()[0]))


def _connected(where: Destination, timeout: float, abandon: Abandon) -> socket.socket:
    begin = time.monotonic()
    with converted(partial(of_dialling, where)):
        found = LOOKUPS.addresses(where.host, where.port, timeout, abandon)
    with converted(partial(of_dialling, where, addresses=_numeric(found))):
        return dial_first(found, timeout - (time.monotonic() - begin), abandon)


def _numeric(addresses: list[Address]) -> list[str]:
    return [str(place[0]) for _, place in addresses]


def _through_host(where: Destination, tunnel: Tunnel) -> Route:
    try:
        channel = tunnel(where.host, where.port)
    except AppError as error:
        raise of_jump(where, error) from error
    return Route(bridge(channel.recv, channel.sendall, channel.close), where.host)


def _through_program(where: Destination) -> Route:
    try:
        program = ProxyCommand(where.proxy_command)
    except OSError as error:
        raise of_proxy_command(where, str(error)) from error

    def why() -> HostUnreachable | None:
        said = program.last_words()
        return of_proxy_command(where, said) if said else None

    return Route(program.sock, where.host, program.close, why)


def _through_proxy(where: Destination, proxy: Proxy, timeout: float, abandon: Abandon) -> Route:
    try:
        sock = dial(proxy.host, proxy.port, timeout, abandon)
        try:
            with abandon.by(partial(_hang_up, sock)):
                ask_through(sock, proxy, where.host, where.port, timeout)
        except BaseException:
            sock.close()
            raise
    except (*FOREIGN, ProxyRefused, UnicodeError) as error:
        raise of_proxy(where, str(proxy), error) from error
    return Route(sock, where.host)


def _hang_up(sock: socket.socket) -> None:
    """End it from any thread; who waits on it wakes up, and closes it."""
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
