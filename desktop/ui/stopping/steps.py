"""What was seen of a stop, step by step: a shape and a sentence each."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from desktop.core.stopping import Seen
from desktop.core.texts import Texts
from desktop.ui import icons
from desktop.ui.labels import label, set_property
from desktop.ui.theme import Theme

_ICON = 16
_LOOKS = {  # icon of a step, colour
    Seen.WAITING: ("waiting", "quiet"),
    Seen.RUNNING: ("running", "accent"),
    Seen.DONE: ("done", "good"),
    Seen.FAILED: ("failed", "bad"),
    Seen.NOTHING: ("skipped", "quiet"),
}


class Steps(QWidget):
    """Two at most: the server, and the host."""

    def __init__(self, theme: Theme, texts: Texts) -> None:
        super().__init__()
        self.setAccessibleName(texts["stopping.steps"])
        self._theme = theme
        self._shown: tuple[tuple[Seen, str], ...] = ()
        self._rows: list[tuple[QWidget, QLabel, QLabel]] = []
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 2, 0, 2)
        self._layout.setSpacing(10)
        theme.changed.connect(self._draw)

    def show_steps(self, steps: tuple[tuple[Seen, str], ...]) -> None:
        """Show these steps."""
        self._shown = steps
        while len(self._rows) < len(steps):
            self._rows.append(self._make_row())
        self._draw()

    def _make_row(self) -> tuple[QWidget, QLabel, QLabel]:
        row, mark, said = QWidget(), QLabel(), label(wrap=True)
        mark.setFixedSize(_ICON, _ICON)
        said.setObjectName("stepLabel")
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(10)
        line.addWidget(mark, 0, Qt.AlignmentFlag.AlignTop)
        line.addWidget(said, 1)
        self._layout.addWidget(row)
        row.show()  # or else it is only there at the next turn, and nobody makes room for it
        return row, mark, said

    def _draw(self) -> None:
        ratio = self.devicePixelRatioF()
        for (seen, text), (_row, mark, said) in zip(self._shown, self._rows, strict=False):
            shape, colour = _LOOKS[seen]
            ink = getattr(self._theme.colours, colour)
            mark.setPixmap(icons.pixmap(f"step-{shape}", ink, _ICON, ratio))
            said.setText(text)
            set_property(said, "tone", "quiet" if seen is Seen.WAITING else "")
