"""Told that the network changed: another Wi-Fi, a cable, a VPN, an address.

Linux says it on a netlink socket (rtnetlink(7)), with or without NetworkManager and without
D-Bus. Elsewhere Qt asks the system (SCNetworkReachability, Network List Manager), in the event
loop of the app that runs.
"""

from __future__ import annotations

import contextlib
import logging
import select
import socket
import sys
import threading
import time
from collections.abc import Callable

from desktop.system.wake import Watcher

_LOG = logging.getLogger(__name__)

# linux/rtnetlink.h: links, then addresses and routes of IPv4, then of IPv6.
_GROUPS = 0x1 | 0x10 | 0x40 | 0x100 | 0x400
_QUIET_SECONDS = 0.3  # one change is a dozen messages: told once, when they have ended
_LONGEST_SECONDS = 2.0  # and where they never end, this often
_MESSAGE = 65536


def network_watcher(on_event: Callable[[], None]) -> Watcher:
    """Return what calls back each time the network of this computer has changed."""
    return NetlinkWatcher(on_event) if sys.platform == "linux" else QtNetworkWatcher(on_event)


class NetlinkWatcher:
    """Listens to the kernel; Linux only."""

    def __init__(self, on_event: Callable[[], None]) -> None:
        self._on_event = on_event
        self._ending: socket.socket | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to watch the network namespace of the calling thread."""
        if self._thread is not None:
            return
        try:
            kernel = _subscribed()
        except OSError as error:  # a sandbox: the probes of the connection find out, only later
            _LOG.info("no network events: %s", error)
            return
        self._ending, ended = socket.socketpair()
        self._thread = threading.Thread(
            target=self._watch, args=(kernel, ended), name="network-watch", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        if self._thread is not None and self._ending is not None:
            self._ending.close()
            self._thread.join()

    def _watch(self, kernel: socket.socket, ended: socket.socket) -> None:
        with kernel, ended:
            while True:
                readable, _, _ = select.select([kernel, ended], [], [])
                if ended in readable:
                    return
                _read_until_quiet(kernel)
                self._on_event()


def _subscribed() -> socket.socket:
    kernel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
    try:
        kernel.bind((0, _GROUPS))
    except OSError:
        kernel.close()
        raise
    return kernel


def _read_until_quiet(kernel: socket.socket) -> None:
    """Take what belongs to one change off the socket; what it says is of no interest."""
    deadline = time.monotonic() + _LONGEST_SECONDS
    while time.monotonic() < deadline and select.select([kernel], [], [], _QUIET_SECONDS)[0]:
        with contextlib.suppress(OSError):  # ENOBUFS: there were too many to keep
            kernel.recv(_MESSAGE)


class QtNetworkWatcher:
    """Listens to Qt; start and stop it in the GUI thread."""

    def __init__(self, on_event: Callable[[], None]) -> None:
        self._on_event = on_event
        self._is_on = False

    def start(self) -> None:
        """Begin to watch, where this Qt knows how."""
        from PySide6.QtNetwork import QNetworkInformation  # noqa: PLC0415 - the app's side only

        if not self._is_on and QNetworkInformation.loadDefaultBackend():
            information = QNetworkInformation.instance()
            information.reachabilityChanged.connect(self._tell)
            information.transportMediumChanged.connect(self._tell)
            self._is_on = True

    def stop(self) -> None:
        """Listen no more."""
        from PySide6.QtNetwork import QNetworkInformation  # noqa: PLC0415 - as above

        if self._is_on:
            information = QNetworkInformation.instance()
            information.reachabilityChanged.disconnect(self._tell)
            information.transportMediumChanged.disconnect(self._tell)
            self._is_on = False

    def _tell(self, _change: object) -> None:
        self._on_event()
