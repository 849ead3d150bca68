"""Powering the host off, and the proof of it: the SSH port that goes silent.

The host says that it has begun; that it is off is believed only once nobody speaks at its SSH
port any more. What our own network cannot reach proves nothing.
"""

from __future__ import annotations

import errno
import socket
import threading
import time
from collections.abc import Callable
from contextlib import closing
from enum import Enum

from desktop.core.agent.answers import Stopped
from desktop.core.agent.client import Agent
from desktop.core.errors import AppError, Cancelled
from desktop.core.ssh.destination import Destination
from desktop.core.ssh.dialling import dial
from remote import wire

SECONDS = 120.0  # a container is gone within seconds, a whole machine within a minute
SILENT_PROBES = 3  # in a row: one may hit a server that is just restarting
_BETWEEN_S = 2.0
_PROBE_S = 5.0
# Our own side is cut off, or there is nobody to ask for the address.
_OUR_NETWORK = {errno.ENETUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL}


class Port(Enum):
    """What one look at the SSH port has shown."""

    SPEAKS = "speaks"
    SILENT = "silent"
    UNKNOWN = "unknown"


def power_off(
    agent: Agent,
    where: Destination,
    cancelled: threading.Event,
    probe: Callable[[Destination], Port] | None = None,
    on_look: Callable[[int], None] = lambda _silent: None,
) -> Stopped:
    """Stop the run, let the host power off, and return once it was seen to be off.

    Args:
        agent: on that host; its connection breaks on the way.
        where: the host.
        cancelled: ends the wait for the proof.
        probe: looks at the port.
        on_look: told after each look how often in a row the port was silent.

    Raises:
        AppError: `power-off-not-known` where it is not known to be safe there (the run is stopped),
            `power-off-failed`, or `power-off-not-confirmed` where the port still speaks.
        Cancelled: nobody waits for the proof any more.
        ConnectionLost: the answer did not come through.
    """
    stopped = agent.stop(power_off=True)
    if stopped.power_off != wire.POWER_OFF_BEGUN:
        unknown = stopped.power_off == wire.POWER_OFF_UNKNOWN
        code = "power-off-not-known" if unknown else "power-off-failed"
        raise AppError(code, host=where.host, provider=stopped.provider)
    await_silence(where, cancelled, probe or look, on_look=on_look)
    return stopped


def await_silence(
    where: Destination,
    cancelled: threading.Event,
    probe: Callable[[Destination], Port],
    seconds: float = SECONDS,
    between_s: float = _BETWEEN_S,
    on_look: Callable[[int], None] = lambda _silent: None,
) -> None:
    """Return once the port was silent several times in a row.

    Raises:
        AppError: `power-off-not-confirmed` after `seconds`.
        Cancelled: nobody waits any more.
    """
    deadline = time.monotonic() + seconds
    silent = 0
    while silent < SILENT_PROBES:
        if time.monotonic() > deadline:
            raise AppError(
                "power-off-not-confirmed", host=where.host, port=where.port, seconds=int(seconds)
            )
        if cancelled.wait(between_s):
            raise Cancelled
        silent = silent + 1 if probe(where) is Port.SILENT else 0
        on_look(silent)


def look(where: Destination) -> Port:
    """Look whether anybody speaks SSH at the address.

    A host that is reached through another one or through a program cannot be looked at from here:
    its silence would prove nothing.
    """
    if where.via or where.proxy_command or where.proxy:
        return Port.UNKNOWN
    try:
        with closing(dial(where.host, where.port, _PROBE_S)) as connection:
            connection.settimeout(_PROBE_S)
            said = connection.recv(1)  # a server greets first (RFC 4253 §4.2), a gateway does not
    except OSError as error:
        return of_error(error)
    return Port.SPEAKS if said else Port.SILENT


def of_error(error: OSError) -> Port:
    """Return what an error of the connection says about the port."""
    ours = isinstance(error, socket.gaierror) or error.errno in _OUR_NETWORK
    return Port.UNKNOWN if ours else Port.SILENT
