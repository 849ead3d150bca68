"""How a phase looks beside its word: shape and colour both tell, never the colour alone."""

from __future__ import annotations

from PySide6.QtGui import QIcon, QPixmap

from desktop.core.phases import Phase
from desktop.ui import icons
from desktop.ui.theme import Theme

STARTABLE = (Phase.OFF, Phase.FAILED)
_STATES = {  # phase → icon of a step, colour
    Phase.OFF: ("waiting", "quiet"),
    Phase.CONNECTING: ("running", "accent"),
    Phase.CHECKING: ("running", "accent"),
    Phase.PREPARING: ("running", "accent"),
    Phase.LOADING: ("running", "accent"),
    Phase.READY: ("done", "good"),
    Phase.RECONNECTING: ("running", "busy"),
    Phase.STOPPING: ("cancelled", "quiet"),
    Phase.FAILED: ("failed", "bad"),
}


def tone(phase: Phase) -> str:
    """Return the name of the phase's colour, as `theme.Colours` and labels have it."""
    return _STATES[phase][1]


def state_pixmap(phase: Phase, theme: Theme, size: int, ratio: float) -> QPixmap:
    """Return the mark of a phase."""
    name, colour = _STATES[phase]
    return icons.pixmap(f"step-{name}", getattr(theme.colours, colour), size, ratio)


def state_icon(phase: Phase, theme: Theme, size: int) -> QIcon:
    """Return the mark of a phase, for a menu."""
    name, colour = _STATES[phase]
    return icons.icon(f"step-{name}", getattr(theme.colours, colour), size)
