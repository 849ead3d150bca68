"""Tables: what is copied of them, those that are read from the right, those inside items."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication, QImage, QPainter, QTextTable
from PySide6.QtTest import QTest

from desktop.ui.transcript.block import Block
from desktop.ui.transcript.rich import RichBlock
from desktop.ui.transcript.selection import END, Place, Selection
from desktop.ui.transcript.shown import Shown
from desktop.ui.transcript.spacing import paint_marks
from desktop.ui.transcript.table import TableBlock
from desktop.ui.transcript.view import Transcript
from tests.helpers.chat_screens import settle

TABLE = "| name | n | x |\n|---|---|---|\n| kite | 32 | 4,096 |\n| fox | 7 | 8 |"
ARABIC = (
    "| الاسم | القيمة | API |\n|---|---:|:---|\n| سرعة | 32 | tokens |\n| ذاكرة | 4,096 | bytes |"
)


def shown(view: Transcript, text: str) -> Block:
    view.present([Shown("a", "assistant", text)])
    settle(view)
    return view.flow.sections[0].column.blocks[0]


def cells(block: Block) -> QTextTable:
    table = next(each for each in block.built().rootFrame().childFrames())
    assert isinstance(table, QTextTable)
    return table


def x_of(block: Block, row: int, column: int) -> float:
    """Return where the text of a cell begins."""
    inner = cells(block).cellAt(row, column).firstCursorPosition().block()
    layout = block.built().documentLayout()
    return layout.blockBoundingRect(inner).x() + inner.layout().lineAt(0).naturalTextRect().x()


def middle_of(block: Block, row: int, column: int) -> float:
    """Return the height at which the text of a cell has its middle."""
    inner = cells(block).cellAt(row, column).firstCursorPosition().block()
    place = block.built().documentLayout().blockBoundingRect(inner)
    line = inner.layout().lineAt(0)
    return place.y() + line.y() + line.height() / 2


def point_in(view: Transcript, block: Block, row: int, column: int, end: bool) -> QPoint:
    """Return the point of the viewport at one end of a cell's text."""
    inner = cells(block).cellAt(row, column).firstCursorPosition().block()
    rect = block.built().documentLayout().blockBoundingRect(inner)
    text = inner.layout().lineAt(0).naturalTextRect().translated(rect.topLeft())
    seen = view._seen()[0]
    x = text.right() + 2 if end else text.left()
    corner = QPointF(view.column()[0], seen.top - view.verticalScrollBar().value())
    return (QPointF(x, text.center().y()) + block.origin(view.column()[1]) + corner).toPoint()


def copied_by_drag(view: Transcript, start: QPoint, stop: QPoint) -> str:
    port = view.viewport()
    QGuiApplication.clipboard().clear()
    QTest.mousePress(port, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(port, (start + stop) / 2)
    QTest.mouseMove(port, stop)
    QTest.mouseRelease(port, Qt.MouseButton.LeftButton, pos=stop)
    QTest.keyClick(view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    return QGuiApplication.clipboard().text()


@pytest.mark.parametrize(
    ("start", "stop", "copied"),
    [
        ((1, 1), (2, 2), "32\t4,096\n7\t8"),
        ((0, 0), (2, 2), "name\tn\tx\nkite\t32\t4,096\nfox\t7\t8"),
        ((1, 0), (1, 2), "kite\t32\t4,096"),
        ((1, 1), (2, 1), "32\n7"),
        ((1, 2), (1, 2), "4,096"),
    ],
)
def test_cells_are_copied_apart_as_they_are_painted(
    view: Transcript, start: tuple[int, int], stop: tuple[int, int], copied: str
) -> None:
    table = shown(view, TABLE)
    first = point_in(view, table, *start, end=False)
    last = point_in(view, table, *stop, end=True)
    assert copied_by_drag(view, first, last) == copied


def test_cells_of_two_scripts_stand_on_one_line(view: Transcript) -> None:
    block = shown(view, "| 模型 | FP16 |\n|---|---|\n| Yi | 两张卡 |")
    for row in (0, 1):
        left, right = (middle_of(block, row, column) for column in (0, 1))
        assert left == pytest.approx(right, abs=1.5)


def test_a_table_inside_a_quote_is_copied_like_any_other(view: Transcript) -> None:
    quote = shown(view, "> numbers:\n>\n> | a | b |\n> |---|---|\n> | 32 | 4,096 |\n>\n> behind")
    assert isinstance(quote, RichBlock)
    assert quote.selected_text((3, quote.length() - 1)) == "bers:\na\tb\n32\t4,096\nbehin"


def test_formulas_in_cells_are_copied_as_their_source(view: Transcript) -> None:
    table = shown(view, "| a | b |\n|---|---|\n| $x^2$ | $y_1$ |\n| $z$ | w |")
    whole = Selection(Place(0, 0, 2), Place(0, 0, END))
    assert whole.text(view.flow.sections) == "a\tb\n$x^2$\t$y_1$\n$z$\tw"
    first, last = cells(table).cellAt(1, 1), cells(table).cellAt(2, 1)
    assert table.selected_text((first.firstPosition(), last.lastPosition())) == "$y_1$\nw"


def test_a_long_table_is_all_markdown_or_all_cells(view: Transcript) -> None:
    source = "| a | b |\n|---|---|\n" + "\n".join(f"| {n} | v |" for n in range(300))
    first = shown(view, source)
    pieces = [b for b in view.flow.sections[0].column.blocks if isinstance(b, TableBlock)]
    assert len(pieces) > 2
    start = cells(first).cellAt(4, 0).firstPosition()
    torn = Selection(Place(0, 0, start), Place(0, len(pieces) - 1, END)).text(view.flow.sections)
    assert torn.endswith("298\tv\n299\tv")
    assert "|" not in torn
    whole = Selection(Place(0, 0, 0), Place(0, len(pieces) - 1, END)).text(view.flow.sections)
    assert whole == source


def test_what_is_read_from_the_right_has_its_first_column_there(view: Transcript) -> None:
    table = shown(view, ARABIC)
    assert isinstance(table, TableBlock)
    texts = [cells(table).cellAt(0, n).firstCursorPosition().block().text() for n in range(3)]
    assert texts == ["API", "القيمة", "الاسم"]
    ends = [cells(table).cellAt(row, 2).firstCursorPosition().block() for row in range(3)]
    layout = table.built().documentLayout()
    rights = [
        layout.blockBoundingRect(each).x() + each.layout().lineAt(0).naturalTextRect().right()
        for each in ends
    ]
    width = view.width_of(table)
    assert all(abs(right - (width - 9)) < 2 for right in rights)
    assert x_of(table, 1, 0) == x_of(table, 2, 0) < 20  # who wrote ":---" means the left


def test_what_is_read_from_the_right_is_copied_in_its_own_order(view: Transcript) -> None:
    table = shown(view, ARABIC)
    assert table.selected_text((1, END)).split("\n")[1] == "سرعة\t32\ttokens"
    assert table.source() == ARABIC


def test_a_wide_table_that_is_read_from_the_right_begins_there(view: Transcript) -> None:
    titles = [f"عمود طويل جدا رقم {n}" for n in range(14)]
    table = shown(view, f"| {' | '.join(titles)} |\n{'|---' * 14}|\n{'| قيمة ' * 14}|")
    assert isinstance(table, TableBlock)
    width = view.width_of(table)
    hidden = table.columns.whole(width) - width
    assert hidden > 100
    assert table.origin(width).x() == pytest.approx(-hidden)
    assert table.pan(-60, width)
    assert table.origin(width).x() == pytest.approx(-hidden + 60)
    assert not table.pan(-9999, width) or table.origin(width).x() == pytest.approx(0)


def test_a_table_of_latin_and_neutral_titles_stays_as_it_is(view: Transcript) -> None:
    table = shown(view, "| # | name (الاسم) of the thing |\n|---|---|\n| 1 | a |")
    assert isinstance(table, TableBlock)
    assert not table.columns.rightwards


def test_the_point_of_a_number_stands_on_the_far_side_of_its_text(view: Transcript) -> None:
    item = shown(view, "7. واحد")
    assert isinstance(item, RichBlock)
    drawn = QImage(900, 60, QImage.Format.Format_ARGB32)
    drawn.fill(Qt.GlobalColor.white)
    painter = QPainter(drawn)
    paint_marks(painter, item.look, item.built(), item._marks, 8.0)
    painter.end()
    ink = [
        (x, y) for x in range(900) for y in range(60) if drawn.pixelColor(x, y).lightness() < 200
    ]
    heights = [y for _, y in ink]
    middle = (min(heights) + max(heights)) / 2
    assert min(y for x, y in ink if x == min(ink)[0]) > middle  # the point is low, and leftmost
    assert min(y for x, y in ink if x >= max(ink)[0] - 2) < middle


@pytest.mark.parametrize("text", ["1. text:\n\n   {}", "- text:\n   {}", "> text:\n>\n> {}"])
def test_a_table_stands_apart_from_the_line_above_it(view: Transcript, text: str) -> None:
    joint = "\n> " if text.startswith(">") else "\n   "
    block = shown(view, text.format("| a | b |\n|---|---|\n| 1 | 2 |".replace("\n", joint)))
    layout = block.built().documentLayout()
    line = layout.blockBoundingRect(block.built().firstBlock())
    assert layout.frameBoundingRect(cells(block)).top() + 8 >= line.bottom() + 8
    titles = cells(block).cellAt(0, 0).firstCursorPosition().block()
    assert layout.blockBoundingRect(titles).top() - line.bottom() > 7 + 6
