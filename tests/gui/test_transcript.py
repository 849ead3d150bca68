from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from desktop.core.events import ReplyDone, Usage
from desktop.core.texts import Texts
from desktop.ui.theme import Theme
from desktop.ui.transcript.blocks import ReasoningBlock
from desktop.ui.transcript.code import CodeBlock
from desktop.ui.transcript.selection import Place, Selection
from desktop.ui.transcript.view import Transcript
from tests.helpers.screens import REPLY

CODE = "Look:\n\n```python\nprint('hi')\n```\n\nDone."


@pytest.fixture
def view(qtbot: QtBot) -> Iterator[Transcript]:
    made = Transcript(Theme("light"), Texts("en"))
    made.resize(900, 500)
    made.show()
    yield made
    made.close()


def reply(view: Transcript, text: str, number: int = 1, chunk: int = 9) -> None:
    view.begin(number)
    for at in range(0, len(text), chunk):
        view.append(number, text[at : at + chunk])
    view.finish(ReplyDone(number, "stop", Usage(3, 9), 0.2, 30.0))


def kinds(view: Transcript) -> list[str]:
    return [type(block).__name__ for block in view.flow.blocks]


def test_a_reply_ends_with_its_figures(view: Transcript) -> None:
    view.say("hello")
    reply(view, CODE)
    assert kinds(view) == ["UserBlock", "RichBlock", "CodeBlock", "RichBlock", "NoteBlock"]
    assert view.flow.blocks[-1]._lines == ["9 tokens ⋅ 30.0 tokens/s ⋅ first token after 0.20 s"]


def test_the_end_says_why_where_it_is_no_ordinary_one(view: Transcript) -> None:
    view.begin(1)
    view.append(1, "cut")
    view.finish(ReplyDone(1, "length", None, None, None))
    assert view.flow.blocks[-1]._lines == ["cut off: length limit reached"]


def test_closed_blocks_are_not_laid_out_again(view: Transcript) -> None:
    view.begin(1)
    view.append(1, "first paragraph\n\nsecond")
    first = view.flow.blocks[0].document
    for _ in range(20):
        view.append(1, " word")
    assert view.flow.blocks[0].document is first


def test_it_follows_the_end_until_the_reader_goes_up(view: Transcript) -> None:
    reply(view, REPLY * 3)
    bar = view.verticalScrollBar()
    assert bar.value() == bar.maximum() > 0
    bar.setValue(100)
    reply(view, REPLY, number=2)
    assert bar.value() < bar.maximum() - 500
    view.to_end()
    assert bar.value() == bar.maximum()


def test_what_is_read_does_not_jump_when_text_arrives_below(view: Transcript) -> None:
    reply(view, REPLY * 3)
    bar = view.verticalScrollBar()
    bar.setValue(bar.maximum() // 2)
    index, inside = view.block_at(QPointF(450, 10)) or (0, QPointF())
    reply(view, REPLY, number=2)
    again, where = view.block_at(QPointF(450, 10)) or (0, QPointF())
    assert again == index
    assert abs(where.y() - inside.y()) < 1.5


def test_a_long_conversation_is_laid_out_only_where_it_is_seen(view: Transcript) -> None:
    for number in range(60):
        view.say(f"question {number}")
        reply(view, "A paragraph.\n\n" * 12, number=number, chunk=10_000)
    assert len(view.flow.blocks) > 700
    view._renew()
    built = sum(block.document is not None for block in view.flow.blocks)
    assert 0 < built < 60


def test_selecting_over_blocks_copies_markdown_of_whole_blocks(view: Transcript) -> None:
    reply(view, "one **bold** word\n\ntwo\n\nthree")
    last = view.flow.blocks[2]
    view.select(Selection(Place(0, 4), Place(2, last.length())))
    view.copy()
    assert QGuiApplication.clipboard().text() == "bold word\n\ntwo\n\nthree"
    view.select_all()
    view.copy()
    assert QGuiApplication.clipboard().text() == "one **bold** word\n\ntwo\n\nthree"


def test_dragging_selects(qtbot: QtBot, view: Transcript) -> None:
    reply(view, "one two three")
    left = int(view.column()[0])
    port = view.viewport()
    qtbot.mousePress(port, Qt.MouseButton.LeftButton, pos=QPoint(left, 30))
    qtbot.mouseMove(port, QPoint(left + 400, 30))
    qtbot.mouseRelease(port, Qt.MouseButton.LeftButton, pos=QPoint(left + 400, 30))
    qtbot.keyClick(view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == "one two three"


def test_the_copy_button_copies_the_code_and_says_so(qtbot: QtBot, view: Transcript) -> None:
    reply(view, CODE)
    index = kinds(view).index("CodeBlock")
    left, width = view.column()
    where = QPoint(int(left + width - 20), int(view.flow.top(index) + 12))
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=where)
    code = view.flow.blocks[index]
    assert QGuiApplication.clipboard().text() == "print('hi')"
    assert isinstance(code, CodeBlock)
    assert code.copied
    qtbot.waitUntil(lambda: not code.copied, timeout=4000)


def test_reasoning_is_one_line_that_opens(qtbot: QtBot, view: Transcript) -> None:
    view.begin(1)
    view.reason(1, "first this,\nthen that")
    thinking = view.flow.blocks[0]
    assert isinstance(thinking, ReasoningBlock)
    closed = view.flow.height
    left = int(view.column()[0])
    where = QPoint(left + 20, int(view.flow.top(0)) + 10)
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=where)
    assert view.flow.height > closed
    view.append(1, "answer")
    assert kinds(view) == ["ReasoningBlock", "RichBlock"]
    assert thinking.title == "Thought about it"


def test_a_resize_keeps_the_end_in_sight(view: Transcript, qtbot: QtBot) -> None:
    reply(view, REPLY)
    view.resize(560, 500)
    qtbot.waitUntil(lambda: view.viewport().width() < 570)
    bar = view.verticalScrollBar()
    assert bar.value() == bar.maximum() > 0


def test_a_change_of_theme_redraws_everything(view: Transcript) -> None:
    reply(view, CODE)
    before = view.grab().toImage().pixelColor(5, 5)
    view._theme.choose("dark")
    assert view.grab().toImage().pixelColor(5, 5) != before


def test_text_of_a_reply_that_is_over_is_ignored(view: Transcript) -> None:
    reply(view, "done")
    view.append(1, "late")
    assert "late" not in view.plain_text()
