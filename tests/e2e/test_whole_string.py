"""The whole string with nothing faked: real uv, real hub client, real vLLM, the real small model.

One story, because each part takes up what the one before has left: a click on Start in a window
that has never seen this host, a reply on screen; the terminal, which joins the running engine; and
the end, after which nothing is left.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop.core.chat.ask import Ask
from desktop.core.chat.conversation import Sampling, Setup
from desktop.core.chat.turn import Turn
from desktop.core.events import Endpoint
from desktop.core.paths import paths
from desktop.core.phases import Phase
from desktop.core.settings import Settings
from desktop.rehearsal.rehearsal import Rehearsal
from desktop.ui.app import App
from desktop.ui.application import application
from remote import wire
from tests.helpers.command import paperkite
from tests.helpers.listener import listener
from tests.helpers.processes import processes_of_home
from tests.helpers.window import ask, click

pytestmark = pytest.mark.real

QUESTION = "What is the capital of France? Answer in one sentence."
INSTALL_AND_LOAD_MS = 600_000
REPLY_MS = 120_000
# Each task's steps, in order; the CPU build starts without compiling.
STEPS = {
    wire.ENGINE_ENVIRONMENT: ["find-uv", "resolve", "install", "check"],
    wire.HUB_ENVIRONMENT: ["find-uv", "resolve", "install", "check"],
    wire.MODEL_FILES: ["list", "fetch", "verify"],
    wire.SERVE: ["start", "weights", "memory", "warm-up", "ready"],
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Paperkite's own folder for all parts; whatever happens, the engine is stopped at the end."""
    folder = tmp_path_factory.mktemp("whole-string")
    yield folder
    paperkite("rehearse", "--down", "--json", env={"PAPERKITE_HOME": str(folder)})
    assert processes_of_home(folder / "cache/rehearsal/home") == []


@pytest.fixture
def app(qapp: QApplication, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    monkeypatch.setenv("PAPERKITE_HOME", str(home))
    application()
    with Rehearsal(paths().rehearsal) as rehearsal:
        app = App(rehearsal.wishes(), paths=paths(), settings=Settings(), language="en")
        yield app
        app.close()
        app.window.deleteLater()


def test_from_a_click_on_start_to_the_last_token_on_screen(qtbot: QtBot, app: App) -> None:
    window = app.window
    with qtbot.waitExposed(window):
        app.show(lambda: None)
    seen: list[Phase] = []

    def is_ready() -> bool:
        phase = window.journey.phase
        assert phase is not Phase.FAILED, window.journey
        if phase not in seen:
            seen.append(phase)
        return phase is Phase.READY

    click(window, "startButton")
    qtbot.waitUntil(is_ready, timeout=INSTALL_AND_LOAD_MS)
    assert seen[-3:] == [Phase.PREPARING, Phase.LOADING, Phase.READY]

    shown = ask(qtbot, window, QUESTION, milliseconds=REPLY_MS)
    assert QUESTION in shown
    assert "Paris" in shown.replace(QUESTION, "")

    assert window.current is not None
    endpoint = app.controller.host(window.current).endpoint
    assert endpoint is not None
    a_reply_is_counted_cut_off_and_gone_on_with(endpoint)
    what_the_blog_asks_is_answered(endpoint)
    what_does_not_fit_is_trimmed_and_answered(endpoint)


GREEDY = Sampling(temperature=0.0, repetition_penalty=1.0, max_tokens=24)
COUNTING = (Turn("user", "Count from one to ten in words."),)


def a_reply_is_counted_cut_off_and_gone_on_with(endpoint: Endpoint) -> None:
    """The engine's own count is that of `/tokenize`; a reply in two parts is the whole one."""
    asked = Ask(COUNTING, Setup(sampling=GREEDY))
    with listener() as said:
        whole = said.reply(endpoint, asked)
        assert whole.usage.prompt_tokens == said.tokens(endpoint, asked)

        first = said.reply(endpoint, Ask(COUNTING, Setup(sampling=replace(GREEDY, max_tokens=8))))
        assert (first.finish, first.usage.completion_tokens) == ("length", 8)
        begun = (*COUNTING, Turn("assistant", first.text))
        rest_of_it = Ask(begun, Setup(sampling=replace(GREEDY, max_tokens=16)), continued=True)
        rest = said.reply(endpoint, rest_of_it)
        assert rest.usage.prompt_tokens == said.tokens(endpoint, rest_of_it)
        assert rest.usage.prompt_tokens == first.usage.prompt_tokens + 8
    assert first.text + rest.text == whole.text


def what_the_blog_asks_is_answered(endpoint: Endpoint) -> None:
    sampling = Sampling(temperature=0.0, max_tokens=7)
    asked = Ask((Turn("user", "San Francisco is a"),), Setup(kind="completion", sampling=sampling))
    with listener() as said:
        reply = said.reply(endpoint, asked)
        assert reply.usage.prompt_tokens == said.tokens(endpoint, asked)
    assert (reply.finish, reply.usage.completion_tokens) == ("length", 7)
    assert reply.text.strip()


def what_does_not_fit_is_trimmed_and_answered(endpoint: Endpoint) -> None:
    """With a length that is shorter than the real one: to fill that takes this CPU a minute."""
    short = replace(endpoint, max_model_len=512)
    long_ago = [
        turn
        for number in range(12)
        for turn in (
            Turn("user", f"Say {number}. " + "word " * 60),
            Turn("assistant", f"{number} " + "word " * 30),
        )
    ]
    asked = Ask((*long_ago, Turn("user", QUESTION)), Setup(sampling=GREEDY))
    with listener() as said:
        assert said.tokens(short, asked) > short.max_model_len
        reply = said.reply(short, asked)
    assert 0 < reply.left_out < len(long_ago)
    assert reply.left_out % 2 == 0, "questions go with their answers"
    assert reply.usage.prompt_tokens + reply.usage.completion_tokens <= short.max_model_len
    assert reply.text.strip()


def test_its_progress_never_went_backwards_and_told_the_time_left(home: Path) -> None:
    (journal,) = (home / "cache/rehearsal/home/.paperkite/runs").glob("2*/journal.jsonl")
    events = [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]
    for task, steps in STEPS.items():
        reports = [each for each in events if each["kind"] == "progress" and each["task"] == task]
        seen = list(dict.fromkeys(each["step"] for each in reports))
        assert seen == [step for step in steps if step in seen], task
        # Five reports a second at most: what a warm cache installs in less has no step of its own.
        assert set(steps) - set(seen) <= ({"install"} if task == wire.HUB_ENVIRONMENT else set())
        known = [each for each in reports if each["total"]]
        shares = [each["done"] / each["total"] for each in known]
        assert shares == sorted(shares), task
        assert shares[-1] == 1.0, task
        if "install" in seen or task != wire.HUB_ENVIRONMENT:
            assert any(each["eta_s"] is not None for each in known), task
    assert all(each["eta_s"] is not None for each in reports)  # of serve, from its first report on


def test_a_second_rehearsal_joins_what_is_already_there(home: Path) -> None:
    outcome = paperkite(
        "rehearse", "--keep", "--json", env={"PAPERKITE_HOME": str(home)}, seconds=300
    )
    assert outcome.status == 0, outcome.stderr
    assert outcome.only("ready")["at"] < 30
    assert outcome.of("delta")
    assert outcome.only("done")["finish_reason"] in {"stop", "length"}


def test_after_a_stop_everything_that_is_true_is_skipped(home: Path) -> None:
    env = {"PAPERKITE_HOME": str(home)}
    assert paperkite("rehearse", "--down", "--json", env=env).status == 0
    assert processes_of_home(home / "cache/rehearsal/home") == []
    outcome = paperkite("rehearse", "--json", env=env, seconds=300)
    assert outcome.status == 0, outcome.stderr
    for task in (wire.ENGINE_ENVIRONMENT, wire.HUB_ENVIRONMENT, wire.MODEL_FILES):
        assert outcome.task_states(task)[-1] == wire.SKIPPED
    assert processes_of_home(home / "cache/rehearsal/home") == []
