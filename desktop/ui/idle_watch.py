"""Looks every few seconds whether a model rests that costs money, and has a person asked.

What is decided is `core.idle`; here is the clock, and what each host was told last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.core import idle
from desktop.core.events import Event
from desktop.core.idle import Quiet
from desktop.ui.intents import HostKey

_LOOK_MS = 5000


class IdleWatch(QObject):
    """Follows the quiet on all hosts.

    Signals:
        due: a host, and for how many seconds nobody asked it anything: ask a person.
        over: a host of which that is not so any more.
    """

    due = Signal(str, float)
    over = Signal(str)

    def __init__(self, clock: Callable[[], float], minutes: Callable[[], int]) -> None:
        """Take a steady clock, and after how many minutes to ask; 0 for never."""
        super().__init__()
        self._clock, self._minutes = clock, minutes
        self._quiet: dict[HostKey, Quiet] = {}
        self._asking: set[HostKey] = set()
        self._timer = QTimer(self, interval=_LOOK_MS)
        self._timer.timeout.connect(self.look)

    def hear(self, host: HostKey, events: Iterable[Event]) -> None:
        """Keep up with what a host says."""
        quiet = self._quiet.get(host, Quiet())
        for event in events:
            quiet = idle.after(quiet, event, self._clock())
        self._quiet[host] = quiet
        if quiet.since is not None and not self._timer.isActive():
            self._timer.start()

    def look(self) -> None:
        """Ask where it is time to, and take back what holds no more."""
        now = self._clock()
        for host, quiet in self._quiet.items():
            if host in self._asking and not idle.stands(quiet, now):
                self._asking.discard(host)
                self.over.emit(host)
            elif idle.due(quiet, now, self._minutes()):
                self._quiet[host] = idle.asked(quiet)
                self._asking.add(host)
                self.due.emit(host, idle.quiet_s(quiet, now))
        if all(quiet.since is None for quiet in self._quiet.values()):
            self._timer.stop()

    def snooze(self, host: HostKey) -> None:
        """Ask about this host again later, if it stays quiet."""
        self._asking.discard(host)
        self._quiet[host] = idle.snoozed(self._quiet.get(host, Quiet()), self._clock())

    def mute(self, host: HostKey) -> None:
        """Ask no more about this session."""
        self._asking.discard(host)
        self._quiet[host] = idle.muted(self._quiet.get(host, Quiet()))
