"""The terms under which a session's run may cost money, as they stand with the host.

They travel with each `start`; new ones are sent over the living connection, or at the next connect.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from desktop.core.agent.answers import RunStatus, Started
from desktop.core.api_keys import fresh_key
from desktop.core.errors import AppError, ConnectionLost, NothingRunning
from desktop.core.events import SPENDING, SessionEvent, TermsChanged
from desktop.core.phases import Phase
from desktop.core.rental import Rental
from desktop.core.session.spec import spec_fields
from desktop.core.session.wishes import Wishes
from desktop.core.spending import Limit, is_used_up, run_limit
from remote import wire

if TYPE_CHECKING:
    from desktop.core.agent.client import Agent


class Terms:
    """What the host was told, and what its rental leaves for the run."""

    def __init__(
        self,
        say: Callable[[SessionEvent], None],
        rental: Rental,
        api_key: Callable[[], str] = fresh_key,
    ) -> None:
        """Take who is told, the host's rental, and what gives the key of a run that is started."""
        self._say = say
        self._rental = rental
        self._api_key = api_key
        self._limit = Limit(0)
        self._was_there = False  # in this story
        self._due = threading.Event()  # there are new ones, which the host does not know
        self._turn = threading.Lock()

    def reached(self) -> None:
        """The host is there: it costs money from now on, if it did not before."""
        self._was_there = True
        self._rental.reached()

    def ended(self, last: Phase) -> None:
        """The story is over: after OFF the next one has the whole spending limit again."""
        if last is Phase.OFF and self._was_there:
            self._rental.ended()
        else:
            self._rental.left()
        self._was_there = False

    def start(self, agent: Agent, wishes: Wishes, living: RunStatus | None) -> Started:
        """Start or join the run under the terms of these wishes.

        Who starts although the limit is used up has seen the bill, and gets it once more.

        Args:
            agent: on the host.
            wishes: what is to run, and until when.
            living: the run that is there, where one is alive.
        """
        if living is None and is_used_up(wishes.spending_seconds, self._rental.spent_s):
            self._rental.begin_anew()
        api_key = "" if living else self._api_key()  # that of one that lives is the host's to tell
        with self._turn:
            was_due = self._due.is_set()
            self._due.clear()
            limit = self._of(wishes, living)
            started = agent.start(spec_fields(wishes, limit, api_key))
            self._limit = limit
        if was_due:
            self._say(TermsChanged())
        return started

    def change(self) -> None:
        """The wishes have other terms now: the next `renew` sends them."""
        self._due.set()

    def renew(self, agent: Agent, wishes: Wishes, living: RunStatus | None) -> None:
        """Send the terms of these wishes where they are new, to a run that lives.

        Raises:
            ConnectionLost: they are still to be sent.
        """
        with self._turn:
            if not self._due.is_set():
                return
            self._due.clear()
            limit = self._of(wishes, living)
            try:
                agent.start(spec_fields(wishes, limit), join_only=True)
            except NothingRunning:
                return  # it ended meanwhile, as its journal tells
            except ConnectionLost:
                self._due.set()
                raise
            except AppError as error:
                self._say(TermsChanged(error))
                return
            self._limit = limit
        self._say(TermsChanged())

    def told(self, because: str) -> str:
        """Return why the host stopped the run, as a person thinks of it."""
        return SPENDING if because == wire.LIMIT and self._limit.is_spending else because

    def _of(self, wishes: Wishes, living: RunStatus | None) -> Limit:
        age = 0.0 if living is None else living.age_s
        spent_s = self._rental.spent_s
        return run_limit(wishes.limit_seconds, wishes.spending_seconds, spent_s, age)
