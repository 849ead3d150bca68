"""How a model's row is painted: name and verdict, what it is, and a bar of its memory."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from desktop.core.planner.offers import Offer
from desktop.core.planner.plan import Verdict
from desktop.core.texts import Texts
from desktop.ui import fonts, icons
from desktop.ui.planner import bar, wording
from desktop.ui.planner.rows import OFFER, Index
from desktop.ui.theme import Theme

_PAD, _AROUND, _BAR, _MARK = 13, 3, 6, 15
_MARKS = {Verdict.FITS: ("step-done", "good"), Verdict.UNKNOWN: ("step-waiting", "quiet")}
_NO = ("step-failed", "bad")
_ALMOST = {Verdict.TOO_LONG: ("step-cancelled", "busy"), Verdict.BUSY: ("step-cancelled", "busy")}


class RowPainter(QStyledItemDelegate):
    """Paints one model."""

    def __init__(self, theme: Theme, texts: Texts, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme, self._texts = theme, texts

    def _fonts(self, option: QStyleOptionViewItem) -> tuple[QFont, QFont]:
        base: QFont = option.font
        return fonts.scaled(base, 1.0, bold=True), fonts.scaled(base, 0.92)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: N802
        """Return the height of a row; its width is the list's."""
        name, small = (QFontMetrics(font).height() for font in self._fonts(option))
        return QSize(120, name + small + _BAR + 30)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint one row."""
        offer: Offer = index.data(OFFER)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_ground(painter, option)
        whole: QRect = option.rect
        inside = whole.adjusted(_PAD, 9, -_PAD, -9)
        name, small = self._fonts(option)
        first = QRect(inside.x(), inside.y(), inside.width(), QFontMetrics(name).height())
        second = QRect(first)
        second.setHeight(QFontMetrics(small).height())
        second.moveTop(first.bottom() + 3)
        left = self._paint_verdict(painter, first, offer, small)
        first.setRight(left - 14)
        self._paint_text(painter, first, offer.model.id, name, self._theme.colours.text)
        about = wording.about(offer, self._texts)
        self._paint_text(painter, second, about, small, self._theme.colours.quiet)
        if wording.parts(offer.plan):
            line = QRectF(inside.x() + 0.5, second.bottom() + 7.5, inside.width() - 1, _BAR)
            bar.paint(painter, line, offer.plan, self._theme.colours)
        painter.restore()

    def _paint_ground(self, painter: QPainter, option: QStyleOptionViewItem) -> None:
        state: QStyle.StateFlag = option.state
        colours = self._theme.colours
        chosen = bool(state & QStyle.StateFlag.State_Selected)
        over = bool(state & QStyle.StateFlag.State_MouseOver)
        focused = bool(state & QStyle.StateFlag.State_HasFocus)
        box: QRect = option.rect
        inside = box.adjusted(_AROUND, 2, -_AROUND, -2)
        painter.setPen(QColor(colours.accent) if chosen else Qt.PenStyle.NoPen)
        if chosen and focused:
            painter.setPen(QColor(colours.text))
        if chosen or over:
            painter.setBrush(QColor(colours.tint if chosen else colours.sunken))
            painter.drawRoundedRect(inside, 8, 8)

    def _paint_verdict(self, painter: QPainter, box: QRect, offer: Offer, font: QFont) -> int:
        """Paint the verdict at the right, with a mark for it; return where it begins."""
        found = offer.plan.verdict
        mark, tone = (_MARKS | _ALMOST).get(found, _NO)
        colour = getattr(self._theme.colours, tone)
        text = wording.verdict(offer.plan, self._texts)
        metrics = QFontMetrics(font)
        room = box.width() * 2 // 3
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room)
        begin = box.right() - metrics.horizontalAdvance(shown)
        painter.setFont(font)
        painter.setPen(QColor(colour))
        place = QRect(begin, box.y(), box.right() - begin + 2, box.height())
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, shown)
        ratio = painter.device().devicePixelRatioF()
        y = box.center().y() - _MARK // 2
        painter.drawPixmap(QPoint(begin - _MARK - 6, y), icons.pixmap(mark, colour, _MARK, ratio))
        return begin - _MARK - 6

    def _paint_text(
        self, painter: QPainter, box: QRect, text: str, font: QFont, colour: str
    ) -> None:
        painter.setFont(font)
        painter.setPen(QColor(colour))
        mode = Qt.TextElideMode.ElideRight
        shown = QFontMetrics(font).elidedText(text, mode, max(box.width(), 0))
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, shown)
