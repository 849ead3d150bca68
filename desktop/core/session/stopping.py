"""The stop of a session: how far it was asked to go, and how much of it was seen.

Two carry it out: who stops beside the story, over its connection, and the story itself where there
was none. Nothing is done twice, and nothing is called done that was not seen.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from desktop.core.errors import AppError, Cancelled, ConnectionLost
from desktop.core.events import PoweringOff, SessionEvent
from desktop.core.session.power import SILENT_PROBES, power_off
from desktop.core.ssh.destination import Destination

if TYPE_CHECKING:
    from desktop.core.agent.client import Agent


class Stopping:
    """A stop: of the run, and where that was asked of the host.

    Attributes:
        asked: whether the run is to be stopped.
        given_up: nobody waits for it any more.
        is_seen: no process of the run is left, as the host says.
        is_off: the host was seen to be off.
    """

    def __init__(self, say: Callable[[SessionEvent], None]) -> None:
        """Take who is told."""
        self.asked = threading.Event()
        self.given_up = threading.Event()
        self.is_seen = self.is_off = False
        self._powers_off = self._is_alone = False
        self._error: AppError | None = None  # of the power-off: it is not tried again
        self._say = say
        self._turn = threading.Lock()  # held while it is carried out

    def withdraw(self) -> None:
        """Begin anew: nothing was asked."""
        self.asked.clear()
        self.given_up.clear()
        self.is_seen = self.is_off = self._powers_off = self._is_alone = False
        self._error = None

    def ask(self, *, power_off: bool, alone: bool = False) -> bool:
        """Ask for it; return whether it goes no further than what was asked before.

        Args:
            power_off: the host too.
            alone: nothing else is to be done there.
        """
        goes_further = not self.asked.is_set() or (power_off and not self._powers_off)
        self._powers_off |= power_off
        self._is_alone |= alone
        self.asked.set()
        return not goes_further

    @property
    def needs_host(self) -> bool:
        """Whether the host has to be reached for it, even where nothing runs that we know of."""
        return self.asked.is_set() and (self._powers_off or self._is_alone)

    def carry_out(self, agent: Agent, where: Destination) -> None:
        """Return once all that was asked was seen; who comes second waits for the first.

        Raises:
            AppError: as `power_off`; where `is_seen`, the run is stopped all the same.
            Cancelled: nobody waits for the power-off any more.
            ConnectionLost: it is to be carried out again over another connection.
        """
        with self._turn:
            self._raise_if_over()
            if not self.is_seen:
                agent.stop()
                self.is_seen = True
            if self._powers_off and not self.is_off:
                self._power_off(agent, where)

    def is_complete(self) -> bool:
        """Wait for who carries it out, and tell whether all that was asked was seen.

        Raises:
            AppError: how the power-off failed.
        """
        if not self.asked.is_set():
            return False
        with self._turn:
            if self._error is not None:
                raise self._error
            return self.is_seen and (self.is_off or not self._powers_off)

    def unseen(self, where: Destination, reason: AppError | None = None) -> AppError:
        """Return the error of a stop that nobody saw.

        Args:
            where: the host.
            reason: why it could not be reached, where that was it.
        """
        if self.is_seen:
            return AppError("power-off-unseen", host=where.host)
        return reason or AppError("stop-unseen", host=where.host)

    def _raise_if_over(self) -> None:
        if self._error is not None:
            raise self._error
        if self.given_up.is_set():
            raise Cancelled

    def _power_off(self, agent: Agent, where: Destination) -> None:
        self._looked(0)
        try:
            power_off(agent, where, self.given_up, on_look=self._looked)
        except AppError as error:
            if not isinstance(error, ConnectionLost):
                self._error = error
            raise
        self.is_off = True

    def _looked(self, silent: int) -> None:
        self._say(PoweringOff(silent, SILENT_PROBES))
