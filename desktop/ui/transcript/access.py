"""The transcript for screen readers: a list whose items are the messages, named by what they say.

Qt knows a scroll area that paints its own content only as one empty client area. Messages are told
by their places, so that a long conversation costs nothing until somebody listens to it. The text
interface, with which a reader goes through an item letter by letter, cannot be given from Python:
`interface_cast` has to return a C++ pointer to it, which the binding has no way to make.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any
from weakref import proxy

from PySide6.QtCore import QObject, QPoint, QRect
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QAccessibleEvent,
    QAccessibleInterface,
)
from PySide6.QtWidgets import QAccessibleWidget

if TYPE_CHECKING:
    from desktop.ui.transcript.view import Transcript


# Where a method answers Any, it may answer None: a null pointer of Qt's that the stubs do not know.

# Qt deletes what it was given, with the view or at the program's end, and is not told when Python
# did it first. So Python holds on to all of them: a few for each view that a reader looked at.
_GIVEN: list[QAccessibleInterface] = []


class _Message(QAccessibleInterface):
    """The message at one place of a transcript, whichever it is."""

    def __init__(self, parent: AccessibleTranscript, view: Transcript, place: int) -> None:
        super().__init__()
        self._parent, self._view, self._place = parent, view, place

    def isValid(self) -> bool:  # noqa: N802
        """Tell whether there is a message at this place."""
        try:
            return self._place < len(self._view.flow.sections)
        except ReferenceError:  # the view is gone, and somebody still asks
            return False

    def object(self) -> Any:
        """Return nothing: messages are no objects of Qt's."""
        return None

    def window(self) -> Any:
        """Return the window it is in."""
        return self._view.window().windowHandle()

    def parent(self) -> QAccessibleInterface:
        """Return the transcript."""
        return self._parent

    def childCount(self) -> int:  # noqa: N802
        """Return 0: a message is read as one."""
        return 0

    def child(self, index: int) -> Any:
        """Return nothing."""
        return None

    def childAt(self, x: int, y: int) -> Any:  # noqa: N802
        """Return nothing."""
        return None

    def indexOfChild(self, child: QAccessibleInterface) -> int:  # noqa: N802
        """Return -1, which is Qt's word for no child."""
        return -1

    def focusChild(self) -> Any:  # noqa: N802
        """Return nothing."""
        return None

    def role(self) -> QAccessible.Role:
        """Return that it is an item."""
        return QAccessible.Role.ListItem

    def text(self, kind: QAccessible.Text) -> str:
        """Return whose words they are and what they say; as description, the figures."""
        if not self.isValid():
            return ""
        if kind is QAccessible.Text.Name:
            return spoken(self._view, self._place)
        shown = self._view.flow.sections[self._place].shown
        return shown.figures if kind is QAccessible.Text.Description else ""

    def setText(self, kind: QAccessible.Text, text: str) -> None:  # noqa: N802
        """Change nothing: it is read only."""

    def rect(self) -> QRect:
        """Return where it stands on the screen."""
        return _place_of(self._view, self._place) if self.isValid() else QRect()

    def state(self) -> QAccessible.State:
        """Return that it can be read and chosen, and whether it is."""
        state = QAccessible.State()
        state.readOnly = state.focusable = state.selectable = True
        if not self.isValid():
            state.invalid = True
        elif not self.rect().intersects(_on_screen(self._view)):
            state.offscreen = True
        state.selected = state.focused = self._place == self._view.current
        return state


class AccessibleTranscript(QAccessibleWidget):
    """The list of the messages."""

    def __init__(self, view: Transcript) -> None:
        super().__init__(view, QAccessible.Role.List, view.accessibleName())
        self._view: Transcript = proxy(view)  # what is given outlives the view
        self._messages: list[_Message] = []
        _GIVEN.append(self)

    def childCount(self) -> int:  # noqa: N802
        """Return how many messages there are."""
        return len(self._view.flow.sections)

    def child(self, index: int) -> Any:
        """Return the message at a place, or nothing."""
        if not 0 <= index < self.childCount():
            return None
        while len(self._messages) <= index:
            message = _Message(self, self._view, len(self._messages))
            QAccessible.registerAccessibleInterface(message)
            _GIVEN.append(message)
            self._messages.append(message)
        return self._messages[index]

    def indexOfChild(self, child: QAccessibleInterface) -> int:  # noqa: N802
        """Return the place of a message."""
        return self._messages.index(child) if child in self._messages else -1

    def childAt(self, x: int, y: int) -> Any:  # noqa: N802
        """Return the message at a point of the screen."""
        point = self._view.viewport().mapFromGlobal(QPoint(x, y))
        if not self._view.viewport().rect().contains(point) or not self.childCount():
            return None
        return self.child(self._view.flow.at(point.y() + self._view.verticalScrollBar().value()))

    def focusChild(self) -> Any:  # noqa: N802
        """Return the message that keys have chosen."""
        return None if self._view.current is None else self.child(self._view.current)


def spoken(view: Transcript, index: int) -> str:
    """Return a message as it is read aloud: whose words they are, then the words."""
    section = view.flow.sections[index]
    section.open()
    words = (block.read().strip() for block in section.column.blocks)
    said = "\n".join(text for text in words if text)
    return f"{view.texts[f'message.role-{section.shown.role}']}: {said}"


def _place_of(view: Transcript, index: int) -> QRect:
    """Return where a message is on the screen."""
    left, width = view.column()
    top = view.flow.top(index) - view.verticalScrollBar().value()
    corner = view.viewport().mapToGlobal(QPoint(round(left), round(top)))
    return QRect(corner.x(), corner.y(), round(width), round(view.flow.sections[index].height))


def _on_screen(view: Transcript) -> QRect:
    port = view.viewport()
    return QRect(port.mapToGlobal(QPoint(0, 0)), port.size())


def _given(name: str, thing: QObject) -> QAccessibleInterface | None:
    # A new one each time: Qt asks again when PySide has given the view another meta-object, and
    # would delete twice what it was given twice.
    offered = getattr(thing, "accessible", None) if name == "Transcript" else None
    return offered() if callable(offered) else None


@cache
def install() -> None:
    """Have Qt ask transcripts what they tell screen readers."""
    QAccessible.installFactory(_given)


def chosen(view: Transcript, place: int) -> None:
    """Tell that keys have chosen a message."""
    event = QAccessibleEvent(view, QAccessible.Event.Focus)
    event.setChild(place)
    QAccessible.updateAccessibility(event)


def announce(view: Transcript, text: str) -> None:
    """Have something said, once the reader has finished its sentence."""
    event = QAccessibleAnnouncementEvent(view, text)
    event.setPoliteness(QAccessible.AnnouncementPoliteness.Polite)
    QAccessible.updateAccessibility(event)
