"""How a row of the sidebar is painted, and the field in which a title is changed."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QAbstractItemModel, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import QLineEdit, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from desktop.ui import fonts, icons
from desktop.ui.chats.listing import Row
from desktop.ui.chats.rows import ROW, Index
from desktop.ui.theme import Theme

_PAD, _AROUND = 12, 6
_HEIGHT, _HEADING, _HIT = 34, 32, 54
_MARK = 13


class RowPainter(QStyledItemDelegate):
    """Paints a heading, a conversation, or one with what was found in it."""

    def __init__(self, theme: Theme, base: QFont, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._font, self._small = base, fonts.scaled(base, 0.88)
        self._heading = fonts.scaled(base, 0.82, bold=True)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: N802
        """Return the height of a row; its width is the list's."""
        row: Row = index.data(ROW)
        if row.is_heading:
            return QSize(80, _HEADING)
        return QSize(80, _HIT if row.snippet else _HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint one row."""
        row: Row = index.data(ROW)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box: QRect = option.rect
        if row.is_heading:
            self._paint_heading(painter, box, row)
        else:
            self._paint_ground(painter, box, option)
            self._paint_row(painter, box.adjusted(_PAD, 0, -_PAD, 0), row)
        painter.restore()

    def _paint_heading(self, painter: QPainter, box: QRect, row: Row) -> None:
        painter.setFont(self._heading)
        painter.setPen(QColor(self._theme.colours.quiet))
        inside = box.adjusted(_PAD, 0, -_PAD, -5)
        painter.drawText(
            inside, Qt.AlignmentFlag.AlignBottom, self._fitted(row.text, self._heading, inside)
        )

    def _paint_ground(self, painter: QPainter, box: QRect, option: QStyleOptionViewItem) -> None:
        state: QStyle.StateFlag = option.state
        colours = self._theme.colours
        chosen = bool(state & QStyle.StateFlag.State_Selected)
        over = bool(state & QStyle.StateFlag.State_MouseOver)
        focused = bool(state & QStyle.StateFlag.State_HasFocus)
        inside = box.adjusted(_AROUND, 1, -_AROUND, -1)
        painter.setPen(QColor(colours.accent) if chosen and focused else Qt.PenStyle.NoPen)
        if chosen or over:
            painter.setBrush(QColor(colours.tint if chosen else colours.line))
            painter.drawRoundedRect(inside, 7, 7)

    def _paint_row(self, painter: QPainter, box: QRect, row: Row) -> None:
        marks = [
            (row.pinned, "pin", self._theme.colours.quiet),
            (row.draft, "message-edit", self._theme.colours.quiet),
            (row.streaming, "step-running", self._theme.colours.accent),
        ]
        line = QRect(box.x(), box.y(), box.width(), _HEIGHT)
        for has, name, colour in marks:
            if has:
                ratio = painter.device().devicePixelRatioF()
                x = line.right() - _MARK + 1
                y = line.center().y() - _MARK // 2
                painter.drawPixmap(QPoint(x, y), icons.pixmap(name, colour, _MARK, ratio))
                line.setRight(x - 6)
        painter.setFont(self._font)
        painter.setPen(QColor(self._theme.colours.text))
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(line, middle, self._fitted(row.text, self._font, line))
        if row.snippet:
            self._paint_snippet(painter, box.adjusted(0, _HEIGHT - 5, 0, -6), row)

    def _paint_snippet(self, painter: QPainter, box: QRect, row: Row) -> None:
        """Paint what was found, the matches in the text's own colour and bold."""
        bold = fonts.scaled(self._small, 1.0, bold=True)
        x, end = box.x(), box.right()
        for text, matches in pieces(row.snippet, row.matches):
            font = bold if matches else self._small
            colours = self._theme.colours
            painter.setFont(font)
            painter.setPen(QColor(colours.text if matches else colours.quiet))
            part = QRect(x, box.y(), max(end - x, 0), box.height())
            shown = self._fitted(text, font, part)
            painter.drawText(part, Qt.AlignmentFlag.AlignVCenter, shown)
            x += QFontMetrics(font).horizontalAdvance(text)
            if x >= end:
                break

    def _fitted(self, text: str, font: QFont, box: QRect) -> str:
        return QFontMetrics(font).elidedText(text, Qt.TextElideMode.ElideRight, max(box.width(), 0))

    def createEditor(  # noqa: N802
        self, parent: QWidget, option: QStyleOptionViewItem, index: Index
    ) -> QWidget:
        """Return the field in which a title is changed."""
        field = QLineEdit(parent)
        field.setObjectName("renameField")
        return field

    def setEditorData(self, editor: QWidget, index: Index) -> None:  # noqa: N802
        """Begin with the title, selected."""
        assert isinstance(editor, QLineEdit)
        editor.setText(index.data(Qt.ItemDataRole.EditRole))
        editor.selectAll()

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: Index) -> None:  # noqa: N802
        """Take the new title."""
        assert isinstance(editor, QLineEdit)
        model.setData(index, editor.text(), Qt.ItemDataRole.EditRole)

    def updateEditorGeometry(  # noqa: N802
        self, editor: QWidget, option: QStyleOptionViewItem, index: Index
    ) -> None:
        """Lie over the row."""
        box: QRect = option.rect
        editor.setGeometry(box.adjusted(_AROUND, 1, -_AROUND, -1))


def pieces(text: str, matches: Sequence[tuple[int, int]]) -> list[tuple[str, bool]]:
    """Return a text cut into what matches and what does not."""
    found: list[tuple[str, bool]] = []
    at = 0
    for start, end in sorted(matches):
        if start < at or end > len(text):
            continue
        found += [(text[at:start], False), (text[start:end], True)]
        at = end
    found.append((text[at:], False))
    return [piece for piece in found if piece[0]]
