"""What carries bytes but is no socket, made one: a channel of a jump host, a program's pipes.

A real socket below the transport means one way of reading, writing and noticing the end for every
route. A program that died was never noticed through paramiko's ProxyCommand, at 100 % of a core.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress

_PIECE = 64 << 10
_ENDS = (OSError, EOFError, ValueError)  # ValueError: a pipe that was closed


def bridge(
    read: Callable[[int], bytes],
    write: Callable[[bytes], object],
    close: Callable[[], None],
) -> socket.socket:
    """Return a socket whose bytes go to `write` and come from `read`; it ends when either ends.

    Args:
        read: blocks for some bytes; b"" at the end.
        write: takes all of them, blocking.
        close: wakes a blocked `read` or `write`; may be called more than once.
    """
    near, far = socket.socketpair()

    def outwards() -> None:
        inward = threading.Thread(target=inwards, name="bridge-in", daemon=True)
        inward.start()
        with suppress(*_ENDS):
            while data := far.recv(_PIECE):
                write(data)
        with suppress(*_ENDS):
            close()
        inward.join()
        far.close()

    def inwards() -> None:
        with suppress(*_ENDS):
            while data := read(_PIECE):
                far.sendall(data)
        with suppress(OSError):
            far.shutdown(socket.SHUT_RDWR)

    threading.Thread(target=outwards, name="bridge-out", daemon=True).start()
    return near
