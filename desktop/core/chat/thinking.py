"""Thinking that comes inside a reply, between <think> and </think>: told apart as it streams.

An engine that was not told how its model thinks (no reasoning parser) sends both in one. A reply
that only mentions the mark later on is left as it is; so is one that begins with the end mark
alone, as of models whose template has the first mark in the prompt.
"""

from __future__ import annotations

from typing import Literal

_BEGIN, _END = "<think>", "</think>"
_LONGEST_HELD = 64  # characters: blanks before the mark, and its beginning


class Thinking:
    """What is to be told of one reply; its marks may come in pieces."""

    def __init__(self, *, listens: bool = True) -> None:
        self._at: Literal["begin", "thought", "said"] = "begin" if listens else "said"
        self._held = ""  # what may be the beginning of a mark
        self._trims = False  # blanks around the marks are no part of either

    def hear(self, thought: str, content: str) -> tuple[str, str]:
        """Return what is to be told now: of the thinking, and of the reply.

        Args:
            thought: what the engine itself calls thinking.
            content: what it calls the reply.
        """
        if thought and self._at == "begin":  # the engine knows the marks
            self._at = "said"
        if not content or (self._at == "said" and not self._held and not self._trims):
            return thought, content
        text, self._held = self._held + content, ""
        if self._at == "begin":
            text = self._begun(text)
        inside = ""
        if self._at == "thought":
            inside, text = self._cut(text)
        return thought + inside, self._trimmed(text)

    def rest(self) -> tuple[str, str]:
        """Return what was held back: nothing more comes."""
        held, self._held = self._held, ""
        return (held, "") if self._at == "thought" else ("", held)

    def _begun(self, text: str) -> str:
        """Decide whether a reply begins with the mark; returns what stands behind it."""
        begins = text.lstrip()
        if begins.startswith(_BEGIN):
            self._at, self._trims = "thought", True
            return begins[len(_BEGIN) :]
        if _BEGIN.startswith(begins) and len(text) <= _LONGEST_HELD:
            self._held = text
            return ""
        self._at = "said"
        return text

    def _cut(self, text: str) -> tuple[str, str]:
        """Return what is thought, and what stands behind its end."""
        inside, end, after = text.partition(_END)
        if end:
            inside = self._trimmed(inside)
            self._at, self._trims = "said", True
            return inside, after
        held = _beginning(inside)
        self._held = inside[len(inside) - held :]
        return self._trimmed(inside[: len(inside) - held]), ""

    def _trimmed(self, text: str) -> str:
        """Return text without the empty lines with which it begins behind a mark."""
        if not self._trims:
            return text
        trimmed = text.lstrip("\r\n") if self._at == "said" else text.lstrip()
        self._trims = not trimmed
        return trimmed


def _beginning(text: str) -> int:
    """Return how many characters at the end of a text may begin the end mark."""
    lengths = range(min(len(_END) - 1, len(text)), 0, -1)
    return next((length for length in lengths if text.endswith(_END[:length])), 0)
