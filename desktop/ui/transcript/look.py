"""What blocks are drawn with: colours, fonts, distances. Made anew when the theme changes."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtGui import QColor, QFont, QFontInfo, QFontMetricsF, QPalette

from desktop.core.texts import Texts
from desktop.ui import fonts
from desktop.ui.theme import Colours

# In ems. Chinese needs more air between lines than Latin; 1.5 to 1.7 is usual for screens.
_BODY_LINE = 1.7
_CODE_LINE = 1.55


@dataclass(frozen=True)
class Look:
    """One look of the transcript.

    Attributes:
        colours: the theme's.
        body: font of what is read.
        small: font of footers and labels.
        code: font of code.
        line_height: of body text, in pixels.
        code_line_height: of code, in pixels.
        texts: the words on buttons inside blocks.
    """

    colours: Colours
    body: QFont
    small: QFont
    code: QFont
    line_height: float
    code_line_height: float
    texts: Texts

    def colour(self, name: str) -> QColor:
        """Return a colour of the theme by its name."""
        return QColor(getattr(self.colours, name))

    def text_palette(self, tone: str = "text") -> QPalette:
        """Return the palette for painting a document in one tone."""
        palette = QPalette()
        palette.setColor(QPalette.ColorRole.Text, self.colour(tone))
        return palette


def make_look(colours: Colours, base: QFont, texts: Texts) -> Look:
    """Return the look for these colours and the window's font."""
    body = fonts.reading(base)
    code = fonts.monospace(body)
    # At least what the font itself asks for: Chinese fonts are tall.
    height = max(_pixels(body) * _BODY_LINE, QFontMetricsF(body).height())
    code_height = max(_pixels(code) * _CODE_LINE, QFontMetricsF(code).height())
    small = fonts.scaled(base, 0.9)
    return Look(colours, body, small, code, height, code_height, texts)


def _pixels(font: QFont) -> float:
    return QFontInfo(font).pixelSize()
