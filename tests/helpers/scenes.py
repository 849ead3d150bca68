"""What a scene is: something of the app from plain values, on screen while somebody looks at it.

Every module `*screens` beside this one says in PICTURES which scenes it has (see pictures.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from PySide6.QtCore import QEvent
from PySide6.QtGui import QPainter, QPixmap
from PySide6.QtWidgets import QApplication, QWidget

from desktop.core.explain import Language
from desktop.core.texts import Texts
from desktop.ui.application import application
from desktop.ui.style import style_sheet
from desktop.ui.theme import Theme, palette

Size = tuple[int, int]
_TURNS = 6  # wrapped text and wrapped buttons find their heights one after the other


@dataclass(frozen=True, slots=True)
class Look:
    """How a scene is to be seen.

    Attributes:
        language: of its texts.
        theme: "light" or "dark".
        size: of the window, in logical pixels; a dialog has its own.
    """

    language: Language
    theme: str
    size: Size = (980, 760)


@dataclass(frozen=True, slots=True)
class Picture:
    """How one scene is put on screen.

    Attributes:
        show: puts it there in a look, settled, and takes it away afterwards.
        is_window: whether it is the app's window, which has the size of the look.
    """

    show: Callable[[Look], AbstractContextManager[QWidget]]
    is_window: bool = False


def dress(name: str) -> Theme:
    """Have the application look "light" or "dark"."""
    theme = Theme(name)
    qt = QApplication.instance()
    if not isinstance(qt, QApplication):  # one that is there keeps its font
        qt = application()
    qt.setPalette(palette(theme.colours))
    qt.setStyleSheet(style_sheet(theme.colours))
    return theme


def ground() -> QWidget:
    """Return a page for a dialog to stand on; they go together."""
    page = QWidget()
    page.setObjectName("window")
    _grounds.append(page)
    return page


_grounds: list[QWidget] = []


def clear() -> None:
    """Take every page away now, not when the loop next runs, and what stands on them."""
    while _grounds:
        _grounds.pop().deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def settle() -> None:
    """Let everything find its place."""
    for _ in range(_TURNS):
        QApplication.processEvents()


def alone(make: Callable[[Theme, Texts], QWidget]) -> Picture:
    """Return the picture of a dialog, or of a part, that is made on a `ground`."""

    @contextmanager
    def show(look: Look) -> Iterator[QWidget]:
        made = make(dress(look.theme), Texts(look.language))
        made.show()
        settle()
        try:
            yield made
        finally:
            made.hide()
            clear()

    return Picture(show)


def grab(widget: QWidget) -> QPixmap:
    """Return what is on screen, with the menu that is open over it."""
    drawn = widget.grab()
    if menu := QApplication.activePopupWidget():
        painter = QPainter(drawn)
        painter.drawPixmap(widget.mapFromGlobal(menu.pos()), menu.grab())
        painter.end()
        menu.hide()
    return drawn
