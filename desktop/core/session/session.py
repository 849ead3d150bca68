"""One host from the click on Start to a model that answers, and back: told top to bottom.

    connect → deploy, hello → start or join a run → watch its journal → endpoint → forward
    → the model answers → READY, and go on watching

Where the connection breaks the story begins again at `connect`, with the cursor and the local
port it had; the host works on meanwhile. It is tried until a person says stop. One thread tells
it, with blocking calls; `start`, `stop`, `move`, `change_terms` and `close` come from any other
thread and return at once.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from desktop.core.agent.answers import refusal
from desktop.core.agent.client import Agent
from desktop.core.agent.deploy import deploy
from desktop.core.api_keys import fresh_key
from desktop.core.errors import (
    AppError,
    AuthenticationFailed,
    Cancelled,
    ConnectionLost,
    ForwardFailed,
    HostKeyUnknown,
    HostUnreachable,
    NothingRunning,
)
from desktop.core.events import Emit, Ended, Endpoint, Ready, Restarting, Retrying, TaskChanged
from desktop.core.phases import Phase
from desktop.core.rental import Rental
from desktop.core.session.dial import Dial
from desktop.core.session.endpoint import LocalEnd, await_answer
from desktop.core.session.errands import Errands
from desktop.core.session.log_stream import LogStream
from desktop.core.session.reading import phase_of, reason_of, to_event
from desktop.core.session.retrying import asks_for_address, backoff, may_be_starting
from desktop.core.session.stage import Stage
from desktop.core.session.stopping import Stopping
from desktop.core.session.terms import Terms
from desktop.core.session.wishes import Wishes, with_terms_of
from desktop.core.ssh.dialled import Dialled
from remote import wire

if TYPE_CHECKING:
    from desktop.core.ssh.connection import Connection

_CLOSING_GRACE_S = 5.0
_STEADY_S = 5.0  # a connection that stood this long was no try that failed
_STOP = "session-stop"  # a thread's name
_GOING_ON = (wire.RUNNING, wire.DONE, wire.SKIPPED)


@dataclass(slots=True)
class _Told:
    """How far the story is: what survives a lost connection."""

    run: str = ""
    cursor: int = 0
    tasks: dict[str, str] = field(default_factory=dict)
    is_ready: bool = False
    has_answered: bool = False  # the model, through the forward, at least once
    failure: AppError | None = None
    over: str = ""  # how the run has ended: wire's reason of `end`
    because: str = ""  # why the host stopped the run
    has_news: bool = False  # since the last connect: something was heard that was new
    lost: AppError | None = None  # why the host was not there, last
    asks: bool = False  # meanwhile: whether it may have another address


class Session:
    """One host and its run."""

    def __init__(
        self,
        wishes: Wishes,
        emit: Emit,
        dial: Dial,
        deploy: Callable[[Connection], Agent] = deploy,
        *,
        join_only: bool = False,
        patience_s: float = 0.0,
        is_shared: bool | None = None,
        rental: Rental | None = None,
        api_key: Callable[[], str] = fresh_key,
    ) -> None:
        """Take what is needed; nothing happens before `start`.

        Args:
            wishes: what is to run on the host.
            emit: gets every event, from the session's threads; must return at once.
            dial: connects to the host (see `dial.dialler`); called for each try.
            deploy: brings up the agent on a connection.
            join_only: never start a run: join the living one or fail with NothingRunning.
            patience_s: how long a host that may still be starting is tried for the first time;
                `BOOT_SECONDS` where a person looks on, 0 where the first failure is to be told.
            is_shared: whether other programs may use the endpoint, which has a port of our own
                beside it then; None for one port for all.
            rental: of the host, where something was spent on it before this session.
            api_key: of the endpoint of a run that is started; may block.
        """
        self._wishes = wishes
        self._stage = Stage(emit)
        self._dial = Dialled(dial)
        self._deploy = deploy
        self._join_only = join_only
        self._patience_s = patience_s
        self._patient_until = 0.0
        self._stop = Stopping(self._stage.say)
        self._terms = Terms(self._stage.say, rental or Rental(), api_key)
        self._log = LogStream(self._stage.say)
        self._errands = Errands(dial, deploy, self._stage.say)
        self._closing = threading.Event()
        self._has_moved = threading.Event()  # and was not reached since
        self._woken = threading.Event()  # ends a wait between two tries
        self._connection: Connection | None = None
        self._local_end = LocalEnd(has_own=is_shared is not None, is_shared=is_shared is not False)
        self._thread: threading.Thread | None = None
        self._beside: list[threading.Thread] = []  # what goes on beside the story
        self._told = _Told()
        self._endpoint: Endpoint | None = None  # of the engine that answered last
        self._ready_turn = threading.Lock()  # so that what is told last is what is so
        self._stood_since: float | None = None

    @property
    def phase(self) -> Phase:
        """Where it stands; changes only together with a PhaseChanged event."""
        return self._stage.phase

    def start(self) -> None:
        """Begin, or begin again after OFF or FAILED. Does nothing while it works."""
        if self._stage.begin():
            self._stop.withdraw()
            self._begin()

    def stop(self, *, power_off: bool = False) -> None:
        """Stop the run on the host, from any phase; ends in OFF once that was seen.

        Where nothing runs yet that we know of, a try to connect is given up at once. Where
        something runs, which costs money, one more try is made to reach it, and FAILED says that
        the stop was not seen.

        A second call that asks for no more than the first one ends the waiting, whatever it is for:
        FAILED says then what was not seen.

        Args:
            power_off: then power the host off, where that is known to be safe, and see that it is
                off. Where that fails the run is stopped all the same, and FAILED says why.
        """
        if self._stage.begin():
            self._stop.withdraw()
            self._stop.ask(power_off=power_off, alone=True)
            self._begin()
            return
        again = self._stop.ask(power_off=power_off)
        if again or not (self._told.run or self._stop.needs_host):
            self._stop.given_up.set()
        self._woken.set()
        self._dial.look()
        connection = self._connection
        if again and connection is not None:
            connection.cut()  # whatever is being waited for over it
        if not any(thread.name == _STOP and thread.is_alive() for thread in self._beside):
            self._begin_beside(_STOP, self._stop_beside)

    def retry_now(self) -> None:
        """End the wait before the next try to reach the host."""
        self._woken.set()

    def move(self, wishes: Wishes, dial: Dial) -> None:
        """Go on at another address: the host has a new port or name, or password.

        The run, its cursor and the local port stay; where the run is not alive there, another one
        is started. After FAILED or OFF the story begins again there.

        Args:
            wishes: as before, with the new destination.
            dial: connects there.
        """
        self._wishes = wishes
        self._has_moved.set()
        self._dial.lead_to(dial)
        self._errands.lead_to(dial)
        self._woken.set()
        self.start()

    def change_terms(self, wishes: Wishes) -> None:
        """Put the run under the terms of these wishes; nothing else of them is taken over.

        They are sent now, or once there is a connection; TermsChanged tells what came of it. A run
        that has gone on for longer than its new limit is stopped.
        """
        self._wishes = with_terms_of(self._wishes, wishes)
        self._terms.change()
        connection = self._connection
        if connection is not None and self._told.run:
            self._begin_beside("session-terms", lambda: self._renew_beside(connection))

    @property
    def others(self) -> int:
        """Connections of other programs that are open now, where they have a port of theirs."""
        return self._local_end.others

    def share(self, *, wanted: bool) -> None:
        """Let other programs use the endpoint from now on, or no more; Ready is said again.

        Raises:
            ForwardFailed: `local-port-taken`.
        """
        self._local_end.share(self._wishes, wanted=wanted)
        self._say_ready()

    def follow_log(self, *, wanted: bool) -> None:
        """Tell the host's logs (Logged) whenever there is a connection; or no more."""
        self._log.follow(wanted=wanted)

    def fetch_log(self) -> None:
        """Tell the ends of the logs once, where the host can be reached without asking anybody."""
        self._errands.fetch_log(self._log)

    def tidy(self) -> None:
        """Remove what is half there on the host, while nothing runs; Tidied tells what came of it.

        Also what the next start would have gone on with: only when somebody asks for it.
        """
        self._errands.tidy()

    def look_again(self) -> None:
        """Find out now whether the host is there: the laptop woke up, or has another network.

        A try to connect that is under way gets a rival: it may hang on a route that is gone.

        From any thread; returns at once.
        """
        self._dial.poke()
        self.retry_now()

    def close(self) -> None:
        """Leave the host as it is, say nothing any more, and end the thread.

        A try to connect that is under way is given up. A question to a person that is open is
        dismissed by whoever asks it.
        """
        self._closing.set()
        self._stop.given_up.set()
        self._woken.set()
        self._dial.close()
        connection = self._connection
        if connection is not None:
            connection.close()
        self._log.close()
        self._errands.close()
        for thread in (self._thread, *self._beside):
            if thread is not None:
                thread.join(_CLOSING_GRACE_S)
        self._stage.silence()

    # -- the story, in the session's thread ------------------------------------------------

    def _begin(self) -> None:
        self._told = _Told()
        self._patient_until = time.monotonic() + self._patience_s
        self._thread = threading.Thread(target=self._tell, name="session", daemon=True)
        self._thread.start()

    def _tell(self) -> None:
        last, error = self._tell_to_its_end()
        self._dial.rest()
        self._local_end.close()
        self._terms.ended(last)
        if over := self._told.over or (self._stop.is_seen and wire.RUN_STOPPED):
            because = self._told.because or (wire.ASKED if self._stop.is_seen else "")
            self._stage.say(Ended(over, because, self._stop.is_off))
        self._stage.end(last, error)

    def _tell_to_its_end(self) -> tuple[Phase, AppError | None]:
        """Return the phase in which the story ends, and why if it failed."""
        try:
            self._tell_until_over()
        except Cancelled:
            return self._given_up()
        except AppError as error:
            return Phase.FAILED, error
        except Exception as error:  # noqa: BLE001 - the top of the thread: a bug is shown, not lost
            return Phase.FAILED, AppError("unexpected", detail=repr(error))
        return Phase.OFF, None

    def _given_up(self) -> tuple[Phase, AppError | None]:
        """Return the end of a story that nobody wants to hear: a stop that was not seen failed."""
        if self._closing.is_set() or not (self._told.run or self._stop.needs_host):
            return Phase.OFF, None
        return Phase.FAILED, self._stop.unseen(self._wishes.destination, self._told.lost)

    def _tell_until_over(self) -> None:
        attempt = 0
        while True:
            self._stood_since = None
            self._told.has_news = False
            try:
                return self._tell_once()
            except (AuthenticationFailed, HostKeyUnknown) as error:
                if self._stop.asked.is_set() and not self._told.run:
                    raise Cancelled from error  # stopped instead of answering a question
                raise
            except (ConnectionLost, HostUnreachable) as error:
                if self._stop.is_complete():
                    return None  # it is our own stop that ended the connection
                self._raise_if_over(error)
                attempt = 0 if self._was_steady() else attempt + 1
                if self._told.run:
                    self._stage.enter(Phase.RECONNECTING, error)
                self._wait_before(attempt, error)

    def _was_steady(self) -> bool:
        stood = self._stood_since
        return stood is not None and (self._told.has_news or time.monotonic() - stood > _STEADY_S)

    def _raise_if_over(self, error: AppError) -> None:
        """Give up where nothing can be won by trying again."""
        if self._is_unwanted():
            raise Cancelled from error
        self._told.lost = error
        unseen = self._stop.unseen(self._wishes.destination, error)
        if not self._told.run and not self._is_patient(error):
            raise unseen  # it never got as far as a run: a person should know at once
        if self._stop.asked.is_set() and isinstance(error, HostUnreachable):
            raise unseen

    def _is_patient(self, error: AppError) -> bool:
        """Tell whether the host may still be starting, and there is time to wait for it."""
        is_time = time.monotonic() < self._patient_until and not self._stop.asked.is_set()
        return is_time and may_be_starting(error)

    def _wait_before(self, attempt: int, error: AppError) -> None:
        luck = random.random()  # noqa: S311 - nothing secret
        seconds = backoff(attempt, luck, silent=isinstance(error, HostUnreachable))
        left = None if self._told.run else max(0.0, self._patient_until - time.monotonic())
        self._told.asks |= asks_for_address(error, attempt)
        self._stage.say(Retrying(attempt, seconds, error, left, self._told.asks))
        self._woken.wait(seconds)
        if self._is_unwanted():
            raise Cancelled

    def _is_unwanted(self) -> bool:
        """Tell whether nobody waits for a connection any more."""
        return self._closing.is_set() or self._stop.given_up.is_set()

    def _tell_once(self) -> None:
        if self.phase in (Phase.OFF, Phase.FAILED):
            self._stage.enter(Phase.CONNECTING)
        self._say_task("connect", wire.RUNNING)
        self._woken.clear()  # whoever wakes us while we dial wants another try at once
        quick = bool(self._told.run)  # the first one gets the time of a first one
        with closing(self._dial(quick=quick, is_moot=self._is_unwanted)) as connection:
            self._connection = connection
            if self._closing.is_set():
                raise Cancelled
            self._stood_since = time.monotonic()
            self._told.asks, self._told.lost = False, None
            self._terms.reached()
            self._say_task("connect", wire.DONE)
            try:
                self._work(connection)
            finally:
                self._connection = None
                self._log.detach()
                self._local_end.detach()

    def _work(self, connection: Connection) -> None:
        if self.phase is Phase.CONNECTING:
            self._stage.enter(Phase.CHECKING)
        self._say_task("deploy", wire.RUNNING)
        agent = self._deploy(connection)
        self._say_task("deploy", wire.DONE)
        if not self._stop.asked.is_set():
            self._join_or_start(agent)
        # Looked at again after the run has its name: `stop` looks the other way round.
        if self._stop.asked.is_set():
            self._stage.enter(Phase.STOPPING)
            return self._stop.carry_out(agent, self._wishes.destination)
        self._log.attach(agent)
        if self._told.cursor:
            self._resume(connection, agent)
        return self._watch(connection, agent)

    def _join_or_start(self, agent: Agent) -> None:
        newest = agent.hello.run
        living = newest if newest is not None and newest.alive else None
        if self._has_moved.is_set():
            self._has_moved.clear()
            if living is None or living.run != self._told.run:
                self._told = _Told()  # it is another host, or the same one after a power cycle
        if self._told.run:  # back after a lost connection: the same run, from the cursor
            if living is not None and living.run == self._told.run:
                self._terms.renew(agent, self._wishes, living)
            return
        if not self._join_only:
            self._told.run = self._terms.start(agent, self._wishes, living).run
        elif living is None:
            raise NothingRunning("nothing-running", detail="")
        else:
            self._told.run = living.run
            if living.state == wire.RUN_READY:  # how it came to be ready is of no interest here
                self._told.cursor = living.seq
                self._told.is_ready = True
        # Changed while it was started: `change_terms` found no run to send them to.
        self._terms.renew(agent, self._wishes, living)

    def _resume(self, connection: Connection, agent: Agent) -> None:
        """Back on a run: its journal will not say again what was heard before the cursor."""
        if self._told.is_ready:
            self._become_ready(connection, agent)
        else:
            self._enter_working()

    def _watch(self, connection: Connection, agent: Agent) -> None:
        for message in agent.watch(self._told.run, self._told.cursor):
            seq = wire.integer(message, "seq")
            self._told.cursor = seq or self._told.cursor
            self._told.has_news |= seq is not None
            match message["kind"]:
                case "ready":
                    self._told.is_ready = True
                    self._become_ready(connection, agent)
                case "restarting":
                    self._unready(message)
                case "stopped":
                    self._told.because = self._terms.told(reason_of(message))
                case "failed":
                    self._told.failure = refusal(message)
                case "end":
                    return self._end(agent, wire.text(message, "reason", 50) or "")
                case _:
                    self._pass_on(message)
        return None

    def _pass_on(self, message: dict[str, Any]) -> None:
        event = to_event(message)
        if event is None:
            return
        self._stage.say(event)
        if isinstance(event, TaskChanged):
            self._told.tasks[event.task] = event.state
            if event.state in _GOING_ON:
                self._enter_working()

    def _enter_working(self) -> None:
        """Follow the host's tasks, but never back out of READY or STOPPING because of one."""
        phase = phase_of(self._told.tasks)
        if phase is not self.phase and self.phase not in (Phase.READY, Phase.STOPPING):
            self._stage.enter(phase)

    def _become_ready(self, connection: Connection, agent: Agent) -> None:
        """Attach the forward and be READY once the model answers through it."""
        try:
            found = agent.endpoint()
        except NothingRunning:
            return  # it ended since: the journal goes on to say why
        endpoint = self._local_end.attach(found, connection, self._dial.spare, self._wishes)
        if self._hears_answer(endpoint, connection):
            self._told.has_answered = True
            self._endpoint = endpoint
            self._stage.enter(Phase.READY)
            self._say_ready()
        elif not connection.alive:
            where = self._wishes.destination
            raise ConnectionLost("connection-lost", host=where.host, port=where.port)

    def _say_ready(self) -> None:
        """Say where the model answers, while it does, as the shared port is open just now."""
        with self._ready_turn:
            if self._endpoint is not None and self.phase is Phase.READY:
                url, refused = self._local_end.shared_url, self._local_end.not_shared
                now = replace(self._endpoint, shared_url=url, not_shared=refused)
                self._stage.say(Ready(now))

    def _hears_answer(self, endpoint: Endpoint, connection: Connection) -> bool:
        """Wait for the model; one that answered before is worth another connection, not a person.

        On a bad network nothing may come through for a while, or the engine has crashed meanwhile,
        which the journal tells next.
        """
        try:
            return await_answer(endpoint, lambda: self._is_moot(connection))
        except ForwardFailed as error:
            if self._told.has_answered:
                raise ConnectionLost(error.code, **error.facts) from error
            raise

    def _unready(self, message: dict[str, Any]) -> None:
        """The engine crashed: wait for the next one, with the same port on this side."""
        self._told.is_ready = False
        self._told.tasks[wire.SERVE] = wire.RUNNING
        self._local_end.detach()
        self._stage.enter(Phase.LOADING)
        self._stage.say(Restarting(refusal(message)))

    def _is_moot(self, connection: Connection) -> bool:
        """Tell whether nobody waits for an answer of the model any more."""
        return self._stop.asked.is_set() or self._closing.is_set() or not connection.alive

    def _end(self, agent: Agent, reason: str) -> None:
        self._told.over = reason
        if self._stop.asked.is_set():
            self._stop.carry_out(agent, self._wishes.destination)
        elif reason != wire.RUN_STOPPED:
            raise self._told.failure or AppError("run-lost")

    def _say_task(self, task: str, state: str) -> None:
        self._stage.say(TaskChanged(task, state))

    # -- beside the story ------------------------------------------------------------------

    def _begin_beside(self, name: str, work: Callable[[], None]) -> None:
        """Do it on a thread of its own, which `close` waits for."""
        thread = threading.Thread(target=work, name=name, daemon=True)
        self._beside = [*(each for each in self._beside if each.is_alive()), thread]
        thread.start()

    def _stop_beside(self) -> None:
        """Ask for the stop over the living connection; the watch sees it happen.

        Where there is no connection just now, the story stops the run once it has one.
        """
        if not self._stage.enter_stopping():
            return
        connection = self._connection
        if connection is None or not self._told.run:
            return
        try:
            self._stop.carry_out(self._deploy(connection), self._wishes.destination)
        except (AppError, Cancelled):
            connection.close()  # the story notices, comes back, and tells or mends it then

    def _renew_beside(self, connection: Connection) -> None:
        """Send new terms over the living connection; without it the next one does."""
        try:
            agent = self._deploy(connection)
            if not self._stop.asked.is_set():
                self._terms.renew(agent, self._wishes, agent.hello.run)
        except AppError:
            return  # the story notices a connection that is lost
