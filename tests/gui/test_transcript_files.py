"""Files that go with a message: one line each, and the text under it once it is wanted."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible, QContextMenuEvent, QGuiApplication
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from desktop.core.chat.conversation import Attachment, Message
from desktop.core.chat.turn import quoting
from desktop.core.texts import Texts
from desktop.ui.chats.message import shown
from desktop.ui.transcript.block import Block
from desktop.ui.transcript.code import CodeBlock
from desktop.ui.transcript.files import FileBlock
from desktop.ui.transcript.plain import UserBlock
from desktop.ui.transcript.shown import Action
from desktop.ui.transcript.view import Transcript
from tests.helpers.chat_screens import LOG, SCRIPT, search, with_files

MENU = QContextMenuEvent.Reason.Keyboard


def present(view: Transcript, typed: str, *files: Attachment) -> None:
    message = Message("m", "", "", "user", typed, 0.0, attachments=files)
    view.present([shown(message, Texts("en"))])


def blocks(view: Transcript) -> list[Block]:
    return view.flow.sections[0].column.blocks


def kinds(view: Transcript) -> list[str]:
    return [type(block).__name__ for block in blocks(view)][:-1]  # the last one is the footer


def click(qtbot: QtBot, view: Transcript, nth: int) -> None:
    """Click the nth line of a file."""
    lines = [seen for seen in view._seen() if isinstance(seen.block, FileBlock)]
    left, width = view.column()
    top = lines[nth].top - view.verticalScrollBar().value()
    where = QPoint(round(left + width - 20), round(top + 10))
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=where)


def test_a_long_file_is_one_line_over_what_was_typed(view: Transcript) -> None:
    view.present(with_files("en"))
    assert kinds(view) == ["FileBlock", "FileBlock", "UserBlock"]
    assert [each.read() for each in blocks(view)[:3]] == [
        "server.log ⋅ 33.5 KB",
        "serve.py ⋅ 45 B",
        "What went wrong in this log?",
    ]
    assert view.flow.sections[0].height < 200
    assert view.verticalScrollBar().maximum() == 0


def test_a_message_that_was_never_seen_is_guessed_without_its_files(view: Transcript) -> None:
    messages = [Message(str(n), "", "", "user", "why?", 0.0, attachments=(LOG,)) for n in range(30)]
    view.present([shown(each, Texts("en")) for each in messages])
    section = view.flow.sections[4]
    guessed = section.height
    assert not section.opened
    section.open()
    assert abs(guessed - section.height) < 60


def test_a_click_opens_a_file_as_code_and_closes_it(qtbot: QtBot, view: Transcript) -> None:
    view.present(with_files("en"))
    click(qtbot, view, 1)
    assert kinds(view) == ["FileBlock", "FileBlock", "CodeBlock", "UserBlock"]
    code = blocks(view)[2]
    assert isinstance(code, CodeBlock)
    assert code.visible() == SCRIPT.text.rstrip()
    assert code.fence.language == "py"
    click(qtbot, view, 1)
    assert kinds(view) == ["FileBlock", "FileBlock", "UserBlock"]


def test_a_long_file_is_laid_out_as_it_comes_into_sight(qtbot: QtBot, view: Transcript) -> None:
    view.present(with_files("en"))
    click(qtbot, view, 0)
    parts = [block for block in blocks(view) if isinstance(block, CodeBlock)]
    assert len(parts) == 7
    assert sum(part.document is not None for part in parts) < 3
    assert parts[0].fence.source == LOG.text.rstrip()


def test_a_click_beside_the_line_opens_nothing(qtbot: QtBot, view: Transcript) -> None:
    view.present(with_files("en"))
    left, _ = view.column()
    where = QPoint(round(left + 30), 34)
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=where)
    assert "CodeBlock" not in kinds(view)


def test_a_file_alone_has_no_empty_bubble(view: Transcript) -> None:
    present(view, "", SCRIPT)
    assert kinds(view) == ["FileBlock"]


def test_a_message_without_files_is_a_bubble_as_ever(view: Transcript) -> None:
    present(view, "only words")
    assert kinds(view) == ["UserBlock"]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", [""]),
        ("a\r\nb\r\n", ["a", "b"]),
        ("a\rb", ["a", "b"]),
        ("\n\na\x0cb\n\n", ["", "", "a\x0cb"]),
    ],
)
def test_what_ends_a_line_ends_one_here(view: Transcript, text: str, lines: list[str]) -> None:
    present(view, "why?", Attachment("file", text))
    view.flow.sections[0].unfold()
    code = blocks(view)[1]
    assert isinstance(code, CodeBlock)
    assert code.fence.source.split("\n") == lines
    assert code.fence.language == ""


def test_copying_the_message_gives_all_of_it(view: Transcript) -> None:
    view.present(with_files("en"))
    whole = quoting("What went wrong in this log?", (LOG, SCRIPT))
    view._act("1", Action.COPY)
    assert QGuiApplication.clipboard().text() == whole
    assert view.plain_text().startswith(whole)


def test_words_in_a_folded_file_are_found_and_the_file_opens(view: Transcript) -> None:
    view.present(with_files("en"))
    assert search(view, "out of memory") == 2  # the answer says it too
    view.find_next(1)
    view.find_next(1)
    match = view._finding.current
    assert match is not None
    assert match.block in blocks(view)
    assert view._finding.span(match) is not None
    assert any(seen.block is match.block for seen in view._seen())


def test_a_fold_opens_alone_where_it_is_said_which(view: Transcript) -> None:
    view.present(with_files("en"))
    section = view.flow.sections[0]
    section.unfold(section.files[1].held[0])
    assert [file.line.open for file in section.files] == [False, True]
    section.unfold()
    assert [file.line.open for file in section.files] == [True, True]


@pytest.mark.parametrize("sought", ["server.log", "SERVE.PY"])
def test_a_file_is_found_by_its_name(view: Transcript, sought: str) -> None:
    view.present(with_files("en"))
    assert search(view, sought) == 1
    match = view._finding.current
    assert match is not None
    assert isinstance(match.block, FileBlock)
    assert view._finding.span(match) is not None


def test_the_end_of_the_file_is_typed_words_that_are_found_behind_it(view: Transcript) -> None:
    view.present(with_files("en"))
    assert search(view, "went wrong") == 1
    match = view._finding.current
    assert match is not None
    assert isinstance(match.block, UserBlock)


def test_a_screen_reader_is_told_the_files_and_not_their_text(view: Transcript) -> None:
    view.present(with_files("en"))
    conversation = QAccessible.queryAccessibleInterface(view)
    assert conversation is not None
    message = conversation.child(0)
    assert message is not None
    assert message.text(QAccessible.Text.Name) == (
        "You: server.log ⋅ 33.5 KB\nserve.py ⋅ 45 B\nWhat went wrong in this log?"
    )


def test_without_a_mouse_the_menu_opens_a_file(qtbot: QtBot, view: Transcript) -> None:
    view.present(with_files("en"))
    for _ in range(2):
        qtbot.keyClick(view, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert view.current == 0
    event = QContextMenuEvent(MENU, QPoint(5, 5), view.mapToGlobal(QPoint(5, 5)))
    QApplication.sendEvent(view.viewport(), event)
    menu = next(menu for menu in view.findChildren(QMenu) if menu.isVisible())
    action = next(each for each in menu.actions() if each.text() == "Open: serve.py ⋅ 45 B")
    action.trigger()
    menu.close()
    assert kinds(view) == ["FileBlock", "FileBlock", "CodeBlock", "UserBlock"]


def test_files_take_part_in_a_change_of_theme(view: Transcript) -> None:
    view.present(with_files("en"))
    section = view.flow.sections[0]
    section.unfold()
    for file in section.files:
        file.line.open = False
    section.refresh()
    view._theme.choose("dark")
    section.unfold()
    assert all(block.look is view._look for block in blocks(view))
