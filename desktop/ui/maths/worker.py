"""Typesets formulas, in a process of its own: JSON lines in, JSON lines out.

Run as a plain script. Typesetting is slow Python (3 to 30 ms a formula) that would hold up the
window from a thread too, and a model's TeX may be anything: here it can be killed. Imports no Qt
and nothing of ours.

In:   {"key": 1, "tex": "...", "display": true}
Out:  {"key": 1, "svg": "...", "width": w, "ascent": a, "descent": d} in pixels at SIZE,
      or {"key": 1, "error": "..."}; first of all one line {"ready": true}.
"""

from __future__ import annotations

import json
import re
import sys
from importlib import import_module
from typing import Any

SIZE = 24.0  # pixels of an em; the picture is scaled by who paints it
LONGEST_SVG = 400_000
_MEMORY = 1 << 30  # bytes; a formula that wants more is not one

_MATRIX = re.compile(r"(\\begin\{(\w*matrix)\}.*?\\end\{\2\})(?=\s*[\^_])", re.DOTALL)
_LOOSE_ROWS = re.compile(r"\\begin\{(align|gather|equation|split|multline)\*?\}")
_LOOSE_ROWS_END = re.compile(r"\\end\{(align|gather|equation|split|multline)\*?\}")
_UNKNOWN = re.compile(r"\\(?:tag\*?\{[^{}]*\}|label\{[^{}]*\}|nonumber|notag)")
_WIDE = re.compile(
    "[\u1100-\u11ff\u2e80-\ua4cf\uac00-\ud7ff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef]"
)
_VIEW_BOX = re.compile(r'viewBox="([-\d.e]+) ([-\d.e]+) ([-\d.e]+) ([-\d.e]+)"')


def prepared(tex: str) -> str:
    """Return the TeX in the dialect that the typesetter knows.

    Raises:
        ValueError: there is Chinese in it, for which its font has no shapes, or chemistry.
    """
    if _WIDE.search(tex):
        raise ValueError("no shapes for wide characters")
    if "\\ce{" in tex:
        raise ValueError("no chemistry")
    tex = _UNKNOWN.sub("", tex)
    tex = _LOOSE_ROWS.sub(r"\\begin{aligned}", tex)
    tex = _LOOSE_ROWS_END.sub(r"\\end{aligned}", tex)
    return _MATRIX.sub(r"{\1}", tex)  # an index on a bare matrix is an assertion error in 0.13


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
    ziamath.config.svg2 = False  # QtSvg draws only fragments of <symbol> and <use>
    sys.setrecursionlimit(2000)
    _say({"ready": True})
    for line in sys.stdin:
        _say(answer(line))


if __name__ == "__main__":
    main()
