"""One host from the click on Start to a model that answers, and back: told top to bottom.

    connect → deploy, hello → start or join a run → watch its journal → endpoint → forward
    → the model answers → READY, and go on watching

Where the connection breaks the story begins again at `connect`, with the cursor and the local
port it had; the host works on meanwhile. One thread tells it, with blocking calls; `start`,
`stop` and `close` come from any other thread and return at once.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from desktop.core.agent.client import Agent, refusal
from desktop.core.agent.deploy import deploy
from desktop.core.errors import (
    AppError,
    Cancelled,
    ConnectionLost,
    HostUnreachable,
    NothingRunning,
)
from desktop.core.events import (
    Emit,
    Ended,
    Endpoint,
    PhaseChanged,
    Ready,
    Retrying,
    TaskChanged,
)
from desktop.core.phases import Phase, may_follow
from desktop.core.session.dial import Dial
from desktop.core.session.endpoint import await_answer, open_forward
from desktop.core.session.reading import backoff, phase_of, to_event
from desktop.core.session.wishes import Wishes
from desktop.core.ssh.connection import Connection
from desktop.core.ssh.forward import LocalForward
from remote import wire

_CONNECTING_GRACE_S = 2.0


@dataclass(slots=True)
class _Progress:
    """How far the story is: what survives a lost connection."""

    run: str = ""
    cursor: int = 0
    tasks: dict[str, str] = field(default_factory=dict)
    was_connected: bool = False
    was_ready: bool = False


class Session:
    """One host and its run.

    Attributes:
        phase: where it stands; changes only together with a PhaseChanged event.
    """

    def __init__(
        self,
        wishes: Wishes,
        emit: Emit,
        dial: Dial,
        deploy: Callable[[Connection], Agent] = deploy,
        *,
        join_only: bool = False,
    ) -> None:
        """Take what is needed; nothing happens before `start`.

        Args:
            wishes: what is to run on the host.
            emit: gets every event, from the session's thread.
            dial: connects to the host (see `dial.dialler`); called for each try.
            deploy: brings up the agent on a connection.
            join_only: never start a run: join the living one or fail with NothingRunning.
        """
        self._wishes = wishes
        self._emit = emit
        self._dial = dial
        self._deploy = deploy
        self._join_only = join_only
        self._stopping = threading.Event()
        self._closing = threading.Event()
        self._woken = threading.Event()  # ends a wait between two tries
        self._turn = threading.Lock()  # of `phase`, which two threads may change
        self._connection: Connection | None = None
        self._forward: LocalForward | None = None
        self._thread: threading.Thread | None = None
        self._stopper: threading.Thread | None = None
        self._told = _Progress()
        self._telling = False
        self.phase = Phase.OFF

    def start(self) -> None:
        """Begin, or begin again after OFF or FAILED. Does nothing while it works."""
        self._stopping.clear()
        self._begin()

    def stop(self) -> None:
        """Stop the run on the host, from any phase; ends in OFF."""
        self._stopping.set()
        self._woken.set()
        if not self._begin():
            self._stopper = threading.Thread(target=self._stop_beside, name="session-stop")
            self._stopper.start()

    def retry_now(self) -> None:
        """End the wait before the next try to reach the host."""
        self._woken.set()

    def close(self) -> None:
        """Leave the host as it is and end the thread.

        Returns when it has ended; a try to connect that is under way is not waited for longer than
        two seconds (it ends by its own deadlines, and with the process).
        """
        self._closing.set()
        self._woken.set()
        connection = self._connection
        if connection is not None:
            connection.close()
        if self._thread is not None:
            self._thread.join(None if connection is not None else _CONNECTING_GRACE_S)

    def _begin(self) -> bool:
        """Start the story unless it is being told; return whether it was started."""
        with self._turn:
            if self._telling:
                return False
            self._telling = True
        self._told = _Progress()
        self._thread = threading.Thread(target=self._tell, name="session", daemon=True)
        self._thread.start()
        return True

    # -- the story, in the session's thread ------------------------------------------------

    def _tell(self) -> None:
        last, error = self._tell_to_its_end()
        if self._forward is not None:
            self._forward.close()
            self._forward = None
        # Whoever hears the last phase may start again at once.
        self._telling = False
        self._enter(last, error)

    def _tell_to_its_end(self) -> tuple[Phase, AppError | None]:
        """Return the phase in which the story ends, and why if it failed."""
        try:
            self._tell_until_over()
        except Cancelled:
            return Phase.OFF, None
        except AppError as error:
            return Phase.FAILED, error
        except Exception as error:  # noqa: BLE001 - the top of the thread: a bug is shown, not lost
            return Phase.FAILED, AppError("unexpected", detail=repr(error))
        return Phase.OFF, None

    def _tell_until_over(self) -> None:
        attempt = 0
        while True:
            try:
                return self._tell_once()
            except (ConnectionLost, HostUnreachable) as error:
                self._raise_if_over(error)
                if isinstance(error, ConnectionLost) and self._told.was_connected:
                    attempt = 0
                self._told.was_connected = False
                self._enter(Phase.RECONNECTING, error)
                self._wait_before(attempt)
                attempt += 1

    def _raise_if_over(self, error: AppError) -> None:
        """Give up where nothing can be won by trying again."""
        if self._closing.is_set():
            raise Cancelled from error
        if not self._told.run:  # it never got as far as a run: a person should know at once
            raise error

    def _wait_before(self, attempt: int) -> None:
        seconds = backoff(attempt)
        self._emit(Retrying(attempt, seconds))
        self._woken.clear()
        if not self._closing.is_set():
            self._woken.wait(seconds)
        if self._closing.is_set():
            raise Cancelled

    def _tell_once(self) -> None:
        self._enter_if_off(Phase.CONNECTING)
        self._task("connect", wire.RUNNING)
        with closing(self._dial()) as connection:
            self._connection = connection
            if self._closing.is_set():
                raise Cancelled
            self._told.was_connected = True
            self._task("connect", wire.DONE)
            try:
                self._work(connection)
            finally:
                self._connection = None
                if self._forward is not None:
                    self._forward.detach()

    def _work(self, connection: Connection) -> None:
        if self.phase is Phase.CONNECTING:
            self._enter(Phase.CHECKING)
        self._task("deploy", wire.RUNNING)
        agent = self._deploy(connection)
        self._task("deploy", wire.DONE)
        if not self._stopping.is_set():
            self._join_or_start(agent)
        # Looked at again after the run has its name: `stop` looks the other way round.
        if self._stopping.is_set():
            return self._stop_and_leave(agent)
        if self._told.cursor:
            self._resume(connection, agent)
        return self._watch(connection, agent)

    def _resume(self, connection: Connection, agent: Agent) -> None:
        """Back on a lost run: its journal will not say again what was heard before the cursor."""
        living = agent.hello.run
        if self._told.was_ready and living is not None and living.state == wire.RUN_READY:
            self._become_ready(connection, agent)
        else:
            self._enter_working(phase_of(self._told.tasks))

    def _join_or_start(self, agent: Agent) -> None:
        if self._told.run:
            return  # back after a lost connection: the same run, from the cursor
        living = agent.hello.run
        if self._join_only:
            if living is None or not living.alive:
                raise NothingRunning("nothing-running", detail="")
            self._told.run = living.run
            if living.state == wire.RUN_READY:  # how it came to be ready is of no interest here
                self._told.cursor = living.seq
                self._told.was_ready = True
        else:
            self._told.run = agent.start(spec_fields(self._wishes)).run

    def _watch(self, connection: Connection, agent: Agent) -> None:
        failure: AppError | None = None
        for message in agent.watch(self._told.run, self._told.cursor):
            self._told.cursor = wire.integer(message, "seq") or self._told.cursor
            match message["kind"]:
                case "ready":
                    self._become_ready(connection, agent)
                case "failed":
                    failure = refusal(message)
                case "end":
                    return self._end(wire.text(message, "reason", 50) or "", failure)
                case _:
                    self._pass_on(message)
        return None

    def _pass_on(self, message: dict[str, Any]) -> None:
        event = to_event(message)
        if event is None:
            return
        self._emit(event)
        if isinstance(event, TaskChanged):
            self._told.tasks[event.task] = event.state
            self._enter_working(phase_of(self._told.tasks))

    def _enter_working(self, phase: Phase) -> None:
        """Follow the host's tasks, but never back out of READY or STOPPING because of one."""
        if phase is not self.phase and self.phase not in (Phase.READY, Phase.STOPPING):
            self._enter(phase)

    def _become_ready(self, connection: Connection, agent: Agent) -> None:
        found = agent.endpoint()
        if self._forward is None:
            self._forward = open_forward(self._wishes.local_port)
        self._forward.attach(connection, found.port)
        endpoint = Endpoint(
            base_url=f"http://127.0.0.1:{self._forward.port}/v1",
            api_key=found.api_key,
            model=found.model,
            max_model_len=found.max_model_len,
            run=found.run,
            engine_version=found.engine_version,
        )
        await_answer(endpoint)
        self._told.was_ready = True
        self._enter(Phase.READY)
        self._emit(Ready(endpoint))

    def _end(self, reason: str, failure: AppError | None) -> None:
        if self._stopper is not None:
            self._stopper.join()  # its verb returns when no process of the run is left
        self._emit(Ended(reason))
        self._told = _Progress()
        if failure is not None and not self._stopping.is_set():
            raise failure
        if reason == wire.RUN_LOST and not self._stopping.is_set():
            raise AppError("run-lost")

    def _stop_and_leave(self, agent: Agent) -> None:
        self._enter(Phase.STOPPING)
        agent.stop()
        self._emit(Ended(wire.RUN_STOPPED))

    # -- beside the story ------------------------------------------------------------------

    def _stop_beside(self) -> None:
        """Ask for the stop over the living connection; the watch sees it happen.

        Where there is no connection just now, the story stops the run once it has one.
        """
        connection = self._connection
        if connection is None or not self._told.run:
            return
        self._enter(Phase.STOPPING)
        try:
            self._deploy(connection).stop()
        except AppError:
            connection.close()  # the story notices, comes back, and stops the run then

    def _enter_if_off(self, phase: Phase) -> None:
        if self.phase in (Phase.OFF, Phase.FAILED):
            self._enter(phase)

    def _enter(self, phase: Phase, error: AppError | None = None) -> None:
        with self._turn:
            if phase is self.phase:
                return
            if not may_follow(self.phase, phase):
                # `stop` came from another thread meanwhile; anything else would be a bug of ours.
                assert self.phase is Phase.STOPPING, f"{self.phase} -> {phase}"
                return
            self.phase = phase
        self._emit(PhaseChanged(phase, error))

    def _task(self, task: str, state: str) -> None:
        self._emit(TaskChanged(task, state))


def spec_fields(wishes: Wishes) -> dict[str, Any]:
    """Return the spec of PROTOCOL.md for these wishes, with a fresh API key in it (a secret)."""
    return {
        "model": wishes.model,
        "revision": wishes.revision,
        "hub": wishes.hub,
        "data_dir": wishes.data_dir,
        "engine": wishes.engine,
        "engine_env": wishes.engine_env,
        "engine_args": list(wishes.engine_args),
        "max_model_len": wishes.max_model_len,
        "api_key": f"pk-{secrets.token_urlsafe(24)}",
    }
