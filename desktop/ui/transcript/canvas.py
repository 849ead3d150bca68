"""The scroll area under the transcript: lays out and paints what is seen, and nothing else.

Scrolling moves pixels instead of painting again, an update paints from the first changed block
down, and a block is never laid out twice at one width. Qt's text widgets lay the whole
conversation out again on every resize; measured, that is a quarter of a second at 500 messages.
What does not fit into a frame is left for the next turn of the loop: `_work`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import cast

from PySide6.QtCore import QPointF, QRect, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea, QWidget

from desktop.core.texts import Texts
from desktop.ui.maths.formulas import Formulas
from desktop.ui.theme import Theme
from desktop.ui.transcript.block import Block, Tint
from desktop.ui.transcript.code import CodeBlock
from desktop.ui.transcript.flow import Flow, Seen
from desktop.ui.transcript.look import Look, make_look
from desktop.ui.transcript.selection import END, Selection

COLUMN = 760  # pixels: about 45 Chinese characters or 85 Latin ones a line, what reads well
MARGIN = 28
_BOTTOM = 24  # air under the last line
_NEAR_BOTTOM = 24  # this close to the end still counts as reading along
_BUILD_S = 0.004  # for building what came into sight, in one turn
_SLICE_S = 0.003  # for what can wait: colours, blocks that will come into sight
_BREATH_MS = 4  # between what is seen and what can wait: input comes first
_AFTER_RESIZE_MS = 120  # a window that is dragged has another width in the next frame
_AFTER_JUMP_S = 0.1  # a scroll bar that is dragged is elsewhere in the next frame
_TYPESET_MS = 60  # of formulas that are drawn at once
_POLL_MS = 25  # until a lexer is there
_ROUNDS = 6  # of laying out: each may find that guesses below were off
_ZOOM = 1.1  # a step
_MOST_ZOOM = 8  # steps either way


class Canvas(QAbstractScrollArea):
    """Blocks, laid out and painted.

    Signals:
        followed: whether the view keeps to the end (True) or the reader went up (False).

    Attributes:
        flow: the messages.
        selection: what is selected.
        texts: the words of the interface.
    """

    followed = Signal(bool)

    def __init__(self, theme: Theme, texts: Texts, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QAbstractScrollArea.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setMouseTracking(True)
        self.flow = Flow()
        self.selection: Selection | None = None
        self.texts = texts
        self._theme = theme
        self._zoom = 0
        self._formulas = Formulas()
        self._typeset = QTimer(self, singleShot=True, interval=_TYPESET_MS)
        self._typeset.timeout.connect(self._show_formulas)
        self._formulas.drawn.connect(self._show_formulas_soon)
        self.destroyed.connect(self._formulas.close)
        self._look = self._made_look()
        self._following = True
        self._settling = False
        self._whole = True  # all that is in sight is laid out
        self._jumped = 0.0  # when, by the performance counter
        self._idle = QTimer(self, singleShot=True, interval=0)
        self._idle.timeout.connect(self._work)
        theme.changed.connect(self.renew)

    def _made_look(self) -> Look:
        return make_look(
            self._theme.colours,
            self.font(),
            self.texts,
            self._formulas,
            zoom=_ZOOM**self._zoom,
            ratio=self.devicePixelRatioF(),
        )

    # -- layout --------------------------------------------------------------------------------

    def column(self) -> tuple[float, float]:
        """Return left edge and width of the column of text."""
        # In the middle of the window, scroll bar included: under it stands the composer.
        width = max(min(self.width() - 2 * MARGIN, COLUMN * _ZOOM ** max(self._zoom, 0)), 120)
        return (self.width() - width) / 2, width

    def width_of(self, block: Block) -> float:
        """Return how wide a block may be."""
        return self.column()[1] - block.inset

    def to_end(self) -> None:
        """Go to the end and stay there while it grows."""
        self._following = True
        self._settle()
        self.followed.emit(True)

    def zoom(self, step: int) -> None:
        """Make the text larger or smaller by some steps; 0 goes back to its own size."""
        wanted = max(-_MOST_ZOOM, min(_MOST_ZOOM, self._zoom + step)) if step else 0
        if wanted != self._zoom:
            self._zoom = wanted
            self.renew()

    def _changed(self, section: int, first: int) -> None:
        """Show what has changed of a message, from one of its blocks on."""
        self.flow.sum(section)
        if not self._following and self._y_of(section, first) > self.viewport().height():
            self._set_range()  # somebody reads far above what grows
            return
        self._settle()
        y, port = self._y_of(section, first) - 1, self.viewport()
        if y < port.height():
            port.update(0, max(y, 0), port.width(), port.height())

    def _y_of(self, section: int, block: int) -> int:
        """Return where a block begins in the viewport; of one that is not known, its message."""
        known = block < len(self.flow.sections[section].column.blocks)
        top = self.flow.block_top(section, block) if known else self.flow.top(section)
        return int(top - self.verticalScrollBar().value())

    def _settle(self, budget_s: float = _BUILD_S) -> float:
        """Lay out what is seen and move the scroll bar along; returns how far that was."""
        if self._settling:
            return 0.0
        self._settling = True
        until = time.perf_counter() + budget_s
        self.flow.set_width(self.column()[1])
        bar, page = self.verticalScrollBar(), self.viewport().height()
        top, moved = float(bar.value()), 0.0
        for _ in range(_ROUNDS):
            if self._following:  # the bar moves once, when the end is known
                top = max(self.flow.height + _BOTTOM - page, 0.0)
            height = self.flow.height
            settled = self.flow.settle(top, top + page, until)
            self._whole = settled.whole
            if not self._following:
                top += settled.shift
                moved += abs(settled.shift)
            if height == self.flow.height or not settled.whole:
                break
        self._set_range()
        bar.setValue(bar.maximum() if self._following else round(top))
        self._settling = False
        self._idle.start(_BREATH_MS if self._whole else 1)
        self._settled()
        return moved

    def _set_range(self) -> None:
        bar, page = self.verticalScrollBar(), self.viewport().height()
        bar.setPageStep(page)
        bar.setSingleStep(40)
        bar.setRange(0, max(int(self.flow.height + _BOTTOM) - page, 0))

    def _settled(self) -> None:
        """Do what depends on where things stand; for who builds upon this."""

    def _note_following(self) -> None:
        bar = self.verticalScrollBar()
        following = bar.value() >= bar.maximum() - _NEAR_BOTTOM
        if following != self._following:
            self._following = following
            self.followed.emit(following)

    def _keeping_place(self, change: Callable[[], None]) -> None:
        """Do something that may change heights above what is seen, and let nothing jump."""
        bar = self.verticalScrollBar()
        seen = self.flow.find(bar.value())
        change()
        if seen is None or self._following or self._settling:
            return
        column = self.flow.sections[seen.section].column
        if seen.index < len(column.blocks):
            delta = self.flow.block_top(seen.section, seen.index) - seen.top
            self._settling = True
            self._set_range()
            bar.setValue(bar.value() + round(delta))
            self._settling = False

    def renew(self) -> None:
        """Draw everything anew: another theme, size or screen."""
        self._look = self._made_look()
        self._keeping_place(self._renew_blocks)
        self._settle()
        self.viewport().update()

    def _renew_blocks(self) -> None:
        for section in self.flow.sections:
            section.renew(self._look)
        self.flow.set_width(self.column()[1])
        self.flow.sum(0)

    # -- what can wait ---------------------------------------------------------------------------

    def _work(self) -> None:
        """Do a slice of what is left: what is seen, its colours, then what will be seen."""
        until = time.perf_counter() + _SLICE_S
        if not self._whole:
            self._settle()
            self.viewport().update()
            return
        if not self.isVisible():
            return
        if (waiting := self._colour(until)) is not None:
            self._idle.start(_POLL_MS if waiting else 0)
        elif (calm := self._jumped + _AFTER_JUMP_S - time.perf_counter()) > 0:
            self._idle.start(round(calm * 1000) + 1)
        elif self._build_ahead(until):
            self._idle.start(0)

    def _colour(self, until: float) -> bool | None:
        """Colour the code that is seen; returns None when done, else whether it waits."""
        for seen in self._seen():
            block = seen.block
            if not isinstance(block, CodeBlock):
                continue
            before = block.fence.colouring.fed
            more = block.fence.colour(until)
            if block.paint_code():
                self._update_block(seen)
            if more:
                return block.fence.colouring.fed == before
        return None

    def _build_ahead(self, until: float) -> bool:
        """Lay out a page above and below what is seen; tells whether there was something to do."""
        top, page = self.verticalScrollBar().value(), self.viewport().height()
        any_built = False

        def build() -> None:
            nonlocal any_built
            for start in (top, top - page):
                any_built |= self.flow.settle(max(start, 0), start + 2 * page, until).any

        self._keeping_place(build)
        if any_built:
            self._settling = True
            self._set_range()
            if self._following:
                self.verticalScrollBar().setValue(self.verticalScrollBar().maximum())
                self.viewport().update()
            self._settling = False
            self._settled()
        return any_built

    def end(self) -> None:
        """End the helper process: the window goes."""
        self._typeset.stop()
        self._formulas.close()

    def _show_formulas_soon(self) -> None:
        """Draw some formulas at once: a block may hold a hundred, and they come one by one."""
        if not self._typeset.isActive():
            self._typeset.start()

    def _show_formulas(self) -> None:
        """Draw the blocks anew whose formulas have come."""
        ready = [block for block in self.flow.built if block.awaits()]

        def change() -> None:
            for block in ready:
                self.flow.redo(block)

        self._keeping_place(change)
        self._settle()
        self.viewport().update()

    def _seen(self) -> Sequence[Seen]:
        top = self.verticalScrollBar().value()
        return list(self.flow.between(top, top + self.viewport().height()))

    def _update_block(self, seen: Seen) -> None:
        y = int(seen.top - self.verticalScrollBar().value())
        height = int(self.flow.sections[seen.section].column.height)
        self.viewport().update(0, y, self.viewport().width(), height)

    # -- Qt ------------------------------------------------------------------------------------

    def scrollContentsBy(self, dx: int, dy: int) -> None:  # noqa: N802
        """Move the pixels, then paint only the strip that came into sight."""
        moved = 0.0
        # Heights above have changed, and the bar with them: what is seen has hardly moved.
        stays = self._settling and not self._following
        if not self._settling:
            if abs(dy) > self.viewport().height():
                self._jumped = time.perf_counter()
            self._note_following()
            moved = self._settle()
        scrolled = not stays and not moved and self._whole
        if scrolled and abs(dy) < self.viewport().height():
            self.viewport().scroll(0, dy)
        else:
            self.viewport().update()
        self._settled()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Wrap what is seen at the new width."""
        super().resizeEvent(event)
        self._keeping_place(lambda: self.flow.set_width(self.column()[1]))
        self._settle()
        if self._whole:
            self._idle.start(_AFTER_RESIZE_MS)
        self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Paint the blocks that touch the dirty rectangle."""
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for rect in cast(Iterable[QRect], event.region()):
            self._paint(painter, QRectF(rect))

    def _paint(self, painter: QPainter, dirty: QRectF) -> None:
        painter.save()
        painter.setClipRect(dirty)
        painter.fillRect(dirty, self._look.colour("window"))
        left, width = self.column()
        scrolled = self.verticalScrollBar().value()
        for seen in self.flow.between(dirty.top() + scrolled, dirty.bottom() + scrolled + 1):
            block = seen.block
            corner = QPointF(left + block.inset, seen.top - scrolled)
            painter.translate(corner)
            block.paint(painter, width - block.inset, dirty.translated(-corner), self._tints(seen))
            painter.translate(-corner)
        painter.restore()

    def _tints(self, seen: Seen) -> list[Tint]:
        """Return what is behind the text of a block: the selection."""
        if self.selection is None or seen.block.document is None:
            return []
        span = self.selection.span(seen.section, seen.index)
        if span is None:
            return []
        return [((span[0], min(span[1], END)), "selected")]

    def block_at(self, point: QPointF) -> tuple[Seen, QPointF] | None:
        """Return the block at a point of the viewport and the point inside it, or None."""
        y = point.y() + self.verticalScrollBar().value()
        seen = self.flow.find(y)
        if seen is None:
            return None
        left, _ = self.column()
        return seen, QPointF(point.x() - left - seen.block.inset, y - seen.top)
