"""Several hosts in the window: which is in front, how each stands, and a host that moved."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QLineEdit, QMenu, QPushButton
from pytestqt.qtbot import QtBot

from desktop.core.errors import ConnectionLost, DestinationError, HostUnreachable
from desktop.core.events import Delta, PhaseChanged, ReplyDone, ReplyStarted, Retrying
from desktop.core.phases import Phase
from desktop.ui.intents import Chosen
from tests.helpers.screens import (
    NOBODY,
    OTHER,
    RENTED,
    TARGET,
    THIRD,
    Stage,
    key_of,
    preparing,
    ready,
    refused,
    wrong_password,
)
from tests.helpers.window import child, click

Make = Callable[..., Stage]
LINE = "ssh -p 4711 root@connect.westb.seetacloud.com"
PASSWORD = "s3cret-Of-The-Console"


@pytest.fixture
def two(stage: Make) -> Stage:
    return stage(OTHER)


@pytest.fixture
def clipboard() -> Iterator[Callable[[str], None]]:
    yield QGuiApplication.clipboard().setText
    QGuiApplication.clipboard().clear()


def menu_of(play: Stage) -> QMenu:
    menu = child(play.window, "hostMenu")
    assert isinstance(menu, QMenu)
    return menu


def entries(play: Stage) -> list[str]:
    return [each.text() for each in menu_of(play).actions() if not each.isSeparator()]


def entry(play: Stage, text: str) -> QAction:
    return next(each for each in menu_of(play).actions() if each.text().startswith(text))


def choose(play: Stage, text: str) -> None:
    """Open the menu and click an entry, as a person would."""
    click(play.window, "hostButton")
    menu = menu_of(play)
    assert menu.isVisible()
    where = menu.actionGeometry(entry(play, text)).center()
    QTest.mouseClick(menu, Qt.MouseButton.LeftButton, pos=where)


def front(play: Stage) -> str:
    return child(play.window, "hostButton").accessibleName().removeprefix("Host: ")


def has_text(button: QPushButton, text: str) -> bool:
    return button.text() == text


def shown_texts(play: Stage) -> str:
    labels = play.window.findChildren(QLabel)
    return "\n".join(label.text() for label in labels if label.isVisible())


# -- the switcher --------------------------------------------------------------------------------


def test_the_menu_lists_each_host_with_its_state_in_a_word(two: Stage) -> None:
    two.play(ready())
    assert entries(two) == [
        "westb-12345\tReady",
        "两张 A100\tOff",
        "Add a host…",
        "Forget westb-12345",
    ]
    assert not entry(two, "westb").icon().isNull()


def test_a_click_brings_another_host_to_the_front(two: Stage) -> None:
    two.play(ready())
    choose(two, "两张 A100")
    assert (front(two), two.window.windowTitle()) == ("两张 A100", "两张 A100")
    assert "Qwen/Qwen2.5-7B-Instruct-AWQ" in shown_texts(two)
    assert child(two.window, "startButton").isVisible()
    choose(two, "westb-12345")
    assert child(two.window, "stopButton").isVisible()


def test_the_keyboard_alone_is_enough(two: Stage) -> None:
    button = child(two.window, "hostButton")
    button.setFocus()
    QTest.keyClick(button, Qt.Key.Key_Down)
    menu = menu_of(two)
    assert menu.isVisible()
    QTest.keyClick(menu, Qt.Key.Key_Down)
    QTest.keyClick(menu, Qt.Key.Key_Return)
    assert front(two) == "两张 A100"


def test_controls_are_named_for_screen_readers(two: Stage) -> None:
    assert child(two.window, "hostButton").accessibleName() == "Host: westb-12345"
    assert menu_of(two).accessibleName() == "Hosts"
    assert "new address" in child(two.window, "addressField").accessibleName()


def test_a_host_that_works_is_stopped_before_it_is_forgotten(two: Stage) -> None:
    two.play(preparing())
    assert not entry(two, "Forget").isEnabled()
    two.play([(0.0, PhaseChanged(Phase.OFF))])
    choose(two, "Forget")
    assert two.intents.calls == [("remove", key_of(TARGET))]
    assert front(two) == "两张 A100"
    assert entries(two) == ["两张 A100\tOff", "Add a host…", "Forget 两张 A100"]


def test_without_any_host_left_one_is_asked_for(stage: Make) -> None:
    play = stage()
    choose(play, "Forget")
    assert child(play.window, "hostField").isVisible()
    assert not child(play.window, "hostButton").isVisible()
    assert not child(play.window, "leaveAddingButton").isVisible()


def test_a_host_is_added_by_its_line_or_not_after_all(two: Stage) -> None:
    choose(two, "Add a host…")
    field = child(two.window, "hostField")
    assert two.window.focusWidget() is field
    QTest.keyClick(field, Qt.Key.Key_Escape)
    assert front(two) == "westb-12345"
    choose(two, "Add a host…")
    QTest.keyClicks(child(two.window, "hostField"), "root@new")
    QTest.keyClick(child(two.window, "hostField"), Qt.Key.Key_Return)
    assert two.intents.calls == [("survey", "root@new", Chosen(TARGET.model))]


def test_back_leads_to_the_host_that_was_there(two: Stage) -> None:
    choose(two, "两张 A100")
    choose(two, "Add a host…")
    click(two.window, "leaveAddingButton")
    assert front(two) == "两张 A100"


def test_a_name_is_shown_whole_where_there_is_room(qtbot: QtBot, two: Stage) -> None:
    button = child(two.window, "hostButton")
    assert isinstance(button, QPushButton)
    for name in ("westb-12345", "两张 A100", "westb-12345"):
        choose(two, name)
        qtbot.waitUntil(partial(has_text, button, name), timeout=2_000)


def test_a_long_name_leaves_room_for_the_button(qtbot: QtBot, stage: Make) -> None:
    long = type(TARGET)("root@h:22", "a/b", "root@h", name="a-name-that-is-much-too-long-for-this")
    play = stage(target=long)
    play.window.resize(520, 420)
    qtbot.waitUntil(lambda: play.window.width() == 520)
    play.play(preparing())
    stop = child(play.window, "stopButton")
    assert stop.mapTo(play.window, stop.rect().bottomRight()).x() < 520


# -- two at once ---------------------------------------------------------------------------------


def test_what_happens_to_one_host_is_not_shown_on_the_other(two: Stage) -> None:
    two.play(ready())
    two.say("to the first")
    two.play([(0.0, ReplyStarted(1)), (0.0, Delta(1, "from the first"))])
    choose(two, "两张 A100")
    two.play(ready(), OTHER)
    two.play([(1.0, PhaseChanged(Phase.RECONNECTING, ConnectionLost("connection-lost")))])
    assert not child(two.window, "banner").isVisible()
    assert entries(two)[:2] == ["westb-12345\tReconnecting", "两张 A100\tReady"]
    choose(two, "westb-12345")
    assert child(two.window, "banner").isVisible()


def test_a_conversation_goes_on_with_another_host(two: Stage) -> None:
    two.play(ready())
    two.say("to the first")
    two.play([(0.0, ReplyStarted(1)), (0.0, Delta(1, "from the first"))])
    choose(two, "两张 A100")
    two.play(ready(), OTHER)
    two.play([(0.0, Delta(1, " and more"))])
    assert "from the first and more" in two.window.transcript_text
    two.play([(0.0, ReplyDone(1, "stop", None, None, None))])
    two.say("to the second")
    assert [each.content for each in two.talk.replies.asked[2].turns] == [
        "to the first",
        "from the first and more",
        "to the second",
    ]


def test_start_and_stop_reach_the_host_in_front_only(two: Stage) -> None:
    two.play(ready())
    two.play(ready(), OTHER)
    choose(two, "两张 A100")
    click(two.window, "stopButton")
    assert two.intents.calls == []
    assert two.intents.hosts[key_of(OTHER)].calls == [("stop",)]
    two.play([(0.0, PhaseChanged(Phase.OFF))], OTHER)
    click(two.window, "headerStartButton" if two.window.desk.page.begun else "startButton")
    started = ("start", OTHER.host_text, Chosen(OTHER.model))
    assert two.intents.hosts[key_of(OTHER)].calls[1:] == [started]


def test_the_draft_and_the_keyboard_stay_where_one_types(two: Stage) -> None:
    two.window.activateWindow()
    two.play(ready())
    QTest.keyClicks(child(two.window, "composer"), "half a thou")
    two.play(ready(), OTHER)
    QTest.keyClicks(two.window.focusWidget(), "ght")
    choose(two, "两张 A100")
    assert two.window.desk.composer.text == "half a thought"


# -- a host that moved ---------------------------------------------------------------------------


def test_a_host_that_refuses_us_long_enough_is_asked_about_once(
    stage: Make, clipboard: Callable[[str], None]
) -> None:
    play = stage()
    play.play(refused()[:-1])
    assert not child(play.window, "addressBox").isVisible()
    play.play(refused()[-1:])
    assert "Has it a new address or password?" in shown_texts(play)
    clipboard(f"{LINE}\n{PASSWORD}\n")
    field = child(play.window, "addressField")
    QTest.keyClick(field, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert PASSWORD not in shown_texts(play)
    assert isinstance(field, QLineEdit)
    assert field.text() == LINE
    play.play(refused()[-1:])  # the next try failed too: what was pasted stays
    click(play.window, "addressButton")
    assert play.intents.calls == [("move", f"{LINE}\n{PASSWORD}")]
    play.play([(0.0, PhaseChanged(Phase.READY))])
    play.play(refused())
    field = child(play.window, "addressField")
    assert isinstance(field, QLineEdit)
    assert field.text() == ""


def test_over_a_conversation_the_question_stands_in_the_banner(stage: Make) -> None:
    play = stage()
    play.play(ready())
    play.say("question")
    play.play(refused()[-2:])
    field = child(play.window, "addressField")
    assert child(play.window, "banner").isAncestorOf(field)
    QTest.keyClicks(field, LINE)
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert play.intents.calls[-1] == ("move", LINE)


def test_after_a_refused_password_it_is_asked_too(stage: Make) -> None:
    play = stage()
    play.play(wrong_password())
    assert child(play.window, "addressBox").isVisible()


@pytest.mark.parametrize("code", ["host-fake-ip", "not-ssh"])
def test_where_the_network_is_to_blame_no_new_line_is_asked_for(stage: Make, code: str) -> None:
    play = stage()
    error = HostUnreachable(code, host="h", port=22)
    play.play([(0.0, PhaseChanged(Phase.CONNECTING)), (0.0, PhaseChanged(Phase.FAILED, error))])
    assert not child(play.window, "addressBox").isVisible()


def test_what_cannot_be_used_is_said_under_the_field(stage: Make) -> None:
    play = stage()
    play.play(wrong_password())
    next(iter(play.intents.hosts.values())).problem = DestinationError("destination-unclear")
    click(play.window, "addressButton")  # nothing in it: nothing asked
    assert play.intents.calls == []
    QTest.keyClicks(child(play.window, "addressField"), "what is this")
    click(play.window, "addressButton")
    said = shown_texts(play)
    QTest.keyClicks(child(play.window, "addressField"), "?")
    assert len(said) > len(shown_texts(play))


def test_a_wait_before_the_first_connect_asks_too(stage: Make) -> None:
    play = stage()
    error = HostUnreachable("host-refused", host="h", port=22)
    play.play(
        [
            (0.0, PhaseChanged(Phase.CONNECTING)),
            (0.0, Retrying(5, 8.0, error, 60.0, asks=True)),
        ]
    )
    assert child(play.window, "addressBox").isVisible()
    assert "goes on trying for 1 min 0 s" in shown_texts(play)
    assert "Next try in 8 s." in shown_texts(play)
    click(play.window, "retryButton")
    assert play.intents.calls == [("retry",)]


# -- what it costs, and what is not followed -----------------------------------------------------


def test_the_bill_counts_from_when_the_host_was_first_reached(stage: Make) -> None:
    play = stage(target=RENTED)
    bill = child(play.window, "billLabel")
    assert isinstance(bill, QLabel)
    assert not bill.isVisible()
    play.play(ready())
    play.clock.now += 3600
    play.window._follow()
    assert bill.text().endswith("about ¥2.13 so far")
    assert "¥1.98/h × 1 h 4 min" in bill.toolTip()
    assert play.window.listed()[0].bill == "about ¥2.13 so far"


def test_without_a_rate_nothing_is_said_of_a_bill(stage: Make) -> None:
    play = stage()
    play.play(ready())
    assert not child(play.window, "billLabel").isVisible()


def test_what_the_ssh_config_wishes_in_vain_is_named_quietly(stage: Make) -> None:
    assert "bindaddress 10.0.0.7" in shown_texts(stage(target=OTHER))
    assert "SSH config" not in shown_texts(stage(target=THIRD)).replace("from your SSH config", "")


def test_a_first_run_has_no_switcher(stage: Make) -> None:
    play = stage(target=NOBODY)
    assert not child(play.window, "hostButton").isVisible()
    assert "Paperkite" in shown_texts(play)
