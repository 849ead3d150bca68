"""Fenced code: appended to while it streams, coloured in passing, copied with one click."""

from __future__ import annotations

import time
from collections.abc import Sequence
from textwrap import indent

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import (
    QFontMetricsF,
    QPainter,
    QPen,
    QTextBlock,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextLayout,
    QTextOption,
)

from desktop.ui.transcript.block import Block, Tint
from desktop.ui.transcript.lexing import LEXERS, Colouring, Run
from desktop.ui.transcript.look import Look
from desktop.ui.transcript.machine import CODE_LINES, Segment
from desktop.ui.transcript.spacing import space_lines

_SHORT_OF_BMP = 0x10000
# Characters of a line that are shown, for what is longer is data and takes a second to lay out;
# copying all of the code gives all of it.
_SHOWN_OF_LINE = 4000


class Fence:
    """One piece of fenced code, which may be shown by several blocks, one under the other.

    Attributes:
        language: as written.
        pieces: the source of each block.
        closed: the fence has ended.
        shift: by how many pixels it is moved sideways.
        widest: pixels of its longest line so far.
        copied: the button says so.
    """

    def __init__(self, language: str) -> None:
        self.language = language
        self.pieces: list[str] = []
        self.closed = False
        self.shift = 0.0
        self.widest = 0.0
        self.copied = False
        self.colouring = Colouring(language, LEXERS.get)

    @property
    def source(self) -> str:
        """All of the code."""
        return "\n".join(self.pieces)

    def put(self, part: int, segment: Segment) -> None:
        """Take the text of one block."""
        if part == len(self.pieces):
            self.pieces.append(segment.source)
        else:
            self.pieces[part] = segment.source
        self.closed = segment.closed

    def complete_lines(self) -> int:
        """Return how many lines will not change any more."""
        last = self.pieces[-1] if self.pieces else ""
        lines = (len(self.pieces) - 1) * CODE_LINES + last.count("\n")
        return lines + 1 if self.closed else lines

    def colour(self, until: float) -> bool:
        """Colour complete lines until a time of the performance counter; tells of work left."""
        count = self.complete_lines()
        if not self.colouring.wants(count):
            return False
        first = self.colouring.fed
        for part in range(first // CODE_LINES, len(self.pieces)):
            lines = self.pieces[part].split("\n")
            for line in lines[first - part * CODE_LINES :]:
                if first >= count or time.perf_counter() > until:
                    return first < count
                if not self.colouring.advance(line):
                    return self.colouring.wants(count)
                first += 1
        if self.closed:
            self.colouring.finish()
        return False


class CodeBlock(Block):
    """Fenced code, or a part of it: a header with language and copy button, then the code."""

    _HEADER = 34.0
    _PAD = QPointF(14, 10)

    def __init__(self, look: Look, segment: Segment, fence: Fence) -> None:
        super().__init__(look)
        self._segment = segment
        self.fence = fence
        self.part = segment.part
        self.follows = segment.part > 0
        self.joint = "\n" if self.follows or segment.indent else "\n\n"
        self.gap = 0.0 if self.follows else 16.0
        self._painted = -1  # lines whose colours the document has
        fence.put(self.part, segment)

    @property
    def _last(self) -> bool:
        return self.part == len(self.fence.pieces) - 1

    def source(self) -> str:
        """Return the code, between its fences where it begins and ends."""
        opening = "" if self.follows else f"```{self._segment.language}\n"
        code = opening + self._segment.source + ("\n```" if self._last else "")
        return indent(code, " " * self._segment.indent)

    def visible(self) -> str:
        """Return the code."""
        return _shown(self._segment.source)

    def update(self, segment: Segment) -> bool:
        """Append what is new of the same code; tells whether that is possible in place."""
        if segment.kind != "code" or segment.part != self.part:
            return False
        old, new = self.visible(), _shown(segment.source)
        self._segment = segment
        self._bulk = self._read = None
        self.fence.put(self.part, segment)
        if self._document is None or old == new:
            return True
        if new.startswith(old):
            cursor = QTextCursor(self._document)
            cursor.movePosition(QTextCursor.MoveOperation.End)
            cursor.insertText(new[len(old) :])
            self._painted = min(self._painted, old.count("\n"))
            self.paint_code()
        else:
            self.release()
        return True

    # -- layout ------------------------------------------------------------------------------

    def fill(self, document: QTextDocument) -> None:
        """Put the code in, in its own font."""
        document.setDefaultFont(self.look.code)
        option = QTextOption(document.defaultTextOption())
        option.setWrapMode(QTextOption.WrapMode.NoWrap)
        option.setTextDirection(Qt.LayoutDirection.LeftToRight)
        option.setTabStopDistance(4 * QFontMetricsF(self.look.code).horizontalAdvance(" "))
        document.setDefaultTextOption(option)
        document.setPlainText(self.visible())
        self._painted = 0
        space_lines(document, self.look.code_line_height)
        self._paint_lines(document)

    def lay_out(self, width: float) -> float:
        """Return the height; code is never wrapped, but moved sideways."""
        height = super().lay_out(width)
        if self._document is not None:
            self.fence.widest = max(self.fence.widest, self._document.size().width())
        return height

    def origin(self, width: float) -> QPointF:
        """Stand under the header."""
        top = 0.0 if self.follows else self._HEADER + self._PAD.y()
        return QPointF(self._PAD.x() - self.fence.shift, top)

    def inner_width(self, width: float) -> float:
        """Return -1, which is Qt's word for no wrapping."""
        return -1.0

    def estimate(self, width: float) -> float:
        """Return the height, which is known: nothing wraps."""
        return self.outer_height(
            (self._segment.source.count("\n") + 1) * self.look.code_line_height
        )

    def outer_height(self, document_height: float) -> float:
        """Return the height with header and frame."""
        top = 0.0 if self.follows else self._HEADER + self._PAD.y()
        return document_height + top + (self._PAD.y() + 4 if self._last else 0.0)

    def pan(self, delta: float, width: float) -> bool:
        """Move the code sideways."""
        most = max(self.fence.widest + 2 * self._PAD.x() - width, 0.0)
        shift = min(max(self.fence.shift + delta, 0.0), most)
        moved = shift != self.fence.shift
        self.fence.shift = shift
        return moved

    # -- colours -----------------------------------------------------------------------------

    def paint_code(self) -> bool:
        """Bring the colours in line with what was lexed; tells whether any line changed."""
        return self._document is not None and self._paint_lines(self._document)

    def _paint_lines(self, document: QTextDocument) -> bool:
        first = self.part * CODE_LINES
        runs = self.fence.colouring.runs
        known = max(min(len(runs) - first, document.blockCount()), 0)
        begin = max(self._painted, 0)
        for row in range(begin, known):
            self._paint_line(document.findBlockByNumber(row), runs[first + row])
        self._painted = known
        last, ahead = document.lastBlock(), known
        if self._last and not self.fence.closed and first + document.blockCount() - 1 == len(runs):
            self._paint_line(last, self.fence.colouring.peek(last.text()))
            ahead = document.blockCount()
        if begin >= ahead:
            return False
        # Formats alone leave the lines unshaped: QSyntaxHighlighter says it the same way.
        start = document.findBlockByNumber(begin).position()
        line = document.findBlockByNumber(ahead - 1)
        document.markContentsDirty(start, line.position() + line.length() - start)
        return True

    def _paint_line(self, line: QTextBlock, runs: list[Run]) -> None:
        """Colour a line, with formats on top of the document's own."""
        text = line.text()
        wide = any(ord(char) >= _SHORT_OF_BMP for char in text)
        ranges = []
        for at, length, colour in runs:
            made = QTextLayout.FormatRange()
            made.start = _units(text[:at]) if wide else at
            made.length = _units(text[at : at + length]) if wide else length
            made.format = QTextCharFormat()
            made.format.setForeground(self.look.colour(colour))
            ranges.append(made)
        line.layout().setFormats(ranges)

    # -- painting ----------------------------------------------------------------------------

    def paint(
        self, painter: QPainter, width: float, clip: QRectF, tints: Sequence[Tint] = ()
    ) -> None:
        """Paint inside the frame what is not moved out of sight."""
        painter.save()
        painter.setClipRect(QRectF(0, 0, width, self._height), Qt.ClipOperation.IntersectClip)
        super().paint(painter, width, clip, tints)
        painter.restore()

    def decorate(self, painter: QPainter, width: float) -> None:
        """Paint frame, language and copy button."""
        look = self.look
        over, under = 20.0 if self.follows else 0.0, 0.0 if self._last else 20.0
        frame = QRectF(0.5, 0.5 - over, width - 1, self._height - 1 + over + under)
        painter.setPen(QPen(look.colour("line"), 1))
        painter.setBrush(look.colour("sunken"))
        painter.drawRoundedRect(frame, 9, 9)
        if self._last:
            self._paint_thumb(painter, width)
        if self.follows:
            return
        painter.setPen(QPen(look.colour("line"), 1))
        painter.drawLine(QPointF(1, self._HEADER), QPointF(width - 1, self._HEADER))
        painter.setFont(look.small)
        painter.setPen(look.colour("quiet"))
        header = QRectF(self._PAD.x(), 0, width - 2 * self._PAD.x(), self._HEADER)
        middle = Qt.AlignmentFlag.AlignVCenter
        label = self._segment.language or look.texts["reply.code"]
        painter.drawText(header, middle | Qt.AlignmentFlag.AlignLeft, label)
        painter.setPen(look.colour("good" if self.fence.copied else "accent"))
        painter.drawText(header, middle | Qt.AlignmentFlag.AlignRight, self._copy_label())

    def _paint_thumb(self, painter: QPainter, width: float) -> None:
        """Show how much of the code is to be seen, where it is wider than the column."""
        whole = self.fence.widest + 2 * self._PAD.x()
        if whole <= width + 1:
            return
        track = width - 2 * self._PAD.x()
        thumb = QRectF(
            self._PAD.x() + track * self.fence.shift / whole, self._height - 7,
            track * width / whole, 4,
        )  # fmt: skip
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.look.colour("line"))
        painter.drawRoundedRect(thumb, 2, 2)

    def _copy_label(self) -> str:
        return self.look.texts["reply.copied" if self.fence.copied else "reply.copy"]

    def hotspot(self, point: QPointF, width: float) -> bool:
        """Tell whether the copy button is under the point."""
        if self.follows:
            return False
        button = QFontMetricsF(self.look.small).horizontalAdvance(self._copy_label())
        left = width - 2 * self._PAD.x() - button
        return QRectF(left, 0, width - left, self._HEADER).contains(point)

    def activate(self, point: QPointF, width: float) -> str | None:
        """Return all of the code for the clipboard."""
        self.fence.copied = True
        return self.fence.source


def _shown(source: str) -> str:
    """Return the code with its endless lines cut short."""
    if len(source) <= _SHOWN_OF_LINE:
        return source
    return "\n".join(
        line if len(line) <= _SHOWN_OF_LINE else f"{line[:_SHOWN_OF_LINE]}…"
        for line in source.split("\n")
    )


def _units(text: str) -> int:
    """Return the length of a text as Qt counts it."""
    return len(text) + sum(ord(char) >= _SHORT_OF_BMP for char in text)
