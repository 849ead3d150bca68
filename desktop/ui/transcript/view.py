"""The transcript: one own scroll area that lays out only what is seen.

Scrolling moves pixels instead of painting again, an update paints from the first changed block
down, and a block is never laid out twice at one width. Qt's text widgets lay the whole
conversation out again on every resize; measured, that is a quarter of a second at 500 messages.
"""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea, QWidget

from desktop.core.events import ReplyDone
from desktop.core.explain import Explanation
from desktop.core.texts import Texts
from desktop.ui.theme import Theme
from desktop.ui.transcript.block import Block
from desktop.ui.transcript.blocks import UserBlock
from desktop.ui.transcript.code import CodeBlock
from desktop.ui.transcript.flow import Flow
from desktop.ui.transcript.look import make_look
from desktop.ui.transcript.pointer import Pointer
from desktop.ui.transcript.reply import Reply
from desktop.ui.transcript.selection import Selection, everything

COLUMN = 760  # pixels: about 45 Chinese characters or 85 Latin ones a line, what reads well
MARGIN = 28
_BOTTOM = 24  # air under the last line
_COPIED_MS = 1500
_NEAR_BOTTOM = 24  # this close to the end still counts as reading along


class Transcript(QAbstractScrollArea):
    """One conversation, growing at its end.

    Signals:
        followed: whether the view keeps to the end (True) or the reader went up (False).
    """

    followed = Signal(bool)

    def __init__(self, theme: Theme, texts: Texts, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("transcript")
        self.setAccessibleName(texts["transcript.name"])
        self.setFrameShape(QAbstractScrollArea.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setMouseTracking(True)
        self.flow = Flow()
        self.selection: Selection | None = None
        self._theme = theme
        self.texts = texts
        self._look = make_look(theme.colours, self.font(), texts)
        self._replies: dict[int, tuple[Reply, int]] = {}  # with the index of its first block
        self._following = True
        self._settling = False
        self._pointer = Pointer(self)
        theme.changed.connect(self._renew)

    # -- what happens in the conversation ----------------------------------------------------

    def say(self, text: str) -> None:
        """Add what the user said, and go to the end."""
        self._following = True
        self._append([UserBlock(self._look, text)])
        self.to_end()

    def begin(self, number: int) -> None:
        """Add a reply that waits for its first token."""
        reply = Reply(self._look)
        self._replies[number] = (reply, len(self.flow.blocks))
        self._append(reply.blocks)

    def append(self, number: int, text: str) -> None:
        """Add text to a reply."""
        if found := self._replies.get(number):
            self._changed(*found, found[0].append(text))

    def reason(self, number: int, text: str) -> None:
        """Add reasoning to a reply."""
        if found := self._replies.get(number):
            self._changed(*found, found[0].reason(text))

    def finish(self, done: ReplyDone) -> None:
        """Close a reply with its figures."""
        if found := self._replies.pop(done.reply, None):
            self._changed(*found, found[0].finish(done))

    def fail(self, number: int, why: Explanation) -> None:
        """Close a reply with what broke it."""
        if found := self._replies.pop(number, None):
            self._changed(*found, found[0].fail(why))

    def plain_text(self) -> str:
        """Return the whole conversation as copying it would give it."""
        whole = everything(self.flow.blocks)
        return "" if whole is None else whole.text(self.flow.blocks)

    def to_end(self) -> None:
        """Go to the end and stay there while it grows."""
        self._following = True
        self._settle()
        self.followed.emit(True)

    # -- layout --------------------------------------------------------------------------------

    def column(self) -> tuple[float, float]:
        """Return left edge and width of the column of text."""
        # In the middle of the window, scroll bar included: under it stands the composer.
        width = max(min(self.width() - 2 * MARGIN, COLUMN), 120)
        return (self.width() - width) / 2, width

    def _append(self, blocks: list[Block]) -> None:
        end = len(self.flow.blocks)
        self.flow.splice(end, end, blocks)
        self._settle()
        self._repaint_from(end)

    def _changed(self, reply: Reply, start: int, first: int) -> None:
        """Put a reply's blocks from its `first` on into the flow again."""
        end = len(self.flow.blocks)  # a reply that grows is the last thing there
        fresh = reply.blocks[first:]
        self.flow.splice(start + first, end, fresh)
        if self.selection is not None and self.selection.ends[1].block >= start + first:
            self.selection = None
        self._settle()
        self._repaint_from(start + first)

    def _repaint_from(self, index: int) -> None:
        top = self.flow.top(index) if index < len(self.flow.blocks) else self.flow.height
        y = int(top - self.verticalScrollBar().value()) - 1
        if y < self.viewport().height():
            self.viewport().update(0, max(y, 0), self.viewport().width(), self.viewport().height())

    def _settle(self) -> None:
        """Lay out what is seen and bring the scroll bar in line with it."""
        if self._settling:
            return
        self._settling = True
        self.flow.set_width(self.column()[1])
        bar, page = self.verticalScrollBar(), self.viewport().height()
        for _ in range(6):  # each round may find that guesses below were off
            bar.setPageStep(page)
            bar.setSingleStep(40)
            bar.setRange(0, max(int(self.flow.height + _BOTTOM) - page, 0))
            if self._following:
                bar.setValue(bar.maximum())
            height = self.flow.height
            shift = self.flow.settle(bar.value(), bar.value() + page)
            if shift and not self._following:
                bar.setValue(bar.value() + round(shift))
            if height == self.flow.height:
                break
        self._settling = False

    def _note_following(self) -> None:
        bar = self.verticalScrollBar()
        following = bar.value() >= bar.maximum() - _NEAR_BOTTOM
        if following != self._following:
            self._following = following
            self.followed.emit(following)

    def _renew(self) -> None:
        self._look = make_look(self._theme.colours, self.font(), self.texts)
        for block in self.flow.blocks:
            block.renew(self._look)
        for reply, _ in self._replies.values():
            reply.renew(self._look)
        self.flow.forget()
        self._settle()
        self.viewport().update()

    # -- Qt ------------------------------------------------------------------------------------

    def scrollContentsBy(self, dx: int, dy: int) -> None:  # noqa: N802
        """Move the pixels, then paint only the strip that came into sight."""
        height = self.flow.height
        if not self._settling:
            self._note_following()
            self._settle()
        if self.flow.height == height and abs(dy) < self.viewport().height():
            self.viewport().scroll(0, dy)
        else:
            self.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Wrap what is seen at the new width."""
        super().resizeEvent(event)
        self._settle()
        self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Paint the blocks that touch the dirty rectangle."""
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        dirty = QRectF(event.rect())
        painter.fillRect(dirty, self._look.colour("window"))
        left, width = self.column()
        scrolled = self.verticalScrollBar().value()
        seen = self.flow.between(dirty.top() + scrolled, dirty.bottom() + scrolled + 1)
        for index, block, top in seen:
            corner = QPointF(left, top - scrolled)
            painter.translate(corner)
            block.paint(painter, width, dirty.translated(-corner), self._span(index, block))
            painter.translate(-corner)

    def _span(self, index: int, block: Block) -> tuple[int, int] | None:
        return None if self.selection is None else self.selection.span(index, block.length())

    # -- for the pointer -------------------------------------------------------------------------

    def block_at(self, point: QPointF) -> tuple[int, QPointF] | None:
        """Return the block at a point of the viewport and the point inside it, or None."""
        if not self.flow.blocks:
            return None
        left, _ = self.column()
        y = point.y() + self.verticalScrollBar().value()
        index = self.flow.at(y)
        return index, QPointF(point.x() - left, y - self.flow.top(index))

    def select(self, selection: Selection | None) -> None:
        """Show a selection."""
        self.selection = selection
        self.viewport().update()

    def select_all(self) -> None:
        """Select the whole conversation."""
        self.select(everything(self.flow.blocks))

    def copy(self) -> None:
        """Put what is selected on the clipboard."""
        if self.selection is not None and not self.selection.empty:
            QGuiApplication.clipboard().setText(self.selection.text(self.flow.blocks))

    def activate(self, index: int, point: QPointF) -> None:
        """Do what a click on a block's hotspot does."""
        block = self.flow.blocks[index]
        copied = block.activate(point, self.column()[1])
        if copied is not None:
            QGuiApplication.clipboard().setText(copied)
            QTimer.singleShot(_COPIED_MS, self, lambda: self._forget_copied(block))
        self.flow.touch(index)
        self._settle()
        self.viewport().update()

    def _forget_copied(self, block: Block) -> None:
        if isinstance(block, CodeBlock):
            block.copied = False
            self.viewport().update()
