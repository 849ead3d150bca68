"""The deliberate step after a host key has changed, and the way to it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QDialog, QLabel, QWidget
from pytestqt.qtbot import QtBot

from desktop.core.errors import HostKeyChanged
from desktop.core.events import PhaseChanged
from desktop.core.phases import Phase
from desktop.ui.changed_key import ChangedKeyDialog
from tests.helpers.screens import CHANGED, FINGERPRINT, Stage
from tests.helpers.window import click


@pytest.fixture
def dialog(stage: Callable[..., Stage]) -> ChangedKeyDialog:
    made = stage()
    dialog = ChangedKeyDialog(made.window, made.texts, CHANGED)
    dialog.open()
    return dialog


def test_both_fingerprints_are_shown(dialog: ChangedKeyDialog) -> None:
    shown = [label.text() for label in dialog.findChildren(QLabel, "fingerprint")]
    assert shown == [CHANGED.facts["expected"], FINGERPRINT]
    assert dialog.fingerprint == FINGERPRINT


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Escape])
def test_the_keys_that_are_pressed_in_passing_decline(
    qtbot: QtBot, dialog: ChangedKeyDialog, key: Qt.Key
) -> None:
    qtbot.keyClick(dialog, key)
    assert not dialog.isVisible()
    assert dialog.result() == QDialog.DialogCode.Rejected


def test_the_new_key_is_trusted_only_by_somebody_who_says_why(
    qtbot: QtBot, dialog: ChangedKeyDialog
) -> None:
    qtbot.mouseClick(dialog.confirm, Qt.MouseButton.LeftButton)
    assert dialog.isVisible()
    sure = dialog.findChild(QCheckBox, "sureBox")
    assert sure is not None
    sure.click()
    qtbot.mouseClick(dialog.confirm, Qt.MouseButton.LeftButton)
    assert dialog.result() == QDialog.DialogCode.Accepted


# -- in the window ---------------------------------------------------------------------------------


def failed(stage: Callable[..., Stage], code: str) -> Stage:
    play = stage()
    play.play([(0.0, PhaseChanged(Phase.FAILED, HostKeyChanged(code, **CHANGED.facts)))])
    return play


def opened(play: Stage) -> ChangedKeyDialog:
    click(play.window, "compareKeysButton")
    dialog = play.window.findChild(ChangedKeyDialog)
    assert dialog is not None
    return dialog


def test_the_keys_are_compared_and_the_new_one_is_trusted_with_clicks(
    qtbot: QtBot, stage: Callable[..., Stage]
) -> None:
    play = failed(stage, "host-key-changed")
    assert play.window.findChild(ChangedKeyDialog) is None, "never shown unasked"
    dialog = opened(play)
    sure = dialog.findChild(QCheckBox, "sureBox")
    assert sure is not None
    sure.click()
    click(dialog, "acceptButton")
    assert play.intents.calls == [("trust", FINGERPRINT)]
    qtbot.waitUntil(lambda: play.window.findChild(ChangedKeyDialog) is None)


def test_who_cancels_trusts_nothing(qtbot: QtBot, stage: Callable[..., Stage]) -> None:
    play = failed(stage, "host-key-changed")
    click(opened(play), "cancelButton")
    qtbot.waitUntil(lambda: play.window.findChild(ChangedKeyDialog) is None)
    assert play.intents.calls == []


@pytest.mark.parametrize("code", ["host-key-mismatch", "host-key-revoked"])
def test_a_key_that_is_stolen_or_not_the_demanded_one_is_not_up_for_trust(
    stage: Callable[..., Stage], code: str
) -> None:
    play = failed(stage, code)
    offered = play.window.findChildren(QWidget, "compareKeysButton")
    assert not any(each.isVisible() for each in offered)
