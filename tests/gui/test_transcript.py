"""The transcript: what is laid out, what a reader does with it, and what is left alone."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QApplication, QToolButton
from pytestqt.qtbot import QtBot

from desktop.core.explain import Explanation
from desktop.ui.transcript.access import spoken
from desktop.ui.transcript.block import Block
from desktop.ui.transcript.code import CodeBlock
from desktop.ui.transcript.footer import FooterBlock
from desktop.ui.transcript.plain import FoldBlock
from desktop.ui.transcript.rich import RichBlock
from desktop.ui.transcript.selection import Place, Selection
from desktop.ui.transcript.shown import Action, Shown
from desktop.ui.transcript.table import TableBlock
from desktop.ui.transcript.view import Transcript
from tests.helpers.chat_screens import ZH as REPLY
from tests.helpers.chat_screens import search, settle

RGB = QImage.Format.Format_RGB32
CODE = "Look:\n\n```python\nprint('hi')\n```\n\nDone."


def present(view: Transcript, messages: list[Shown]) -> None:
    view.present(messages)
    settle(view)


def add(view: Transcript, shown: Shown) -> None:
    view.present([*(section.shown for section in view.flow.sections), shown])


def begin(view: Transcript) -> None:
    add(view, Shown("1", "assistant", streaming=True))


def finish(view: Transcript, name: str = "1", figures: str = "9 tokens") -> None:
    (section,) = [each for each in view.flow.sections if each.shown.id == name]
    view.change(replace(section.now(), streaming=False, figures=figures))


def reply(view: Transcript, text: str, name: str = "1", chunk: int = 9) -> None:
    add(view, Shown(name, "assistant", streaming=True))
    for at in range(0, len(text), chunk):
        view.append(name, text[at : at + chunk])
    finish(view, name)


def blocks(view: Transcript) -> list[Block]:
    return [block for section in view.flow.sections for block in section.column.blocks]


def kinds(view: Transcript) -> list[str]:
    return [type(block).__name__ for block in blocks(view)]


def point_of(view: Transcript, kind: type[Block], x: float, y: float) -> QPoint:
    """Return a point of the viewport inside the first block of a kind; x < 0 is from the right."""
    left, width = view.column()
    for section, each in enumerate(view.flow.sections):
        for index, block in enumerate(each.column.blocks):
            if isinstance(block, kind):
                top = view.flow.block_top(section, index) - view.verticalScrollBar().value()
                return QPoint(int(left + x + (width if x < 0 else 0)), int(top + y))
    raise AssertionError(kind)


def figures(view: Transcript) -> str:
    last = blocks(view)[-1]
    assert isinstance(last, FooterBlock)
    return last.shown.figures


def test_a_reply_ends_with_its_figures(view: Transcript) -> None:
    add(view, Shown("0", "user", "hello", actions=frozenset({Action.COPY})))
    reply(view, CODE)
    said = ["UserBlock", "FooterBlock"]
    assert kinds(view) == [*said, "RichBlock", "CodeBlock", "RichBlock", "FooterBlock"]
    assert figures(view) == "9 tokens"


def test_closed_blocks_are_not_laid_out_again(view: Transcript) -> None:
    begin(view)
    view.append("1", "first paragraph\n\nsecond")
    first = blocks(view)[0].document
    for _ in range(20):
        view.append("1", " word")
    assert first is not None
    assert blocks(view)[0].document is first


def test_it_follows_the_end_until_the_reader_goes_up(view: Transcript) -> None:
    reply(view, REPLY * 3)
    bar = view.verticalScrollBar()
    assert bar.value() == bar.maximum() > 0
    bar.setValue(100)
    reply(view, REPLY, name="2")
    assert bar.value() < bar.maximum() - 500
    view.to_end()
    assert bar.value() == bar.maximum()


def test_what_is_read_does_not_jump_when_text_arrives_below(view: Transcript) -> None:
    reply(view, REPLY * 3)
    bar = view.verticalScrollBar()
    bar.setValue(bar.maximum() // 2)
    before = view.block_at(QPointF(450, 10))
    reply(view, REPLY, name="2")
    after = view.block_at(QPointF(450, 10))
    assert before is not None
    assert after is not None
    assert after[0].block is before[0].block
    assert abs(after[1].y() - before[1].y()) < 1.5


def talk(count: int, text: str = "A paragraph.\n\n" * 12) -> list[Shown]:
    return [
        Shown(str(number), "assistant" if number % 2 else "user", text) for number in range(count)
    ]


def test_a_long_conversation_is_split_and_laid_out_only_where_it_is_seen(view: Transcript) -> None:
    present(view, talk(120))
    assert 0 < sum(section.opened for section in view.flow.sections) < 16
    assert 0 < sum(block.document is not None for block in blocks(view)) < 160


def test_selecting_over_blocks_copies_markdown_of_whole_blocks(view: Transcript) -> None:
    reply(view, "one **bold** word\n\ntwo\n\nthree")
    last = blocks(view)[2]
    view.select(Selection(Place(0, 0, 4), Place(0, 2, last.length())))
    view.copy()
    assert QGuiApplication.clipboard().text() == "bold word\n\ntwo\n\nthree"
    view.select_all()
    view.copy()
    assert QGuiApplication.clipboard().text() == "one **bold** word\n\ntwo\n\nthree"


def test_dragging_selects(qtbot: QtBot, view: Transcript) -> None:
    reply(view, "one two three")
    port, start = view.viewport(), point_of(view, RichBlock, 0, 12)
    qtbot.mousePress(port, Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseMove(port, start + QPoint(400, 0))
    qtbot.mouseRelease(port, Qt.MouseButton.LeftButton, pos=start + QPoint(400, 0))
    qtbot.keyClick(view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == "one two three"


def test_the_copy_button_copies_the_code_and_says_so(qtbot: QtBot, view: Transcript) -> None:
    reply(view, CODE)
    where = point_of(view, CodeBlock, -20, 12)
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=where)
    (code,) = [block for block in blocks(view) if isinstance(block, CodeBlock)]
    assert QGuiApplication.clipboard().text() == "print('hi')"
    assert code.fence.copied
    qtbot.waitUntil(lambda: not code.fence.copied, timeout=4000)


def test_reasoning_is_one_line_that_opens(qtbot: QtBot, view: Transcript) -> None:
    begin(view)
    view.reason("1", "first **this**,\nthen that")
    assert kinds(view) == ["FoldBlock"]
    where = point_of(view, FoldBlock, 20, 10)
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=where)
    assert kinds(view) == ["FoldBlock", "RichBlock"]
    view.reason("1", "\n\nand more")
    view.append("1", "answer")
    assert kinds(view) == ["FoldBlock", "RichBlock", "RichBlock", "RichBlock"]
    fold = blocks(view)[0]
    assert isinstance(fold, FoldBlock)
    assert fold.title == "Thought about it"


def test_the_time_that_a_model_thought_is_said(view: Transcript) -> None:
    present(view, [Shown("a", "assistant", "yes", reasoning="hm", reasoning_s=74.0)])
    fold = blocks(view)[0]
    assert isinstance(fold, FoldBlock)
    assert fold.title == "Thought for 1 min 14 s"


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
    view.append("1", "late")
    assert "late" not in view.plain_text()


# -- paths of a conversation ---------------------------------------------------------------------


def test_messages_that_stay_keep_their_blocks(view: Transcript) -> None:
    messages = [Shown("a", "user", "hi"), Shown("b", "assistant", "one\n\ntwo")]
    present(view, messages)
    kept = blocks(view)[0], blocks(view)[2]
    present(view, [*messages, Shown("c", "user", "again")])
    assert (blocks(view)[0], blocks(view)[2]) == kept
    present(view, [messages[0], Shown("d", "assistant", "another version")])
    assert "another version" in view.plain_text()
    assert "two" not in view.plain_text()
    assert blocks(view)[0] is kept[0]


def test_a_message_that_streams_ends_with_the_blocks_of_a_message_that_was_whole(
    view: Transcript,
) -> None:
    present(view, [Shown("a", "assistant", streaming=True)])
    for at in range(0, len(REPLY), 11):
        view.append("a", REPLY[at : at + 11])
    done = Shown("a", "assistant", REPLY, figures="9 tokens")
    view.change(done)
    streamed = [(type(block), block.source(), block.visible()) for block in blocks(view)]
    present(view, [Shown("b", "assistant", REPLY, figures="9 tokens")])
    view.flow.sections[0].open()
    assert [(type(b), b.source(), b.visible()) for b in blocks(view)] == streamed


def test_a_link_may_be_defined_after_it_was_used(view: Transcript) -> None:
    present(view, [Shown("a", "assistant", streaming=True)])
    view.append("a", "see [the paper]\n\n")
    assert blocks(view)[0].visible().strip() == "see [the paper]"
    view.append("a", "[the paper]: https://example.com/\n\n")
    assert blocks(view)[0].visible().strip() == "see the paper"


def test_a_note_says_what_broke_a_reply(view: Transcript) -> None:
    note = Explanation("Connection lost", "The host was silent.", "Continue later.")
    present(view, [Shown("a", "assistant", "half a", note=note)])
    assert kinds(view) == ["RichBlock", "NoteBlock", "FooterBlock"]


# -- finding -----------------------------------------------------------------------------------


def test_finding_counts_in_messages_that_were_never_seen(view: Transcript) -> None:
    messages = talk(80, "nothing here")
    messages[3] = Shown("3", "assistant", "a **ne**edle? no, a needle, and `NEEDLE`")
    messages[70] = Shown("70", "user", "needle")
    present(view, messages)
    assert search(view, "needle") == 4
    assert search(view, "absent") == 0


def test_stepping_through_matches_goes_around_and_shows_them(view: Transcript) -> None:
    messages = talk(80, "nothing here")
    messages[3] = Shown("3", "assistant", "the needle")
    messages[70] = Shown("70", "assistant", "a needle and a needle")
    present(view, messages)
    assert search(view, "needle") == 3
    seen = [view.find_next(1) for _ in range(3)]
    assert sorted(seen) == [1, 2, 3]
    view.find_next(-1)
    match = view._finding.current
    assert match is not None
    top = (
        view.flow.block_top(
            match.section, view.flow.sections[match.section].column.blocks.index(match.block)
        )
        - view.verticalScrollBar().value()
    )
    assert -20 < top < view.viewport().height()


# -- acting ----------------------------------------------------------------------------------------


def test_buttons_of_a_message_say_what_was_pressed(qtbot: QtBot, view: Transcript) -> None:
    present(view, [Shown("a", "assistant", "hello", actions=frozenset({Action.REGENERATE}))])
    view.hover(0)
    button = view.findChild(QToolButton, "message-regenerate")
    assert button.isVisible()
    assert button.accessibleName() == "Regenerate"
    with qtbot.waitSignal(view.acted) as heard:
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert heard.args == ["a", Action.REGENERATE]
    assert not view.findChild(QToolButton, "message-edit").isVisible()


def test_keys_reach_the_actions_of_every_message(qtbot: QtBot, view: Transcript) -> None:
    actions = frozenset({Action.COPY})
    present(view, [Shown(str(n), "assistant", f"text {n}", actions=actions) for n in range(3)])
    for _ in range(3):
        qtbot.keyClick(view, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert spoken(view, view.current or 0) == "The model: text 0"
    button = view.findChild(QToolButton, "message-copy")
    assert button.isVisible()
    button.click()
    assert QGuiApplication.clipboard().text() == "text 0"
    qtbot.keyClick(view, Qt.Key.Key_Escape)
    assert not button.isVisible()


def test_the_stepper_goes_to_other_versions(qtbot: QtBot, view: Transcript) -> None:
    present(view, [Shown("a", "assistant", "hello", branch=(2, 3))])
    where = point_of(view, FooterBlock, 4, 14)
    with qtbot.waitSignal(view.acted) as heard:
        qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=where)
    assert heard.args == ["a", Action.PREVIOUS]


def test_a_link_is_told_and_never_opened(qtbot: QtBot, view: Transcript) -> None:
    present(view, [Shown("a", "assistant", "[click](https://example.com/) [no](file:///etc)")])
    where = point_of(view, RichBlock, 8, 14)
    with qtbot.waitSignal(view.linked) as heard:
        qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=where)
    assert heard.args == ["https://example.com/"]
    with qtbot.assertNotEmitted(view.linked):
        where += QPoint(34, 0)
        qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=where)


# -- looks -----------------------------------------------------------------------------------------


def test_zoom_makes_text_larger_and_goes_back(view: Transcript) -> None:
    present(view, [Shown("a", "assistant", "one\n\ntwo")])
    before = view.flow.height
    view.zoom(3)
    assert view.flow.height > before * 1.1
    view.zoom(0)
    settle(view)
    assert view.flow.height == before


def test_code_that_is_wider_than_the_column_moves_sideways(view: Transcript) -> None:
    present(view, [Shown("a", "assistant", f"```\n{'x' * 400}\n```")])
    seen, _ = view.block_at(QPointF(450, 60)) or (None, None)
    assert seen is not None
    assert view.pan(seen, 100)
    assert not view.pan(seen, -1000) or isinstance(seen.block, CodeBlock)


def test_the_rows_of_a_long_table_share_their_columns(view: Transcript) -> None:
    rows = "\n".join(f"| {n} | {'word ' * (n % 5)} |" for n in range(40))
    present(view, [Shown("a", "assistant", f"| n | text |\n|---|---|\n{rows}")])
    tables = [block for block in blocks(view) if isinstance(block, TableBlock)]
    assert len(tables) == 5
    assert len({id(table.columns) for table in tables}) == 1
    view.select_all()
    view.copy()
    assert QGuiApplication.clipboard().text() == f"| n | text |\n|---|---|\n{rows}"


def test_a_right_to_left_paragraph_stands_at_the_right(view: Transcript) -> None:
    present(view, [Shown("a", "assistant", "السلام عليكم\n\nhello")])
    document = blocks(view)[0].document
    assert document is not None
    assert document.firstBlock().textDirection() is Qt.LayoutDirection.RightToLeft
    line = document.firstBlock().layout().lineAt(0)
    assert line.naturalTextRect().left() > view.column()[1] / 2


# -- pixels ------------------------------------------------------------------------------------


def on_screen(view: Transcript) -> QImage:
    window = view.window().windowHandle()
    return window.screen().grabWindow(view.winId()).toImage().convertToFormat(RGB)


def assert_painted(view: Transcript) -> None:
    """Assert that scrolling and partial painting left what painting everything would give."""
    QApplication.processEvents()
    assert on_screen(view) == view.grab().toImage().convertToFormat(RGB)


def test_building_ahead_leaves_the_right_pixels_on_screen(view: Transcript) -> None:
    view.present([Shown(str(n), "assistant", f"{n}\n\n{REPLY}") for n in range(30)])
    QApplication.processEvents()
    bar = view.verticalScrollBar()
    bar.setValue(bar.maximum() // 2)
    before = bar.value()
    settle(view)
    assert bar.value() != before  # what stands above is not as high as was guessed
    assert_painted(view)


def test_scrolling_while_a_reply_streams_leaves_the_right_pixels_on_screen(
    view: Transcript,
) -> None:
    view.present([Shown("a", "assistant", REPLY), Shown("b", "assistant", streaming=True)])
    settle(view)
    for step in range(40):
        view.verticalScrollBar().setValue(view.verticalScrollBar().value() + (step % 7 - 4) * 20)
        view.append("b", f"More **text**{step}\n\n" if step % 3 else "and more ")
        QApplication.processEvents()
    settle(view)
    assert_painted(view)
