"""The way down of a tunnel costs memory in proportion to the host's window, not to its packets."""

from __future__ import annotations

import socket

from desktop.core.ssh.downflow import Downflow, Drain

_CRUMBS = 300_000
_SECONDS = 10.0


def test_single_bytes_for_a_reader_that_does_not_read_are_kept_together() -> None:
    ours, its = socket.socketpair()
    drain = Drain("drain")
    with ours, its:
        its.settimeout(_SECONDS)
        flow = Downflow(ours, drain)
        flow.feed(bytes(8 << 20))  # more than the sockets hold
        flow.flush()
        for number in range(_CRUMBS):
            flow.feed(memoryview(bytes([number % 256])))
        pieces = len(flow._waiting)
        flow.end()
        flow.flush()
        arrived = bytearray()
        while piece := its.recv(1 << 20):
            arrived += piece
        assert flow.done.wait(_SECONDS)
        flow.sock.close()
    drain.close(_SECONDS)
    assert pieces < 2000
    assert arrived == bytes(8 << 20) + bytes(n % 256 for n in range(_CRUMBS))
