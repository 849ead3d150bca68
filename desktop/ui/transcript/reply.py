"""One reply on screen: from chunks of text to its blocks in the flow."""

from __future__ import annotations

from typing import Any

from desktop.core.amounts import joined
from desktop.core.events import ReplyDone
from desktop.core.explain import Explanation
from desktop.ui.transcript.block import Block
from desktop.ui.transcript.blocks import NoteBlock, ReasoningBlock, RichBlock
from desktop.ui.transcript.code import CodeBlock
from desktop.ui.transcript.look import Look
from desktop.ui.transcript.segments import Segment, Splitter

_FIRST_GAP = 20.0


class Reply:
    """The blocks of one reply and how they grow.

    Attributes:
        blocks: what stands in the flow, top to bottom.
    """

    def __init__(self, look: Look) -> None:
        self._look = look
        self._splitter = Splitter()
        self._references: dict[str, Any] = {}
        self._reasoning: ReasoningBlock | None = None
        self.blocks: list[Block] = [NoteBlock(look, [look.texts["reply.waiting"]])]
        self.blocks[0].gap = _FIRST_GAP
        self._waiting = True

    def renew(self, look: Look) -> None:
        """Draw what comes from now on with another look."""
        self._look = look

    def append(self, text: str) -> int:
        """Add text; returns the index of the first block that is new or has changed."""
        if self._reasoning is not None:
            self._reasoning.title = self._look.texts["reply.thought"]
        return self._show(self._splitter.feed(text))

    def reason(self, text: str) -> int:
        """Add reasoning; returns the index of the first block that has changed."""
        if self._reasoning is None:
            self._reasoning = ReasoningBlock(self._look)
            self._settle_first([self._reasoning])
        self._reasoning.append(text)
        return self.blocks.index(self._reasoning)

    def finish(self, done: ReplyDone) -> int:
        """Close the reply with its figures; returns the index of the first changed block."""
        first = self._show(self._splitter.finish())
        self.blocks.append(NoteBlock(self._look, [footer(done, self._look)]))
        return first

    def fail(self, why: Explanation) -> int:
        """Close the reply with what broke it; returns the index of the first changed block."""
        first = self._show(self._splitter.finish())
        note = NoteBlock(self._look, [why.title, why.detail, why.hint], error=True)
        note.gap = 14.0
        self.blocks.append(note)
        return first

    def _show(self, changed: int) -> int:
        """Bring the blocks in line with the segments from index `changed` on."""
        segments = self._splitter.segments
        if segments or self._waiting:
            self._settle_first([])
        before = 0 if self._reasoning is None else 1
        first = before + changed
        for index in range(changed, len(segments)):
            self._place(before + index, segments[index])
        del self.blocks[before + len(segments) :]
        if self.blocks:
            self.blocks[0].gap = _FIRST_GAP
        return min(first, len(self.blocks))

    def _place(self, index: int, segment: Segment) -> None:
        if index < len(self.blocks):
            block = self.blocks[index]
            assert isinstance(block, RichBlock | CodeBlock)
            if not block.update(segment):
                self.blocks[index] = self._made(segment)
        else:
            self.blocks.append(self._made(segment))

    def _made(self, segment: Segment) -> Block:
        if segment.kind == "code":
            return CodeBlock(self._look, segment)
        return RichBlock(self._look, segment, self._references)

    def _settle_first(self, blocks: list[Block]) -> None:
        """Put the first real blocks where it said that it waits."""
        if self._waiting:
            self._waiting = False
            self.blocks[:] = blocks
            if blocks:
                blocks[0].gap = _FIRST_GAP


def footer(done: ReplyDone, look: Look) -> str:
    """Return the figures under a reply: tokens, time to the first, rate, how it ended."""
    texts = look.texts
    parts = []
    if done.usage is not None:
        parts.append(texts("reply.tokens", count=done.usage.completion_tokens))
    if done.tokens_per_s is not None:
        parts.append(texts("reply.speed", rate=f"{done.tokens_per_s:.1f}"))
    if done.ttft_s is not None:
        parts.append(texts("reply.ttft", time=f"{done.ttft_s:.2f}"))
    # "stop" is how a reply should end: nothing to say about it.
    if done.finish_reason != "stop":
        parts.append(texts.word("finish", done.finish_reason) or done.finish_reason[:40])
    return joined(*parts)
