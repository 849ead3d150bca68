"""The endpoint for other programs: copied by clicks, the key shown only on request."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from desktop.core.errors import ForwardFailed
from desktop.ui.endpoint.dialog import EndpointDialog
from desktop.ui.theme import Theme
from tests.helpers.endpoint_screens import ENDPOINT, endpoint_dialog
from tests.helpers.on_screen import everything
from tests.helpers.window import child, click


@pytest.fixture
def dialog(qtbot: QtBot) -> Iterator[EndpointDialog]:
    parent = QWidget()
    made = endpoint_dialog(parent, "en", Theme("light"))
    made.show_endpoint(ENDPOINT, shared=True, others=2)
    made.show()
    yield made
    made.close()
    parent.deleteLater()


def everything_said(dialog: EndpointDialog) -> str:
    fields = [each.text() for each in dialog.findChildren(QLineEdit)]
    return "\n".join(
        [*fields, *(each.toPlainText() for each in dialog.findChildren(QPlainTextEdit))]
    )


@pytest.mark.parametrize("name", ["shared_url", "api_key", "model"])
def test_each_part_is_copied_by_a_click(dialog: EndpointDialog, name: str) -> None:
    click(dialog, f"{name}CopyButton")
    assert QGuiApplication.clipboard().text() == getattr(ENDPOINT, name)


def test_the_key_is_shown_only_on_request_and_copied_whole_all_the_same(
    dialog: EndpointDialog,
) -> None:
    assert ENDPOINT.api_key not in everything_said(dialog)
    click(dialog, "snippetCopyButton")
    assert ENDPOINT.api_key in QGuiApplication.clipboard().text()
    click(dialog, "showKeyButton")
    assert everything_said(dialog).count(ENDPOINT.api_key) == 2
    dialog.show_endpoint(None, shared=True, others=0)
    dialog.show_endpoint(ENDPOINT, shared=True, others=0)
    assert ENDPOINT.api_key not in everything_said(dialog)  # hidden again


def test_another_program_gets_another_text(dialog: EndpointDialog) -> None:
    choice = dialog.findChild(QComboBox, "clientChoice")
    assert choice is not None
    before = everything_said(dialog)
    choice.setFocus()
    QTest.keyClick(choice, Qt.Key.Key_Down)
    assert "from openai import OpenAI" in everything_said(dialog)
    assert everything_said(dialog) != before


def test_the_switch_is_told_and_what_is_off_cannot_be_copied(dialog: EndpointDialog) -> None:
    wished: list[bool] = []
    dialog.shared.connect(wished.append)
    box = child(dialog, "shareBox")
    assert isinstance(box, QCheckBox)
    box.click()
    assert wished == [False]
    dialog.show_endpoint(ENDPOINT, shared=False, others=0)
    assert wished == [False]  # what is shown is no wish
    assert not any(each.isEnabled() for each in dialog.findChildren(QPushButton))


def test_a_port_that_is_taken_is_said_with_what_to_do(dialog: EndpointDialog) -> None:
    taken = ForwardFailed("local-port-taken", port=8000, reason="in use")
    refused = replace(ENDPOINT, shared_url="", not_shared=taken)
    dialog.show_endpoint(refused, shared=True, others=0)
    said = everything(dialog)
    assert "Other programs cannot use this model: Another program" in said
    assert "8000" in said
    assert not any(each.isEnabled() for each in dialog.findChildren(QPushButton))
    dialog.show_endpoint(ENDPOINT, shared=True, others=0)
    assert child(dialog, "shared_urlCopyButton").isEnabled()


def test_every_control_has_a_name(dialog: EndpointDialog) -> None:
    for control in dialog.findChildren(QWidget):
        if isinstance(control, QPushButton | QLineEdit | QComboBox | QPlainTextEdit):
            assert control.accessibleName(), control.objectName()
