"""What every block of the transcript has: a small document that is laid out when first seen."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import (
    QAbstractTextDocumentLayout,
    QColor,
    QFontMetricsF,
    QPainter,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFrameFormat,
    QTextOption,
    QTextTable,
)

from desktop.ui.transcript.look import Look

_ITEM_GAP = 4.0

Span = tuple[int, int]  # selected characters of a document: from, to


class Block:
    """One block: estimated until it is seen, then laid out, never touched again.

    Attributes:
        gap: pixels above the block.
        tone: name of the colour of its text.
        look: what it is drawn with.
    """

    gap = 12.0
    tone = "text"

    def __init__(self, look: Look) -> None:
        self.look = look
        self._document: QTextDocument | None = None
        self._height = 0.0
        self._air = 0.0  # over the first line, which is not part of the block

    # -- what a kind of block decides ------------------------------------------------------

    def source(self) -> str:
        """Return what copying the whole block gives."""
        raise NotImplementedError

    def fill(self, document: QTextDocument) -> float:
        """Put the content into a new document; returns the air over its first line."""
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

    # -- layout ----------------------------------------------------------------------------

    @property
    def document(self) -> QTextDocument | None:
        """The document, once laid out."""
        return self._document

    def estimate(self, width: float) -> float:
        """Return a guess of the height, cheap enough for thousands of unseen blocks."""
        text = self.source()
        per_line = max(width / (self.look.line_height * 0.42), 8)
        lines = sum(1 + len(line) // per_line for line in text.split("\n"))
        return self.outer_height(lines * self.look.line_height)

    def lay_out(self, width: float) -> float:
        """Return the height at this width; builds the document when there is none."""
        if self._document is None:
            self._build()
        assert self._document is not None
        inner = self.inner_width(width)
        if self._document.textWidth() != inner:
            self._document.setTextWidth(inner)
        self._height = self.outer_height(self._document.size().height() - self._air)
        return self._height

    def release(self) -> None:
        """Forget the document; the next `lay_out` makes it again."""
        self._document = None

    def renew(self, look: Look) -> None:
        """Be drawn with another look from now on."""
        self.look = look
        self.release()

    def _new_document(self) -> QTextDocument:
        document = QTextDocument()
        document.setUndoRedoEnabled(False)
        document.setDocumentMargin(0)
        document.setIndentWidth(self.look.line_height * 0.9)
        document.setDefaultFont(self.look.body)
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        document.setDefaultTextOption(option)
        return document

    def _corner(self, width: float) -> QPointF:
        return self.origin(width) - QPointF(0, self._air)

    # -- painting and picking --------------------------------------------------------------

    def paint(self, painter: QPainter, width: float, clip: QRectF, span: Span | None) -> None:
        """Paint the block at the painter's origin; `clip` is in the block's coordinates."""
        self.decorate(painter, width)
        if self._document is None:
            return
        origin = self._corner(width)
        context = QAbstractTextDocumentLayout.PaintContext()
        context.palette = self.look.text_palette(self.tone)
        context.clip = clip.translated(-origin)
        if span is not None:
            context.selections = [self._selected(self._document, span)]
        painter.save()
        painter.translate(origin)
        self._document.documentLayout().draw(painter, context)
        painter.restore()

    def _selected(
        self, document: QTextDocument, span: Span
    ) -> QAbstractTextDocumentLayout.Selection:
        selection = QAbstractTextDocumentLayout.Selection()
        selection.cursor = _cursor(document, span)
        selection.format = QTextCharFormat()
        selection.format.setBackground(self.look.colour("selected"))
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
        self.lay_out_if_needed()
        return self._document.characterCount() - 1 if self._document is not None else 0

    def lay_out_if_needed(self) -> None:
        """Build the document of a block that was never seen, for copying from it."""
        if self._document is None:
            self._build()

    def _build(self) -> None:
        self._document = self._new_document()
        self._air = self.fill(self._document)

    def selected_text(self, span: Span) -> str:
        """Return the text of a span: the source where it is all of it, else as it is read."""
        start, end = sorted(span)
        if start == 0 and end >= self.length():
            return self.source()
        assert self._document is not None
        fragment = _cursor(self._document, (start, end)).selectedText()
        # Qt's paragraph and line separators, and its stand-in for a table's cell border.
        return fragment.replace("\u2029", "\n").replace("\u2028", "\n").replace("\ufdd0", "\t")


def _cursor(document: QTextDocument, span: Span) -> QTextCursor:
    last = document.characterCount() - 1
    cursor = QTextCursor(document)
    cursor.setPosition(min(span[0], last))
    cursor.setPosition(min(span[1], last), QTextCursor.MoveMode.KeepAnchor)
    return cursor


def space_lines(document: QTextDocument, line_height: float) -> float:
    """Give every line outside tables at least this height, and the blocks their distances.

    Returns:
        The air that Qt puts over the first line, in pixels.
    """
    kind = QTextBlockFormat.LineHeightTypes.MinimumHeight
    cursor = QTextCursor(document)
    block = document.begin()
    while block.isValid():
        cursor.setPosition(block.position())
        spacing = QTextBlockFormat()
        if cursor.currentTable() is None:
            spacing.setLineHeight(line_height, kind.value)
        if block.textList() is not None:  # Qt would set a nested list apart like a paragraph
            spacing.setTopMargin(_ITEM_GAP)
            spacing.setBottomMargin(0)
        if not block.previous().isValid():
            spacing.setTopMargin(0)
        if not block.next().isValid():
            spacing.setBottomMargin(0)
        cursor.mergeBlockFormat(spacing)
        block = block.next()
    return _air_over_first(document, line_height)


def _air_over_first(document: QTextDocument, line_height: float) -> float:
    cursor = QTextCursor(document)
    if cursor.currentTable() is not None:
        return 0.0
    cursor.movePosition(QTextCursor.MoveOperation.NextCharacter)  # the format is of what is before
    return max(line_height - QFontMetricsF(cursor.charFormat().font()).height(), 0.0)


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
            frame.setFormat(ruled)
