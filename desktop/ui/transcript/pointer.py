"""Mouse and keyboard on the transcript: selecting, copying, links, buttons inside blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import (
    QContextMenuEvent,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QTextCursor,
    QWheelEvent,
)
from PySide6.QtWidgets import QMenu, QToolTip

from desktop.ui.transcript import inside
from desktop.ui.transcript.selection import Place, Selection

if TYPE_CHECKING:
    from desktop.ui.transcript.flow import Seen
    from desktop.ui.transcript.view import Transcript

_SCROLL_MS = 30
_OPENABLE = ("https", "http", "mailto")
_LONGEST_TIP = 300
_OURS = frozenset(
    {
        QEvent.Type.MouseButtonPress,
        QEvent.Type.MouseMove,
        QEvent.Type.MouseButtonRelease,
        QEvent.Type.MouseButtonDblClick,
        QEvent.Type.Wheel,
        QEvent.Type.ContextMenu,
        QEvent.Type.Leave,
        QEvent.Type.KeyPress,
        QEvent.Type.DevicePixelRatioChange,
    }
)
_ALT = Qt.KeyboardModifier.AltModifier
_SHIFT = Qt.KeyboardModifier.ShiftModifier
_SHIFT_OR_KEYPAD = _SHIFT | Qt.KeyboardModifier.KeypadModifier
_SIDEWAYS: dict[int, int] = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
_STEP, _FAR = 60.0, 400.0  # pixels of a key, and with Shift


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
        if kind not in _OURS:  # the last events come when the view is already half gone
            return False
        if watched is not self._view:
            return self._in_viewport(kind, event)
        if kind == QEvent.Type.DevicePixelRatioChange:
            self._view.renew()
        return isinstance(event, QKeyEvent) and kind == QEvent.Type.KeyPress and self._key(event)

    def _in_viewport(self, kind: QEvent.Type, event: QEvent) -> bool:
        if isinstance(event, QMouseEvent):
            return self._mouse(kind, event)
        if isinstance(event, QWheelEvent):
            return self._wheel(event)
        if isinstance(event, QContextMenuEvent):
            self._menu(event)
            return True
        if kind == QEvent.Type.Leave:
            self._view.hover(None)
        return False

    # -- the mouse ---------------------------------------------------------------------------

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
        seen, inside = found
        width = self._view.width_of(seen.block)
        if seen.block.hotspot(inside, width):
            self._view.activate(seen, inside)
        elif link := _openable(seen.block.link(inside, width)):
            self._view.linked.emit(link)

    def _select_word(self, point: QPointF) -> None:
        place, found = self._place(point), self._view.block_at(point)
        if place is None or found is None or found[0].block.document is None:
            return
        cursor = QTextCursor(found[0].block.document)
        cursor.setPosition(place.character)
        cursor.select(QTextCursor.SelectionType.WordUnderCursor)
        start, end = cursor.selectionStart(), cursor.selectionEnd()
        self._view.select(
            Selection(
                Place(place.section, place.block, start), Place(place.section, place.block, end)
            )
        )

    def _place(self, point: QPointF) -> Place | None:
        found = self._view.block_at(point)
        if found is None:
            return None
        seen, inside = found
        character = max(seen.block.position(inside, self._view.width_of(seen.block)), 0)
        return Place(seen.section, seen.index, character)

    def _show_cursor(self, point: QPointF) -> None:
        shape, tip = Qt.CursorShape.ArrowCursor, ""
        found = self._view.block_at(point)
        self._view.hover(None if found is None else found[0].section)
        if found is not None:
            shape, tip = self._over(*found)
        self._view.viewport().setCursor(shape)
        QToolTip.showText(self._view.viewport().mapToGlobal(point.toPoint()), tip, self._view)

    def _over(self, seen: Seen, inside: QPointF) -> tuple[Qt.CursorShape, str]:
        width = self._view.width_of(seen.block)
        tip = seen.block.link(inside, width)[:_LONGEST_TIP]
        if tip or seen.block.hotspot(inside, width):
            return Qt.CursorShape.PointingHandCursor, tip
        if 0 <= inside.x() <= width:
            return Qt.CursorShape.IBeamCursor, ""
        return Qt.CursorShape.ArrowCursor, ""

    def _scroll_on(self) -> None:
        """Go on scrolling while the mouse is held outside."""
        height = self._view.viewport().height()
        beyond = self._last.y() if self._last.y() < 0 else max(self._last.y() - height, 0)
        bar = self._view.verticalScrollBar()
        bar.setValue(bar.value() + int(max(min(beyond, 60), -60)))
        self._extend(self._last)

    def _wheel(self, event: QWheelEvent) -> bool:
        """Move wide code and tables sideways, and zoom; the rest is scrolling."""
        keys, turned = event.modifiers(), event.angleDelta()
        if keys & Qt.KeyboardModifier.ControlModifier and turned.y():
            self._view.zoom(1 if turned.y() > 0 else -1)
            return True
        sideways = turned.y() if keys & Qt.KeyboardModifier.ShiftModifier else turned.x()
        if not sideways:  # with Alt, Qt turns the wheel's own direction
            return False
        found = self._view.block_at(event.position())
        return found is not None and self._view.pan(found[0], -sideways / 2)

    # -- keys --------------------------------------------------------------------------------

    def _key(self, event: QKeyEvent) -> bool:
        view, bar = self._view, self._view.verticalScrollBar()
        key = event.key()
        if event.matches(QKeySequence.StandardKey.Copy):
            view.copy()
        elif event.matches(QKeySequence.StandardKey.SelectAll):
            view.select_all()
        elif event.modifiers() & _ALT and key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            view.step(-1 if key == Qt.Key.Key_Up else 1)
        elif key in _SIDEWAYS and not event.modifiers() & ~_SHIFT_OR_KEYPAD:
            return view.pan_seen(_SIDEWAYS[key] * (_FAR if event.modifiers() & _SHIFT else _STEP))
        elif key == Qt.Key.Key_Escape and view.current is not None:
            view.step(0)
        elif key == Qt.Key.Key_Home:
            bar.setValue(0)
        elif key == Qt.Key.Key_End:
            view.to_end()
        else:
            return False
        return True

    def _menu(self, event: QContextMenuEvent) -> None:
        view, texts = self._view, self._view.texts
        menu = QMenu(view)
        copy = menu.addAction(texts["transcript.copy"], view.copy)
        copy.setEnabled(view.selection is not None and not view.selection.empty)
        menu.addAction(texts["transcript.select-all"], view.select_all)
        found = view.block_at(QPointF(event.pos()))
        if event.reason() is QContextMenuEvent.Reason.Keyboard and view.current is not None:
            view.offer_actions(menu, view.current)
            inside.offer(view, menu, view.current)
        elif found is not None:
            view.offer_actions(menu, found[0].section)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())


def _openable(link: str) -> str:
    """Return the link where it is of a kind that may be opened: never a file or a program."""
    return link if QUrl(link).scheme() in _OPENABLE else ""
