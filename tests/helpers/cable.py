"""A laptop in a network namespace of its own, and the cable to it, which a test can cut.

The cable is two TUN devices with a thread between them, so that real TCP meets losses, delays and
silence on any kernel (netem is a module that many lack). The namespace has no name and the devices
are not persistent: with the last descriptor and thread all of it is gone, also after a kill.
"""

from __future__ import annotations

import ctypes
import fcntl
import heapq
import os
import random
import select
import struct
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_CLONE_NEWNET = 0x40000000  # linux/sched.h
_TUNSETIFF = 0x400454CA  # linux/if_tun.h
_TUN_WITHOUT_HEADER = 0x0001 | 0x1000  # IFF_TUN | IFF_NO_PI
_TCP, _SYN, _RST, _ACK = 6, 0x02, 0x04, 0x10
_PACKET = 65536


def is_possible() -> bool:
    """Return whether this machine lets us: root, with TUN."""
    return os.geteuid() == 0 and os.access("/dev/net/tun", os.R_OK | os.W_OK)


class Laptop:
    """A thread in a network of its own; the threads and programs that it starts are there too."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "laptop", initializer=_unshare_network)

    def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call this there, and return or raise what it does."""
        return self._thread.submit(work, *args, **kwargs).result()

    def ip(self, *argv: str) -> None:
        """Run `ip` there."""
        self.run(_ip, *argv)

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown()


class Cable:
    """Joins the host's network (the test's own) with a laptop's.

    Attributes:
        laptop: the other end.
        host: the host's address on it.
        host_later: another one of the host's.
        is_cut: packets vanish; nobody is told.
        loss: the share of packets that get lost, each way.
        delay: seconds, each way.
        packets: that came to it so far.
        resets: those of TCP with RST among them.
    """

    def __init__(self) -> None:
        network = f"10.213.{os.getpid() % 250}"  # several test runs may be on one machine
        self.laptop = Laptop()
        self.host, self.host_later = f"{network}.1", f"{network}.2"
        self._laptop_addresses = (f"{network}.9", f"{network}.10")
        self._device = f"pk-{os.getpid()}"
        self.is_cut = False
        self.loss = self.delay = 0.0
        self.packets = self.resets = 0
        self._random = random.Random(4)
        self._flows: set[bytes] = set()
        self._forgotten: set[bytes] = set()
        self._at = 0  # which of the laptop's addresses it has
        self._laid = ExitStack()

    def __enter__(self) -> Cable:
        with ExitStack() as laid:  # one that cannot be laid leaves nothing either
            laid.callback(self.laptop.close)
            self._host_end = _tun(self._device)
            laid.callback(os.close, self._host_end)
            self._laptop_end = self.laptop.run(_tun, self._device)
            laid.callback(os.close, self._laptop_end)
            self._bring_up()
            ended, ending = os.pipe()
            laid.callback(os.close, ended)
            thread = threading.Thread(target=self._carry, args=(ended,), name="cable")
            thread.start()
            laid.callback(thread.join)
            laid.callback(os.close, ending)
            self._laid = laid.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._laid.close()

    def _bring_up(self) -> None:
        for address in (self.host, self.host_later):
            _ip("address", "add", f"{address}/24", "dev", self._device)
        _ip("link", "set", self._device, "up")
        self.laptop.ip("link", "set", "lo", "up")
        self._address_of_laptop("add", self._at)
        self.laptop.ip("link", "set", self._device, "up")

    def mend(self) -> None:
        """Carry every packet again, at once; what was forgotten or moved stays so."""
        self.is_cut, self.loss, self.delay = False, 0.0, 0.0
        self.plug()

    def unplug(self) -> None:
        """Take it out of the laptop, which then knows that it has no network."""
        self.laptop.ip("link", "set", self._device, "down")

    def plug(self) -> None:
        """Put it in again."""
        self.laptop.ip("link", "set", self._device, "up")

    def forget_flows(self) -> None:
        """Do as a router that was asleep or restarted: what it carried is unknown to it now."""
        self._forgotten |= self._flows

    def move_host(self) -> None:
        """Take the host's first address away; it is to be found at its later one."""
        _ip("address", "delete", f"{self.host}/24", "dev", self._device)
        with suppress(subprocess.CalledProcessError):  # kept, where addresses are promoted
            _ip("address", "add", f"{self.host_later}/24", "dev", self._device)

    def move_laptop(self) -> None:
        """Give the laptop its other address, as another Wi-Fi does."""
        self._address_of_laptop("delete", self._at)
        self._at = 1 - self._at
        self._address_of_laptop("add", self._at)

    def _address_of_laptop(self, verb: str, index: int) -> None:
        address = f"{self._laptop_addresses[index]}/24"
        self.laptop.ip("address", verb, address, "dev", self._device)

    def _carry(self, ended: int) -> None:
        waiting: list[tuple[float, int, int, bytes]] = []  # due, order, where to, packet
        order = 0
        other = {self._host_end: self._laptop_end, self._laptop_end: self._host_end}
        while True:
            timeout = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
            readable, _, _ = select.select([*other, ended], [], [], timeout)
            if ended in readable:
                return
            for end in readable:
                packet = os.read(end, _PACKET)
                if not self._swallows(packet, is_from_laptop=end == self._laptop_end):
                    order += 1
                    heapq.heappush(
                        waiting, (time.monotonic() + self.delay, order, other[end], packet)
                    )
            while waiting and waiting[0][0] <= time.monotonic():
                _, _, end, packet = heapq.heappop(waiting)
                with suppress(OSError):  # the device is down just now
                    os.write(end, packet)

    def _swallows(self, packet: bytes, *, is_from_laptop: bool) -> bool:
        if self.is_cut or self._random.random() < self.loss:
            return True
        if packet[0] >> 4 != 4 or packet[9] != _TCP:
            return True  # IPv6 neighbours and the like
        tcp = packet[(packet[0] & 15) * 4 :]
        laptops_port = tcp[:2] if is_from_laptop else tcp[2:4]
        self._flows.add(laptops_port)
        self.packets += 1
        self.resets += bool(tcp[13] & _RST)
        if tcp[13] & (_SYN | _ACK) == _SYN:  # a new connection that has an old one's port
            self._forgotten.discard(laptops_port)
        return laptops_port in self._forgotten


def _unshare_network() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "unshare")


def _tun(name: str) -> int:
    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
    request = struct.pack("16sH22x", name.encode(), _TUN_WITHOUT_HEADER)
    fcntl.ioctl(descriptor, _TUNSETIFF, request)
    return descriptor


def _ip(*argv: str) -> None:
    subprocess.run(["ip", *argv], check=True, capture_output=True)
