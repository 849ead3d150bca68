"""What one line of Markdown may begin, seen without its surroundings. Pure functions of a line.

The patterns follow CommonMark 0.31.2 §4 and §5 and GitHub's tables; maths and footnotes follow what
chat models write. Where a line may be long, what has matched is never tried again ("*+"): a model
can write a thousand dashes, and the time would go with the square.
"""

from __future__ import annotations

import re

FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*$)|~{3,})\s*(.*)$")
MARKER = re.compile(r"( {0,3})([-*+]|\d{1,9}[.)])( {1,4}(?=\S)|\s*$| (?= {4}))")
HEADING = re.compile(r" {0,3}#{1,6}(\s|$)")
RULE = re.compile(r" {0,3}([-_*])[ \t]*+(?:\1[ \t]*+){2,}+$")
QUOTE = re.compile(r" {0,3}>")
FOOTNOTE = re.compile(r" {0,3}\[\^([^\]\s]{1,40})\]:[ \t]*")
_DELIMITERS = re.compile(r" {0,3}\|?\s*+:?-++:?\s*+(?:\|\s*+:?-++:?\s*+)*+\|?\s*+$")
_CELL_BORDER = re.compile(r"(?<!\\)\|")
# Of LaTeX's environments those that are formulas without any other sign.
_ALONE = [name + star for name in ("align", "gather", "equation", "multline") for star in ("", "*")]
_CLOSING = {"$$": "$$", "\\[": "\\]"} | {
    f"\\begin{{{name}}}": f"\\end{{{name}}}" for name in _ALONE
}
_MATHS = re.compile(f" {{0,3}}({'|'.join(map(re.escape, _CLOSING))})(.*)$")
_MATHS_END = {
    opening: re.compile(re.escape(closing) + r"\s*[.,;。，；]?\s*$")
    for opening, closing in _CLOSING.items()
}
_COMMENT = re.compile(r"(?<!\\)%.*")  # in TeX: to the end of its line
_DEFINITION = re.compile(r"^[ >]*\[(?!\^)[^\]]+\]:", re.MULTILINE)
# A line that so far is only markup: showing it would make a heading of the line above ("-", "=").
ONLY_MARKUP = re.compile(
    r"(?:[-=*+_#>`~|:$\\\s]*+|\s*+(?:\d{1,9}[.)]?|\[\^?)\s*+"
    r"|\s*+\\be?g?i?n?(?:\{[a-z]*+\*?)?)$"
)


def indent(line: str) -> int:
    """Return how many spaces the line begins with; a tab counts up to its stop at four."""
    expanded = line.expandtabs(4) if "\t" in line else line
    return len(expanded) - len(expanded.lstrip(" "))


def content_indent(marker: re.Match[str]) -> int:
    """Return where the content of a list item begins."""
    padding = len(marker[3]) if marker[3].strip("\n") else 1
    return len(marker[1]) + len(marker[2]) + max(padding, 1)


def dedented(line: str, columns: int) -> str:
    """Return the line without its indentation, of so many columns at most."""
    expanded = line.expandtabs(4) if "\t" in line[: columns + 1] else line
    return expanded[min(indent(line), columns) :]


def unquoted(line: str) -> str:
    """Return a line of a quote without its mark."""
    stripped = line.lstrip()
    return stripped[1:].removeprefix(" ") if stripped.startswith(">") else line


def only_marker(line: str) -> bool:
    """Tell whether an item's first line has nothing beside its marker."""
    marker = MARKER.match(line)
    return marker is not None and not line[marker.end() :].strip()


def lazy(before: str, line: str) -> bool:
    """Tell whether a line without ">" goes on with the paragraph that ends a quote."""
    inner = before
    while inner.lstrip().startswith(">"):
        inner = unquoted(inner)
    paragraph = bool(line.strip() and inner.strip()) and indent(inner) < 4
    interrupted = any(pattern.match(inner) for pattern in (FENCE, HEADING, RULE))
    return paragraph and not interrupted and not starts_something(line, in_paragraph=True)


def closes(fence: str, line: str) -> bool:
    """Tell whether the line closes code that was opened with `fence`."""
    stripped = line.strip()
    return indent(line) < 4 and len(stripped) >= len(fence) and not stripped.strip(fence[0])


def starts_something(line: str, *, in_paragraph: bool = False) -> bool:
    """Tell whether the line begins a block even where text stands before it."""
    if any(pattern.match(line) for pattern in (FENCE, HEADING, RULE, QUOTE, FOOTNOTE)):
        return True
    marker = MARKER.match(line)
    if marker is None:
        return maths_opening(line) is not None
    # CommonMark: a list interrupts a paragraph only with text, and with the number 1.
    begins_with_one = not marker[2][0].isdigit() or marker[2][:-1] == "1"
    return not in_paragraph or (begins_with_one and bool(line[marker.end() :].strip()))


def maths_opening(line: str) -> tuple[str, bool] | None:
    """Return the delimiter of displayed maths that the line opens, and whether it closes it too.

    A line that goes on after its formula is text with a formula in it: None.
    """
    if (found := _MATHS.match(line)) is None:
        return None
    delimiter, rest = found[1], found[2]
    if _MATHS_END[delimiter].search(rest):
        return (delimiter, True) if rest.strip("$ ") else (delimiter, False)
    return None if _CLOSING[delimiter] in rest else (delimiter, False)


def maths_closing(delimiter: str, line: str) -> bool:
    """Tell whether the line ends maths that was opened with `delimiter`."""
    return bool(_MATHS_END[delimiter].search(line))


def formula(lines: list[str]) -> str:
    """Return the TeX between the delimiters of displayed maths; an environment is part of it."""
    text = "\n".join(lines).strip().rstrip(".,;。，； \n")
    return text if text.startswith("\\begin") else text[2:-2].strip()


def formulas_joined(lines: list[str], *, closed: bool) -> list[str]:
    """Return lines of an item or a quote with each displayed formula of several on one line.

    Else a line of it such as "+ b" would begin an item.

    Args:
        lines: in which no formula is known yet.
        closed: nothing will follow; until then what began like a formula is taken for one.
    """
    made: list[str] = []
    fence, at = "", 0
    while at < len(lines):
        line, length = lines[at], 1
        if fence:
            fence = "" if closes(fence, line) else fence
        elif code := FENCE.match(line.lstrip()):
            fence = code[1]
        else:
            line, length = _joined(lines[at:], closed=closed)
        made.append(line)
        at += length
    return made


def _joined(lines: list[str], *, closed: bool) -> tuple[str, int]:
    """Return the first line, with the whole of a formula that it opens, and how many that are."""
    marker = MARKER.match(lines[0])
    inner = lines[0][marker.end() if marker else 0 :].lstrip()
    found = maths_opening(inner)
    if found is None:
        return lines[0], 1
    before, (delimiter, whole) = lines[0][: len(lines[0]) - len(inner)], found
    alone = delimiter.startswith("\\begin")
    if whole:
        return (f"{before}$${inner}$$" if alone else lines[0]), 1
    for length, line in enumerate(lines[1:], start=2):
        if not line.strip():
            break
        if maths_closing(delimiter, line):
            tex = _on_one_line([inner, *lines[1:length]])
            return before + (f"$${tex}$$" if alone else tex), length
    else:
        if not closed:
            return before + _on_one_line([inner, *lines[1:]]), len(lines)
    return lines[0], 1


def _on_one_line(tex: list[str]) -> str:
    return " ".join(_COMMENT.sub("", line).strip() for line in tex)


def cells(row: str) -> list[str]:
    """Return the Markdown of the cells of a table's row."""
    inner = row.strip().removeprefix("|")
    if inner.endswith("|") and not inner.endswith("\\|"):
        inner = inner[:-1]
    return [cell.strip().replace("\\|", "|") for cell in _CELL_BORDER.split(inner)]


def columns(line: str) -> int:
    """Return how many cells the line has as a row of a table."""
    return len(cells(line))


def heads_table(header: str, line: str) -> bool:
    """Tell whether `line` under `header` makes a table of the two."""
    return (
        "|" in header
        and bool(_DELIMITERS.match(line))
        and indent(header) < 4
        and columns(header) == columns(line)
    )


def defines(source: str) -> bool:
    """Tell whether a segment may hold the definition of a link."""
    return _DEFINITION.search(source) is not None
