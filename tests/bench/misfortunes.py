"""What happens to a string in a laptop's life: to its network, the host's sshd, the laptop.

Each of them returns at the moment from which everything is there again that is needed.
"""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.helpers.cable import Cable
from tests.helpers.held_string import HeldString
from tests.helpers.sshd import Sshd
from tests.helpers.streaming import Streaming
from tests.helpers.waiting import until


@dataclass(frozen=True)
class Road:
    """Everything that lies between the laptop's port and the model."""

    cable: Cable
    sshd: Sshd
    string: HeldString
    chance: random.Random

    def wait(self, shortest: float, longest: float) -> None:
        time.sleep(self.chance.uniform(shortest, longest))

    def clear(self) -> None:
        """Put everything back, wherever it was left."""
        self.cable.mend()
        self.sshd.thaw()
        self.string.signal(signal.SIGCONT)


def short_cut(road: Road) -> None:
    """Shorter than what a silent connection is forgiven."""
    road.cable.is_cut = True
    road.wait(2, 8)
    road.cable.is_cut = False


def long_cut(road: Road) -> None:
    """Longer than a dead peer goes unnoticed (18 s), by none to several tries to come back."""
    road.cable.is_cut = True
    road.wait(16, 40)
    road.cable.is_cut = False


def reset(road: Road) -> None:
    """A connection whose process dies with bytes that it has not read."""
    road.sshd.freeze()
    sent = road.cable.packets
    asking = Streaming(road.string.endpoint, 10)
    road.cable.laptop.run(asking.start)
    until(lambda: road.cable.packets > sent + 1)
    road.sshd.cut()
    asking.stop()


def frozen(road: Road) -> None:
    """The host's process stands still: TCP answers, SSH does not."""
    road.sshd.freeze()
    road.wait(2, 14)
    road.sshd.thaw()


def restarted(road: Road) -> None:
    """Nobody listens for a moment, and every connection is gone."""
    road.sshd.stop()
    road.wait(0.5, 6)
    road.sshd.start()


def moved(road: Road) -> None:
    """Another Wi-Fi: another address of the laptop."""
    road.cable.move_laptop()


def asleep(road: Road) -> None:
    """The lid is closed, and the router has forgotten the connection when it is opened."""
    road.string.signal(signal.SIGSTOP)
    road.cable.forget_flows()
    road.wait(5, 9)
    road.string.signal(signal.SIGCONT)


def bad_network(road: Road) -> None:
    """A third of the packets is lost, and the others take their time."""
    road.cable.loss, road.cable.delay = 0.3, 0.3
    road.wait(5, 15)
    road.cable.loss = road.cable.delay = 0.0


Misfortune = Callable[[Road], None]
ALL: tuple[Misfortune, ...] = (
    short_cut,
    long_cut,
    reset,
    frozen,
    restarted,
    moved,
    asleep,
    bad_network,
)
