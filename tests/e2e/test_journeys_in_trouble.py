"""The journeys on which something goes wrong, in a real window on a real sshd."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from desktop.core.catalogue import models
from desktop.core.paths import paths
from desktop.rehearsal.faults import Faults
from desktop.rehearsal.repository import Repository, RepositoryFile
from tests.e2e.conftest import WEIGHTS, WEIGHTS_BYTES, Box, MakeBox
from tests.helpers.journey import User
from tests.helpers.laptop import Laptop
from tests.helpers.model_configs import YI_34B
from tests.helpers.nvidia_smi import RTX_2080_TI, GpuHost
from tests.helpers.on_screen import is_dark
from tests.helpers.rented import rent
from tests.helpers.shadow import Shadow
from tests.helpers.small_disk import small_disk
from tests.helpers.window import child

QUESTION = "What does a kite need?"
TOKENS = 600
LONG = ("--scripted-reply-tokens", str(TOKENS), "--scripted-tokens-per-s", "60")


@pytest.fixture
def slow(laptop: Laptop, make_box: MakeBox) -> tuple[User, Box]:
    """Somebody to whom a host says much, and takes ten seconds for it."""
    box = make_box(*LONG)
    laptop.has_key_for(box)
    laptop.chooses(box)
    return laptop.opens_app(), box


def until_it_streams(user: User, sentence: int) -> None:
    user.until(lambda: f"sentence {sentence}" in user.conversation)
    assert user.replying


def test_host_gone_and_back(slow: tuple[User, Box]) -> None:
    user, box = slow
    user.first_run(box)
    user.until_state("ready")
    user.says(QUESTION)
    until_it_streams(user, 5)

    box.sshd.stop()
    user.until_state("reconnecting")
    assert user.sees("The connection is gone"), user.text()
    assert "Reconnecting" in user.tray
    assert QUESTION in user.conversation, "what was said stays in front"
    user.until(lambda: not user.replying)
    box.sshd.start()
    user.until_state("ready")
    whole = f"{QUESTION}\n\n{box.written(QUESTION, TOKENS)}"
    user.until(lambda: len(user.conversation) >= len(whole))
    user.until(lambda: not user.replying)
    assert user.conversation == whole, "nothing is lost, and nothing said twice"
    assert "Ready" in user.tray


def test_switch_language_and_theme_with_a_stream_running(slow: tuple[User, Box]) -> None:
    user, box = slow
    user.first_run(box)
    user.until_state("ready")
    user.says(QUESTION)
    until_it_streams(user, 3)
    assert not is_dark(user.window)

    user.shortcut("Ctrl+,")
    user.dialog("settingsDialog")
    user.presses(Qt.Key.Key_Tab, Qt.Key.Key_Up)  # from the pages to the language: Chinese
    user.reads("zh")
    user.until_state("ready")
    assert user.replying
    settings = user.dialog("settingsDialog")
    assert user.sees("语言", settings)
    child(settings, "settingsPages").setFocus()
    user.presses(Qt.Key.Key_Down, Qt.Key.Key_Tab, Qt.Key.Key_Down, Qt.Key.Key_Down)
    user.until(lambda: is_dark(user.window))
    user.presses(Qt.Key.Key_Escape)
    assert not user.shows("settingsDialog")
    assert user.replying, "the reply goes on meanwhile"

    user.until(lambda: not user.replying)
    assert user.conversation == f"{QUESTION}\n\n{box.written(QUESTION, TOKENS)}"
    assert user.word("ready") in user.tray
    user.says("风筝需要什么？")
    user.until(lambda: "你说：“风筝需要什么？”" in user.conversation)


@pytest.fixture
def with_password(make_box: MakeBox, tmp_path: Path) -> Iterator[Box]:
    """A box into which root gets by the word "before"."""
    with Shadow(tmp_path) as shadow:
        shadow.set_password("before")
        box = make_box()
        box.sshd.stop()
        shadow.run(box.sshd.start)
        yield box


def refused(box: Box) -> int:
    return sum("Failed password" in line for line in box.sshd.log)


def test_wrong_password(laptop: Laptop, with_password: Box) -> None:
    laptop.chooses(with_password)
    user = laptop.opens_app()
    user.pastes("hostField", f"{with_password.line()}\nnot-the-password")
    assert user.sees("The password was pasted with it")
    assert not user.sees("not-the-password")
    user.clicks("checkButton")
    user.trusts(with_password)

    question = user.dialog("secretDialog")
    assert user.sees("The password that was pasted with the line was not accepted", question)
    assert user.sees("This computer has no keyring that answers", question)
    assert not child(question, "rememberBox").isVisible()
    user.types("secretField", "not this one either", question)
    user.clicks("acceptButton", question)
    user.until(lambda: not question.isVisible())
    question = user.dialog("secretDialog")
    assert user.sees("That was not accepted. Please try again.", question)
    user.types("secretField", "before", question)
    user.presses(Qt.Key.Key_Return)

    user.until_planner()
    user.starts(with_password.model)
    user.until_state("ready")
    assert f"You said: “{QUESTION}”" in user.asks(QUESTION)
    wrong = refused(with_password)
    with_password.sshd.cut()
    user.until_state("reconnecting")
    user.until_state("ready")
    assert not user.shows("secretDialog"), "it was asked for once"
    assert refused(with_password) == wrong, "the wrong one is not tried again and again"
    saved = paths().settings.read_text(encoding="utf-8")
    assert "not-the-password" not in saved
    assert "before" not in saved


class Large(Repository):
    """A model of 19 GB, of which only the description is there."""

    def files(self) -> list[RepositoryFile]:
        small = [each for each in super().files() if each.path != WEIGHTS]
        return [*small, RepositoryFile(WEIGHTS, small[0].source, 19_230_000_000, "ab" * 32)]


@pytest.fixture
def large_model(tmp_path: Path) -> Large:
    folder = tmp_path / "large-model"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(YI_34B), encoding="utf-8")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).write_text("{}", encoding="utf-8")
    return Large(folder)


def test_model_that_does_not_fit(
    laptop: Laptop, make_box: MakeBox, tiny_model: Path, large_model: Large
) -> None:
    small_ones = dict.fromkeys(models(), tiny_model)
    box = make_box(models={**small_ones, "kite/Large-AWQ": large_model})
    rent(box.home, gpus=GpuHost("580.65.06", "13.0", (RTX_2080_TI,)))
    laptop.has_key_for(box)
    laptop.chooses(box)
    user = laptop.opens_app()
    user.pastes("hostField", box.line())
    user.clicks("checkButton")
    user.trusts(box)
    user.until_planner()
    assert user.sees("RTX 2080 Ti")
    user.types("modelField", "Yi-34B-Chat-4bits")
    assert "does not fit: needs" in user.offer()
    assert not child(user.window, "startButton").isEnabled(), "what is known is said at once"
    user.presses(Qt.Key.Key_Escape)

    user.starts("kite/Large-AWQ")  # of which nobody here knows anything
    user.until_state("failed")
    user.until_sees("The model does not fit")
    assert user.sees("GiB of GPU memory, and this host can give it")
    assert {each.path for each in box.hub.fetches()} <= {"config.json"}, "nothing was downloaded"
    assert "Failed" in user.tray

    user.clicks("other-modelButton")
    chosen, _, verdict = user.offer().partition(":")
    assert verdict.strip().startswith("fits")
    user.starts()
    user.until_state("ready")
    assert user.sees(chosen)
    assert f"You said: “{QUESTION}”" in user.asks(QUESTION)


def test_disk_full(laptop: Laptop, make_box: MakeBox) -> None:
    box = make_box(faults=Faults(bytes_per_s=WEIGHTS_BYTES // 10))
    laptop.has_key_for(box)
    laptop.chooses(box)
    user = laptop.opens_app()
    places = box.data / "paperkite" / "models"
    with small_disk(places, "700m") as disk:
        user.first_run(box)
        user.until_sees("downloading ⋅ 2")
        disk.fill()
        user.until_state("failed")
        user.until_sees("No room for the model")
        assert user.sees("the model needs")
        assert "Failed" in user.tray

        user.clicks("tidyButton")
        user.until_sees("are free again")
        disk.empty()
        user.clicks("retryButton")
        user.until_state("ready")
        assert f"You said: “{QUESTION}”" in user.asks(QUESTION)
        user.clicks("stopButton")
        user.until_state("off")
        user.until(lambda: box.processes == [], 10)
    places.rmdir()
