"""The files that go with a message: each one line that opens its text, which can be long."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter, QPen, QTextDocument

from desktop.core.amounts import joined, size
from desktop.core.chat.conversation import Attachment
from desktop.ui.transcript.block import Block
from desktop.ui.transcript.code import CodeBlock, Fence
from desktop.ui.transcript.look import Look
from desktop.ui.transcript.machine import CODE_LINES, Segment
from desktop.ui.transcript.plain import FoldBlock, paint_arrow
from desktop.ui.transcript.spacing import space_lines

_AIR = 8.0  # between two files, and under an open one
_LINE = 0.8  # of the height of a line of body text


class FileBlock(FoldBlock):
    """The line of a file: its name and size in a small frame, over what was typed."""

    gap = _AIR
    tone = "text"
    _PAD = QPointF(12, 5)
    _ARROW = 16.0  # width of the arrow and the room after it
    _WIDEST = 0.82  # of the column, as what was typed
    _ROUND = 8.0

    def __init__(self, look: Look, attachment: Attachment) -> None:
        amount = size(len(attachment.text.encode("utf-8", "replace")))
        super().__init__(look, joined(attachment.name, amount))
        self._name = attachment.name
        self._natural = 0.0  # width of the line without a single wrap

    def source(self) -> str:
        """Return the name, which the model is told too."""
        return self._name

    def visible(self) -> str:
        """Return the name and the size."""
        return self.title

    def fill(self, document: QTextDocument) -> None:
        """Put the title in, where it can be found and selected."""
        document.setDefaultFont(self.look.small)
        document.setPlainText(self.title)
        space_lines(document, self.look.line_height * _LINE)
        self._natural = document.idealWidth() + 1

    def inner_width(self, width: float) -> float:
        """Return the width of the title: as narrow as it can be."""
        most = width * self._WIDEST - 2 * self._PAD.x() - self._ARROW
        return min(self._natural, most)

    def origin(self, width: float) -> QPointF:
        """Stand at the right edge."""
        return QPointF(width - self.inner_width(width) - self._PAD.x(), self._PAD.y())

    def estimate(self, width: float) -> float:
        """Return the height of one line."""
        return self.outer_height(self.look.line_height * _LINE)

    def outer_height(self, document_height: float) -> float:
        """Return the frame's height."""
        return document_height + 2 * self._PAD.y()

    def _box(self, width: float) -> QRectF:
        left = self.origin(width).x() - self._PAD.x() - self._ARROW
        return QRectF(left + 0.5, 0.5, width - left - 1, self._height - 1)

    def decorate(self, painter: QPainter, width: float) -> None:
        """Paint the frame and a small arrow."""
        box = self._box(width)
        painter.setPen(QPen(self.look.colour("line"), 1))
        painter.setBrush(self.look.colour("sunken"))
        painter.drawRoundedRect(box, self._ROUND, self._ROUND)
        middle = QPointF(box.left() + self._PAD.x() + 4, box.center().y())
        paint_arrow(painter, self.look, middle, is_open=self.open)

    def hotspot(self, point: QPointF, width: float) -> bool:
        """Tell whether the frame is under the point: all of it opens and closes."""
        return self._box(width).contains(point)


class File:
    """A file in its message.

    Attributes:
        line: opens and closes it.
    """

    def __init__(self, look: Look, attachment: Attachment) -> None:
        self.line = FileBlock(look, attachment)
        self._look = look
        self._attachment = attachment
        self._held: list[Block] | None = None  # once it was asked for

    @property
    def held(self) -> list[Block]:
        """The blocks of its text, which are drawn as code is: file by file, line by line."""
        if self._held is None:
            self._held = _blocks(self._look, self._attachment)
        return self._held

    def renew(self, look: Look) -> None:
        """Be drawn with another look from now on."""
        self._look = look
        for block in (self.line, *(self._held or ())):
            block.renew(look)


def _blocks(look: Look, attachment: Attachment) -> list[Block]:
    """Return a file's text in blocks, each of which is laid out within a frame."""
    language = _language(attachment.name)
    text = attachment.text.replace("\r\n", "\n").replace("\r", "\n").rstrip()
    fence, lines = Fence(language), text.split("\n")
    made: list[Block] = []
    for part, at in enumerate(range(0, len(lines), CODE_LINES)):
        source = "\n".join(lines[at : at + CODE_LINES])
        made.append(CodeBlock(look, Segment("code", source, language, True, part=part), fence))
    made[0].gap = _AIR
    return made


def _language(name: str) -> str:
    """Return what a fence would say of such a file: its ending, or nothing."""
    _, dot, ending = name.rpartition(".")
    return ending.lower() if dot and ending.isalnum() else ""
