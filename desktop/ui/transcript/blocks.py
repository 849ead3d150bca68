"""The kinds of blocks: the user's words, rich text, reasoning, notes. Code has its own file."""

from __future__ import annotations

from html import escape
from typing import Any

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QTextCursor, QTextDocument

from desktop.ui.transcript.block import Block, rule_tables, space_lines
from desktop.ui.transcript.look import Look
from desktop.ui.transcript.segments import Segment, balanced

_GAPS = {"text": 17.0, "item": 9.0, "quote": 17.0}
_HEADING_GAP = 26.0


class UserBlock(Block):
    """What the user said: plain text in a tinted bubble at the right."""

    gap = 30.0
    _PAD = QPointF(15, 10)
    _WIDEST = 0.82  # of the column

    def __init__(self, look: Look, text: str) -> None:
        super().__init__(look)
        self._text = text
        self._natural = 0.0  # width of the text without a single wrap

    def source(self) -> str:
        """Return what the user typed."""
        return self._text

    def fill(self, document: QTextDocument) -> float:
        """Put the plain text in."""
        document.setPlainText(self._text)
        under = space_lines(document, self.look.line_height)
        self._natural = document.idealWidth() + 1
        return under

    def inner_width(self, width: float) -> float:
        """Return the width of the text: as narrow as it can be."""
        return min(self._natural, width * self._WIDEST - 2 * self._PAD.x())

    def origin(self, width: float) -> QPointF:
        """Stand at the right edge."""
        return QPointF(width - self.inner_width(width) - self._PAD.x(), self._PAD.y())

    def outer_height(self, document_height: float) -> float:
        """Return the bubble's height."""
        return document_height + 2 * self._PAD.y()

    def decorate(self, painter: QPainter, width: float) -> None:
        """Paint the bubble."""
        bubble = self.inner_width(width) + 2 * self._PAD.x()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.look.colour("tint"))
        painter.drawRoundedRect(QRectF(width - bubble, 0, bubble, self._height), 14, 14)


class RichBlock(Block):
    """A piece of the model's Markdown."""

    _QUOTE_INDENT = 18.0

    def __init__(self, look: Look, segment: Segment, references: dict[str, Any]) -> None:
        super().__init__(look)
        self._references = references
        self._take(segment)

    def _take(self, segment: Segment) -> None:
        self._segment = segment
        heading = segment.kind == "text" and segment.source.lstrip().startswith("#")
        self.gap = _HEADING_GAP if heading else _GAPS[segment.kind]
        self.tone = "quiet" if segment.kind == "quote" else "text"

    def source(self) -> str:
        """Return the Markdown."""
        return self._segment.source

    def update(self, segment: Segment) -> bool:
        """Show a longer version of the same segment; tells whether that is possible in place."""
        if segment.kind == "code":
            return False
        self._take(segment)
        self.release()
        return True

    def fill(self, document: QTextDocument) -> float:
        """Parse and style."""
        # Slow to import and not needed before the first reply.
        from desktop.ui.transcript.markdown import style_sheet, to_html  # noqa: PLC0415

        look = self.look
        source = self._segment.source
        if self._segment.kind == "quote":  # the bar at its side says it already
            source = "\n".join(_unquoted(line) for line in source.split("\n"))
        if not self._segment.closed:
            source = balanced(source)
        families = ", ".join(f"'{name}'" for name in look.code.families())
        document.setDefaultStyleSheet(style_sheet(look.colours, families, look.code.pointSizeF()))
        document.setHtml(to_html(source, self._references))
        rule_tables(document, look.colour("line"))
        return space_lines(document, self.look.line_height)

    def origin(self, width: float) -> QPointF:
        """Leave room for a quote's bar."""
        return QPointF(self._QUOTE_INDENT if self._segment.kind == "quote" else 0, 0)

    def inner_width(self, width: float) -> float:
        """Return the width beside a quote's bar."""
        return width - self.origin(width).x()

    def decorate(self, painter: QPainter, width: float) -> None:
        """Paint a quote's bar."""
        if self._segment.kind == "quote":
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.look.colour("line"))
            painter.drawRoundedRect(QRectF(0, 0, 4, self._height), 2, 2)


def _unquoted(line: str) -> str:
    stripped = line.lstrip()
    if not stripped.startswith(">"):
        return line
    return stripped[2:] if stripped.startswith("> ") else stripped[1:]


class ReasoningBlock(Block):
    """The model's thinking: one quiet line that opens."""

    gap = 18.0
    tone = "quiet"
    _HEADER = 26.0

    def __init__(self, look: Look) -> None:
        super().__init__(look)
        self._text = ""
        self.open = False
        self.title = look.texts["reply.thinking"]

    def source(self) -> str:
        """Return the reasoning, marked as a quotation."""
        return "\n".join(f"> {line}" for line in self._text.split("\n"))

    def append(self, text: str) -> None:
        """Add more of it."""
        self._text += text
        if self._document is not None and self.open:
            cursor = QTextCursor(self._document)
            cursor.movePosition(QTextCursor.MoveOperation.End)
            cursor.insertText(text)

    def fill(self, document: QTextDocument) -> float:
        """Put the text in while it is open."""
        document.setPlainText(self._text if self.open else "")
        return space_lines(document, self.look.line_height)

    def origin(self, width: float) -> QPointF:
        """Stand under the title."""
        return QPointF(18, self._HEADER)

    def inner_width(self, width: float) -> float:
        """Return the width beside the bar."""
        return width - 18

    def outer_height(self, document_height: float) -> float:
        """Return the height: one line while it is closed."""
        return self._HEADER + (document_height + 4 if self.open else 0)

    def estimate(self, width: float) -> float:
        """Return the height while closed, or a guess."""
        return super().estimate(width) if self.open else self._HEADER

    def decorate(self, painter: QPainter, width: float) -> None:
        """Paint the title and, while open, the bar."""
        painter.setFont(self.look.small)
        painter.setPen(self.look.colour("quiet"))
        sign = "▾" if self.open else "▸"
        box = QRectF(0, 0, width, self._HEADER)
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, f"{sign}  {self.title}")
        if self.open:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.look.colour("line"))
            painter.drawRoundedRect(
                QRectF(3, self._HEADER, 3, self._height - self._HEADER), 1.5, 1.5
            )

    def hotspot(self, point: QPointF, width: float) -> bool:
        """The whole title opens and closes it."""
        return 0 <= point.y() < self._HEADER

    def activate(self, point: QPointF, width: float) -> str | None:
        """Open or close it."""
        self.open = not self.open
        self.release()
        return None


class NoteBlock(Block):
    """One of our own small lines: figures under a reply, what it waits for, what broke it."""

    gap = 8.0

    tone = "quiet"

    def __init__(self, look: Look, lines: list[str], *, error: bool = False) -> None:
        super().__init__(look)
        self._lines = lines
        self._error = error

    def source(self) -> str:
        """Return nothing: these are not words of the conversation."""
        return ""

    def fill(self, document: QTextDocument) -> float:
        """Put the lines in, the first of an error in bold."""
        document.setDefaultFont(self.look.small)
        lines = [escape(line) for line in self._lines if line]
        if self._error:
            lines[0] = f'<b style="color:{self.look.colours.bad}">{lines[0]}</b>'
        document.setHtml("<br>".join(lines))
        return space_lines(document, self.look.line_height * 0.86)

    def origin(self, width: float) -> QPointF:
        """Leave room for an error's bar."""
        return QPointF(16 if self._error else 0, 0)

    def inner_width(self, width: float) -> float:
        """Return the width beside the bar."""
        return width - self.origin(width).x()

    def estimate(self, width: float) -> float:
        """Return one line's height each."""
        return self.look.line_height * len(self._lines)

    def decorate(self, painter: QPainter, width: float) -> None:
        """Paint an error's bar."""
        if self._error:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.look.colour("bad"))
            painter.drawRoundedRect(QRectF(0, 0, 4, self._height), 2, 2)
