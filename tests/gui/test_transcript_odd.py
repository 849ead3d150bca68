"""What no sane model writes: it costs its looks, never the window."""

import time

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QToolButton
from pytestqt.qtbot import QtBot

from desktop.ui.transcript.block import Block
from desktop.ui.transcript.code import CodeBlock
from desktop.ui.transcript.columns import Columns
from desktop.ui.transcript.lines import ONLY_MARKUP, RULE, heads_table
from desktop.ui.transcript.plain import FoldBlock, UserBlock
from desktop.ui.transcript.rich import RichBlock
from desktop.ui.transcript.shown import Action, Shown
from desktop.ui.transcript.table import TableBlock
from desktop.ui.transcript.view import Transcript
from tests.helpers.chat_screens import search, settle

ODD = {
    "nothing": "",
    "white space": " \n\t\n",
    "NUL": "a\0b `\0`",
    "lone surrogates": "a\ud800 **b\udfff** `\ud83d` $\ud800$\n\n```python\n\ud800\n```",
    "a line of 1 MB": "x" * 1_000_000,
    "an item of 1 MB": "- " + "x" * 1_000_000,
    "code of one line of 1 MB": "```\n" + "y" * 1_000_000,
    "a cell of 200 KB": "|a|b|\n|---|---|\n|" + "x " * 100_000 + "|y|",
    "a table of 200 columns": f"{'|c' * 200}|\n{'|---' * 200}|\n" + f"{'|v' * 200}|\n" * 20,
    "items 300 deep": "\n".join("  " * depth + "- x" for depth in range(300)),
    "quotes 3000 deep": ">" * 3000 + " x",
    "a fence that never closes": "```python\n" + "x = 1\n" * 3000,
    "10,000 formulas": "\n\n".join(f"$x_{{{number}}}$" for number in range(10_000)),
    "dashes": "- " * 50_000 + "x",
    "tabs": "\t" * 50_000 + "x",
}


def blocks(view: Transcript) -> list[Block]:
    return [block for section in view.flow.sections for block in section.column.blocks]


@pytest.mark.parametrize("text", ODD.values(), ids=ODD.keys())
def test_odd_text_is_shown_and_streams(view: Transcript, text: str) -> None:
    began = time.thread_time()
    view.present([Shown("a", "assistant", text), Shown("u", "user", text)])
    view.present([Shown("b", "assistant", streaming=True)])
    step = max(len(text) // 20, 1)
    for at in range(0, len(text), step):
        view.append("b", text[at : at + step])
    view.change(Shown("b", "assistant", text))
    QApplication.processEvents()
    view.grab()
    search(view, "x")
    assert time.thread_time() - began < 8  # minutes before there were bounds
    assert view.flow.sections[0].text == text


@pytest.mark.parametrize("line", ["\t" * 20_000 + "x", "- " * 9_000 + "x", "-" * 20_000 + "x"])
def test_no_pattern_takes_quadratic_time(line: str) -> None:
    began = time.thread_time()
    for pattern in (ONLY_MARKUP, RULE):
        assert pattern.match(line) is None
    assert not heads_table("a|b", line)
    assert time.thread_time() - began < 0.5


def test_an_endless_line_of_code_is_shown_cut_short_and_copied_whole(
    qtbot: QtBot, view: Transcript
) -> None:
    view.present([Shown("a", "assistant", f"```\n{'y' * 50_000}\n```")])
    qtbot.waitUntil(lambda: view.flow.sections[0].whole)
    (code,) = [block for block in blocks(view) if isinstance(block, CodeBlock)]
    assert code.length() < 5_000
    assert code.fence.source == "y" * 50_000


def test_a_file_that_a_person_pasted_is_laid_out_only_where_it_is_seen(view: Transcript) -> None:
    text = "A line of the file.\n" * 9_000 + "z" * 9_000
    view.present([Shown("a", "user", text)])
    view.verticalScrollBar().setValue(0)
    parts = [block for block in blocks(view) if isinstance(block, UserBlock)]
    assert len(parts) > 50
    assert sum(part.document is not None for part in parts) < 12
    assert "".join(part.joint * bool(n) + part.source() for n, part in enumerate(parts)) == text


def test_a_closed_fold_takes_part_in_a_change_of_theme(view: Transcript) -> None:
    view.present([Shown("a", "assistant", "yes", reasoning="hm")])
    section = view.flow.sections[0]
    section.unfold()
    fold = blocks(view)[0]
    assert isinstance(fold, FoldBlock)
    fold.open = False
    section.refresh()
    view._theme.choose("dark")
    section.unfold()
    assert all(block.look is view._look for block in blocks(view))


def test_copying_everything_gives_every_message_letter_for_letter(view: Transcript) -> None:
    tight = "A list:\n- a\n- b\n  ```sh\n  ls\n  ```\n- c\n\n\n\nafter"
    view.present([Shown("a", "assistant", tight), Shown("b", "assistant", "end")])
    view.select_all()
    view.copy()
    assert QGuiApplication.clipboard().text() == f"{tight}\n\nend"


def test_no_word_of_a_narrow_table_is_broken(view: Transcript) -> None:
    view.resize(400, 500)
    header = "| model | a | b | c | 说明 |\n|---|---|---|---|---|\n"
    row = "| Yi-34B-Chat | 1 | 2 | 3 | 分组查询注意力（GQA），缓存小 |"
    view.present([Shown("a", "assistant", header + row)])
    table = blocks(view)[0]
    assert isinstance(table, TableBlock)
    columns: Columns = table.columns
    assert columns.widths(300)[0] >= view.fontMetrics().horizontalAdvance("Yi-34B-Chat")
    document = table.document
    assert document is not None
    line = document.firstBlock()
    starts = ""
    while line.isValid():
        layout = line.layout()
        starts += "".join(
            line.text()[layout.lineAt(n).textStart() :][:1] for n in range(layout.lineCount())
        )
        line = line.next()
    assert not set(starts) & set("，。）、；：")


def test_the_last_row_of_a_table_is_as_high_as_the_others(view: Transcript) -> None:
    view.present([Shown("a", "assistant", "| a |\n|---|\n| 1 |\n| 2 |")])
    table = blocks(view)[0]
    assert isinstance(table, TableBlock)
    first, second, third = table._lines
    assert third - second == second - first


def test_marks_of_a_list_inside_quotes_stand_at_its_items(view: Transcript) -> None:
    view.present([Shown("a", "assistant", "> a\n>\n> > b\n> >\n> > 1. x")])
    document = blocks(view)[0].document
    assert document is not None
    block = document.lastBlock()
    document.documentLayout().blockBoundingRect(block)
    assert 30 < block.layout().lineAt(0).x() < 80
    assert document.findBlockByNumber(1).blockFormat().leftMargin() == 18


def test_a_heading_with_an_underline_has_the_air_of_a_heading(view: Transcript) -> None:
    view.present([Shown("a", "assistant", "text\n\nTitle\n===\n\n# Other\n\n- item")])
    text, title, other, item = blocks(view)[:4]
    assert title.gap == other.gap > text.gap
    assert item.gap < other.gap


def test_no_comma_begins_a_line_after_a_deep_formula(view: Transcript) -> None:
    view.present([Shown("a", "assistant", "字" * 20 + "$\\frac{a}{b}$，" * 40)])
    settle(view)
    block = blocks(view)[0]
    assert isinstance(block, RichBlock)
    document = block.document
    assert document is not None
    text, layout = document.toPlainText(), document.firstBlock().layout()
    starts = {text[layout.lineAt(n).textStart()] for n in range(layout.lineCount())}
    assert starts <= {"字", "\ufffc"}
    assert layout.lineCount() > 1
    assert "$\\frac{a}{b}$，$\\frac{a}{b}$，" in block.selected_text((1, 60))


def test_the_buttons_of_another_message_stand_close_together_at_once(view: Transcript) -> None:
    few, many = frozenset({Action.COPY, Action.DELETE}), frozenset(Action)
    messages = [Shown("a", "user", "one", actions=many), Shown("b", "user", "two", actions=few)]
    view.present(messages)
    for message in messages:
        QApplication.processEvents()
        view._row.offer(message)
        view._row.place(10, 10)
    left = view.findChild(QToolButton, "message-copy").geometry().right()
    assert view.findChild(QToolButton, "message-delete").x() - left < 10


def test_arrow_keys_move_wide_code(qtbot: QtBot, view: Transcript) -> None:
    view.present([Shown("a", "assistant", f"```\n{'x ' * 400}\n```")])
    settle(view)
    found = view.block_at(QPointF(450, 60))
    assert found is not None
    code = found[0].block
    assert isinstance(code, CodeBlock)
    qtbot.keyClick(view, Qt.Key.Key_Right)
    assert code.fence.shift == 60
    qtbot.keyClick(view, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    assert code.fence.shift == 0


def test_a_drag_of_the_windows_edge_builds_nothing_that_is_out_of_sight(view: Transcript) -> None:
    view.present([Shown(str(n), "assistant", "A paragraph.\n\n" * 12) for n in range(40)])
    settle(view)
    view.resize(880, 500)
    assert view._whole
    assert view._idle.remainingTime() > 60


def test_a_message_of_ten_thousand_paragraphs_is_opened_in_turns(view: Transcript) -> None:
    text = "\n\n".join(f"$x_{{{n}}}$" for n in range(10_000))
    view.present([Shown("a", "assistant", text)])
    section = view.flow.sections[0]
    assert section.opened
    assert not section.whole
    assert section.text == text
    settle(view)
    assert section.whole
    assert len(section.column.blocks) == 10_001
    assert view._seen()[-1].index == 10_000


def test_what_streams_into_a_message_that_is_still_being_opened_is_not_lost(
    view: Transcript,
) -> None:
    text = "a\n\n" * 20_000
    view.present([Shown("a", "assistant", text, streaming=True)])
    assert not view.flow.sections[0].whole
    view.append("a", "the **last** words")
    view.change(Shown("a", "assistant", f"{text}the **last** words"))
    settle(view)
    assert blocks(view)[-2].visible().strip() == "the last words"
    assert len(blocks(view)) == 20_002


def test_what_grows_far_below_what_is_read_is_not_laid_out(view: Transcript) -> None:
    talk = [Shown(str(n), "assistant", "A paragraph.\n\n" * 12) for n in range(20)]
    view.present([*talk, Shown("b", "assistant", streaming=True)])
    view.verticalScrollBar().setValue(0)
    settle(view)
    most = view.verticalScrollBar().maximum()
    for _ in range(40):
        view.append("b", "It **grows**.\n\n")
    assert all(block.document is None for block in view.flow.sections[-1].column.blocks)
    assert view.verticalScrollBar().value() == 0
    assert view.verticalScrollBar().maximum() > most
