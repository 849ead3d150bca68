from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QContextMenuEvent, QDropEvent, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from desktop.ui.start.host_field import HostField

LINE = "ssh -p 12345 root@connect.westb.seetacloud.com"
PASSWORD = "s3cret-Of-The-Console"
BOTH = f"{LINE}\n{PASSWORD}\n"


@pytest.fixture
def field(qtbot: QtBot) -> Iterator[HostField]:
    made = HostField()
    qtbot.addWidget(made)
    yield made
    QGuiApplication.clipboard().clear()


def paste(field: HostField, text: str) -> None:
    QGuiApplication.clipboard().setText(text)
    QTest.keyClick(field, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)


def test_line_and_password_pasted_in_one_go_are_taken_apart(field: HostField) -> None:
    heard: list[bool] = []
    field.password_taken.connect(heard.append)
    paste(field, BOTH)
    assert field.text() == LINE
    assert field.whole() == f"{LINE}\n{PASSWORD}"
    assert heard == [True]


def test_a_drop_is_taken_apart_as_a_paste_is(field: HostField) -> None:
    dropped = QMimeData()
    dropped.setText(BOTH)
    event = QDropEvent(
        QPointF(1, 1),
        Qt.DropAction.CopyAction,
        dropped,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    field.dropEvent(event)
    assert (field.text(), field.whole()) == (LINE, f"{LINE}\n{PASSWORD}")


def test_the_menus_paste_takes_it_apart_too(field: HostField) -> None:
    QGuiApplication.clipboard().setText(BOTH)
    where = QPoint(1, 1)
    field.contextMenuEvent(
        QContextMenuEvent(QContextMenuEvent.Reason.Mouse, where, field.mapToGlobal(where))
    )
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    (action,) = [each for each in menu.actions() if each.objectName() == "edit-paste"]
    action.trigger()
    menu.close()
    assert (field.text(), field.whole()) == (LINE, f"{LINE}\n{PASSWORD}")


def test_a_password_goes_with_its_line_and_not_with_another(field: HostField) -> None:
    paste(field, BOTH)
    QTest.keyClicks(field, "x")
    assert field.whole() == LINE + "x"
    field.selectAll()
    paste(field, "root@other")
    assert field.whole() == "root@other"


def test_what_is_pasted_takes_the_place_of_what_is_selected(field: HostField) -> None:
    field.setText("root@old")
    field.selectAll()
    paste(field, BOTH)
    assert field.text() == LINE


def test_an_empty_field_gives_nothing_whatever_was_pasted_before(field: HostField) -> None:
    paste(field, BOTH)
    field.clear()
    assert field.whole() == ""
