"""The price of a host, typed once; and the question whether an idle model is still needed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from desktop.core import providers
from desktop.core.explain import Language
from desktop.core.texts import Texts
from desktop.ui.idle_bar import IdleBar, sentence
from desktop.ui.rate.dialog import RateDialog
from desktop.ui.theme import Theme

Chosen = list[tuple[float, str, float]]


@pytest.fixture
def opened(qtbot: QtBot) -> Callable[..., tuple[RateDialog, Chosen]]:
    """Give what opens the dialog, and what it has chosen."""
    ground = QWidget()
    qtbot.addWidget(ground)

    def open_(
        *known: object, provider: str = "", language: Language = "en"
    ) -> tuple[RateDialog, Chosen]:
        found = providers.find(provider)
        made = RateDialog(ground, Theme("light"), Texts(language), "box", found, *known)  # type: ignore[arg-type]
        chosen: Chosen = []
        made.chosen.connect(lambda rate, currency, limit: chosen.append((rate, currency, limit)))
        made.show()
        return made, chosen

    return open_


def field(dialog: RateDialog, name: str) -> QLineEdit:
    found = dialog.findChild(QLineEdit, name)
    assert isinstance(found, QLineEdit)
    return found


def said(dialog: RateDialog, name: str) -> str:
    found = dialog.findChild(QLabel, name)
    assert isinstance(found, QLabel)
    return found.text()


def type_into(qtbot: QtBot, where: QLineEdit, text: str) -> None:
    where.selectAll()
    qtbot.keyClick(where, Qt.Key.Key_Delete)
    qtbot.keyClicks(where, text)


def test_a_price_is_typed_and_enter_keeps_it(
    opened: Callable[..., tuple[RateDialog, Chosen]], qtbot: QtBot
) -> None:
    dialog, chosen = opened(provider="autodl")
    type_into(qtbot, field(dialog, "rateField"), "1,98")
    assert said(dialog, "rateUnderstood") == "¥1.98/h ⋅ ¥47.52 a day"
    qtbot.keyClick(field(dialog, "rateField"), Qt.Key.Key_Return)
    assert chosen == [(1.98, "CNY", 0.0)]
    assert not dialog.isVisible()


def test_a_currency_that_is_typed_is_taken(
    opened: Callable[..., tuple[RateDialog, Chosen]], qtbot: QtBot
) -> None:
    dialog, chosen = opened(provider="autodl")
    type_into(qtbot, field(dialog, "rateField"), "$0.44/h")
    dialog.confirm.click()
    assert chosen == [(0.44, "USD", 0.0)]


def test_a_limit_says_how_long_it_lasts(
    opened: Callable[..., tuple[RateDialog, Chosen]], qtbot: QtBot
) -> None:
    dialog, chosen = opened(2.0, "CNY")
    type_into(qtbot, field(dialog, "limitField"), "10")
    assert "5 h" in said(dialog, "limitUnderstood")
    dialog.confirm.click()
    assert chosen == [(2.0, "CNY", 10.0)]


@pytest.mark.parametrize(("price", "limit"), [("two", ""), ("2", "much"), ("", "10")])
def test_what_is_no_price_cannot_be_kept(
    opened: Callable[..., tuple[RateDialog, Chosen]], qtbot: QtBot, price: str, limit: str
) -> None:
    dialog, chosen = opened()
    type_into(qtbot, field(dialog, "rateField"), price)
    type_into(qtbot, field(dialog, "limitField"), limit)
    assert not dialog.confirm.isEnabled()
    qtbot.keyClick(field(dialog, "limitField"), Qt.Key.Key_Return)
    assert chosen == []
    wrong = [each for each in ("rateField", "limitField") if field(dialog, each).property("wrong")]
    assert len(wrong) == 1
    assert field(dialog, wrong[0]).accessibleDescription()


def test_an_empty_price_forgets_the_old_one(
    opened: Callable[..., tuple[RateDialog, Chosen]], qtbot: QtBot
) -> None:
    dialog, chosen = opened(2.0, "CNY")
    type_into(qtbot, field(dialog, "rateField"), "")
    dialog.confirm.click()
    assert chosen == [(0.0, "", 0.0)]


def test_a_usual_price_is_one_click(
    opened: Callable[..., tuple[RateDialog, Chosen]], qtbot: QtBot
) -> None:
    dialog, chosen = opened(provider="autodl")
    offers = [
        each for each in dialog.findChildren(QPushButton) if each.objectName() == "offerButton"
    ]
    assert [each.text() for each in offers] == [
        "RTX 4090: about ¥2.00/h",
        "RTX 3090: about ¥1.50/h",
    ]
    qtbot.mouseClick(offers[1], Qt.MouseButton.LeftButton)
    dialog.confirm.click()
    assert chosen == [(1.5, "CNY", 0.0)]


def test_a_provider_whose_prices_nobody_knows_offers_none(
    opened: Callable[..., tuple[RateDialog, Chosen]],
) -> None:
    dialog, _ = opened(provider="vast")
    assert not dialog.findChildren(QPushButton, "offerButton")
    box = dialog.findChild(QComboBox, "rateCurrency")
    assert isinstance(box, QComboBox)
    assert box.currentText() == "USD"


@pytest.mark.parametrize(("language", "currency"), [("zh", "CNY"), ("en", "USD")])
def test_a_host_of_nobody_begins_with_the_languages_currency(
    opened: Callable[..., tuple[RateDialog, Chosen]], language: Language, currency: str
) -> None:
    dialog, _ = opened(language=language)
    box = dialog.findChild(QComboBox, "rateCurrency")
    assert isinstance(box, QComboBox)
    assert box.currentText() == currency


def test_what_was_typed_before_is_there_again(
    opened: Callable[..., tuple[RateDialog, Chosen]],
) -> None:
    dialog, chosen = opened(0.345, "CHF", 20.0)
    assert field(dialog, "rateField").text() == "0.345"
    assert field(dialog, "limitField").text() == "20"
    dialog.confirm.click()
    assert chosen == [(0.345, "CHF", 20.0)]


def test_escape_changes_nothing(
    opened: Callable[..., tuple[RateDialog, Chosen]], qtbot: QtBot
) -> None:
    dialog, chosen = opened(2.0, "CNY")
    type_into(qtbot, field(dialog, "rateField"), "9")
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert chosen == []
    assert not dialog.isVisible()


# -- still needed? ---------------------------------------------------------------------------------


@pytest.fixture
def bar(qtbot: QtBot) -> IdleBar:
    made = IdleBar(Texts("en"))
    qtbot.addWidget(made)
    return made


def test_the_question_says_for_how_long_and_what_that_has_cost() -> None:
    assert sentence("box", 900, 1.98, "CNY", Texts("en")) == (
        "Nobody has asked box anything for 15 min. That has cost ¥0.49."
    )
    assert sentence("box", 900, 0.0, "", Texts("zh")) == "box 已经 15 分钟没有收到请求。"


@pytest.mark.parametrize(
    ("name", "signal"), [("stop", "stopped"), ("snooze", "snoozed"), ("mute", "muted")]
)
def test_each_answer_is_heard_once_and_the_question_goes(
    bar: IdleBar, qtbot: QtBot, name: str, signal: str
) -> None:
    assert bar.isHidden()
    bar.ask("Still needed?")
    assert bar.accessibleName() == "Still needed?"
    button = bar.findChild(QPushButton, f"idle-{name}")
    with qtbot.waitSignal(getattr(bar, signal), timeout=1000):
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert bar.isHidden()


def test_every_answer_can_be_given_by_the_keyboard(bar: IdleBar, qtbot: QtBot) -> None:
    heard: list[str] = []
    for name, signal in (("stop", bar.stopped), ("snooze", bar.snoozed), ("mute", bar.muted)):
        signal.connect(lambda name=name: heard.append(name))
        bar.ask("Still needed?")
        button = bar.findChild(QPushButton, f"idle-{name}")
        assert isinstance(button, QPushButton)
        assert button.accessibleName()
        qtbot.keyClick(button, Qt.Key.Key_Space)
    assert heard == ["stop", "snooze", "mute"]
