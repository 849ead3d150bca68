"""What every block of the transcript has: a small document that is laid out when first seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import (
    QAbstractTextDocumentLayout,
    QPainter,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextOption,
    QTextTable,
)

from desktop.ui.transcript.look import Look

_MOST_FOUND = 500  # matches in one block

Span = tuple[int, int]  # characters of a document: from, to
Tint = tuple[Span, str]  # a span and the name of the colour behind it


class Block:
    """One block: estimated until it is seen, then laid out, never touched again.

    Attributes:
        gap: pixels above the block.
        tone: name of the colour of its text.
        inset: pixels by which it stands to the right of the column's edge.
        follows: it is a further piece of the block above, without a gap.
        joint: what copying puts between the block above and this one.
        look: what it is drawn with.
    """

    gap = 12.0
    tone = "text"
    inset = 0.0
    follows = False
    joint = "\n\n"

    def __init__(self, look: Look) -> None:
        self.look = look
        self._document: QTextDocument | None = None
        self._height = 0.0
        self._air = 0.0  # over the first line, which is not part of the block
        self._bulk: tuple[int, int] | None = None  # lines and characters, for estimates
        self._read: str | None = None  # what is read of it, once somebody asked

    # -- what a kind of block decides ------------------------------------------------------

    def source(self) -> str:
        """Return what copying the whole block gives."""
        raise NotImplementedError

    def visible(self) -> str:
        """Return what is read of the block, without laying it out."""
        return self.source()

    def read(self) -> str:
        """Return `visible`, which is parsed only once: a search asks with every letter typed."""
        if self._read is None:
            self._read = self.visible()
        return self._read

    def fill(self, document: QTextDocument) -> None:
        """Put the content into a new document."""
        raise NotImplementedError

    def origin(self, width: float) -> QPointF:
        """Return where the document stands inside a block of this width."""
        return QPointF(0, 0)

    def inner_width(self, width: float) -> float:
        """Return how wide the document may be."""
        return width

    def outer_height(self, document_height: float) -> float:
        """Return the height of the block around its document."""
        return document_height

    def decorate(self, painter: QPainter, width: float) -> None:
        """Paint what is behind and beside the document."""

    def hotspot(self, point: QPointF, width: float) -> bool:
        """Tell whether a click at `point` does something."""
        return False

    def activate(self, point: QPointF, width: float) -> str | None:
        """Do what the hotspot at `point` does; returns text for the clipboard, or None."""
        return None

    def awaits(self) -> bool:
        """Tell whether a formula in it may still come."""
        return False

    def pan(self, delta: float, width: float) -> bool:
        """Move what is wider than the column sideways; tells whether it moved."""
        return False

    # -- layout ----------------------------------------------------------------------------

    @property
    def document(self) -> QTextDocument | None:
        """The document, once laid out."""
        return self._document

    def estimate(self, width: float) -> float:
        """Return a guess of the height, cheap enough for thousands of unseen blocks."""
        if self._bulk is None:
            text = self.source()
            self._bulk = (text.count("\n") + 1, len(text))
        lines, size = self._bulk
        per_line = max(width / (self.look.line_height * 0.42), 8)
        return self.outer_height((lines + size / per_line * 0.8) * self.look.line_height)

    def lay_out(self, width: float) -> float:
        """Return the height at this width; builds the document when there is none."""
        document = self.built()
        inner = self.inner_width(width)
        if document.textWidth() != inner:
            document.setTextWidth(inner)
        height = document.size().height()
        self._air = _air(document)
        self._height = self.outer_height(height - self._air)
        return self._height

    def release(self) -> None:
        """Forget the document; the next `lay_out` makes it again."""
        self._document = self._read = self._bulk = None

    def renew(self, look: Look) -> None:
        """Be drawn with another look from now on."""
        self.look = look
        self.release()

    def _new_document(self) -> QTextDocument:
        document = QTextDocument()
        document.setUndoRedoEnabled(False)
        document.setDocumentMargin(0)
        document.setIndentWidth(self.look.indent)
        document.setDefaultFont(self.look.body)
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        document.setDefaultTextOption(option)
        return document

    def _corner(self, width: float) -> QPointF:
        return self.origin(width) - QPointF(0, self._air)

    # -- painting and picking --------------------------------------------------------------

    def paint(
        self, painter: QPainter, width: float, clip: QRectF, tints: Sequence[Tint] = ()
    ) -> None:
        """Paint the block at the painter's origin; `clip` is in the block's coordinates."""
        self.decorate(painter, width)
        if self._document is None:
            return
        origin = self._corner(width)
        context = QAbstractTextDocumentLayout.PaintContext()
        context.palette = self.look.text_palette(self.tone)
        context.clip = clip.translated(-origin)
        if tints:
            context.selections = [self._selected(self._document, *tint) for tint in tints]
        painter.save()
        painter.translate(origin)
        self._document.documentLayout().draw(painter, context)
        painter.restore()

    def _selected(
        self, document: QTextDocument, span: Span, colour: str
    ) -> QAbstractTextDocumentLayout.Selection:
        selection = QAbstractTextDocumentLayout.Selection()
        selection.cursor = _cursor(document, span)
        selection.format = QTextCharFormat()
        selection.format.setBackground(self.look.colour(colour))
        return selection

    def position(self, point: QPointF, width: float) -> int:
        """Return the character nearest to a point of the block."""
        if self._document is None:
            return 0
        inside = point - self._corner(width)
        return self._document.documentLayout().hitTest(inside, Qt.HitTestAccuracy.FuzzyHit)

    def link(self, point: QPointF, width: float) -> str:
        """Return the address of the link under a point, or ""."""
        if self._document is None:
            return ""
        return self._document.documentLayout().anchorAt(point - self._corner(width))

    def length(self) -> int:
        """Return the number of characters that can be selected."""
        return self.built().characterCount() - 1

    def built(self) -> QTextDocument:
        """Return the document, made now where there is none."""
        if self._document is None:
            self._document = self._new_document()
            self.fill(self._document)
        return self._document

    def selected_text(self, span: Span) -> str:
        """Return the text of a span: the source where it is all of it, else as it is read."""
        start, end = sorted(span)
        if start == 0 and end >= self.length():
            return self.source()
        cursor = _cursor(self.built(), (start, end))
        if self.built().rootFrame().childFrames():
            pieces = _pieces(cursor)
            if len(pieces) > 1:
                text = "".join(joint + self.selected_text(piece) for joint, piece in pieces)
                return text[len(pieces[0][0]) :]
        # Qt's paragraph and line separators.
        return cursor.selectedText().replace("\u2029", "\n").replace("\u2028", "\n")

    def occurrences(self, text: str) -> list[Span]:
        """Return where a text stands in the document, in whatever case, without overlaps."""
        document = self.built()
        spans: list[Span] = []
        found = document.find(text, 0)
        while not found.isNull() and len(spans) < _MOST_FOUND:
            spans.append((found.selectionStart(), found.selectionEnd()))
            found = document.find(text, found.selectionEnd())
        return spans

    def line_of(self, character: int) -> tuple[float, float]:
        """Return top and height of the line with a character, inside the block."""
        document = self.built()
        block = document.findBlock(min(character, document.characterCount() - 1))
        top = document.documentLayout().blockBoundingRect(block).top()
        line = block.layout().lineForTextPosition(character - block.position())
        if not line.isValid():
            return top, self.look.line_height
        return top + line.y() + self.origin(0).y(), line.height()


def _air(document: QTextDocument) -> float:
    """Return what Qt adds over the first line to make it as high as it shall be."""
    line = document.firstBlock().layout().lineAt(0)
    return line.y() if line.isValid() else 0.0


def _pieces(cursor: QTextCursor) -> list[tuple[str, Span]]:
    """Return what is selected of every paragraph and cell, and what stands before each.

    Qt selects whole cells as soon as there are two of them, a rectangle of them inside one table,
    and paints them so; but its text of them has no borders.
    """
    table = cursor.currentTable()
    if cursor.hasComplexSelection() and table is not None:
        return _cells(table, *cast("tuple[int, int, int, int]", cursor.selectedTableCells()))
    start, end = cursor.selectionStart(), cursor.selectionEnd()
    pieces: list[tuple[str, Span]] = []
    block, here = cursor.document().findBlock(start), QTextCursor(cursor.document())
    while block.isValid() and block.position() <= end:
        first = block.position()
        here.setPosition(first)
        piece = max(start, first), min(end, first + block.length() - 1)
        table = here.currentTable()
        if table is not None and end > table.cellAt(first).lastPosition():  # and so all of it
            pieces += _cells(table, 0, table.rows(), 0, table.columns())
            block = cursor.document().findBlock(table.lastPosition())
        elif piece[0] < piece[1]:  # Qt puts empty paragraphs around tables
            pieces.append(("\n", piece))
        block = block.next()
    return pieces


def _cells(
    table: QTextTable, row: int, rows: int, column: int, columns: int
) -> list[tuple[str, Span]]:
    """Return the cells of a rectangle as they are read, and what stands before each."""
    order = list(range(column, column + columns))
    if table.format().layoutDirection() is Qt.LayoutDirection.RightToLeft:
        order.reverse()
    cells = [
        ("\n" if each == order[0] else "\t", table.cellAt(line, each))
        for line in range(row, row + rows)
        for each in order
    ]
    return [(joint, (cell.firstPosition(), cell.lastPosition())) for joint, cell in cells]


def _cursor(document: QTextDocument, span: Span) -> QTextCursor:
    last = document.characterCount() - 1
    cursor = QTextCursor(document)
    cursor.setPosition(min(span[0], last))
    cursor.setPosition(min(span[1], last), QTextCursor.MoveMode.KeepAnchor)
    return cursor
