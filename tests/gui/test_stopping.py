"""The stop ladder and the question at quitting, by clicks and keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QDialog, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from desktop.core.errors import AppError
from desktop.core.events import Ended, PhaseChanged
from desktop.core.explain import Language
from desktop.core.leaving import Choice, left_behind
from desktop.core.phases import Phase
from desktop.core.stopping import Rung, Standing, offer
from desktop.core.texts import Texts
from desktop.ui.intents import HostKey
from desktop.ui.stopping import wording
from desktop.ui.stopping.dialog import StopDialog
from desktop.ui.stopping.quit import QuitDialog
from desktop.ui.theme import Theme
from tests.helpers import stopping_screens
from tests.helpers.drawn import clipped
from tests.helpers.scenes import settle
from tests.helpers.stopping_screens import (
    AUTODL,
    CHANGED_KEY,
    NOBODYS,
    NOT_CONFIRMED,
    OFF,
    RUNPOD,
    STOPPED,
    UNSEEN,
    WISHES,
    quitting,
)

BOX = HostKey(AUTODL.name)
SIGNALS = ("reply_stopped", "server_stopped", "power_off_asked", "console_opened", "gave_up")


@pytest.fixture(autouse=True)
def gone(qapp: QApplication) -> Iterator[None]:
    yield
    stopping_screens.close()


class Asked:
    """A dialog that is shown, and what was asked of it."""

    def __init__(self, dialog: StopDialog) -> None:
        self.dialog = dialog
        self.asked: list[tuple[object, ...]] = []
        for name in SIGNALS:
            signal = getattr(dialog, name)
            signal.connect(lambda *args, name=name: self.asked.append((name, *args)))
        dialog.show()

    def click(self, name: str) -> None:
        click(self.dialog, name)

    def said(self) -> str:
        return shown_text(self.dialog)


@pytest.fixture
def ask(qapp: QApplication) -> Callable[..., Asked]:
    """Give a function that shows the ladder for a host."""

    def make(standing: Standing = AUTODL, language: Language = "en", patience_ms: int = 0) -> Asked:
        theme = Theme("light")
        return Asked(stopping_screens.ask(theme, Texts(language), standing, patience_ms))

    return make


@pytest.fixture
def leaving(qapp: QApplication) -> Callable[..., tuple[QuitDialog, list[object]]]:
    """Give a function that shows the question at quitting, and what comes of it."""

    def make(*hosts: Standing) -> tuple[QuitDialog, list[object]]:
        dialog = quitting(Theme("light"), Texts("en"), *((each, WISHES) for each in hosts))
        told: list[object] = []
        dialog.decided.connect(told.append)
        dialog.all_stopped.connect(lambda: told.append("all stopped"))
        dialog.show()
        return dialog, told

    return make


def child(dialog: QDialog, name: str) -> QPushButton:
    found = dialog.findChild(QPushButton, name)
    assert isinstance(found, QPushButton), name
    return found


def click(dialog: QDialog, name: str) -> None:
    found = child(dialog, name)
    assert found.isVisible(), name
    QTest.mouseClick(found, Qt.MouseButton.LeftButton)


def visible(dialog: QDialog, name: str) -> bool:
    found = dialog.findChild(QPushButton, name)
    return found is not None and found.isVisible()


def shown_text(dialog: QWidget) -> str:
    return "\n".join(each.text() for each in dialog.findChildren(QLabel) if each.isVisible())


# -- the ladder ------------------------------------------------------------------------------------


def test_enter_stops_the_server_which_can_be_undone(ask: Callable[..., Asked]) -> None:
    sheet = ask(replace(AUTODL, replying=True))
    QTest.keyClick(sheet.dialog, Qt.Key.Key_Return)
    assert sheet.asked == [("server_stopped",)]


def test_enter_powers_nothing_off_where_that_is_all_there_is(ask: Callable[..., Asked]) -> None:
    sheet = ask(replace(AUTODL, phase=Phase.OFF))
    QTest.keyClick(sheet.dialog, Qt.Key.Key_Return)
    assert sheet.asked == []
    assert not sheet.dialog.isVisible()


def test_escape_does_nothing_to_the_host(ask: Callable[..., Asked]) -> None:
    sheet = ask()
    QTest.keyClick(sheet.dialog, Qt.Key.Key_Escape)
    assert sheet.asked == []
    assert not sheet.dialog.isVisible()


def test_the_reply_is_stopped_and_nothing_else(ask: Callable[..., Asked]) -> None:
    sheet = ask(replace(AUTODL, replying=True))
    sheet.click("replyRung")
    assert sheet.asked == [("reply_stopped",)]
    assert not sheet.dialog.isVisible()


def test_every_rung_is_reached_with_the_tab_key_and_taken_with_space(
    ask: Callable[..., Asked],
) -> None:
    sheet = ask()
    names = []
    for _ in range(3):
        names.append(sheet.dialog.focusWidget().objectName())
        QTest.keyClick(sheet.dialog.focusWidget(), Qt.Key.Key_Tab)
    assert sorted(names) == ["closeButton", "power-offRung", "serverRung"]
    child(sheet.dialog, "power-offRung").setFocus()
    QTest.keyClick(sheet.dialog.focusWidget(), Qt.Key.Key_Space)
    assert sheet.asked == [("power_off_asked",)]


def test_a_rung_says_what_comes_of_it_and_what_it_costs(ask: Callable[..., Asked]) -> None:
    said = ask().said()
    assert "still billing ¥1.98/h" in said
    assert "You may not get this card back." in said
    assert "kept for 15 days" in said
    assert "AutoDL: Only powering off" in said


def test_where_no_power_off_is_known_safe_the_console_is_linked_with_its_trap(
    ask: Callable[..., Asked],
) -> None:
    sheet = ask(RUNPOD)
    assert not visible(sheet.dialog, "power-offRung")
    assert "twice the price" in sheet.said()
    sheet.click("consoleRung")
    assert sheet.asked == [("console_opened", "https://console.runpod.io")]
    assert sheet.dialog.isVisible()


def test_a_host_of_nobody_known_gets_words_and_no_link(ask: Callable[..., Asked]) -> None:
    sheet = ask(NOBODYS)
    assert not visible(sheet.dialog, "consoleRung")
    assert "does not know who rents this host out" in sheet.said()
    assert "The host stays on, and so does its bill." in sheet.said()


def test_stopped_is_said_once_it_was_seen(ask: Callable[..., Asked]) -> None:
    sheet = ask()
    sheet.click("serverRung")
    assert "Stopping the server…" in sheet.said()
    for event in STOPPED[:-1]:
        assert "stopped" not in sheet.said()
        sheet.dialog.show_event(event)
    sheet.dialog.show_event(STOPPED[-1])
    assert "The server on westb-12345 is stopped" in sheet.said()
    assert "Still billing ¥1.98/h until you power it off." in sheet.said()
    assert not visible(sheet.dialog, "serverRung")


def test_off_is_said_once_the_port_was_silent(ask: Callable[..., Asked]) -> None:
    sheet = ask()
    sheet.click("power-offRung")
    for event in OFF[:-2]:
        sheet.dialog.show_event(event)
        assert "is off" not in sheet.said()
    assert "silent for 3 of 3" in sheet.said()
    for event in OFF[-2:]:
        sheet.dialog.show_event(event)
    assert "westb-12345 is off" in sheet.said()
    sheet.click("consoleButton")
    assert sheet.asked[-1] == ("console_opened", "https://www.autodl.com/console/instance/list")


def test_a_server_that_is_stopped_can_be_powered_off_next(ask: Callable[..., Asked]) -> None:
    sheet = ask()
    sheet.click("serverRung")
    for event in STOPPED:
        sheet.dialog.show_event(event)
    assert child(sheet.dialog, "nextButton").text() == "Power off"
    sheet.click("nextButton")
    assert sheet.asked == [("server_stopped",), ("power_off_asked",)]
    assert "Powering westb-12345 off" in sheet.said()


def test_a_stop_that_was_not_seen_says_so_and_can_be_tried_again(ask: Callable[..., Asked]) -> None:
    sheet = ask()
    sheet.click("serverRung")
    for event in UNSEEN:
        sheet.dialog.show_event(event)
    assert "It was not seen that the server has stopped." in sheet.said()
    assert "is stopped" not in sheet.said()
    sheet.click("nextButton")
    assert sheet.asked == [("server_stopped",), ("server_stopped",)]


def test_a_power_off_that_was_not_confirmed_leaves_no_doubt(ask: Callable[..., Asked]) -> None:
    sheet = ask()
    sheet.click("power-offRung")
    for event in NOT_CONFIRMED:
        sheet.dialog.show_event(event)
    said = sheet.said()
    assert "The server is stopped: no process of it is left on the host." in said
    assert "It was not seen that the host is off." in said
    assert "Power-off not confirmed" in said
    assert visible(sheet.dialog, "nextButton")


def test_what_can_never_be_done_is_not_offered_again(ask: Callable[..., Asked]) -> None:
    sheet = ask()
    sheet.click("power-offRung")
    sheet.dialog.show_event(Ended("stopped", "asked"))
    error = AppError("power-off-not-known", host="connect.westb.seetacloud.com")
    sheet.dialog.show_event(PhaseChanged(Phase.FAILED, error))
    assert not visible(sheet.dialog, "nextButton")
    assert visible(sheet.dialog, "consoleButton")


def test_who_is_impatient_can_stop_waiting_but_not_by_a_double_click(
    ask: Callable[..., Asked], qtbot: QtBot
) -> None:
    sheet = ask(patience_ms=60)
    sheet.click("serverRung")
    assert not visible(sheet.dialog, "giveUpButton")
    qtbot.waitUntil(lambda: visible(sheet.dialog, "giveUpButton"))
    sheet.click("giveUpButton")
    assert sheet.asked[-1] == ("gave_up",)
    assert "stopped" not in sheet.said()
    assert not child(sheet.dialog, "giveUpButton").isEnabled()


def test_escape_after_a_choice_leaves_the_stop_to_go_on(ask: Callable[..., Asked]) -> None:
    sheet = ask()
    sheet.click("serverRung")
    QTest.keyClick(sheet.dialog, Qt.Key.Key_Escape)
    assert sheet.asked == [("server_stopped",)]
    assert not sheet.dialog.isVisible()


def test_a_server_that_was_stopped_without_a_question_is_told_with_what_goes_on() -> None:
    found = offer(RUNPOD)
    assert not found.asks
    said = wording.note(found, Texts("en"))
    assert said == (
        "The server on 两张 A100 is stopped. Still billing $3.20/h until you power it off."
    )
    unpriced = wording.note(offer(NOBODYS), Texts("zh"))
    assert unpriced == "lab 上的服务已停止。关机之前会继续计费。"


# -- quitting --------------------------------------------------------------------------------------


def test_enter_and_escape_quit_nothing(
    leaving: Callable[..., tuple[QuitDialog, list[object]]],
) -> None:
    for key in (Qt.Key.Key_Return, Qt.Key.Key_Escape):
        dialog, told = leaving(AUTODL)
        QTest.keyClick(dialog, key)
        assert told == []
        assert not dialog.isVisible()


def test_what_becomes_of_each_host_is_told_with_its_price(
    leaving: Callable[..., tuple[QuitDialog, list[object]]],
) -> None:
    dialog, _ = leaving(AUTODL, replace(RUNPOD, phase=Phase.OFF))
    said = shown_text(dialog)
    assert "¥1.98/h" in said
    assert "$3.20/h" in said
    assert "Stops by itself after 30 min without you" in said
    assert "Nothing runs there any more, but the host is on." in said


@pytest.mark.parametrize(
    ("phase", "terms", "said"),
    [
        (Phase.READY, {"lease_seconds": 0}, "Runs until you stop it."),
        (Phase.PREPARING, {}, "First it gets ready. Stops by itself after 30 min without you"),
        (Phase.READY, {"idle_seconds": 300}, "Stops by itself after 5 min without a request."),
        (Phase.READY, {"power_off": True}, "Then it powers itself off."),
        (Phase.READY, {"spending_seconds": 60}, "At the latest when its limit is reached."),
        (Phase.FAILED, {}, "something may still run there"),
        (Phase.OFF, {}, "Billed until you power it off."),
    ],
)
def test_it_is_said_what_ends_a_host_that_is_left(
    phase: Phase, terms: dict[str, int], said: str
) -> None:
    (left,) = left_behind([(replace(AUTODL, phase=phase), replace(WISHES, **terms))])  # type: ignore[arg-type]
    assert said in wording.remains(left, Texts("en"))


def test_what_is_left_running_is_left_at_once(
    leaving: Callable[..., tuple[QuitDialog, list[object]]],
) -> None:
    dialog, told = leaving(AUTODL)
    click(dialog, "leaveButton")
    assert told == [Choice.LEAVE]


def test_the_app_goes_once_every_server_was_seen_to_stop(
    leaving: Callable[..., tuple[QuitDialog, list[object]]],
) -> None:
    dialog, told = leaving(AUTODL, RUNPOD, replace(NOBODYS, phase=Phase.OFF, rate=1.0))
    click(dialog, "stopButton")
    assert told == [Choice.STOP]
    for event in STOPPED:
        dialog.show_event(BOX, event)
    assert told == [Choice.STOP]
    for event in STOPPED:
        dialog.show_event(HostKey(RUNPOD.name), event)
    assert told == [Choice.STOP, "all stopped"]


def test_only_hosts_where_it_is_safe_are_powered_off(
    leaving: Callable[..., tuple[QuitDialog, list[object]]],
) -> None:
    dialog, told = leaving(AUTODL, RUNPOD)
    assert dialog.powers_off(BOX)
    assert not dialog.powers_off(HostKey(RUNPOD.name))
    click(dialog, "power-offButton")
    assert told == [Choice.POWER_OFF]
    for event in STOPPED:
        dialog.show_event(HostKey(RUNPOD.name), event)
    for event in OFF[:-1]:
        dialog.show_event(BOX, event)
    assert told == [Choice.POWER_OFF]
    dialog.show_event(BOX, OFF[-1])
    assert told == [Choice.POWER_OFF, "all stopped"]


def test_a_stop_that_was_not_seen_keeps_the_app_and_a_way_out(
    leaving: Callable[..., tuple[QuitDialog, list[object]]],
) -> None:
    dialog, told = leaving(AUTODL)
    click(dialog, "stopButton")
    for event in UNSEEN:
        dialog.show_event(BOX, event)
    assert told == [Choice.STOP]
    assert "Not everything was seen to stop" in shown_text(dialog)
    click(dialog, "anywayButton")
    assert told == [Choice.STOP, Choice.LEAVE]


def test_room_is_made_at_once_for_however_long_an_error(
    leaving: Callable[..., tuple[QuitDialog, list[object]]],
) -> None:
    dialog, _ = leaving(AUTODL)
    settle()
    click(dialog, "stopButton")
    settle()
    for event in CHANGED_KEY:
        dialog.show_event(BOX, event)
    assert "showed another key" in shown_text(dialog)
    assert clipped(dialog) == []
    settle()
    assert clipped(dialog) == []


def test_without_a_price_nothing_is_kept_free_for_one(
    leaving: Callable[..., tuple[QuitDialog, list[object]]],
) -> None:
    dialog, _ = leaving(AUTODL, NOBODYS)
    settle()
    rows = {
        row.findChildren(QLabel)[0].text(): row for row in dialog.findChildren(QWidget, "hostRow")
    }
    assert right_edge(rows["lab"], "Ready") == right_edge(rows["westb-12345"], "¥1.98/h")


def right_edge(row: QWidget, text: str) -> int:
    """Return where this text ends in a row."""
    (said,) = (each for each in row.findChildren(QLabel) if each.text() == text)
    return said.mapTo(row, said.rect().topRight()).x()


# -- all of them -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(stopping_screens.SCENES))
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_control_has_a_name_and_no_word_is_cut(name: str, language: Language) -> None:
    shown = stopping_screens.SCENES[name](Theme("dark"), Texts(language))
    shown.show()
    QApplication.processEvents()
    for control in shown.findChildren(QAbstractButton):
        if control.isVisible():
            assert control.accessibleName()
            assert (
                control.width() >= control.sizeHint().width() or control.property("kind") == "rung"
            )
    for said in shown.findChildren(QLabel):
        if said.isVisible() and said.text() and said.wordWrap():
            assert said.height() >= said.heightForWidth(said.width()), said.text()
    assert shown.width() <= 900
    assert shown.height() <= 600


def test_a_rung_is_named_and_described_for_screen_readers(ask: Callable[..., Asked]) -> None:
    rung = child(ask().dialog, f"{Rung.POWER_OFF.value}Rung")
    assert rung.accessibleName() == "Stop and power off"
    assert "¥1.98/h" in rung.accessibleDescription()
