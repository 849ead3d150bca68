from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QInputMethodEvent
from PySide6.QtWidgets import QApplication, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from desktop.ui.composer import Editor, State
from tests.helpers.scenes import settle
from tests.helpers.screens import Stage, ready, talking

Make = Callable[..., Stage]


def editor_of(stage: Stage) -> Editor:
    found = stage.window.findChild(Editor, "composer")
    assert found is not None
    return found


class Drawn(QObject):
    """Counts how often a widget is drawn."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self.count = 0
        widget.installEventFilter(self)

    def eventFilter(self, _: QObject, event: QEvent) -> bool:  # noqa: N802
        self.count += event.type() == QEvent.Type.Paint
        return False


def test_enter_sends_what_was_typed_and_empties_the_field(qtbot: QtBot, stage: Make) -> None:
    play = stage()
    play.play(ready())
    editor = editor_of(play)
    qtbot.keyClicks(editor, "hello")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    assert play.talk.replies.said == ["hello"]
    assert editor.toPlainText() == ""


def test_shift_enter_breaks_the_line(qtbot: QtBot, stage: Make) -> None:
    play = stage()
    play.play(ready())
    editor = editor_of(play)
    qtbot.keyClicks(editor, "a")
    qtbot.keyClick(editor, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClicks(editor, "b")
    assert editor.toPlainText() == "a\nb"
    assert play.talk.replies.said == []


def test_enter_inside_a_composition_is_the_input_methods(qtbot: QtBot, stage: Make) -> None:
    play = stage()
    play.play(ready())
    editor = editor_of(play)
    QApplication.sendEvent(editor, QInputMethodEvent("zhi yuan", []))
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    assert play.talk.replies.said == []
    commit = QInputMethodEvent()
    commit.setCommitString("纸鸢")
    QApplication.sendEvent(editor, commit)
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    assert play.talk.replies.said == ["纸鸢"]


def test_it_grows_with_the_text_up_to_eight_lines(stage: Make) -> None:
    editor = editor_of(stage())
    one = editor.height()
    editor.setPlainText("\n" * 3)
    four = editor.height()
    editor.setPlainText("\n" * 7)
    eight = editor.height()
    editor.setPlainText("\n" * 50)
    assert one < four < eight == editor.height()


def test_a_long_text_has_no_bar_below_it_at_any_width(stage: Make) -> None:
    editor = editor_of(stage())
    editor.setPlainText("> " + "This is a sentence of it. " * 60 + "\n\nthe end")
    for width in range(200, 700, 7):
        editor.resize(width, editor.height())
        QApplication.processEvents()
        assert not editor.horizontalScrollBar().isVisible(), width
        assert editor.cursorRect().bottom() <= editor.viewport().height()


def test_the_placeholder_of_another_kind_of_conversation_is_drawn_at_once(stage: Make) -> None:
    composer = stage().window.desk.composer
    composer.editor.clearFocus()
    composer.show_state(State(one_shot=True))
    settle()
    before = composer.editor.grab().toImage()
    drawn = Drawn(composer.editor.viewport())
    composer.show_state(State())
    settle()
    assert drawn.count
    assert composer.editor.grab().toImage() != before


def test_a_placeholder_is_cut_where_the_field_is_narrow(stage: Make) -> None:
    editor = editor_of(stage())
    editor.setPlaceholderText("The beginning of a text, which the model continues")
    whole = editor.placeholderText()
    editor.resize(180, editor.height())
    assert editor.placeholderText().endswith("…")
    assert editor.fontMetrics().horizontalAdvance(editor.placeholderText()) < 180
    editor.resize(900, editor.height())
    assert editor.placeholderText() == whole


def test_while_nothing_starts_one_may_write_but_not_send(qtbot: QtBot, stage: Make) -> None:
    play = stage()
    editor = editor_of(play)
    qtbot.keyClicks(editor, "early")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    button = play.window.findChild(QPushButton, "sendButton")
    assert button is not None
    assert not button.isEnabled()
    assert play.talk.replies.said == []
    assert editor.toPlainText() == "early"


def test_while_a_reply_streams_the_button_stops_it_and_enter_does_nothing(
    qtbot: QtBot, stage: Make
) -> None:
    play = stage()
    play.play(ready())
    play.say("one")
    play.play(talking()[:2])
    editor = editor_of(play)
    qtbot.keyClicks(editor, "two")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    button = play.window.findChild(QPushButton, "sendButton")
    assert button is not None
    assert button.accessibleName() == "Stop the reply"
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert (play.talk.replies.said, play.talk.replies.cancelled) == (["one"], [1])
