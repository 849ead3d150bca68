"""The first run as a person does it: a line that is pasted, a look, a model, one button."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from desktop.core.catalogue import DEFAULT_MODEL
from desktop.core.errors import AgentRefused, AuthenticationFailed, DestinationError
from desktop.core.events import PhaseChanged, Surveyed
from desktop.core.last_checks import DOWNLOAD_RATE, RUNNING_MODEL, LastCheck
from desktop.core.phases import Phase
from desktop.ui.intents import Chosen
from desktop.ui.planner.model_list import ModelList
from desktop.ui.planner.rows import OFFER
from tests.helpers.first_run_screens import (
    FOUND,
    LINE,
    PICTURES,
    SMALL,
    WITHOUT_GPU,
    change,
    looking,
    surveyed,
    too_large,
)
from tests.helpers.on_screen import said_by
from tests.helpers.scenes import Look
from tests.helpers.screens import NOBODY, RENTED, TARGET, Stage, key_of
from tests.helpers.window import child, click

Make = Callable[..., Stage]
BEST = "Qwen/Qwen3-32B-AWQ"
SMALL_ONE = "Qwen/Qwen2.5-7B-Instruct-AWQ"


@pytest.fixture
def first(stage: Make) -> Stage:
    made = stage(target=NOBODY)
    made.intents.problem = DestinationError("no-host")  # what `add` answers
    QApplication.processEvents()
    return made


@pytest.fixture
def clipboard() -> Iterator[Callable[[str], None]]:
    yield QGuiApplication.clipboard().setText
    QGuiApplication.clipboard().clear()


def said(play: Stage) -> str:
    labels = play.window.findChildren(QLabel)
    return "\n".join(said_by(label) for label in labels if label.isVisible())


def field(play: Stage, name: str = "hostField") -> QLineEdit:
    found = child(play.window, name)
    assert isinstance(found, QLineEdit)
    return found


def models_of(play: Stage) -> ModelList:
    found = child(play.window, "modelList")
    assert isinstance(found, ModelList)
    return found


def listed(play: Stage) -> list[str]:
    model = models_of(play).model()
    return [str(model.index(row, 0).data()) for row in range(model.rowCount())]


def in_front(play: Stage) -> str:
    return str(models_of(play).currentIndex().data())


def verdict(play: Stage, model: str) -> str:
    rows = models_of(play).model()
    index = rows.index(listed(play).index(model), 0)
    return str(index.data(Qt.ItemDataRole.AccessibleTextRole))


def asked(play: Stage) -> tuple[Any, ...]:
    return play.intents.calls[-1]


def choose_in(play: Stage, name: str, text: str) -> None:
    """Choose in a combo box by keys."""
    combo = child(play.window, name)
    assert isinstance(combo, QComboBox)
    combo.setFocus()
    for _step in range(combo.count()):
        if text in combo.currentText():
            return
        QTest.keyClick(combo, Qt.Key.Key_Down)
    raise AssertionError([combo.itemText(row) for row in range(combo.count())])


# -- the line ------------------------------------------------------------------------------------


def test_the_provider_is_recognised_while_the_line_is_typed_with_its_trap(first: Stage) -> None:
    note = child(first.window, "providerNote")
    QTest.keyClicks(field(first), LINE[:-4])
    assert not note.isVisible()
    QTest.keyClicks(field(first), LINE[-4:])
    assert note.isVisible()
    assert "AutoDL" in said(first)
    assert "ends the bill of the GPU" in said(first)
    assert "ends the bill" in field(first).accessibleDescription()
    QTest.keyClick(field(first), Qt.Key.Key_Backspace)
    assert not note.isVisible()


def test_line_and_password_are_pasted_in_one_go_and_go_on_together(
    first: Stage, clipboard: Callable[[str], None]
) -> None:
    clipboard(f"{LINE}\ns3cret\n")
    QTest.keyClick(field(first), Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert "AutoDL" in said(first)
    assert "s3cret" not in said(first)
    QTest.keyClick(field(first), Qt.Key.Key_Return)
    assert asked(first) == ("survey", f"{LINE}\ns3cret", Chosen(DEFAULT_MODEL))


def test_the_usual_price_is_offered_and_taken_by_a_click(first: Stage) -> None:
    QTest.keyClicks(field(first), LINE)
    click(first.window, "rateOffer")
    assert field(first, "rateField").text() == "2"
    click(first.window, "checkButton")
    assert asked(first)[2] == Chosen(DEFAULT_MODEL, rate=2.0, currency="CNY")


def test_where_no_price_is_known_none_is_offered_and_its_currency_is_the_providers(
    first: Stage,
) -> None:
    QTest.keyClicks(field(first), "ssh -p 31022 root@ssh5.vast.ai")
    offers = first.window.findChildren(QPushButton, "rateOffer")
    assert not [offer for offer in offers if offer.isVisible()]
    QTest.keyClicks(field(first, "rateField"), "0.45")
    QTest.keyClick(field(first, "rateField"), Qt.Key.Key_Return)
    assert asked(first)[2] == Chosen(DEFAULT_MODEL, rate=0.45, currency="USD")


def test_a_price_that_is_none_is_said_and_nothing_is_asked(first: Stage) -> None:
    QTest.keyClicks(field(first), LINE)
    QTest.keyClicks(field(first, "rateField"), "two")
    click(first.window, "checkButton")
    assert first.intents.calls == []
    assert "This is no price" in said(first)


def test_who_is_impatient_starts_without_a_look(first: Stage) -> None:
    QTest.keyClicks(field(first), LINE)
    click(first.window, "skipButton")
    assert asked(first) == ("add", LINE, Chosen(DEFAULT_MODEL))


def test_the_keyboard_alone_goes_from_the_line_to_the_button(first: Stage) -> None:
    first.window.activateWindow()
    names = []
    for _step in range(12):
        here = QApplication.focusWidget()
        names.append(here.objectName() if here is not None else "")
        QTest.keyClick(here or first.window, Qt.Key.Key_Tab)
    wanted = ["hostField", "rateField", "checkButton", "skipButton"]
    assert [name for name in names if name in wanted][: len(wanted)] == wanted


# -- the look ------------------------------------------------------------------------------------


def test_while_it_looks_only_the_two_steps_of_that_are_shown(stage: Make) -> None:
    play = stage()
    play.play(looking())
    assert "Looking at the host" in said(play)
    shown = [step for step in ("connect", "check", "install", "load") if
             child(play.window, f"step-{step}").isVisible()]  # fmt: skip
    assert shown == ["connect", "check"]
    assert "Next" not in said(play)
    click(play.window, "cancelStartButton")
    assert play.intents.calls == [("stop",)]


def test_a_look_that_was_cancelled_leads_back_to_the_host(stage: Make) -> None:
    play = stage()
    play.play([*looking(), (0.0, PhaseChanged(Phase.OFF))])
    assert child(play.window, "changeButton").isVisible()


def test_a_host_that_was_not_reached_is_a_failure_like_any_other(stage: Make) -> None:
    play = stage()
    error = AuthenticationFailed("authentication-failed", host="h", port=22, user="root")
    play.play(
        [*looking()[:3], (0.0, Surveyed({}, error)), (0.0, PhaseChanged(Phase.FAILED, error))]
    )
    assert child(play.window, "retryButton").isVisible()
    assert not play.window.findChildren(QWidget, "planner")


def test_after_the_look_the_card_is_named_and_what_fits_best_is_chosen(stage: Make) -> None:
    play = stage()
    play.play(surveyed())
    assert "RTX 4090 ⋅ 23.5 of 24.0 GiB free ⋅ driver works" in said(play)
    assert "checked just now" in said(play)
    assert (in_front(play), listed(play)[0]) == (BEST, BEST)
    assert "fits, 8" in verdict(play, BEST)
    assert "does not fit" in verdict(play, "tclf90/Qwen3.6-27B-AWQ")
    bar = child(play.window, "memoryBar").accessibleName()
    for part in ("Weights", "KV cache", "Engine", "Free"):
        assert part in bar


def test_one_button_starts_with_all_that_was_chosen(stage: Make) -> None:
    play = stage()
    play.play(surveyed())
    click(play.window, "startButton")
    chosen = Chosen(BEST, max_model_len="auto", kv_cache_dtype="")
    assert play.intents.calls == [("start", TARGET.host_text, chosen)]


def test_a_refusal_that_is_not_about_the_model_is_said_in_words(stage: Make) -> None:
    play = stage()
    full = AgentRefused("preflight.disk-full", path="/root", free=10**9, needed=30 * 10**9)
    play.play(surveyed(error=full))
    assert "30.0 GB" in said(play)


def test_what_runs_there_already_is_said_and_chosen(stage: Make) -> None:
    play = stage()
    play.play(surveyed({**FOUND, RUNNING_MODEL: SMALL_ONE}))
    assert f"{SMALL_ONE} is running" in said(play)
    assert in_front(play) == SMALL_ONE


def test_without_its_gpu_the_host_installs_and_downloads(stage: Make) -> None:
    play = stage()
    play.play(surveyed(dict(WITHOUT_GPU)))
    assert "Booted without its GPU" in said(play)
    start = child(play.window, "startButton")
    assert isinstance(start, QPushButton)
    assert start.text() == "Install and download"
    assert "not known yet" in verdict(play, BEST)
    choose_in(play, "plan-card", "RTX 4090")
    assert "fits" in verdict(play, BEST)


# -- the list ------------------------------------------------------------------------------------


def test_the_list_is_walked_and_taken_by_keys(stage: Make) -> None:
    play = stage()
    play.window.activateWindow()
    play.play(surveyed())
    models = models_of(play)
    assert play.window.focusWidget() is models
    QTest.keyClick(models, Qt.Key.Key_Down)
    second = in_front(play)
    assert second == listed(play)[1]
    QTest.keyClick(models, Qt.Key.Key_Return)
    assert asked(play)[2].model == second


def test_who_writes_just_now_keeps_the_keyboard(stage: Make) -> None:
    play = stage()
    play.window.activateWindow()
    play.play(looking())
    QTest.keyClicks(child(play.window, "composer"), "a thought")
    play.play(surveyed()[len(looking()) :])
    assert play.window.focusWidget() is child(play.window, "composer")


def test_a_search_narrows_the_list_and_its_keys_walk_it(stage: Make) -> None:
    play = stage()
    play.play(surveyed())
    search = field(play, "modelField")
    QTest.keyClicks(search, "coder")
    assert len(listed(play)) == 3
    before = in_front(play)
    QTest.keyClick(search, Qt.Key.Key_Down)
    assert in_front(play) != before
    QTest.keyClick(search, Qt.Key.Key_Return)
    assert "Coder" in asked(play)[2].model
    QTest.keyClick(search, Qt.Key.Key_Escape)
    assert (search.text(), in_front(play)) == ("", BEST)


def test_nothing_found_is_said_and_starts_nothing(stage: Make) -> None:
    play = stage()
    play.play(surveyed())
    QTest.keyClicks(field(play, "modelField"), "no such words")
    assert "No model of the list" in said(play)
    QTest.keyClick(field(play, "modelField"), Qt.Key.Key_Return)
    assert not child(play.window, "startButton").isEnabled()
    assert play.intents.calls == []


def test_any_model_of_the_hub_is_taken_by_its_id(stage: Make) -> None:
    play = stage()
    play.play(surveyed())
    QTest.keyClicks(field(play, "modelField"), "kite/Unknown-AWQ")
    assert listed(play) == ["kite/Unknown-AWQ"]
    assert "Not in the list" in verdict(play, "kite/Unknown-AWQ")
    click(play.window, "startButton")
    assert asked(play)[2].model == "kite/Unknown-AWQ"


def test_escape_leads_back_to_the_host(stage: Make) -> None:
    play = stage()
    play.play(surveyed())
    QTest.keyClick(models_of(play), Qt.Key.Key_Escape)
    assert not models_of(play).isVisible()
    assert child(play.window, "changeButton").isVisible()


def test_what_does_not_fit_for_certain_cannot_be_started(stage: Make) -> None:
    play = stage()
    play.play(surveyed(dict(SMALL)))
    QTest.keyClicks(field(play, "modelField"), "Yi-34B-Chat-4bits")
    assert "does not fit: needs" in verdict(play, DEFAULT_MODEL)
    assert not child(play.window, "startButton").isEnabled()
    QTest.keyClick(field(play, "modelField"), Qt.Key.Key_Return)
    assert play.intents.calls == []


# -- context, cache, price -----------------------------------------------------------------------


def test_a_context_is_chosen_by_keys_and_everything_is_planned_anew(stage: Make) -> None:
    play = stage()
    play.play(surveyed())
    choose_in(play, "plan-length", "16k tokens")
    assert "fits, 16k context (8-bit cache)" in verdict(play, BEST)
    click(play.window, "startButton")
    assert asked(play)[2].max_model_len == "16384"


def test_a_cache_of_16_bits_makes_a_long_context_too_long(stage: Make) -> None:
    play = stage()
    play.play(surveyed())
    choose_in(play, "plan-length", "16k tokens")
    click(play.window, "planDetailsButton")
    choose_in(play, "plan-kv", "16 bits")
    assert "context too long: at most 8.3k" in verdict(play, BEST)
    assert not child(play.window, "startButton").isEnabled()


def test_what_was_chosen_before_is_there_again(stage: Make) -> None:
    wished = replace(RENTED, model=SMALL_ONE, max_model_len="8192", kv_cache_dtype="fp8")
    play = stage(target=wished)
    change(play, FOUND)
    assert in_front(play) == SMALL_ONE
    click(play.window, "startButton")
    chosen = Chosen(SMALL_ONE, "8192", "fp8", rate=1.98, currency="CNY")
    assert asked(play)[2] == chosen


# -- a saved host --------------------------------------------------------------------------------


def test_change_shows_what_was_found_out_last_with_its_time(stage: Make) -> None:
    play = stage()
    change(play, FOUND, age_s=3 * 3600.0)
    assert "RTX 4090" in said(play)
    assert "checked 3 h 0 min ago" in said(play)
    assert in_front(play) == TARGET.model, "the model that it has is kept"
    click(play.window, "checkAgainButton")
    assert asked(play)[:2] == ("survey", TARGET.host_text)


def test_without_a_check_the_card_can_be_named(stage: Make) -> None:
    play = stage()
    change(play)
    assert "Which model?" in said(play)
    assert "not known yet" in verdict(play, TARGET.model)
    choose_in(play, "plan-card", "RTX 2080 Ti")
    assert "does not fit" in verdict(play, TARGET.model)
    assert child(play.window, "startButton").isEnabled(), "a named card is no proof"


def test_the_time_and_the_price_of_a_download_are_told_where_they_are_known(stage: Make) -> None:
    play = stage(target=RENTED)
    change(play, {**FOUND, DOWNLOAD_RATE: 6.2e7})
    assert "Downloads 19.2 GB ⋅ about 5 min ⋅ ¥0.17" in said(play)


def test_a_disk_that_is_too_small_is_said_before_anything_is_downloaded(stage: Make) -> None:
    play = stage()
    play.play(surveyed({**FOUND, "disk.free": 12_000_000_000}))
    assert "Downloads 19.3 GB ⋅ only 12 GB free on the disk" in said(play)


def test_another_line_is_typed_in_the_same_field_as_the_first_one(stage: Make) -> None:
    play = stage()
    change(play, FOUND)
    click(play.window, "otherLineButton")
    assert field(play).text() == TARGET.host_text
    QTest.keyClick(field(play), Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClicks(field(play), "root@new")
    QTest.keyClick(field(play), Qt.Key.Key_Return)
    assert asked(play)[:2] == ("survey", "root@new")


def test_a_model_that_does_not_fit_leads_to_one_that_does(stage: Make) -> None:
    play = stage()
    play.intents.hosts[key_of(TARGET)].checked = LastCheck(SMALL, 990.0)
    play.play(too_large())
    buttons = [each for each in play.window.findChildren(QPushButton) if each.isVisible()]
    (other,) = [each for each in buttons if each.text() == "Choose another model…"]
    QTest.mouseClick(other, Qt.MouseButton.LeftButton)
    assert in_front(play) == "Qwen/Qwen3-8B-AWQ"
    click(play.window, "startButton")
    assert asked(play)[2].model == "Qwen/Qwen3-8B-AWQ"


def test_a_model_that_ran_out_of_memory_is_not_proposed_again(stage: Make) -> None:
    play = stage()
    play.intents.hosts[key_of(TARGET)].checked = LastCheck(FOUND, 990.0)
    error = AgentRefused("engine.out-of-memory", last_lines=[])
    play.play([*too_large()[:-1], (0.0, PhaseChanged(Phase.FAILED, error))])
    buttons = [each for each in play.window.findChildren(QPushButton) if each.isVisible()]
    (other,) = [each for each in buttons if each.text() == "Choose another model…"]
    QTest.mouseClick(other, Qt.MouseButton.LeftButton)
    assert in_front(play) not in ("", TARGET.model)


# -- on screen -----------------------------------------------------------------------------------


def test_every_row_says_its_verdict_to_a_screen_reader(stage: Make) -> None:
    play = stage()
    play.play(surveyed())
    rows = models_of(play).model()
    for row in range(rows.rowCount()):
        index = rows.index(row, 0)
        assert index.data(OFFER).model.id in index.data(Qt.ItemDataRole.AccessibleTextRole)
    assert "apache-2.0" in verdict(play, BEST)


def test_controls_are_named(stage: Make) -> None:
    play = stage()
    change(play)
    click(play.window, "planDetailsButton")
    page = child(play.window, "planner")
    kinds = (QLineEdit, QComboBox, QPushButton, ModelList)
    unnamed = [
        each.objectName()
        for kind in kinds
        for each in page.findChildren(kind)
        if each.isVisible() and not each.accessibleName()
    ]
    assert unnamed == []


def test_the_button_is_in_sight_in_a_window_of_900_by_600(qtbot: QtBot) -> None:
    with PICTURES["planner"].show(Look("en", "light", (900, 600))) as window:
        start = child(window, "startButton")
        bottom = start.mapTo(window, start.rect().bottomLeft()).y()
        assert bottom < window.height()
        assert not child(window, "composer").isVisible()  # choosing wants the whole page


# -- another language ----------------------------------------------------------------------------


def test_a_choice_that_is_under_way_survives_another_language(stage: Make) -> None:
    play = stage(target=RENTED)
    change(play, FOUND)
    QTest.keyClick(models_of(play), Qt.Key.Key_Down)
    choose_in(play, "plan-length", "2k tokens")
    chosen = in_front(play)
    other = stage(target=RENTED, language="zh")
    other.window.resume(play.window)
    assert in_front(other) == chosen
    assert "放得下，上下文 2k" in verdict(other, chosen)
    click(other.window, "startButton")
    assert asked(other)[2].max_model_len == "2048"


def test_a_line_that_is_half_typed_survives_another_language(first: Stage, stage: Make) -> None:
    QTest.keyClicks(field(first), LINE)
    click(first.window, "rateOffer")
    other = stage(target=NOBODY, language="zh")
    other.window.resume(first.window)
    assert field(other).text() == LINE
    assert field(other, "rateField").text() == "2"
    assert "关机" in said(other)


def test_the_planner_is_not_loaded_before_it_is_wanted() -> None:
    code = "import sys, desktop.ui.app; print([n for n in sys.modules if 'planner' in n])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"
