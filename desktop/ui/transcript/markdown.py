"""From Markdown to the rich text that Qt lays out.

CommonMark with tables, strikethrough, task lists, footnote marks and maths; HTML shown as text,
images as their description and address: nothing is ever fetched.

Slow to import; only imported once the first text is shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, MutableMapping, Sequence
from functools import cache
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from desktop.ui.theme import Colours
from desktop.ui.transcript.inline import extend

Formula = Callable[[str, bool, str], str]
"""From TeX, whether it is displayed, and the source with its delimiters, to rich text."""

# How many of these signs one segment may hold; with more, its rules are off and all of them are
# shown as they are. The parser looks for the end of a link at every bracket, to the end of the text
# where there is none: a thousand brackets take 30 ms. So do hundreds of pieces for Qt to lay out.
_MOST = (("[", 240, ("link", "image")), ("*_", 800, ("emphasis",)), ("$", 240, ("maths",)))

_TASK = re.compile(r"\[([ xX])\][ \t]+")


class _QtRenderer(RendererHTML):
    """HTML in the dialect that QTextDocument understands."""

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """Show an image as a link with its description: nothing is fetched."""
        token = tokens[idx]
        source = escape(str(token.attrs.get("src", "")))
        described = escape(_plain(token.children))
        return f'<a href="{source}">[{described or source}]</a>'

    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """Show code as one block of Qt's, which has one ground; with a block a line it has stripes.

        Without the line break at its end, behind which Qt would draw another line.
        """
        lines = escape(tokens[idx].content.removesuffix("\n")).replace("\n", "<br>")
        return f"<pre>{lines}</pre>\n"

    code_block = fence

    def table_open(self, *_: Any) -> str:
        """Draw hairlines, not boxes."""
        return '<table border="1" cellspacing="0" cellpadding="7">'

    def s_open(self, *_: Any) -> str:
        """Strike through with the tag that Qt knows."""
        return "<s>"

    def s_close(self, *_: Any) -> str:
        """Close it."""
        return "</s>"

    def softbreak(self, *_: Any) -> str:
        """Break where the model broke: chat models mean it."""
        return "<br>"

    def maths(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """Show a formula as the environment's `formula` draws it, or as its source."""
        token = tokens[idx]
        draw: Formula | None = env.get("formula")
        if draw is None:
            return f"<code>{escape(token.content)}</code>"
        return draw(token.content, bool(token.meta["display"]), token.markup)

    def footnote_mark(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        """Raise the label."""
        return f"<sup>{escape(tokens[idx].content)}</sup>"


def _tasks(tokens: list[Token]) -> None:
    """Make boxes of the `[ ]` and `[x]` that items begin with."""
    for before, opening, inline in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if before.type != "list_item_open" or opening.type != "paragraph_open":
            continue
        first = inline.children[0] if inline.children else None
        if first is not None and (found := _TASK.match(first.content)):
            box = "☐" if found[1] == " " else "☑"
            first.content = f"{box}\u2002{first.content[found.end() :]}"


@cache
def _made_parser(off: tuple[str, ...]) -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}, renderer_cls=_QtRenderer)
    extend(parser)
    parser.enable(["table", "strikethrough"])
    parser.disable(off)
    return parser


def _parser(source: str) -> MarkdownIt:
    """Return the parser for a text: without what it has beyond all reason."""
    off = [rules for signs, most, rules in _MOST if sum(map(source.count, signs)) > most]
    return _made_parser(tuple(rule for rules in off for rule in rules))


def parse(
    source: str, references: MutableMapping[str, Any], number: int | None = None
) -> list[Token]:
    """Return markdown-it's tokens of one segment.

    Args:
        source: Markdown.
        references: link definitions of the whole reply, by "references"; new ones are added.
        number: what the item of an ordered list is counted as.
    """
    tokens = _parser(source).parse(source, references)
    _tasks(tokens)
    if number is not None and tokens and tokens[0].type == "ordered_list_open":
        tokens[0].attrSet("start", str(number))
    return tokens


def to_html(
    source: str,
    references: MutableMapping[str, Any],
    number: int | None = None,
    formula: Formula | None = None,
) -> str:
    """Return rich text of one segment; the arguments are those of `parse`."""
    tokens = parse(source, references, number)
    env = {**references, "formula": formula}
    parser = _parser(source)
    return str(parser.renderer.render(tokens, parser.options, env)).strip()


def inline_html(
    source: str, references: MutableMapping[str, Any], formula: Formula | None = None
) -> str:
    """Return rich text of a piece of one line, such as a cell."""
    parser = _parser(source)
    tokens = parser.parseInline(source, references)
    env = {**references, "formula": formula}
    return str(parser.renderer.render(tokens, parser.options, env))


def visible(tokens: Sequence[Token] | None) -> str:
    """Return what is read of parsed Markdown: a line for each of its blocks."""
    parts: list[str] = []
    for token in tokens or ():
        if token.type == "inline":
            parts += [visible(token.children), "\n"]
        elif token.type in ("softbreak", "hardbreak"):
            parts.append("\n")
        elif token.type == "image":
            parts.append(f"[{_plain(token.children) or token.attrs.get('src', '')}]")
        else:
            parts.append(token.content)
    return "".join(parts)


def _plain(tokens: Sequence[Token] | None) -> str:
    """Return the description of an image, in which another image is only its words."""
    return "".join(
        _plain(token.children) if token.type == "image" else token.content for token in tokens or ()
    )


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
