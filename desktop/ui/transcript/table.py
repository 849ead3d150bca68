"""Tables: cut into pieces of a few rows that share the widths of their columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import (
    QLinearGradient,
    QPainter,
    QPen,
    QTextDocument,
    QTextLength,
    QTextTable,
)

from desktop.ui.transcript.block import Tint
from desktop.ui.transcript.columns import PAD, SHOWN_OF_CELL, Columns
from desktop.ui.transcript.lines import cells
from desktop.ui.transcript.look import Look
from desktop.ui.transcript.machine import Segment
from desktop.ui.transcript.rich import FormulaBlock, References

_FADE = 28.0  # pixels
_PLAIN = str.maketrans("", "", " ,.")  # what may stand between words and be no markup


class TableBlock(FormulaBlock):
    """Some rows of a table, the first of its blocks with the header."""

    def __init__(
        self, look: Look, segment: Segment, references: References, columns: Columns
    ) -> None:
        super().__init__(look)
        self._segment = segment
        self._references = references
        self.columns = columns
        self.follows = segment.part > 0
        self.joint = "\n" if self.follows else "\n\n"
        self.gap = 0.0 if self.follows else 16.0
        self._html: dict[str, str] = {}  # of rows, which mostly stay
        self._laid = -1.0  # the width at which it was laid out
        self._shares: list[int] = []  # of the columns, in pixels
        self._lines: list[float] = []  # where the rows begin, in the block

    def source(self) -> str:
        """Return the rows in Markdown, under their header where the table begins."""
        return self._segment.source if self.follows else self._whole()

    def _whole(self) -> str:
        return f"{self._segment.head}\n{self._segment.source}".rstrip("\n")

    def visible(self) -> str:
        """Return the cells without their markup, a line for each."""
        from desktop.ui.transcript.markdown import parse, visible  # noqa: PLC0415 - slow

        rows = self._segment.source.split("\n") if self._segment.source else []
        found = [cell for row in rows for cell in cells(row)[: self.columns.count]]
        if not self.follows:
            found = [*self.columns.titles, *found]
        return "\n".join(visible(parse(cell, self._references)) for cell in found)

    def update(self, segment: Segment) -> bool:
        """Show more rows of the same table; tells whether that is possible in place."""
        if (segment.kind, segment.part) != ("table", self._segment.part):
            return False
        if segment != self._segment:
            self._segment = segment
            if segment.part == 0:
                self.columns.measure(self.look, segment.source)
            self.release()
        return True

    @property
    def refers(self) -> bool:
        """Tell whether a link that is defined later may stand in it."""
        return "[" in self._segment.source

    def release(self) -> None:
        """Forget the document."""
        super().release()
        self._laid, self._shares = -1.0, []

    def renew(self, look: Look) -> None:
        """Be drawn with another look: formulas have another colour, columns another width."""
        self._html.clear()
        if not self.follows:
            self.columns.measure(look, self._segment.source)
        super().renew(look)

    # -- layout ------------------------------------------------------------------------------

    def fill(self, document: QTextDocument) -> None:
        """Put the rows in as a table of Qt's."""
        from desktop.ui.transcript.markdown import style_sheet  # noqa: PLC0415 - slow

        self._begin_formulas()
        families = ", ".join(f"'{name}'" for name in self.look.code.families())
        document.setDefaultStyleSheet(
            style_sheet(self.look.colours, families, self.look.code.pointSizeF())
        )
        rows = [] if self.follows else [self._row_html(self._segment.head.split("\n")[0], "th")]
        if self._segment.source:
            rows += [self._row_html(row, "td") for row in self._segment.source.split("\n")]
        way = ' dir="rtl"' if self.columns.rightwards else ""
        opening = f'<table{way} border="0" cellspacing="0" cellpadding="{PAD:.0f}">'
        self._put(document, f"{opening}{''.join(rows)}</table>")

    def _row_html(self, row: str, tag: str) -> str:
        if row in self._html and tag == "td":
            return self._html[row]
        padded = [*cells(row), *[""] * self.columns.count][: self.columns.count]
        html = "".join(
            f'<{tag} align="{self.columns.alignment(index)}" valign="middle">'
            f"{_html(_shown(cell), self._references, self._formula)}</{tag}>"
            for index, cell in self.columns.placed(list(enumerate(padded)))
        )
        made = f"<tr>{html}</tr>"
        if "$" not in row and "\\" not in row:  # pictures are numbered anew every time
            self._html[row] = made
        return made

    def lay_out(self, width: float) -> float:
        """Return the height with the columns as wide as the table's."""
        document = self.built()
        whole = self.columns.whole(width)
        if self._laid != whole:
            self._laid = whole
            table = _table(document)
            widths = self.columns.placed(self.columns.widths(width))
            shares = [round(each + 2 * PAD) for each in widths]
            if table is not None and shares != self._shares:  # setting them is a layout of its own
                self._shares = shares
                _set_columns(table, shares)
            document.setTextWidth(whole)
            self._lines = _row_tops(document, table)
        self._height = self._lines[-1] if self._lines else 0.0
        return self._height

    def origin(self, width: float) -> QPointF:
        """Stand as far to the left as the table was moved."""
        return QPointF(-self._hidden(width)[0], 0)

    def _hidden(self, width: float) -> tuple[float, float]:
        """Return how much is out of sight at the left and at the right."""
        before = self.columns.shift
        after = max(self.columns.whole(width) - width, 0.0) - before
        return (after, before) if self.columns.rightwards else (before, after)

    def estimate(self, width: float) -> float:
        """Return the height of rows that do not wrap."""
        rows = self._segment.source.count("\n") + (1 if self.follows else 2)
        return rows * (self.look.line_height * 0.8 + 2 * PAD)

    def pan(self, delta: float, width: float) -> bool:
        """Move the table sideways."""
        most = max(self.columns.whole(width) - width, 0.0)
        delta = -delta if self.columns.rightwards else delta
        shift = min(max(self.columns.shift + delta, 0.0), most)
        moved = shift != self.columns.shift
        self.columns.shift = shift
        return moved

    # -- painting ----------------------------------------------------------------------------

    def paint(
        self, painter: QPainter, width: float, clip: QRectF, tints: Sequence[Tint] = ()
    ) -> None:
        """Paint what is not moved out of sight."""
        painter.save()
        painter.setClipRect(QRectF(0, 0, width, self._height + 1), Qt.ClipOperation.IntersectClip)
        super().paint(painter, width, clip, tints)
        self._fade(painter, width)
        painter.restore()

    def _fade(self, painter: QPainter, width: float) -> None:
        """Let the table end softly where it goes on out of sight."""
        left, right = self._hidden(width)
        for x, inner, hidden in ((0.0, _FADE, left), (width, width - _FADE, right)):
            if hidden > 1:
                shade = QLinearGradient(x, 0, inner, 0)
                ground = self.look.colour("window")
                shade.setColorAt(0, ground)
                ground.setAlpha(0)
                shade.setColorAt(1, ground)
                painter.fillRect(QRectF(min(x, inner), 0, _FADE, self._height + 1), shade)

    def decorate(self, painter: QPainter, width: float) -> None:
        """Paint a ground behind the header and a hairline under every row."""
        if not self._lines:
            return
        if not self.follows:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.look.colour("sunken"))
            painter.drawRect(QRectF(0, 0, width, self._lines[0]))
        painter.setPen(QPen(self.look.colour("line"), 1))
        for y in self._lines:
            painter.drawLine(QPointF(0, round(y) - 0.5), QPointF(width, round(y) - 0.5))


def _shown(cell: str) -> str:
    return cell if len(cell) <= SHOWN_OF_CELL else f"{cell[:SHOWN_OF_CELL]}…"


def _html(cell: str, references: References, formula: Callable[[str, bool, str], str]) -> str:
    """Return the rich text of a cell; most hold words and numbers, in which nothing is to parse."""
    if not cell or cell.translate(_PLAIN).isalnum():
        return cell
    from desktop.ui.transcript.markdown import inline_html  # noqa: PLC0415 - slow

    return inline_html(cell, references, formula)


def _table(document: QTextDocument) -> QTextTable | None:
    frames = document.rootFrame().childFrames()
    return frames[0] if frames and isinstance(frames[0], QTextTable) else None


def _set_columns(table: QTextTable, shares: list[int]) -> None:
    fixed = table.format()
    kind = QTextLength.Type.FixedLength
    fixed.setColumnWidthConstraints([QTextLength(kind, share) for share in shares])
    fixed.setMargin(0)
    table.setFormat(fixed)


def _row_tops(document: QTextDocument, table: QTextTable | None) -> list[float]:
    """Return where every row of a table ends."""
    if table is None:
        return [document.size().height()]
    layout = document.documentLayout()
    tops = [
        layout.blockBoundingRect(table.cellAt(row, 0).firstCursorPosition().block()).top() - PAD
        for row in range(1, table.rows())
    ]
    return [*tops, document.size().height()]
