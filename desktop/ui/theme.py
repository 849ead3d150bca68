"""The two looks, light and dark: one table of colours, from which everything else is made.

Fusion with palettes of our own, because the platform themes are not to be had everywhere:
outside GNOME, `setColorScheme` does nothing and reports nothing on Linux.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QGuiApplication, QPalette


@dataclass(frozen=True, slots=True)
class Colours:
    """One look. Text on `window`, `surface` and `sunken` has a contrast of at least 4.5 to 1.

    Attributes:
        window: behind everything, like paper.
        surface: cards and fields.
        sunken: code, progress troughs, quiet buttons.
        line: hairlines and borders.
        text: what is read.
        quiet: what is read second.
        accent: what can be done next, links.
        on_accent: text on `accent`.
        tint: the user's own words.
        selected: behind selected text.
        good: ready, done.
        busy: working, reconnecting.
        bad: failed.
    """

    window: str
    surface: str
    sunken: str
    line: str
    text: str
    quiet: str
    accent: str
    on_accent: str
    tint: str
    selected: str
    good: str
    busy: str
    bad: str


LIGHT = Colours(
    window="#faf9f6",
    surface="#ffffff",
    sunken="#f1efe9",
    line="#e3e0d8",
    text="#22252a",
    quiet="#656a71",
    accent="#1f6394",
    on_accent="#ffffff",
    tint="#e6eef4",
    selected="#bcd8ec",
    good="#24794a",
    busy="#8f5f0a",
    bad="#b3362b",
)
DARK = Colours(
    window="#1b1d20",
    surface="#24272b",
    sunken="#16181a",
    line="#383c41",
    text="#e7e6e2",
    quiet="#a2a7ad",
    accent="#7fb8e0",
    on_accent="#10202b",
    tint="#2a3844",
    selected="#35536b",
    good="#6cc592",
    busy="#dcae5a",
    bad="#ef8a7d",
)


def palette(colours: Colours) -> QPalette:
    """Return the palette of a look, for what is not styled by `stylesheet`."""
    made = QPalette()
    role = QPalette.ColorRole
    pairs = {
        role.Window: colours.window,
        role.Base: colours.surface,
        role.AlternateBase: colours.sunken,
        role.Button: colours.surface,
        role.ToolTipBase: colours.surface,
        role.WindowText: colours.text,
        role.Text: colours.text,
        role.ButtonText: colours.text,
        role.ToolTipText: colours.text,
        role.PlaceholderText: colours.quiet,
        role.Highlight: colours.selected,
        role.HighlightedText: colours.text,
        role.Link: colours.accent,
        role.Mid: colours.line,
    }
    for which, colour in pairs.items():
        made.setColor(which, QColor(colour))
    for which in (role.WindowText, role.Text, role.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, which, QColor(colours.quiet))
    return made


class Theme(QObject):
    """The look in use: the chosen one, or the system's.

    Signals:
        changed: the colours are others; what is painted or styled by hand is made again.
    """

    changed = Signal()

    def __init__(self, choice: str = "") -> None:
        """Take "light", "dark" or "" for the system's."""
        super().__init__()
        self._choice = choice
        self.colours = self._find()
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._follow)

    @property
    def is_dark(self) -> bool:
        """Tell whether light text stands on a dark ground."""
        return self.colours is DARK

    def choose(self, choice: str) -> None:
        """Use "light", "dark" or "" (the system's) from now on."""
        self._choice = choice
        self._follow()

    def _find(self) -> Colours:
        if self._choice:
            return DARK if self._choice == "dark" else LIGHT
        dark = QGuiApplication.styleHints().colorScheme() is Qt.ColorScheme.Dark
        return DARK if dark else LIGHT

    def _follow(self, *_: object) -> None:
        found = self._find()
        if found is not self.colours:
            self.colours = found
            self.changed.emit()
