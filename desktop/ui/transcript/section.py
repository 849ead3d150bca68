"""One message on screen: from its text to its blocks, split and parsed only once it is seen.

A text that takes longer than a frame to split is split in several turns of the loop: until then
the blocks of its beginning are there, and a guess of the height of the rest.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace

from desktop.core.amounts import duration
from desktop.ui.transcript.block import Block
from desktop.ui.transcript.column import Column
from desktop.ui.transcript.files import File
from desktop.ui.transcript.footer import HEIGHT, FooterBlock
from desktop.ui.transcript.growing import Growing
from desktop.ui.transcript.look import Look
from desktop.ui.transcript.plain import FoldBlock, NoteBlock, UserBlock, said
from desktop.ui.transcript.shown import Shown

_FIRST_GAP = 10.0
_AFTER_FOLD = 16.0
_AFTER_FILE = 8.0
_OVER_USER = 22.0
_A_FILE = 42.0  # about the height of a file's line with its gap
_INSET = 18.0  # of what a fold holds
_PIECE = 2048  # characters that are split at once: 6 ms where every other one ends a line


class Section:
    """One message.

    Attributes:
        shown: what it shows, its text so far included.
        column: its blocks, as far as it was opened.
        files: that go with it, once it was opened.
    """

    def __init__(self, look: Look, shown: Shown) -> None:
        self.shown = shown
        self.column = Column()
        self._look = look
        self._width = 0.0
        self._opened = False
        self._fed = 0  # characters of the text that were split
        self._fold: FoldBlock | None = None
        self._folded: Growing | None = None  # what the fold holds, once it was open
        self._body: Growing | None = None
        self._said: list[UserBlock] = []
        self._footer: FooterBlock | None = None
        self.files: list[File] = []
        self._text: list[str] = [shown.text]
        self._reasoning: list[str] = [shown.reasoning]
        self._bulk = _bulk(_seen_of(shown))
        self._guess: float | None = None

    @property
    def opened(self) -> bool:
        """Tell whether it has blocks."""
        return self._opened

    @property
    def whole(self) -> bool:
        """Tell whether all of its text was split into blocks."""
        return self._opened and (self._body is None or self._fed >= len(self.text))

    @property
    def text(self) -> str:
        """The message's text so far."""
        if len(self._text) > 1:
            self._text = ["".join(self._text)]
        return self._text[0]

    @property
    def reasoning(self) -> str:
        """What was thought so far."""
        if len(self._reasoning) > 1:
            self._reasoning = ["".join(self._reasoning)]
        return self._reasoning[0]

    @property
    def height(self) -> float:
        """Of all of it, a guess until it was seen."""
        if not self._opened:
            return self._estimate()
        return self.column.height + (0.0 if self.whole else self._left())

    def _left(self) -> float:
        """Return a guess of the height of what was not split yet."""
        return self._estimate() * (1 - self._fed / len(self.text))

    def _estimate(self) -> float:
        """Return a guess of the height, cheap enough for thousands of messages."""
        if self._guess is None:
            lines, size = self._bulk
            line = self._look.line_height
            share = 0.75 if self.shown.role == "user" else 1.0
            per_line = max(self._width * share / (line * 0.42), 8)
            self._guess = (lines * 0.9 + size / per_line * 0.75) * line + HEIGHT + 44
            self._guess += len(self.shown.files) * _A_FILE
        return self._guess

    def set_width(self, width: float) -> None:
        """Be about as wide as this until it is seen."""
        if not self._width:
            self._guess = None
        self._width = width

    def make_ready(self, width: float, edge: float, until: float) -> float:
        """Open it and fit it to a width, so that its blocks can be laid out.

        Args:
            width: of the column, in pixels.
            edge: where the upper edge of the view is, from the section's top.
            until: as in `open`.

        Returns:
            By how much what stands at the edge has moved down.
        """
        before, self._width = self.height, width
        if not self.whole:
            known = self.column.height
            self.open(until)
            share = min(max(edge / max(before, 1.0), 0.0), 1.0)
            return (self.height - before) * share if edge > known else 0.0
        if self.column.width == self._width:
            return 0.0
        index = self.column.at(edge)
        top = self.column.top(index) if edge > 0 and self.column.blocks else 0.0
        self.column.set_width(self._width)
        return self.column.top(index) - top if top else 0.0

    def renew(self, look: Look) -> None:
        """Be drawn with another look from now on."""
        self._look = look
        self._guess = None
        for growing in (self._body, self._folded):
            if growing is not None:
                growing.renew(look)
        for file in self.files:
            file.renew(look)
        for block in [*self.column.blocks, *self._said, *([self._fold] if self._fold else [])]:
            if block.look is not look:
                block.renew(look)
        self.column.forget()

    # -- its blocks --------------------------------------------------------------------------

    def open(self, until: float = math.inf) -> None:
        """Split the text into blocks, once, as far as it goes until a time.

        Args:
            until: of the performance counter; a piece is split in any case.
        """
        if self.whole:
            return
        changed = 0
        if not self._opened:
            self._opened = True
            self.column.set_width(self._width)
            self._body = Growing(self._look) if self.shown.role == "assistant" else None
        if self._body is not None:
            changed = self._split(self._body, until)
        self._show(changed)

    def _split(self, body: Growing, until: float) -> int:
        """Go on splitting; returns the index of the first block that is new or has changed."""
        changed, text = len(body.blocks), self.text
        while self._fed < len(text):
            changed = min(changed, body.feed(text[self._fed : self._fed + _PIECE]))
            self._fed += _PIECE
            if time.perf_counter() > until:
                break
        self._fed = min(self._fed, len(text))
        if self.whole and not self.shown.streaming:
            changed = min(changed, body.finish())
        return changed

    def _head(self) -> list[Block]:
        """Return what stands over the body: the folds and, while they are open, what they hold."""
        if self.shown.files:
            return self._of_files()
        held = self._held_text()
        if not held:
            return []
        if self._fold is None:
            self._fold = FoldBlock(self._look, "")
            self._fold.gap = _FIRST_GAP
        self._fold.title = self._fold_title()
        if not self._fold.open:
            return [self._fold]
        return [self._fold, *self._held(held).blocks]

    def _of_files(self) -> list[Block]:
        """Return the lines of the files, under each that is open its text."""
        if not self.files:
            self.files = [File(self._look, each) for each in self.shown.files]
            self.files[0].line.gap = _OVER_USER
        return [
            block
            for file in self.files
            for block in (file.line, *(file.held if file.line.open else ()))
        ]

    def _of_typing(self) -> list[UserBlock]:
        """Return the bubble with what was typed; none where only files were sent."""
        shown = self.shown
        if not self._said and (shown.typed or not shown.files):
            self._said = said(self._look, _seen_of(shown))
            if shown.files:
                self._said[0].gap = _AFTER_FILE
        return self._said

    def _held_text(self) -> str:
        return self.text if self.shown.role == "system" else self.reasoning

    @property
    def _thinking(self) -> bool:
        return self.shown.streaming and not self.text and self.shown.role == "assistant"

    def _fold_title(self) -> str:
        texts, spent = self._look.texts, self.shown.reasoning_s
        if self.shown.role == "system":
            return texts["transcript.system"]
        if self._thinking:
            return texts["reply.thinking"]
        return (
            texts["reply.thought"]
            if spent is None
            else texts("reply.thought-for", time=duration(max(spent, 1.0), texts))
        )

    def _tail(self) -> list[Block]:
        """Return what stands under the body."""
        look, shown = self._look, self.shown
        tail: list[Block] = []
        if shown.streaming and not self.text and not self.reasoning and shown.note is None:
            tail.append(NoteBlock(look, [look.texts["reply.waiting"]]))
            tail[0].gap = _FIRST_GAP
        if shown.note is not None:
            note = shown.note
            tail.append(NoteBlock(look, [note.title, note.detail, note.hint], error=True))
        if self.whole and (shown.figures or not shown.streaming):
            tail.append(self._foot())
        return tail

    def _foot(self) -> FooterBlock:
        """Return the footer, the same one while a reply grows over it."""
        foot = self._footer
        if foot is None or foot.shown is not self.shown or foot.look is not self._look:
            foot = self._footer = FooterBlock(self._look, self.shown)
        return foot

    def _show(self, first: int) -> int:
        """Put blocks into the column from an index of the body on; returns the first changed."""
        head = self._head()
        body: list[Block] = []
        if self._body is not None:
            body = self._body.blocks
        elif self.shown.role == "user":
            body = [*self._of_typing()]
        same = self.column.blocks[: len(head)] == head and first > 0
        start = len(head) + first if same else 0
        if body and self._body is not None:
            body[0].gap = _AFTER_FOLD if head else _FIRST_GAP
        self.column.splice(start, [*head, *body, *self._tail()][start:])
        return start

    @property
    def folded(self) -> list[Block]:
        """The blocks that closed folds hide, made now where they were never open."""
        folds = (block for block in self.column.blocks if isinstance(block, FoldBlock))
        return [block for fold in folds for block in self._under(fold)]

    def _under(self, block: Block) -> list[Block]:
        """Return what a block hides: nothing unless it is a fold and closed."""
        if not isinstance(block, FoldBlock) or block.open:
            return []
        if block is self._fold:
            return self._held(self._held_text()).blocks
        return next((file.held for file in self.files if file.line is block), [])

    def _held(self, held: str) -> Growing:
        if self._folded is None:
            self._folded = Growing(self._look, inset=_INSET, quiet=True)
            self._folded.feed(held)
            if not self._thinking:
                self._folded.finish()
        return self._folded

    def all_blocks(self) -> list[Block]:
        """Return its blocks as if the folds were open; opens the message."""
        self.open()
        return [each for block in self.column.blocks for each in (block, *self._under(block))]

    def unfold(self, hidden: Block | None = None) -> None:
        """Open the fold that hides a block; without one, all of them."""
        for fold in [block for block in self.column.blocks if isinstance(block, FoldBlock)]:
            if not fold.open and (hidden is None or hidden in self._under(fold)):
                fold.open = True
        self.refresh()

    # -- while it changes --------------------------------------------------------------------

    def append(self, text: str) -> int:
        """Add text; returns the index of the first block that is new or has changed."""
        begins, whole = not self.text, self.whole
        self._text.append(text)
        if self._body is None or not whole:
            self._bulk, self._guess = _bulk(self.text), None
            return len(self.column.blocks)
        changed = self._body.feed(text)
        self._fed += len(text)
        if begins and self._folded is not None:
            self._folded.finish()
        return self._show(0 if begins else changed)

    def reason(self, text: str) -> int:
        """Add reasoning; returns the index of the first block that is new or has changed."""
        begins = not self.reasoning
        self._reasoning.append(text)
        if not self._opened:
            return 0
        if begins:
            return self._show(0)
        if self._folded is not None:
            first = 1 + self._folded.feed(text)
            if self._fold is not None and self._fold.open:
                self.column.splice(first, [*self._head(), *self._tail()][first:])
                return first
        return 0

    def update(self, shown: Shown) -> int:
        """Show what has changed; returns the index of the first block that has."""
        old, self.shown = self.shown, shown
        if shown.text != self.text or shown.reasoning != self.reasoning:
            return self._replace(shown)
        if not self._opened:
            return 0
        changed = 0
        if self._body is not None and old.streaming and not shown.streaming:
            changed = self._body.finish() if self.whole else len(self._body.blocks)
            if self._folded is not None:
                self._folded.finish()
        elif self._body is not None:
            changed = len(self._body.blocks)
        if old.reasoning_s != shown.reasoning_s:  # the fold over the body says it
            changed = 0
        return self._show(changed)

    def _replace(self, shown: Shown) -> int:
        """Begin anew with another text."""
        self._text, self._reasoning = [shown.text], [shown.reasoning]
        self._bulk, self._guess = _bulk(_seen_of(shown)), None
        opened, self._opened = self._opened, False
        self._body = self._folded = None
        self._said, self.files, self._fed = [], [], 0
        if opened:
            self.open(0.0)
        return 0

    def refresh(self) -> None:
        """Put the blocks into the column again: a fold has opened or closed."""
        self._show(0)

    def now(self) -> Shown:
        """Return what it shows with the text that has come so far."""
        return replace(self.shown, text=self.text, reasoning=self.reasoning)

    # -- for the others ----------------------------------------------------------------------

    @property
    def footer(self) -> int | None:
        """The index of the footer, where there is one."""
        blocks = self.column.blocks
        return len(blocks) - 1 if blocks and isinstance(blocks[-1], FooterBlock) else None


def _seen_of(shown: Shown) -> str:
    """Return what is seen of a text while its folds are closed."""
    return shown.typed if shown.files else shown.text


def _bulk(text: str) -> tuple[int, int]:
    return text.count("\n") + 1, len(text)
