"""What Qt's rich text leaves to be said by hand: the height of lines, the marks of items.

Qt sets a mark one space before its item and draws dots as large as letters; ours stand in a column
of their own, numbers flush right, and tasks have boxes.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QPainter,
    QPen,
    QTextBlock,
    QTextBlockFormat,
    QTextCursor,
    QTextDocument,
    QTextFrameFormat,
    QTextListFormat,
    QTextTable,
)

from desktop.ui.transcript.look import Look

_ITEM_GAP = 4.0
_TABLE_GAP = 8.0  # over a table in an item or a quote
_QTS_QUOTE = 40.0  # the margin of a quote in Qt's rich text
QUOTE_INDENT = 18.0
_DOT = 5.0
TASK = {"☐": False, "☑": True}

_ORDERED = QTextListFormat.Style.ListDecimal


@dataclass(frozen=True, slots=True)
class Mark:
    """What stands before an item.

    Attributes:
        position: of the item's first character.
        text: its number, or "" for a dot.
    """

    position: int
    text: str


def space_lines(document: QTextDocument, line_height: float) -> list[Mark]:
    """Give every line outside tables at least this height, and the blocks their distances.

    Returns:
        The marks of the items; Qt draws none any more.
    """
    kind = QTextBlockFormat.LineHeightTypes.MinimumHeight
    cursor = QTextCursor(document)
    marks: list[Mark] = []
    cursor.beginEditBlock()  # one layout for all of them
    block = document.begin()
    while block.isValid():
        cursor.setPosition(block.position())
        spacing = QTextBlockFormat()
        if cursor.currentTable() is None:
            spacing.setLineHeight(line_height, kind.value)
        if block.textList() is not None:  # Qt would set a nested list apart like a paragraph
            marks.append(_mark(block))
            spacing.setTopMargin(_ITEM_GAP)
            spacing.setBottomMargin(0)
        if quoted := round(block.blockFormat().leftMargin() / _QTS_QUOTE):
            spacing.setLeftMargin(quoted * QUOTE_INDENT)
            spacing.setRightMargin(0)
        if not block.previous().isValid():
            spacing.setTopMargin(0)
        if not block.next().isValid():
            spacing.setBottomMargin(0)
        cursor.mergeBlockFormat(spacing)
        block = block.next()
    if marks:
        _hide_marks(document)
    cursor.endEditBlock()
    return marks


def _mark(block: QTextBlock) -> Mark:
    items = block.textList()
    form = items.format()
    text = ""
    if form.style() is _ORDERED:
        text = f"{form.start() + items.itemNumber(block)}."
    return Mark(block.position(), text)


def _hide_marks(document: QTextDocument) -> None:
    block, done = document.begin(), set()
    while block.isValid():
        items = block.textList()
        if items is not None and items.objectIndex() not in done:
            done.add(items.objectIndex())
            form = items.format()
            form.setStyle(QTextListFormat.Style.ListStyleUndefined)
            items.setFormat(form)
        block = block.next()


def paint_marks(
    painter: QPainter, look: Look, document: QTextDocument, marks: list[Mark], gap: float
) -> None:
    """Paint the marks of items `gap` pixels before their text, at the document's origin."""
    layout = document.documentLayout()
    painter.save()
    painter.setFont(look.body)
    for mark in marks:
        block = document.findBlock(mark.position)
        line = block.layout().lineAt(0)
        if not line.isValid():
            continue
        rect = layout.blockBoundingRect(block)
        rtl = block.textDirection() is Qt.LayoutDirection.RightToLeft
        x = line.x() + line.width() if rtl else line.x()
        y = rect.top() + line.y()
        ascent = line.ascent()
        if block.text()[:1] in TASK:
            continue
        if not mark.text:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(look.colour("quiet"))
            middle = QPointF(x + (gap + 3 if rtl else -gap - 3), y + ascent - 0.31 * look.em)
            painter.drawEllipse(middle, _DOT / 2, _DOT / 2)
            continue
        painter.setPen(look.colour("quiet"))
        painter.setLayoutDirection(block.textDirection())  # a number's point is on its far side
        wide = painter.fontMetrics().horizontalAdvance(mark.text)
        painter.drawText(QPointF(x + gap if rtl else x - gap - wide, y + ascent), mark.text)
    painter.restore()


def paint_bars(painter: QPainter, look: Look, document: QTextDocument) -> None:
    """Paint a bar at the side of every quote in the document, at its origin."""
    layout, indent = document.documentLayout(), document.indentWidth()
    bars: dict[tuple[int, float], QRectF] = {}  # those that still go on, by depth and place
    block = document.begin()
    while block.isValid():
        form, rect = block.blockFormat(), layout.blockBoundingRect(block)
        items = block.textList()
        outer = form.indent() if items is None else items.format().indent() - 1
        going = {}
        for depth in range(round(form.leftMargin() / QUOTE_INDENT)):
            name = depth, max(outer, 0) * indent
            top = bars[name].top() if name in bars else rect.top()
            going[name] = QRectF(sum(name[1:]) + depth * QUOTE_INDENT, top, 3, rect.bottom() - top)
        _paint_bars(painter, look, [bar for name, bar in bars.items() if name not in going])
        bars, block = going, block.next()
    _paint_bars(painter, look, list(bars.values()))


def _paint_bars(painter: QPainter, look: Look, bars: list[QRectF]) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(look.colour("line"))
    for bar in bars:
        painter.drawRoundedRect(bar, 1.5, 1.5)


def rule_tables(document: QTextDocument, line: QColor) -> None:
    """Draw tables with hairlines: Qt takes no border colour from a style sheet."""
    for frame in document.rootFrame().childFrames():
        if isinstance(frame, QTextTable):
            ruled = frame.format().toTableFormat()
            ruled.setBorderCollapse(True)
            ruled.setBorder(1)
            ruled.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
            ruled.setBorderBrush(line)
            ruled.setCellPadding(7)
            if frame.firstPosition() > 1:  # an item's or a quote's text above it
                ruled.setTopMargin(_TABLE_GAP)
            frame.setFormat(ruled)


def paint_rule(painter: QPainter, look: Look, width: float, y: float) -> None:
    """Paint a hairline."""
    painter.setPen(QPen(look.colour("line"), 1))
    painter.drawLine(QPointF(0, y), QPointF(width, y))
