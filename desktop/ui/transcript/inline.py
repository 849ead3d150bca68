"""What our Markdown has beyond CommonMark within a line.

Maths, footnote marks, bare addresses, Chinese emphasis.

One rule of CommonMark is bent for Chinese: its flanking rule takes full-width punctuation for the
edge of a word, so that `**重点：**她` would not be bold (commonmark-spec#650). Here East Asian wide
characters count as letters.
"""

from __future__ import annotations

import re
import unicodedata

from markdown_it import MarkdownIt
from markdown_it.common.utils import isMdAsciiPunct, isPunctChar, isWhiteSpace
from markdown_it.parser_inline import ParserInline
from markdown_it.rules_inline.state_inline import Scanned, StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType

from desktop.ui.transcript.addresses import address_at

LONGEST_FORMULA = 2000

_BRACKETED = re.compile(r"\\\((.+?)\\\)|\\\[(.+?)\\\]", re.DOTALL)
_DISPLAYED = re.compile(r"\$\$(?!\$)(.+?)(?<!\$)\$\$", re.DOTALL)
# Pandoc's rule, which leaves prices alone: no space inside the dollars, no digit after them.
_DOLLARS = re.compile(r"\$(?![\s$])((?:\\.|[^\\$])+?)(?<!\s)\$(?!\d)", re.DOTALL)
_ENDS = {"$": "$", "\\(": "\\)", "\\[": "\\]"}  # of what begins so
_SCHEME = re.compile(r"(?<![A-Za-z0-9+.-])https?$", re.IGNORECASE)
_FOOTNOTE = re.compile(r"\[\^([^\]\s]{1,40})\]")


def _is_punctuation(char: str) -> bool:
    # "A": curly quotes and dashes, which Chinese uses at full width too; but a sign such as the
    # euro's is one in every script.
    width = unicodedata.east_asian_width(char)
    if width in "WF" or (width == "A" and unicodedata.category(char).startswith("P")):
        return False
    return isMdAsciiPunct(ord(char)) or isPunctChar(char)


class _ChineseInline(StateInline):
    """CommonMark's inline state with wide punctuation counted as letters."""

    def scanDelims(self, start: int, canSplitWord: bool) -> Scanned:  # noqa: N802, N803
        """Tell whether the run of markers at `start` can open and can close emphasis."""
        marker = self.src[start]
        pos = start
        while pos < self.posMax and self.src[pos] == marker:
            pos += 1
        before = self.src[start - 1] if start else " "
        after = self.src[pos] if pos < self.posMax else " "
        punctuated = _is_punctuation(before), _is_punctuation(after)
        spaced = isWhiteSpace(ord(before)), isWhiteSpace(ord(after))
        left = not (spaced[1] or (punctuated[1] and not (spaced[0] or punctuated[0])))
        right = not (spaced[0] or (punctuated[0] and not (spaced[1] or punctuated[1])))
        return Scanned(
            left and (canSplitWord or not right or punctuated[0]),
            right and (canSplitWord or not left or punctuated[1]),
            pos - start,
        )


class _Inline(ParserInline):
    def parse(self, src: str, md: MarkdownIt, env: EnvType, tokens: list[Token]) -> list[Token]:
        """Do as the parent does, with the state above."""
        state = _ChineseInline(src, md, env, tokens)
        self.tokenize(state)
        for rule in self.ruler2.getRules(""):
            rule(state)
        return state.tokens


def _maths(state: StateInline, silent: bool) -> bool:
    r"""Take `$..$`, `$$..$$`, `\(..\)` or `\[..\]` at the current place."""
    opening = state.src[state.pos : state.pos + 1 + (state.src[state.pos] == "\\")]
    end = _ENDS.get(opening)
    if end is None or state.src.find(end, state.pos + len(opening), state.posMax) < 0:
        return False  # found at once: the patterns would go to the end of the text at every sign
    for pattern in (_DISPLAYED, _DOLLARS, _BRACKETED):
        found = pattern.match(state.src, state.pos, state.posMax)
        if found is not None:
            break
    else:
        return False
    tex = next(group for group in found.groups() if group is not None).strip()
    if not tex or len(tex) > LONGEST_FORMULA:
        return False
    if not silent:
        token = state.push("maths", "", 0)
        token.content = tex
        token.markup = found[0]
        token.meta["display"] = found[0].startswith(("$$", "\\["))
    state.pos = found.end()
    return True


def _footnote(state: StateInline, silent: bool) -> bool:
    """Take a footnote's mark `[^label]`."""
    found = _FOOTNOTE.match(state.src, state.pos, state.posMax)
    if found is None or state.src.startswith("(", found.end()):
        return False
    if not silent:
        state.push("footnote_mark", "", 0).content = found[1]
    state.pos = found.end()
    return True


def _bare_address(state: StateInline, silent: bool) -> bool:
    """Make a link of an address, at the colon of its scheme: the parser stops at no letter."""
    if state.linkLevel > 0 or not state.src.startswith("://", state.pos):
        return False
    # Of the text before it as many letters as a scheme has, and the one that stands before that.
    scheme = _SCHEME.search(state.src[max(state.pos - 6, 0) : state.pos])
    if scheme is None or not (silent or state.pending.endswith(scheme[0])):
        return False
    begin = state.pos - len(scheme[0])
    address = address_at(state.src, begin, state.posMax)
    target = state.md.normalizeLink(address)
    if not address or not state.md.validateLink(target):
        return False
    if not silent:
        state.pending = state.pending[: -len(scheme[0])]
        state.push("link_open", "a", 1).attrs = {"href": target}
        state.push("text", "", 0).content = address
        state.push("link_close", "a", -1)
    state.pos = begin + len(address)
    return True


def extend(parser: MarkdownIt) -> None:
    """Give a parser all of it."""
    parser.inline = _Inline()
    parser.inline.ruler.before("escape", "maths", _maths)
    parser.inline.ruler.before("link", "footnote_mark", _footnote)
    parser.inline.ruler.after("text", "bare_address", _bare_address)
