"""Typesets formulas, in a process of its own: JSON lines in, JSON lines out.

Run as a plain script. Typesetting is slow Python (3 to 30 ms a formula) that would hold up the
window from a thread too, and a model's TeX may be anything: here it can be killed. Imports no Qt
and nothing of ours.

In:   {"key": 1, "tex": "...", "display": true}
Out:  {"key": 1, "svg": "...", "width": w, "ascent": a, "descent": d} in pixels at SIZE,
      or {"key": 1, "error": "..."}; first of all one line {"ready": true}.

The typesetter's font has no Chinese. A wide letter is a square to it, and in the picture a <text>
without a family, which who paints it draws in the font of the words around the formula.
"""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from importlib import import_module
from itertools import islice, zip_longest
from types import SimpleNamespace
from typing import Any
from xml.etree.ElementTree import Element

SIZE = 24.0  # pixels of an em; the picture is scaled by who paints it
LONGEST_SVG = 400_000
_MEMORY = 1 << 30  # bytes; a formula that wants more is not one

_ARRAY = re.compile(r"(\\begin\{array\}\s*)\{([^{}]*)\}(?:\s*\\hline\b)*")
_RULES = re.compile(r"\\hline\b(?:\s*\\hline\b)+")
_MATRIX = re.compile(r"(\\begin\{(\w*matrix)\}.*?\\end\{\2\})(?=\s*[\^_])", re.DOTALL)
_LOOSE_ROWS = re.compile(r"\\begin\{(align|gather|equation|split|multline)\*?\}")
_LOOSE_ROWS_END = re.compile(r"\\end\{(align|gather|equation|split|multline)\*?\}")
_UNKNOWN = re.compile(r"\\(?:label\{[^{}]*\}|nonumber|notag)")
_TAG = re.compile(r"\\tag(\*?)\s*\{((?:[^{}]|\{[^{}]*\})*)\}")
_ROW_GAP = re.compile(r"\\\\\*?\s*\[\s*-?[\d.]+\s*(?:pt|em|ex|mm|cm|in|bp|pc|mu)\s*\]")
_MIXED_TEXT = re.compile(r"\\text(?=\{[^{}$]*\$[^{}]*\})")
_WIDE_EM = 0.94  # a Chinese letter, in ems of the formula: as large as those around it
_VIEW_BOX = re.compile(r'viewBox="([-\d.e]+) ([-\d.e]+) ([-\d.e]+) ([-\d.e]+)"')


class WideLetter:
    """A letter that is drawn with the font of the text, in the place of a glyph of the typesetter.

    Attributes:
        id: of its shape in the picture: none.
        index: of the glyph in the font: none.
        font: the typesetter's.
        bbox: what the letter takes up, in the font's units.
        path: the same, where the typesetter looks for it.
    """

    id = ""
    index = 0

    def __init__(self, font: Any, char: str, *, bold: bool) -> None:
        self.font = font
        self._char, self._bold = char, bold
        self._width: float = _WIDE_EM * font.info.layout.unitsperem
        sides = (0.03, 0.97, -0.1, 0.86)  # of what a Chinese font draws in its square
        self.bbox = import_module("ziafont.fonttypes").BBox(*(x * self._width for x in sides))
        self.path = SimpleNamespace(bbox=self.bbox)

    def advance(self, nextchr: object = None) -> float:
        """Return the width, in the font's units."""
        return self._width

    def place(self, x: float, y: float, size: float) -> Element:
        """Return the letter with the left end of its baseline at a point."""
        place = {"x": f"{x:.2f}", "y": f"{y:.2f}", "font-size": f"{size * _WIDE_EM:.2f}"}
        made = Element("text", {**place, "font-weight": "bold"} if self._bold else place)
        made.text = self._char
        return made


def _is_wide(char: str, *, drawn: bool) -> bool:
    """Tell whether a letter is as wide as high; `drawn`: the typesetter's font has it."""
    return unicodedata.east_asian_width(char) in "WF" and (char.isalpha() or not drawn)


def teach_chinese(font: Any) -> None:
    """Make a font of the typesetter's answer with squares for wide letters."""
    own = font.findglyph

    def find(char: str, variant: Any) -> Any:
        drawn = font.glyphindex(char) != 0
        if _is_wide(char, drawn=drawn):
            return WideLetter(font, char, bold=variant.bold)
        if char.isalpha() and not drawn:
            raise ValueError("no shape for a letter")
        return own(char, variant)

    font.findglyph = find


def teach_lines(ziamath: Any) -> None:
    """Make the typesetter's tables draw the lines between rows and columns that TeX asks for."""
    table: Any = import_module("ziamath.nodes.mtable").Mtable
    drawable = ziamath.drawable

    class LinedTable(table, tag="mtable"):  # type: ignore[call-arg] # takes the other one's place
        def __init__(self, element: Any, parent: Any, **kwargs: Any) -> None:
            beside, under = (element.get(name, "").split() for name in ("columnlines", "rowlines"))
            if beside:
                element.attrib.setdefault("columnspacing", "0.8em")
            if under or element.get("rowspacing") == "3pt":  # that is from letters to letters
                element.set("rowspacing", "0.6em" if under else "0.5em")
            super().__init__(element, parent, **kwargs)
            cells = iter(zip(self.nodexy, self.nodes, strict=True))
            rows = [list(islice(cells, len(row))) for row in element]
            wide = self.units_to_points(self.font.math.consts.fractionRuleThickness)
            form = {"style": self.style, "phantom": kwargs.get("phantom", False)}
            for y in _between([_tall(row) for row in rows], under):
                self.nodes.append(drawable.HLine(self.bbox.xmax, wide, **form))
                self.nodexy.append((0, y - wide / 2))
            columns = [[cell for cell in column if cell] for column in zip_longest(*rows)]
            for x in _between([_broad(column) for column in columns], beside):
                high = self.bbox.ymax - self.bbox.ymin
                self.nodes.append(drawable.VLine(high, wide, **form))
                self.nodexy.append((x, -self.bbox.ymax))


def _tall(row: list[Any]) -> tuple[float, float]:
    """Return where the cells of a row begin and end, from top to bottom."""
    return (
        min(y - cell.bbox.ymax for (_, y), cell in row),
        max(y - cell.bbox.ymin for (_, y), cell in row),
    )


def _broad(column: list[Any]) -> tuple[float, float]:
    """Return where the cells of a column begin and end, from left to right."""
    return (
        min(x for (x, _), _cell in column),
        max(x + cell.bbox.xmax for (x, _), cell in column),
    )


def _between(spans: list[tuple[float, float]], lines: list[str]) -> list[float]:
    """Return the middles between neighbours where there is a line."""
    pairs = zip(spans, spans[1:], lines, strict=False)
    return [(before[1] + after[0]) / 2 for before, after, line in pairs if line != "none"]


def prepared(tex: str) -> str:
    """Return the TeX in the dialect that the typesetter knows.

    Raises:
        ValueError: there is chemistry in it.
    """
    if "\\ce{" in tex:
        raise ValueError("no chemistry")
    tex = _TAG.sub(_tag, _UNKNOWN.sub("", tex))
    tex = _ROW_GAP.sub(r"\\\\", tex)
    tex = _RULES.sub(r"\\hline", _ARRAY.sub(_array, tex))
    tex = _MIXED_TEXT.sub(r"\\mbox", tex)  # of the two, it knows formulas in this one
    tex = _LOOSE_ROWS.sub(r"\\begin{aligned}", tex)
    tex = _LOOSE_ROWS_END.sub(r"\\end{aligned}", tex)
    return _MATRIX.sub(r"{\1}", tex)  # an index on a bare matrix is an assertion error in 0.13


def _array(found: re.Match[str]) -> str:
    """Return the beginning of an array without its frame, with single lines between columns."""
    columns = "|".join(part for part in re.sub(r"\s", "", found[2]).split("|") if part)
    return f"{found[1]}{{{columns}}}"


def _tag(found: re.Match[str]) -> str:
    """Return what a formula's number is drawn as: behind it, as far right as that goes."""
    number = found[2] if found[1] else f"({found[2]})"
    return rf"\qquad {number}" if "{" in number else rf"\qquad\text{{{number}}}"


def typeset(tex: str, *, display: bool) -> dict[str, Any]:
    """Return the picture of a formula and where its baseline is, in pixels."""
    ziamath: Any = import_module("ziamath")
    svg: str = ziamath.Latex(prepared(tex), size=SIZE, inline=not display).svg()
    box = _VIEW_BOX.search(svg)
    if box is None or len(svg) > LONGEST_SVG:
        raise ValueError("no picture")
    _, top, width, height = (float(number) for number in box.groups())
    return {"svg": svg, "width": width, "ascent": -top, "descent": height + top}


def answer(line: str) -> dict[str, Any]:
    """Return the reply to one line."""
    request = json.loads(line)
    try:
        made = typeset(str(request["tex"]), display=bool(request["display"]))
    except Exception as error:  # noqa: BLE001 - whatever a model wrote, the answer is "no picture"
        made = {"error": f"{type(error).__name__}: {error}"[:200]}
    return {"key": request["key"], **made}


def _say(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def _limit_memory() -> None:
    try:
        import resource  # noqa: PLC0415 - Windows has none
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))


def main() -> None:
    """Serve until the other side closes."""
    _limit_memory()
    ziamath: Any = import_module("ziamath")  # takes a third of a second
    teach_chinese(ziamath.zmath.loadedfonts["default"])
    teach_lines(ziamath)
    ziamath.config.svg2 = False  # QtSvg draws only fragments of <symbol> and <use>
    sys.setrecursionlimit(2000)
    _say({"ready": True})
    for line in sys.stdin:
        _say(answer(line))


if __name__ == "__main__":
    main()
