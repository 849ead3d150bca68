"""Questions of the core's threads are asked by the command's own, and nobody waits for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import click
import pytest

from desktop.cli.events import EventQueue
from desktop.cli.output import JsonLines
from desktop.cli.prompts import RelayedPrompts, TerminalPrompts
from desktop.cli.session import until_ready
from desktop.core.errors import NothingRunning
from desktop.core.events import Ended, PhaseChanged
from desktop.core.phases import Phase
from desktop.core.ssh.prompts import (
    ChallengePrompt,
    ChallengeQuestion,
    HostKeyQuestion,
    SecretQuestion,
)
from tests.helpers.waiting import until

PASSWORD = SecretQuestion("password", "root", "host", 22)
CODE = ChallengeQuestion(
    "root", "host", 22, "", "", (ChallengePrompt("Code:", True), ChallengePrompt("PIN:", False))
)
HOST_KEY = HostKeyQuestion("host", 22, "ssh-ed25519", "SHA256:x")
LAST = Ended("the test's")


class Way(JsonLines):
    """An output that says when it made way."""

    def __init__(self) -> None:
        super().__init__("en")
        self.made = False

    def make_way(self) -> None:
        self.made = True


class Person:
    """Answers in the thread in which they are asked, and remembers which it was."""

    def __init__(self, output: Way, refusal: BaseException | None = None) -> None:
        self._output = output
        self._refusal = refusal
        self.asked_in: list[threading.Thread] = []

    def accept_host_key(self, _question: HostKeyQuestion) -> bool:
        return bool(self._answer(True))

    def secret(self, _question: SecretQuestion) -> str | None:
        return str(self._answer("hunter2"))

    def challenge(self, _question: ChallengeQuestion) -> list[str] | None:
        return [str(self._answer("123456"))]

    def _answer(self, answer: object) -> object:
        assert self._output.made
        self.asked_in.append(threading.current_thread())
        if self._refusal is not None:
            raise self._refusal
        return answer


@pytest.fixture
def core() -> Iterator[ThreadPoolExecutor]:
    """A thread of the core's."""
    with ThreadPoolExecutor(1) as executor:
        yield executor


def asked(core: ThreadPoolExecutor, events: EventQueue, ask: Callable[[], Any]) -> Future[Any]:
    """Ask from the core's thread; `LAST` comes once it has its answer."""

    def work() -> object:
        try:
            return ask()
        finally:
            events.put(LAST)

    return core.submit(work)


def test_a_question_is_asked_in_the_commands_thread_with_the_output_out_of_the_way(
    core: ThreadPoolExecutor,
) -> None:
    events, output = EventQueue(), Way()
    person = Person(output)
    prompts = RelayedPrompts(person, events)
    secret = asked(core, events, lambda: prompts.secret(PASSWORD))
    assert next(events.taken(output)) == LAST
    trusted = asked(core, events, lambda: prompts.accept_host_key(HOST_KEY))
    assert next(events.taken(output)) == LAST
    code = asked(core, events, lambda: prompts.challenge(CODE))
    assert next(events.taken(output)) == LAST
    assert (secret.result(5), trusted.result(5), code.result(5)) == ("hunter2", True, ["123456"])
    assert set(person.asked_in) == {threading.current_thread()}


def test_ctrl_c_at_a_question_gets_through_and_the_core_hears_no(core: ThreadPoolExecutor) -> None:
    events, output = EventQueue(), Way()
    prompts = RelayedPrompts(Person(output, KeyboardInterrupt()), events)
    secret = asked(core, events, lambda: prompts.secret(PASSWORD))
    with pytest.raises(KeyboardInterrupt):
        next(events.taken(output))
    assert secret.result(5) is None
    trusted = asked(core, events, lambda: prompts.accept_host_key(HOST_KEY))
    assert next(events.taken(output)) == LAST  # of the first
    with pytest.raises(KeyboardInterrupt):
        next(events.taken(output))
    assert trusted.result(5) is False


def test_a_question_that_nobody_takes_any_more_is_answered_with_nothing(
    core: ThreadPoolExecutor,
) -> None:
    events, output = EventQueue(), Way()
    prompts = RelayedPrompts(Person(output), events)
    waiting = asked(core, events, lambda: prompts.secret(PASSWORD))
    until(lambda: not events._queue.empty())
    events.close()
    assert waiting.result(5) is None
    assert prompts.secret(PASSWORD) is None
    assert prompts.challenge(CODE) is None


def typing(monkeypatch: pytest.MonkeyPatch, outcome: BaseException) -> TerminalPrompts:
    def read(*_: object) -> str:
        raise outcome

    monkeypatch.setattr(click.termui, "hidden_prompt_func", read)
    monkeypatch.setattr(click.termui, "visible_prompt_func", read)
    return TerminalPrompts("en", interactive=True)


def test_end_of_input_at_a_prompt_is_no(monkeypatch: pytest.MonkeyPatch) -> None:
    prompts = typing(monkeypatch, EOFError())
    assert prompts.secret(PASSWORD) is None
    assert prompts.challenge(CODE) is None
    assert prompts.accept_host_key(HOST_KEY) is False


def test_ctrl_c_at_a_prompt_is_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    prompts = typing(monkeypatch, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        prompts.secret(PASSWORD)
    with pytest.raises(KeyboardInterrupt):
        prompts.challenge(CODE)
    with pytest.raises(KeyboardInterrupt):
        prompts.accept_host_key(HOST_KEY)


class StoppedSession:
    """A session whose run is stopped from elsewhere."""

    def __init__(self, events: EventQueue) -> None:
        self._events = events

    def start(self) -> None:
        self._events.put(PhaseChanged(Phase.CONNECTING))
        self._events.put(PhaseChanged(Phase.OFF))


def test_an_up_whose_run_is_stopped_from_elsewhere_is_no_success() -> None:
    events = EventQueue()
    with pytest.raises(NothingRunning):
        until_ready(StoppedSession(events), events, JsonLines("en"))  # type: ignore[arg-type]
