"""Mouse and keyboard on the transcript: selecting, copying, links, buttons inside blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import (
    QContextMenuEvent,
    QDesktopServices,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QTextCursor,
)
from PySide6.QtWidgets import QMenu, QToolTip

from desktop.ui.transcript.selection import Place, Selection

if TYPE_CHECKING:
    from desktop.ui.transcript.view import Transcript

_SCROLL_MS = 30
_OPENABLE = ("https", "http", "mailto")


class Pointer(QObject):
    """Watches a transcript's viewport and keys; holds what a drag needs to remember."""

    def __init__(self, view: Transcript) -> None:
        super().__init__(view)
        self._view = view
        self._anchor: Place | None = None
        self._pressed = QPointF()
        self._last = QPointF()
        self._scroller = QTimer(self, interval=_SCROLL_MS)
        self._scroller.timeout.connect(self._scroll_on)
        view.viewport().installEventFilter(self)
        view.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Route the events that are ours."""
        kind = event.type()
        if isinstance(event, QMouseEvent) and watched is self._view.viewport():
            return self._mouse(kind, event)
        if isinstance(event, QContextMenuEvent) and watched is self._view.viewport():
            self._menu(event)
            return True
        if kind == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            return watched is self._view and self._key(event)
        return False

    def _mouse(self, kind: QEvent.Type, event: QMouseEvent) -> bool:
        point = event.position()
        left = event.button() == Qt.MouseButton.LeftButton
        if kind == QEvent.Type.MouseButtonPress and left:
            self._press(point, extend=bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
        elif kind == QEvent.Type.MouseMove:
            self._move(point, dragging=bool(event.buttons() & Qt.MouseButton.LeftButton))
        elif kind == QEvent.Type.MouseButtonRelease and left:
            self._release(point)
        elif kind == QEvent.Type.MouseButtonDblClick and left:
            self._select_word(point)
        else:
            return False
        return True

    def _press(self, point: QPointF, *, extend: bool) -> None:
        self._pressed = point
        place = self._place(point)
        if place is None:
            return
        selection = self._view.selection
        self._anchor = selection.anchor if extend and selection is not None else place
        self._view.select(Selection(self._anchor, place) if extend else None)

    def _move(self, point: QPointF, *, dragging: bool) -> None:
        self._last = point
        if not dragging:
            self._show_cursor(point)
        elif self._anchor is not None:
            self._extend(point)
            outside = not 0 <= point.y() <= self._view.viewport().height()
            if outside != self._scroller.isActive():
                (self._scroller.start if outside else self._scroller.stop)()

    def _extend(self, point: QPointF) -> None:
        place = self._place(point)
        if place is not None and self._anchor is not None:
            self._view.select(Selection(self._anchor, place))

    def _release(self, point: QPointF) -> None:
        self._scroller.stop()
        moved = (point - self._pressed).manhattanLength() > 4
        found = self._view.block_at(point)
        self._anchor = None
        if moved or found is None:
            return
        index, inside = found
        block, width = self._view.flow.blocks[index], self._view.column()[1]
        if block.hotspot(inside, width):
            self._view.activate(index, inside)
        elif link := block.link(inside, width):
            url = QUrl(link)
            if url.scheme() in _OPENABLE:  # a model's link never opens a file or a program
                QDesktopServices.openUrl(url)

    def _select_word(self, point: QPointF) -> None:
        place = self._place(point)
        document = None if place is None else self._view.flow.blocks[place.block].document
        if place is None or document is None:
            return
        cursor = QTextCursor(document)
        cursor.setPosition(place.character)
        cursor.select(QTextCursor.SelectionType.WordUnderCursor)
        self._view.select(
            Selection(
                Place(place.block, cursor.selectionStart()),
                Place(place.block, cursor.selectionEnd()),
            )
        )

    def _place(self, point: QPointF) -> Place | None:
        found = self._view.block_at(point)
        if found is None:
            return None
        index, inside = found
        block = self._view.flow.blocks[index]
        return Place(index, max(block.position(inside, self._view.column()[1]), 0))

    def _show_cursor(self, point: QPointF) -> None:
        shape, tip = Qt.CursorShape.ArrowCursor, ""
        if found := self._view.block_at(point):
            index, inside = found
            block, width = self._view.flow.blocks[index], self._view.column()[1]
            tip = block.link(inside, width)
            if tip or block.hotspot(inside, width):
                shape = Qt.CursorShape.PointingHandCursor
            elif 0 <= inside.x() <= width:
                shape = Qt.CursorShape.IBeamCursor
        self._view.viewport().setCursor(shape)
        QToolTip.showText(self._view.viewport().mapToGlobal(point.toPoint()), tip[:300], self._view)

    def _scroll_on(self) -> None:
        """Go on scrolling while the mouse is held outside."""
        height = self._view.viewport().height()
        beyond = self._last.y() if self._last.y() < 0 else max(self._last.y() - height, 0)
        bar = self._view.verticalScrollBar()
        bar.setValue(bar.value() + int(max(min(beyond, 60), -60)))
        self._extend(self._last)

    def _key(self, event: QKeyEvent) -> bool:
        bar = self._view.verticalScrollBar()
        if event.matches(QKeySequence.StandardKey.Copy):
            self._view.copy()
        elif event.matches(QKeySequence.StandardKey.SelectAll):
            self._view.select_all()
        elif event.key() == Qt.Key.Key_Home:
            bar.setValue(0)
        elif event.key() == Qt.Key.Key_End:
            self._view.to_end()
        else:
            return False
        return True

    def _menu(self, event: QContextMenuEvent) -> None:
        texts = self._view.texts
        menu = QMenu(self._view)
        copy = menu.addAction(texts["transcript.copy"], self._view.copy)
        copy.setEnabled(self._view.selection is not None and not self._view.selection.empty)
        menu.addAction(texts["transcript.select-all"], self._view.select_all)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())
