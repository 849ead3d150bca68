"""Where the hints of errors say that something is set, it is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QComboBox, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from desktop.core.bill import Price
from desktop.core.spellings import SPELLINGS
from desktop.core.texts import Texts
from desktop.ui.planner.options import Options
from desktop.ui.theme import Theme
from tests.helpers.settings_screens import settings_dialog
from tests.helpers.window import child, click

EN = Texts("en")
IN_SETTINGS = sorted(name for name, each in SPELLINGS.items() if each.window[0] == "settings.title")


@pytest.fixture
def options(qtbot: QtBot) -> Iterator[Options]:
    made = Options(Theme("light"), EN)
    made.show()
    yield made
    made.close()


@pytest.mark.parametrize("name", IN_SETTINGS)
def test_it_is_on_that_page_of_the_settings(name: str, qtbot: QtBot) -> None:
    parent = QWidget()
    dialog = settings_dialog(parent, "en", Theme("light"))
    dialog.show()
    title, page, control = SPELLINGS[name].window
    assert dialog.windowTitle() == EN[title]
    dialog.show_page(page.removeprefix("settings.page."))
    shown = [each.accessibleName() for each in dialog.findChildren(QLineEdit) if each.isVisible()]
    assert EN[control] in shown
    dialog.close()
    parent.deleteLater()


def test_the_context_is_beside_the_models_and_can_be_left_to_us(options: Options) -> None:
    _planner, control = SPELLINGS["length"].window
    lengths = child(options, "plan-length")
    assert isinstance(lengths, QComboBox)
    assert lengths.isVisible()
    assert lengths.accessibleName() == EN[control]
    options.begin("", "", Price(0.0))
    options.offer_lengths(8192, 0)
    assert lengths.itemText(0) == EN[SPELLINGS["any-length"].window[0]]


def test_the_kv_cache_is_under_the_details(options: Options) -> None:
    _planner, details, control = SPELLINGS["kv-cache"].window
    cache = child(options, "plan-kv")
    assert not cache.isVisible()
    assert child(options, "planDetailsButton").accessibleName() == EN[details]
    click(options, "planDetailsButton")
    assert cache.isVisible()
    assert cache.accessibleName() == EN[control]
