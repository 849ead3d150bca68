"""One host from the click on Start to a model that answers, and back: told top to bottom.

    connect → deploy, hello → start or join a run → watch its journal → endpoint → forward
    → the model answers → READY, and go on watching

Where the connection breaks the story begins again at `connect`, with the cursor and the local
port it had; the host works on meanwhile. It is tried until a person says stop. One thread tells
it, with blocking calls; `start`, `stop`, `move` and `close` come from any other thread and return
at once.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from desktop.core.agent.answers import refusal
from desktop.core.agent.client import Agent
from desktop.core.agent.deploy import deploy
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
from desktop.core.local_ports import first_free
from desktop.core.phases import Phase
from desktop.core.session.dial import Dial
from desktop.core.session.endpoint import await_answer, open_forward
from desktop.core.session.reading import phase_of, reason_of, to_event
from desktop.core.session.retrying import asks_for_address, backoff, may_be_starting
from desktop.core.session.spec import spec_fields
from desktop.core.session.stage import Stage
from desktop.core.session.wishes import Wishes
from desktop.core.ssh.connection import Connection
from desktop.core.ssh.dialled import Dialled
from desktop.core.ssh.forward import LocalForward
from remote import wire

_CLOSING_GRACE_S = 5.0
_STEADY_S = 5.0  # a connection that stood this long was no try that failed
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
        """
        self._wishes = wishes
        self._stage = Stage(emit)
        self._dial = Dialled(dial)
        self._deploy = deploy
        self._join_only = join_only
        self._patience_s = patience_s
        self._patient_until = 0.0
        self._stopping = threading.Event()
        self._giving_up = threading.Event()  # nobody waits for a try to connect any more
        self._closing = threading.Event()
        self._has_moved = threading.Event()  # and was not reached since
        self._woken = threading.Event()  # ends a wait between two tries
        self._connection: Connection | None = None
        self._forward: LocalForward | None = None
        self._port = 0  # of the last forward
        self._thread: threading.Thread | None = None
        self._stopper: threading.Thread | None = None
        self._told = _Told()
        self._stood_since: float | None = None

    @property
    def phase(self) -> Phase:
        """Where it stands; changes only together with a PhaseChanged event."""
        return self._stage.phase

    def start(self) -> None:
        """Begin, or begin again after OFF or FAILED. Does nothing while it works."""
        if self._stage.begin():
            self._stopping.clear()
            self._begin()

    def stop(self) -> None:
        """Stop the run on the host, from any phase; ends in OFF once that was seen.

        Where nothing runs yet that we know of, a try to connect is given up at once. Where
        something runs, which costs money, one more try is made to reach it, and FAILED says that
        the stop was not seen; a second call gives up that one too.
        """
        again = self._stopping.is_set()
        self._stopping.set()
        if self._stage.begin():
            self._begin()
            return
        if again or not self._told.run:
            self._giving_up.set()
        self._woken.set()
        self._dial.look()
        if self._stopper is None or not self._stopper.is_alive():
            self._stopper = threading.Thread(
                target=self._stop_beside, name="session-stop", daemon=True
            )
            self._stopper.start()

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
        self._woken.set()
        self.start()

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
        self._woken.set()
        self._dial.close()
        connection = self._connection
        if connection is not None:
            connection.close()
        if self._thread is not None:
            self._thread.join(_CLOSING_GRACE_S)
        self._stage.silence()

    # -- the story, in the session's thread ------------------------------------------------

    def _begin(self) -> None:
        self._told = _Told()
        self._giving_up.clear()
        self._patient_until = time.monotonic() + self._patience_s
        self._thread = threading.Thread(target=self._tell, name="session", daemon=True)
        self._thread.start()

    def _tell(self) -> None:
        last, error = self._tell_to_its_end()
        self._dial.rest()
        if self._forward is not None:
            self._forward.close()
            self._forward = None
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
        is_unseen = self._told.run and self._told.lost and not self._closing.is_set()
        return (Phase.FAILED, self._told.lost) if is_unseen else (Phase.OFF, None)

    def _tell_until_over(self) -> None:
        attempt = 0
        while True:
            self._stood_since = None
            self._told.has_news = False
            try:
                return self._tell_once()
            except (AuthenticationFailed, HostKeyUnknown) as error:
                if self._stopping.is_set() and not self._told.run:
                    raise Cancelled from error  # stopped instead of answering a question
                raise
            except (ConnectionLost, HostUnreachable) as error:
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
        if self._closing.is_set():
            raise Cancelled from error
        self._told.lost = error
        if not self._told.run and not self._is_patient(error):
            raise error  # it never got as far as a run: a person should know at once
        if self._stopping.is_set() and isinstance(error, HostUnreachable):
            raise error  # the stop was not seen, and a person should know that too

    def _is_patient(self, error: AppError) -> bool:
        """Tell whether the host may still be starting, and there is time to wait for it."""
        is_time = time.monotonic() < self._patient_until and not self._stopping.is_set()
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
        return self._closing.is_set() or self._giving_up.is_set()

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
            self._told.asks = False
            self._say_task("connect", wire.DONE)
            try:
                self._work(connection)
            finally:
                self._connection = None
                if self._forward is not None:
                    self._forward.detach()

    def _work(self, connection: Connection) -> None:
        if self.phase is Phase.CONNECTING:
            self._stage.enter(Phase.CHECKING)
        self._say_task("deploy", wire.RUNNING)
        agent = self._deploy(connection)
        self._say_task("deploy", wire.DONE)
        if not self._stopping.is_set():
            self._join_or_start(agent)
        # Looked at again after the run has its name: `stop` looks the other way round.
        if self._stopping.is_set():
            return self._stop_and_leave(agent)
        if self._told.cursor:
            self._resume(connection, agent)
        return self._watch(connection, agent)

    def _join_or_start(self, agent: Agent) -> None:
        living = agent.hello.run
        if self._has_moved.is_set():
            self._has_moved.clear()
            if living is None or not living.alive or living.run != self._told.run:
                self._told = _Told()  # it is another host, or the same one after a power cycle
        if self._told.run:
            return  # back after a lost connection: the same run, from the cursor
        if not self._join_only:
            self._told.run = agent.start(spec_fields(self._wishes)).run
        elif living is None or not living.alive:
            raise NothingRunning("nothing-running", detail="")
        else:
            self._told.run = living.run
            if living.state == wire.RUN_READY:  # how it came to be ready is of no interest here
                self._told.cursor = living.seq
                self._told.is_ready = True

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
                    self._told.because = reason_of(message)
                case "failed":
                    self._told.failure = refusal(message)
                case "end":
                    return self._end(wire.text(message, "reason", 50) or "")
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
        if self._forward is None:
            self._forward = self._open_forward()
        self._forward.attach(connection, found.port, self._dial.spare)
        endpoint = Endpoint(
            base_url=f"http://127.0.0.1:{self._forward.port}/v1",
            api_key=found.api_key,
            model=found.model,
            max_model_len=found.max_model_len,
            run=found.run,
            engine_version=found.engine_version,
        )
        if self._hears_answer(endpoint, connection):
            self._told.has_answered = True
            self._stage.enter(Phase.READY)
            self._stage.say(Ready(endpoint))
        elif not connection.alive:
            where = self._wishes.destination
            raise ConnectionLost("connection-lost", host=where.host, port=where.port)

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

    def _open_forward(self) -> LocalForward:
        """Return a forward at the port that it had before, where it had one and that is free."""
        usual = self._wishes.usual_ports
        if self._port:
            usual = (self._port, *usual) if usual else first_free(self._port, ())
        forward = open_forward(self._wishes.local_port, usual)
        self._port = forward.port
        return forward

    def _unready(self, message: dict[str, Any]) -> None:
        """The engine crashed: wait for the next one, with the same port on this side."""
        self._told.is_ready = False
        self._told.tasks[wire.SERVE] = wire.RUNNING
        if self._forward is not None:
            self._forward.detach()
        self._stage.enter(Phase.LOADING)
        self._stage.say(Restarting(refusal(message)))

    def _is_moot(self, connection: Connection) -> bool:
        """Tell whether nobody waits for an answer of the model any more."""
        return self._stopping.is_set() or self._closing.is_set() or not connection.alive

    def _end(self, reason: str) -> None:
        stopper = self._stopper
        if stopper is not None and stopper.is_alive():
            stopper.join()  # its verb returns when no process of the run is left
        self._stage.say(Ended(reason, self._told.because))
        if self._stopping.is_set() or reason == wire.RUN_STOPPED:
            return
        raise self._told.failure or AppError("run-lost")

    def _stop_and_leave(self, agent: Agent) -> None:
        self._stage.enter(Phase.STOPPING)
        agent.stop()
        self._stage.say(Ended(wire.RUN_STOPPED, wire.ASKED))

    def _say_task(self, task: str, state: str) -> None:
        self._stage.say(TaskChanged(task, state))

    # -- beside the story ------------------------------------------------------------------

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
            self._deploy(connection).stop()
        except AppError:
            connection.close()  # the story notices, comes back, and stops the run then
