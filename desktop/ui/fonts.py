"""Which letters: the system's own for Latin, a Simplified Chinese face for Chinese.

Without an explicit Chinese family, fontconfig may answer with Japanese shapes of the same
characters, and a Latin font without CJK falls back one glyph at a time.
"""

from __future__ import annotations

from PySide6.QtGui import QFont, QFontDatabase

_CHINESE = (
    "PingFang SC",
    "Microsoft YaHei UI",
    "HarmonyOS Sans SC",
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "WenQuanYi Micro Hei",
)
_MONOSPACE = (
    "SF Mono",
    "Cascadia Mono",
    "JetBrains Mono",
    "Noto Sans Mono",
    "DejaVu Sans Mono",
    "Consolas",
    "Menlo",
)
# What fontconfig answers where no desktop chose a font: wide letters that match no Chinese face.
_NOBODYS_CHOICE = ("DejaVu Sans", "Bitstream Vera Sans", "Sans Serif", "Sans", "")
# One of them writes Latin then: in a Chinese face an apostrophe is as wide as a character.
_LATIN = (
    "Inter",
    "Noto Sans",
    "Open Sans",
    "Roboto",
    "Ubuntu Sans",
    "Ubuntu",
    "Cantarell",
)
# All that there is on a bare system. A Chinese interface does better with the Latin of its Chinese
# face, and with quotation marks as wide as they are in Chinese.
_PLAIN_LATIN = (
    "Liberation Sans",
    "Arimo",
    "Carlito",
    "Nimbus Sans",
    "FreeSans",
    "DejaVu Sans",
    "Bitstream Vera Sans",
)
_SMALLEST_POINTS = 10.0


def interface(family: str = "", points: int = 0, *, is_chinese: bool = False) -> QFont:
    """Return the font of the window.

    Args:
        family: the chosen one, before all others; "" for the system's.
        points: the chosen size; 0 for the system's, or 10 where that is smaller.
        is_chinese: the window speaks Chinese.
    """
    system = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)
    installed = set(QFontDatabase.families())
    chinese = [name for name in _CHINESE if name in installed]
    own = [system.family()]
    if system.family() in _NOBODYS_CHOICE and chinese:
        latin = _LATIN if is_chinese else (*_LATIN, *_PLAIN_LATIN)
        own = [name for name in latin if name in installed][:1]
    font = QFont(system)
    font.setFamilies([*([family] if family in installed else own), *chinese])
    font.setPointSizeF(points or max(system.pointSizeF(), _SMALLEST_POINTS))
    return font


def reading(base: QFont) -> QFont:
    """Return the font of the conversation: a little larger than the window's."""
    font = QFont(base)
    font.setPointSizeF(base.pointSizeF() * 1.1)
    return font


def monospace(base: QFont, scale: float = 0.94) -> QFont:
    """Return the font of code, `scale` times the size of the text around it."""
    system = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont).family()
    installed = set(QFontDatabase.families())
    families = [name for name in _MONOSPACE if name in installed] or [system]
    font = QFont(base)
    font.setFamilies([*families[:1], *(name for name in _CHINESE if name in installed)])
    font.setStyleHint(QFont.StyleHint.Monospace)
    font.setPointSizeF(base.pointSizeF() * scale)
    return font


def scaled(base: QFont, factor: float, *, bold: bool = False) -> QFont:
    """Return `base` at another size, perhaps in semi-bold."""
    font = QFont(base)
    font.setPointSizeF(base.pointSizeF() * factor)
    if bold:
        font.setWeight(QFont.Weight.DemiBold)
    return font
