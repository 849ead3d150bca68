"""A TCP connection to a host, whichever family its addresses are of, within a deadline."""

from __future__ import annotations

import socket
import threading
import time
from queue import Empty, SimpleQueue
from typing import Any

Address = tuple[int, tuple[Any, ...]]

_SHARE = 4.0  # seconds after which the next address gets its chance


def dial(host: str, port: int, timeout: float) -> socket.socket:
    """Return a connected socket with TCP_NODELAY set; raises as `look_up` and `dial_first` do."""
    begin = time.monotonic()
    addresses = look_up(host, port, timeout)
    return dial_first(addresses, timeout - (time.monotonic() - begin))


def dial_first(addresses: list[Address], timeout: float) -> socket.socket:
    """Return a socket connected to the first address that answers, with TCP_NODELAY set.

    Nagle's algorithm would add 40 ms to each small message between two others.

    Raises:
        TimeoutError: no answer within `timeout` seconds.
        OSError: what the last address said.
    """
    deadline = time.monotonic() + timeout
    failure: OSError = TimeoutError("no answer")
    for index, address in enumerate(addresses):
        left = deadline - time.monotonic()
        if left <= 0:
            break
        last = index == len(addresses) - 1
        try:
            return _open(address, left if last else min(left, _SHARE))
        except OSError as error:
            failure = error
    raise failure


def _open(address: Address, timeout: float) -> socket.socket:
    family, place = address
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.settimeout(timeout)
        sock.connect(place)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError:
        sock.close()
        raise
    return sock


def look_up(host: str, port: int, timeout: float) -> list[Address]:
    """Return the addresses of a name, asked on another thread: getaddrinfo knows no deadline.

    Raises:
        socket.gaierror: no such name.
        TimeoutError: no answer within `timeout` seconds.
    """
    answer: SimpleQueue[list[Address] | OSError] = SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answer.put([(family, address) for family, _, _, _, address in found])
        except UnicodeError:  # a label longer than DNS allows
            answer.put(socket.gaierror(socket.EAI_NONAME, "not a host name"))
        except OSError as error:
            answer.put(error)

    threading.Thread(target=ask, name="name-lookup", daemon=True).start()
    try:
        found = answer.get(timeout=timeout)
    except Empty as error:
        raise TimeoutError("no answer to the name lookup") from error
    if isinstance(found, OSError):
        raise found
    return list(dict.fromkeys(found))
