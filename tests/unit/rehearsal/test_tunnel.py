from __future__ import annotations

import socket
import threading
from contextlib import closing
from typing import cast

import paramiko

from desktop.rehearsal.tunnel import Tunnel


class ChannelOfADeadTransport:
    """A channel that has ended, and whose transport is gone before it."""

    def __init__(self) -> None:
        self.status_event = threading.Event()
        self.status_event.set()

    def recv(self, _: int) -> bytes:
        return b""

    def sendall(self, _: bytes) -> None:
        raise EOFError

    def close(self) -> None:
        raise EOFError


def test_a_tunnel_lets_go_of_its_socket_when_the_transport_is_gone() -> None:
    near, far = socket.socketpair()
    with closing(far):
        tunnel = Tunnel(cast("paramiko.Channel", ChannelOfADeadTransport()), near)
        tunnel.hang_up()
    assert near.fileno() == -1
