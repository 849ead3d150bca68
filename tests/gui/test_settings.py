"""The settings, changed by keys and clicks; what is changed holds at once, and is kept."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QWidget,
)
from pytestqt.qtbot import QtBot

from desktop.core.settings import Settings
from desktop.ui.settings.dialog import Change, SettingsDialog
from desktop.ui.theme import Theme
from tests.helpers.settings_screens import PAGES, settings_dialog


@pytest.fixture
def dialog(qtbot: QtBot) -> Iterator[SettingsDialog]:
    parent = QWidget()
    made = settings_dialog(parent, "en", Theme("light"))
    made.show()
    yield made
    made.close()
    parent.deleteLater()


@pytest.fixture
def kept(dialog: SettingsDialog) -> list[Settings]:
    changed: list[Settings] = [Settings()]

    def keep(how: Change) -> None:
        changed.append(how(changed[-1]))

    dialog.changed.connect(keep)
    return changed


def test_a_choice_is_kept_as_soon_as_it_is_made(
    dialog: SettingsDialog, kept: list[Settings]
) -> None:
    combo = dialog.findChild(QComboBox, "languageChoice")
    assert combo is not None
    combo.setFocus()
    QTest.keyClick(combo, Qt.Key.Key_Down)
    assert kept[-1].language == "zh"


def test_a_switch_is_kept_by_a_click(dialog: SettingsDialog, kept: list[Settings]) -> None:
    box = dialog.findChild(QCheckBox, "notificationsBox")
    assert box is not None
    box.click()
    assert kept[-1].notifications is False


def test_minutes_are_typed_and_zero_is_said_in_words(
    dialog: SettingsDialog, kept: list[Settings]
) -> None:
    dialog.show_page("guards")
    field = dialog.findChild(QSpinBox, "idle_minutesField")
    assert field is not None
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, "0")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert kept[-1].idle_minutes == 0
    assert field.text() == "Never"


def test_what_cannot_be_used_is_marked_and_not_kept(
    dialog: SettingsDialog, kept: list[Settings]
) -> None:
    dialog.show_page("network")
    field = dialog.findChild(QLineEdit, "proxyField")
    assert field is not None
    for typed, good in (("socks5://me:secret@127.0.0.1:1", False), ("http://127.0.0.1:7890", True)):
        field.setFocus()
        field.selectAll()
        QTest.keyClicks(field, typed)
        QTest.keyClick(field, Qt.Key.Key_Return)
        assert (kept[-1].proxy == typed) is good
        assert (field.property("wrong") != "true") is good


def test_a_token_is_given_once_and_never_shown(dialog: SettingsDialog) -> None:
    given: list[str] = []
    dialog.token_given.connect(given.append)
    dialog.show_page("network")
    field = dialog.findChild(QLineEdit, "tokenField")
    assert field is not None
    assert field.echoMode() is QLineEdit.EchoMode.Password
    QTest.keyClicks(field, "ms-secret")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert given == ["ms-secret"]
    assert field.text() == ""
    forget = dialog.findChild(QPushButton, "forgetTokenButton")
    assert forget is not None
    forget.click()
    assert given == ["ms-secret", ""]


def test_every_control_has_a_name_and_can_be_reached_by_the_keyboard(
    dialog: SettingsDialog,
) -> None:
    for page in PAGES:
        dialog.show_page(page)
        for control in dialog.findChildren(QWidget):
            if not isinstance(control, QCheckBox | QComboBox | QLineEdit | QSpinBox | QPushButton):
                continue
            if control.objectName().startswith("qt_"):
                continue  # a part of one of the others
            assert control.accessibleName(), control.objectName()
            assert control.focusPolicy() & Qt.FocusPolicy.TabFocus, control.objectName()


def test_escape_closes_it(dialog: SettingsDialog) -> None:
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()


def test_no_text_is_interpreted(dialog: SettingsDialog) -> None:
    assert all(
        each.textFormat() is Qt.TextFormat.PlainText
        for each in dialog.findChildren(QLabel)
        if each.text()
    )
