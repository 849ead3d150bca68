"""Fenced code: appended to while it streams, copied with one click."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPen, QTextCursor, QTextDocument

from desktop.ui.transcript.block import Block, space_lines
from desktop.ui.transcript.look import Look
from desktop.ui.transcript.segments import Segment


class CodeBlock(Block):
    """Fenced code: a header with its language and a copy button, then the code itself."""

    gap = 18.0
    _HEADER = 34.0
    _PAD = QPointF(14, 10)

    def __init__(self, look: Look, segment: Segment) -> None:
        super().__init__(look)
        self._segment = segment
        self.copied = False

    def source(self) -> str:
        """Return the code inside its fences."""
        return f"```{self._segment.language}\n{self._segment.source}\n```"

    def update(self, segment: Segment) -> bool:
        """Append what is new of the same code; tells whether that is possible in place."""
        if segment.kind != "code":
            return False
        old, new = self._segment.source, segment.source
        self._segment = segment
        if self._document is not None and new.startswith(old):
            cursor = QTextCursor(self._document)
            cursor.movePosition(QTextCursor.MoveOperation.End)
            cursor.insertText(new[len(old) :])
        else:
            self.release()
        return True

    def fill(self, document: QTextDocument) -> float:
        """Put the code in, in its own font."""
        document.setDefaultFont(self.look.code)
        document.setPlainText(self._segment.source)
        return space_lines(document, self.look.code_line_height)

    def origin(self, width: float) -> QPointF:
        """Stand under the header."""
        return QPointF(self._PAD.x(), self._HEADER + self._PAD.y())

    def inner_width(self, width: float) -> float:
        """Return the width inside the frame."""
        return width - 2 * self._PAD.x()

    def outer_height(self, document_height: float) -> float:
        """Return the height with header and frame."""
        return document_height + self._HEADER + 2 * self._PAD.y() + 4

    def decorate(self, painter: QPainter, width: float) -> None:
        """Paint frame, language and copy button."""
        look = self.look
        painter.setPen(QPen(look.colour("line"), 1))
        painter.setBrush(look.colour("sunken"))
        painter.drawRoundedRect(QRectF(0.5, 0.5, width - 1, self._height - 1), 9, 9)
        painter.drawLine(QPointF(1, self._HEADER), QPointF(width - 1, self._HEADER))
        painter.setFont(look.small)
        painter.setPen(look.colour("quiet"))
        header = QRectF(self._PAD.x(), 0, width - 2 * self._PAD.x(), self._HEADER)
        middle = Qt.AlignmentFlag.AlignVCenter
        label = self._segment.language or look.texts["reply.code"]
        painter.drawText(header, middle | Qt.AlignmentFlag.AlignLeft, label)
        painter.setPen(look.colour("good" if self.copied else "accent"))
        painter.drawText(header, middle | Qt.AlignmentFlag.AlignRight, self._copy_label())

    def _copy_label(self) -> str:
        return self.look.texts["reply.copied" if self.copied else "reply.copy"]

    def hotspot(self, point: QPointF, width: float) -> bool:
        """Tell whether the copy button is under the point."""
        button = QFontMetricsF(self.look.small).horizontalAdvance(self._copy_label())
        left = width - 2 * self._PAD.x() - button
        return QRectF(left, 0, width - left, self._HEADER).contains(point)

    def activate(self, point: QPointF, width: float) -> str | None:
        """Return the code for the clipboard."""
        self.copied = True
        return self._segment.source
