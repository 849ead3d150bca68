"""The model's Markdown: paragraphs, items, quotes, footnotes, and displayed formulas."""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from html import escape
from typing import Any

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QImage, QPainter, QTextBlockFormat, QTextCursor, QTextDocument

from desktop.ui.transcript.block import Block, Span
from desktop.ui.transcript.inline_pictures import OBJECT, Picture, put_pictures, with_sources
from desktop.ui.transcript.look import Look
from desktop.ui.transcript.machine import Segment
from desktop.ui.transcript.segments import balanced
from desktop.ui.transcript.spacing import (
    QUOTE_INDENT,
    Mark,
    paint_bars,
    paint_marks,
    rule_tables,
    space_lines,
)

_GAPS = {"text": 15.0, "item": 8.0, "quote": 17.0, "footnote": 8.0, "maths": 13.0}
_HEADING_GAP = 26.0
_LIST_GAP = 12.0  # over the first item of a list
_PART_GAP = 9.0  # over what goes on with an item or a quote
_HEADING = re.compile(r" {0,3}#{1,6}(\s|$)|[^\n].*\n {0,3}(=+|-+)\s*$", re.DOTALL)
_MATHS_SCALE = 1.06  # the maths font is small beside text of the same size

References = MutableMapping[str, Any]


def _space_code(document: QTextDocument, line_height: float) -> None:
    """Give the lines of code in a document the height that they have in a block of its own."""
    spacing = QTextBlockFormat()
    spacing.setLineHeight(line_height, QTextBlockFormat.LineHeightTypes.MinimumHeight.value)
    block = document.begin()
    while block.isValid():
        if block.blockFormat().nonBreakableLines():
            QTextCursor(block).mergeBlockFormat(spacing)
        block = block.next()


class FormulaBlock(Block):
    """A block that may hold formulas, as pictures in the line once they are typeset."""

    def __init__(self, look: Look) -> None:
        super().__init__(look)
        self._pictures: list[Picture] = []  # in their order
        self._awaited: list[tuple[str, bool]] = []

    def awaits(self) -> bool:
        """Tell whether a formula in it may have come by now."""
        formulas = self.look.formulas
        return any(not formulas.waits(tex, display=shown) for tex, shown in self._awaited)

    def _begin_formulas(self) -> None:
        self._pictures, self._awaited = [], []

    def _formula(self, tex: str, display: bool, source: str) -> str:
        """Return the rich text of a formula: its picture, or its TeX until there is one."""
        look = self.look
        em = look.em * _MATHS_SCALE
        made = look.formulas.get(tex, display=display)
        if made is None:
            if look.formulas.waits(tex, display=display):
                self._awaited.append((tex, display))
            return f"<code>{escape(tex)}</code>"
        image = self._image(tex, em, display=display)
        lengths = made.width * em, made.ascent * em, made.descent * em
        tone = look.colour(self.tone).name()
        self._pictures.append(Picture(image, *lengths, source, tone=tone))
        return '<img src="maths">'

    def _image(self, tex: str, em: float, *, display: bool) -> QImage:
        """Return the picture of a formula that is there."""
        look = self.look
        image = look.formulas.image(
            tex,
            display=display,
            em=em,
            colour=look.colours.text,
            font=look.body,
            ratio=look.ratio,
        )
        assert image is not None
        return image

    def _put(self, document: QTextDocument, html: str) -> None:
        """Put rich text with its pictures into a document."""
        if not self._pictures:
            document.setHtml(html)
            return
        document.documentLayout()  # made while it is empty: else all is laid out once more
        edit = QTextCursor(document)
        edit.beginEditBlock()
        document.setHtml(html)
        put_pictures(document, self._pictures)
        edit.endEditBlock()

    def selected_text(self, span: Span) -> str:
        """Return the text of a span, with TeX where there are pictures."""
        text = super().selected_text(span)
        if OBJECT not in text:
            return text
        return with_sources(self.built(), span, self._pictures, text)


class RichBlock(FormulaBlock):
    """A piece of the model's Markdown."""

    def __init__(
        self, look: Look, segment: Segment, references: References, *, begins: bool = True
    ) -> None:
        """Take the first of it, and whether it begins a list."""
        super().__init__(look)
        self._references = references
        self._begins = begins
        self._marks: list[Mark] = []
        self._bars = False
        self._take(segment)

    def _take(self, segment: Segment) -> None:
        self._segment = segment
        self.gap = self._gap()
        if segment.part or (segment.kind == "item" and not self._begins):
            self.joint = "\n"
        if segment.kind in ("quote", "footnote"):
            self.tone = "quiet"

    def _gap(self) -> float:
        segment = self._segment
        if segment.part:
            return _PART_GAP
        if segment.kind == "text" and _HEADING.match(segment.source):
            return _HEADING_GAP
        return _LIST_GAP if segment.kind == "item" and self._begins else _GAPS[segment.kind]

    @property
    def refers(self) -> bool:
        """Tell whether a link that is defined later may stand in it."""
        return "[" in self._segment.source

    def source(self) -> str:
        """Return the Markdown."""
        whole = self._segment.kind == "footnote" and not self._segment.part
        label = f"[^{self._segment.language}]: " if whole else ""
        return label + self._segment.source

    def visible(self) -> str:
        """Return the text without its markup."""
        from desktop.ui.transcript.markdown import parse, visible  # noqa: PLC0415 - slow

        return visible(parse(self._inner(), self._references, self._number))

    @property
    def _number(self) -> int | None:
        return None if self._segment.part else self._segment.number

    def update(self, segment: Segment) -> bool:
        """Show a longer version of the same segment; tells whether that is possible in place."""
        if segment.kind not in ("text", "item", "quote", "footnote"):
            return False
        if segment != self._segment:
            self._take(segment)
            self.release()
        return True

    def _inner(self) -> str:
        source = self._segment.markdown()
        return source if self._segment.closed else balanced(source)

    def fill(self, document: QTextDocument) -> None:
        """Parse and style."""
        # Slow to import and not needed before the first reply.
        from desktop.ui.transcript.markdown import style_sheet, to_html  # noqa: PLC0415

        look = self.look
        self._begin_formulas()
        if self._segment.kind == "footnote":
            document.setDefaultFont(look.small)
        families = ", ".join(f"'{name}'" for name in look.code.families())
        document.setDefaultStyleSheet(style_sheet(look.colours, families, look.code.pointSizeF()))
        self._put(
            document,
            to_html(self._inner(), self._references, self._number, self._formula),
        )
        if self._segment.kind != "text":
            rule_tables(document, look.colour("line"))
        scale = 0.86 if self._segment.kind == "footnote" else 1.0
        self._marks = space_lines(document, look.line_height * scale)
        _space_code(document, look.code_line_height * scale)
        self._bars = ">" in self._inner()

    def origin(self, width: float) -> QPointF:
        """Leave room for a quote's bar."""
        quote = self._segment.kind == "quote" and not self._rightwards
        return QPointF(QUOTE_INDENT if quote else 0, 0)

    @property
    def _rightwards(self) -> bool:
        """Tell whether it is read from right to left."""
        document = self._document
        right = Qt.LayoutDirection.RightToLeft
        return document is not None and document.firstBlock().textDirection() is right

    def inner_width(self, width: float) -> float:
        """Return the width beside a quote's bar."""
        return width - (QUOTE_INDENT if self._segment.kind == "quote" else 0)

    def decorate(self, painter: QPainter, width: float) -> None:
        """Paint a quote's bar."""
        if self._segment.kind == "quote":
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.look.colour("line"))
            over = self.gap if self._segment.part else 0.0
            x = width - 3 if self._rightwards else 0
            painter.drawRoundedRect(QRectF(x, -over, 3, self._height + over), 1.5, 1.5)
        if (self._marks or self._bars) and self._document is not None:
            painter.save()
            painter.translate(self._corner(width))
            paint_marks(painter, self.look, self._document, self._marks, self.look.em * 0.5)
            if self._bars:
                paint_bars(painter, self.look, self._document)
            painter.restore()


class MathsBlock(FormulaBlock):
    """A displayed formula: in the middle, smaller where the column is narrower than it."""

    gap = _GAPS["maths"]

    def __init__(self, look: Look, segment: Segment) -> None:
        super().__init__(look)
        self._segment = segment
        self._width = 0.0

    def source(self) -> str:
        """Return the TeX between its delimiters."""
        return f"$$\n{self._segment.source}\n$$"

    def update(self, segment: Segment) -> bool:
        """Show a longer version of the same formula."""
        if segment.kind != "maths":
            return False
        if segment != self._segment:
            self._segment = segment
            self.release()
        return True

    def lay_out(self, width: float) -> float:
        """Return the height; a formula that is wider than the column is scaled down."""
        if width != self._width:
            self._width = width
            self.release()
        return super().lay_out(width)

    def fill(self, document: QTextDocument) -> None:
        """Put the picture in, or the TeX while it is not there."""
        self._begin_formulas()
        look, tex = self.look, self._segment.source
        em = look.em * _MATHS_SCALE
        made = look.formulas.get(tex, display=True) if self._segment.closed and tex else None
        if made is None:
            if self._segment.closed and look.formulas.waits(tex, display=True):
                self._awaited.append((tex, True))
            document.setDefaultFont(look.code)
            lines = "<br>".join(escape(line) for line in tex.split("\n"))
            document.setHtml(f'<p align="center">{lines}</p>')
            space_lines(document, look.code_line_height)
            return
        if self._width:
            em *= min(1.0, self._width / (made.width * em))
        image = self._image(tex, em, display=True)
        self._pictures = [
            Picture(image, made.width * em, made.ascent * em, made.descent * em, self.source())
        ]
        self._put(document, '<p align="center"><img src="maths"></p>')
