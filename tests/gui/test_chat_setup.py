"""What a conversation asks of the model: only what was chosen is sent."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QLineEdit, QPlainTextEdit
from pytestqt.qtbot import QtBot

from desktop.core.chat.ask import request
from desktop.core.chat.conversation import Sampling, Setup
from desktop.ui.chats.numbers import NUMBERS, Number, shown, stops, stops_text, typed
from tests.helpers.chatting import click_row, exchange, messages, press, tool
from tests.helpers.screens import ENDPOINT, Stage
from tests.helpers.window import child, click


@pytest.fixture
def play(play: Stage) -> Stage:
    tool(play, "tuneButton").click()
    return play


def write(play: Stage, name: str, text: str) -> None:
    field = child(play.window, name)
    assert isinstance(field, QLineEdit | QPlainTextEdit)
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, text)
    play.window._setup.flush()


def sent(play: Stage) -> dict[str, Any]:
    """Return the request that the last question became."""
    ask = play.talk.replies.asked[max(play.talk.replies.asked)]
    return request(ENDPOINT, ask)


def test_nothing_that_was_not_chosen_is_sent(play: Stage) -> None:
    exchange(play, "question", "answer")
    assert sent(play).keys() == {"model", "stream", "stream_options", "messages", "extra_body"}
    assert sent(play)["extra_body"] == {"stop_token_ids": [7]}


def test_the_values_of_the_blog_are_sent_exactly(play: Stage) -> None:
    for name, text in {
        "temperature": "0.6",
        "top_p": "0.8",
        "top_k": "40",
        "min_p": "0.05",
        "repetition_penalty": "1.05",
        "max_tokens": "200",
        "seed": "42",
    }.items():
        write(play, f"{name}Field", text)
    write(play, "stopField", "###")
    write(play, "systemField", "Be brief.")
    exchange(play, "question", "answer")
    body = sent(play)
    assert (body["temperature"], body["top_p"], body["max_tokens"]) == (0.6, 0.8, 200)
    assert (body["seed"], body["stop"]) == (42, ["###"])
    assert body["messages"][0] == {"role": "system", "content": "Be brief."}
    extra = {"top_k": 40, "min_p": 0.05, "repetition_penalty": 1.05, "stop_token_ids": [7]}
    assert body["extra_body"] == extra


def test_a_completion_is_one_prompt_and_what_follows(play: Stage) -> None:
    kind = child(play.window, "kindChoice")
    assert isinstance(kind, QComboBox)
    kind.setCurrentIndex(1)
    kind.activated.emit(1)
    assert "beginning of a text" in play.window.desk.composer.editor.placeholderText()
    exchange(play, "Once upon a time", " there was a kite.")
    assert sent(play)["prompt"] == "Once upon a time"
    assert not child(play.window, "systemField").isVisible()


def test_the_models_own_values_stand_in_grey(play: Stage) -> None:
    field = child(play.window, "temperatureField")
    assert isinstance(field, QLineEdit)
    assert (field.text(), field.placeholderText()) == ("", "0.6")
    penalty = child(play.window, "repetition_penaltyField")
    assert isinstance(penalty, QLineEdit)
    assert penalty.placeholderText() == "model's own"


@pytest.mark.parametrize("text", ["warm", "3", "-0.1", "nan", "1e400"])
def test_what_no_engine_takes_is_marked_and_never_sent(play: Stage, text: str) -> None:
    write(play, "temperatureField", text)
    assert child(play.window, "temperatureField").property("wrong") == "true"
    exchange(play, "question", "answer")
    assert "temperature" not in sent(play)
    write(play, "temperatureField", "0.5")
    assert child(play.window, "temperatureField").property("wrong") == "false"


def test_each_conversation_has_its_own(play: Stage) -> None:
    write(play, "temperatureField", "0.1")
    exchange(play, "cold", "answer")
    press(play.window, "Ctrl+N")
    assert child(play.window, "temperatureField").property("text") == ""
    exchange(play, "warm", "answer")
    assert "temperature" not in sent(play)
    click_row(play, "cold")
    assert child(play.window, "temperatureField").property("text") == "0.1"


def test_reset_leaves_the_system_prompt(play: Stage) -> None:
    write(play, "temperatureField", "0.1")
    write(play, "systemField", "Be brief.")
    click(play.window, "resetSetupButton")
    assert play.window.desk.setup == Setup(system="Be brief.")
    assert child(play.window, "temperatureField").property("text") == ""


def test_the_system_prompt_stands_over_what_was_said(play: Stage) -> None:
    write(play, "systemField", "Be brief.")
    exchange(play, "question", "answer")
    assert messages(play) == ["Be brief.", "question", "answer"]


def test_a_saved_system_prompt_is_taken_from_the_library(play: Stage) -> None:
    write(play, "systemField", "You are a sailor.")
    panel = play.window._setup.panel
    assert panel is not None
    library = panel._library
    library.save("Sailor")
    write(play, "systemField", "something else")
    menu = library.menu()
    menu.actions()[0].trigger()
    menu.deleteLater()
    play.window._setup.flush()
    assert play.window.desk.setup.system == "You are a sailor."
    assert play.talk.store.prompts() == {"Sailor": "You are a sailor."}


def test_thinking_is_offered_where_the_model_has_a_switch(play: Stage) -> None:
    choice = child(play.window, "thinkingChoice")
    assert not choice.isVisible()
    play.window._setup.show_setup(play.window.desk.setup, "Qwen/Qwen3-8B-AWQ")
    assert choice.isVisible()


def test_escape_closes_it_and_the_keyboard_goes_back(qtbot: QtBot, play: Stage) -> None:
    QTest.keyClick(child(play.window, "temperatureField"), Qt.Key.Key_Escape)
    assert not child(play.window, "setupPanel").isVisible()


def test_what_was_just_typed_is_taken_when_another_conversation_is_opened(play: Stage) -> None:
    exchange(play, "first", "answer")
    first = play.window.desk.current
    field = child(play.window, "temperatureField")
    field.setFocus()
    QTest.keyClicks(field, "0.3")
    press(play.window, "Ctrl+N")
    found = play.talk.store.conversation(first)
    assert found is not None
    assert found.setup.sampling.temperature == 0.3
    assert play.window.desk.setup == Setup()


# -- the numbers ---------------------------------------------------------------------------------


def test_every_number_of_the_sampling_has_a_field() -> None:
    names = {each.name for each in NUMBERS}
    assert names | {"stop"} == set(Sampling.__dataclass_fields__)


@pytest.mark.parametrize(
    ("text", "value"), [("", None), ("0.7", 0.7), (" 1 ", 1.0), ("0，7", 0.7), ("0,7", 0.7)]
)
def test_a_number_is_read_as_people_type_it(text: str, value: float | None) -> None:
    assert typed(NUMBERS[0], text) == value


@pytest.mark.parametrize("text", ["1.5", "x", "0"])
def test_a_whole_number_has_no_fraction(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        typed(Number("n", 1, 9, whole=True), text)


def test_stop_sequences_are_typed_line_by_line() -> None:
    assert stops("a\n\\n\\n\n\nb") == ("a", "\n\n", "b")
    assert stops(stops_text(("a", "\n\n", "b"))) == ("a", "\n\n", "b")
    assert [shown(each) for each in (None, 0.6, 40, 1.0)] == ["", "0.6", "40", "1"]
