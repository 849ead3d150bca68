"""From Markdown to the rich text that Qt lays out.

CommonMark with tables and strikethrough, HTML shown as text, images as their description and
address: nothing is ever fetched. One rule is bent for Chinese: CommonMark's flanking rule takes
full-width punctuation for the edge of a word, so that `**重点：**她` would not be bold
(commonmark-spec#650). Here East Asian wide characters count as letters.

Slow to import; only imported once the first text is shown.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cache
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.common.utils import isMdAsciiPunct, isPunctChar, isWhiteSpace
from markdown_it.parser_inline import ParserInline
from markdown_it.renderer import RendererHTML
from markdown_it.rules_inline.state_inline import Scanned, StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from desktop.ui.theme import Colours


def _is_punctuation(char: str) -> bool:
    # "A": curly quotes and dashes, which Chinese uses at full width too.
    if unicodedata.east_asian_width(char) in "WFA":
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


class _QtRenderer(RendererHTML):
    """HTML in the dialect that QTextDocument understands."""

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """Show an image as a link with its description: nothing is fetched."""
        token = tokens[idx]
        source = escape(str(token.attrs.get("src", "")))
        return f'<a href="{source}">[{escape(token.content) or source}]</a>'

    def table_open(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        """Draw hairlines, not boxes."""
        return '<table border="1" cellspacing="0" cellpadding="7">'

    def s_open(self, *_: Any) -> str:
        """Strike through with the tag that Qt knows."""
        return "<s>"

    def s_close(self, *_: Any) -> str:
        """Close it."""
        return "</s>"

    def softbreak(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        """Break where the model broke: chat models mean it."""
        return "<br>"


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}, renderer_cls=_QtRenderer)
    parser.inline = _Inline()
    parser.enable(["table", "strikethrough"])
    return parser


def to_html(source: str, references: dict[str, Any]) -> str:
    """Return rich text of one segment.

    Args:
        source: Markdown.
        references: link definitions of the whole reply; new ones are added.
    """
    return str(_parser().render(source, references)).strip()


def style_sheet(colours: Colours, monospace: str, code_points: float) -> str:
    """Return the style sheet of rich text in a look; Qt knows a small part of CSS."""
    code = f"font-family:{monospace}; font-size:{code_points:.1f}pt"
    return f"""
        a {{ color: {colours.accent}; text-decoration: none; }}
        code {{ {code}; background-color: {colours.sunken}; }}
        pre {{ {code}; background-color: {colours.sunken}; }}
        h1 {{ font-size: 150%; font-weight: 600; }}
        h2 {{ font-size: 127%; font-weight: 600; }}
        h3 {{ font-size: 112%; font-weight: 600; }}
        h4, h5, h6 {{ font-size: 100%; font-weight: 600; }}
        th {{ font-weight: 600; background-color: {colours.sunken}; }}
        blockquote {{ color: {colours.quiet}; }}
    """
