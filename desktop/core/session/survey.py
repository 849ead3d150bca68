"""A look at a host before anything is started on it: connect, deploy the agent, run `doctor`.

It says the same events as a session on its way to the check, so that it is shown in the same way,
and ends with what was found out. One thread tells it; `cancel` and `close` come from any other one
and return at once. A look is made once: for another one there is another survey.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from contextlib import closing
from itertools import islice
from typing import TYPE_CHECKING

from desktop.core.agent.client import Agent
from desktop.core.agent.deploy import deploy
from desktop.core.errors import (
    AgentRefused,
    AppError,
    Cancelled,
    ConnectionLost,
    HostUnreachable,
)
from desktop.core.events import Emit, Fact, Retrying, Surveyed, Surveying, TaskChanged
from desktop.core.last_checks import ASKED_MODEL, RUNNING_MODEL
from desktop.core.phases import Phase
from desktop.core.rental import Rental
from desktop.core.session.dial import Dial
from desktop.core.session.reading import to_event
from desktop.core.session.retrying import asks_for_address, backoff, may_be_starting
from desktop.core.session.spec import spec_fields
from desktop.core.session.stage import Stage
from desktop.core.session.wishes import Wishes
from desktop.core.ssh.attempt import Abandon, Attempt
from remote import wire

if TYPE_CHECKING:
    from desktop.core.ssh.connection import Connection

_CLOSING_GRACE_S = 5.0
_MOST_LINES = 2000  # of a preflight that tells about sixty facts
_CHECK_SECONDS = (
    120.0  # a preflight takes 12 s where the hub is silent, 60 s where the driver hangs
)


class Survey:
    """One look at one host, for the model that is wished of it."""

    def __init__(
        self,
        wishes: Wishes,
        emit: Emit,
        dial: Dial,
        deploy: Callable[[Connection], Agent] = deploy,
        *,
        patience_s: float = 0.0,
        rental: Rental | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take what is needed; nothing happens before `start`.

        Args:
            wishes: the host, and the model that the preflight is asked about.
            emit: gets every event, from the survey's thread; must return at once.
            dial: connects to the host; called for each try.
            deploy: brings up the agent on a connection.
            patience_s: how long a host that may still be starting is tried.
            rental: of the host, which costs money from the look on.
            clock: monotonic seconds.
        """
        self._wishes, self._dial, self._deploy = wishes, dial, deploy
        self._stage = Stage(emit)
        self._patience_s, self._clock = patience_s, clock
        self._rental = rental or Rental()
        self._abandon = Abandon()
        self._woken = threading.Event()  # ends a wait between two tries
        self._facts: dict[str, object] = {}
        self._thread = threading.Thread(target=self._tell, name="survey", daemon=True)

    def start(self) -> None:
        """Begin; once."""
        self._stage.begin()
        self._thread.start()

    def cancel(self) -> None:
        """Give it up wherever it is; it ends in OFF, and says nothing of what it found."""
        self._abandon.fire()
        self._woken.set()

    def retry_now(self) -> None:
        """End the wait before the next try to reach the host."""
        self._woken.set()

    def look_again(self) -> None:
        """The laptop woke up, or has another network: a wait is over."""
        self._woken.set()

    def close(self) -> None:
        """Give it up, say nothing any more, and end the thread."""
        self._stage.silence()
        self.cancel()
        if self._thread.ident is not None:
            self._thread.join(_CLOSING_GRACE_S)

    # -- in the survey's thread --------------------------------------------------------------------

    def _tell(self) -> None:
        self._stage.enter(Phase.CONNECTING)
        self._stage.say(Surveying())
        try:
            error = self._look()
        except Cancelled:
            self._stage.end(Phase.OFF, None)
        except AppError as failure:
            self._end_early(failure)
        except Exception as bug:  # noqa: BLE001 - the top of the thread: a bug is shown, not lost
            self._end_early(AppError("unexpected", detail=repr(bug)))
        else:
            self._stage.say(Surveyed(dict(self._facts), error))
            self._stage.end(Phase.OFF, None)

    def _end_early(self, error: AppError) -> None:
        if self._abandon.is_fired:  # a question was taken back, or the connection was cut
            self._stage.end(Phase.OFF, None)
            return
        self._stage.say(Surveyed(dict(self._facts), error))
        self._stage.end(Phase.FAILED, error)

    def _look(self) -> AppError | None:
        """Look at the host; returns what stands against the model there, or None."""
        with closing(self._connect()) as connection, self._abandon.by(connection.cut):
            self._rental.reached()
            try:
                return self._look_around(connection)
            finally:
                self._rental.left()

    def _look_around(self, connection: Connection) -> AppError | None:
        self._say_task("connect", wire.DONE)
        self._stage.enter(Phase.CHECKING)
        self._say_task("deploy", wire.RUNNING)
        agent = self._deploy(connection)
        self._say_task("deploy", wire.DONE)
        running = agent.hello.run
        self._say_task(wire.PREFLIGHT, wire.RUNNING)
        self._say_fact(Fact(ASKED_MODEL, self._wishes.model))
        refused = self._examine(agent)
        if running is not None and running.alive:
            self._say_fact(Fact(RUNNING_MODEL, running.model))
        self._say_task(wire.PREFLIGHT, wire.DONE)
        return refused

    def _connect(self) -> Connection:
        """Return a connection; a host that may still be starting is tried again for a while."""
        until = self._clock() + self._patience_s
        attempt = 0
        self._say_task("connect", wire.RUNNING)
        while True:
            self._woken.clear()
            self._abandon.check()
            try:
                return self._dial(Attempt(abandon=self._abandon))
            except (ConnectionLost, HostUnreachable) as error:
                left = until - self._clock()
                if left <= 0 or not may_be_starting(error):
                    raise
                attempt += 1
                self._wait_before(attempt, error, left)

    def _wait_before(self, attempt: int, error: AppError, left: float) -> None:
        luck = random.random()  # noqa: S311 - nothing secret
        seconds = backoff(attempt, luck, silent=isinstance(error, HostUnreachable))
        asks = asks_for_address(error, attempt)
        self._stage.say(Retrying(attempt, seconds, error, left, asks))
        self._woken.wait(seconds)
        self._abandon.check()

    def _examine(self, agent: Agent) -> AppError | None:
        """Hear the preflight's facts, and return what it has against the model."""
        until = self._clock() + _CHECK_SECONDS
        try:
            for message in islice(agent.doctor(spec_fields(self._wishes)), _MOST_LINES):
                event = to_event(message)
                if isinstance(event, Fact):
                    self._say_fact(event)
                if self._clock() > until:
                    where = self._wishes.destination
                    seconds = round(_CHECK_SECONDS)
                    raise ConnectionLost(
                        "host-stalled", host=where.host, port=where.port, seconds=seconds
                    )
        except AgentRefused as refused:
            return refused
        return None

    def _say_fact(self, fact: Fact) -> None:
        self._facts[fact.name] = fact.value
        self._stage.say(fact)

    def _say_task(self, task: str, state: str) -> None:
        self._stage.say(TaskChanged(task, state))
