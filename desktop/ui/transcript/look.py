"""What blocks are drawn with: colours, fonts, distances. Made anew when the theme changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtGui import QColor, QFont, QFontInfo, QFontMetricsF, QPalette

from desktop.core.texts import Texts
from desktop.ui import fonts
from desktop.ui.maths.formulas import Formulas
from desktop.ui.theme import DARK, Colours

# In ems. Chinese needs more air between lines than Latin; 1.5 to 1.7 is usual for screens.
_BODY_LINE = 1.7
_CODE_LINE = 1.55

# Colours that only the transcript has, for light and dark. Code on `sunken` has 4.5 to 1 at least;
# matches of a search are the yellow of a marker pen, the current one stronger.
_EXTRA = {
    "keyword": ("#85359f", "#cda0e8"),
    "string": ("#24733a", "#98cc8f"),
    "number": ("#9c4a12", "#e3ab7c"),
    "comment": ("#676b72", "#8d939b"),
    "function": ("#1d5c9e", "#84bdea"),
    "type": ("#0b6b79", "#74c6d2"),
    "removed": ("#b3362b", "#ef8a7d"),
    "added": ("#24733a", "#98cc8f"),
    "found": ("#fbe9a9", "#4d4320"),
    "found-here": ("#f7c948", "#7d600e"),
}


@dataclass(frozen=True)
class Look:
    """One look of the transcript.

    Attributes:
        colours: the theme's.
        extra: colours that only the transcript has, by name.
        body: font of what is read.
        small: font of footers and labels.
        code: font of code.
        line_height: of body text, in pixels.
        code_line_height: of code, in pixels.
        texts: the words on buttons inside blocks.
        formulas: draws maths.
        ratio: of the screen's pixels to ours.
        em: the size of body text, in pixels.
    """

    colours: Colours
    extra: Mapping[str, str]
    body: QFont
    small: QFont
    code: QFont
    line_height: float
    code_line_height: float
    texts: Texts
    formulas: Formulas
    ratio: float
    em: float

    @property
    def indent(self) -> float:
        """By how much a level of a list is indented, in pixels."""
        return self.line_height * 0.9

    def colour(self, name: str) -> QColor:
        """Return a colour of the theme, or of the transcript's own, by its name."""
        return QColor(self.extra.get(name) or getattr(self.colours, name))

    def text_palette(self, tone: str = "text") -> QPalette:
        """Return the palette for painting a document in one tone."""
        palette = QPalette()
        palette.setColor(QPalette.ColorRole.Text, self.colour(tone))
        return palette


def make_look(
    colours: Colours,
    base: QFont,
    texts: Texts,
    formulas: Formulas,
    *,
    zoom: float = 1.0,
    ratio: float = 1.0,
) -> Look:
    """Return the look for these colours and the window's font, `zoom` times as large."""
    scaled = fonts.scaled(base, zoom)
    body = fonts.reading(scaled)
    code = fonts.monospace(body)
    # At least what the font itself asks for: Chinese fonts are tall.
    height = max(_pixels(body) * _BODY_LINE, QFontMetricsF(body).height())
    code_height = max(_pixels(code) * _CODE_LINE, QFontMetricsF(code).height())
    small = fonts.scaled(scaled, 0.9)
    extra = {name: pair[colours is DARK] for name, pair in _EXTRA.items()}
    return Look(
        colours,
        extra,
        body,
        small,
        code,
        height,
        code_height,
        texts,
        formulas,
        ratio,
        _pixels(body),
    )


def _pixels(font: QFont) -> float:
    return QFontInfo(font).pixelSize()
