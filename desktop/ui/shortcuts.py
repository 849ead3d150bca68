"""The keys of the window: one table, from which they are installed, shown and listed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget

Deed = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Keys:
    """What some keys do.

    Attributes:
        name: of the text that says it.
        keys: each of these does it.
    """

    name: str
    keys: tuple[str, ...]


ANYWHERE = (
    Keys("chats.new", ("Ctrl+N",)),
    Keys("chats.search-help", ("Ctrl+Shift+F",)),
    Keys("find.name", ("Ctrl+F",)),
    Keys("chats.show", ("Ctrl+B",)),
    Keys("keys.next-part", ("F6",)),
    Keys("keys.previous-part", ("Shift+F6",)),
    Keys("keys.undo", ("Ctrl+Z",)),
    Keys("keys.larger", ("Ctrl++", "Ctrl+=")),
    Keys("keys.smaller", ("Ctrl+-",)),
    Keys("keys.usual-size", ("Ctrl+0",)),
    Keys("menu.monitor", ("Ctrl+Shift+M",)),
    Keys("menu.endpoint", ("Ctrl+Shift+E",)),
    Keys("menu.logs", ("Ctrl+Shift+L",)),
    Keys("menu.diary", ("Ctrl+Shift+D",)),
    Keys("menu.settings", ("Ctrl+,",)),
    Keys("menu.keyboard", ("F1", "Ctrl+/")),
)
# What single parts of the window make of a key themselves, by the text that names the part.
IN_PARTS = {
    "keys.in-message": (
        Keys("keys.send", ("Enter",)),
        Keys("keys.new-line", ("Shift+Enter",)),
        Keys("keys.take-back", ("Esc",)),
    ),
    "keys.in-conversation": (
        Keys("keys.choose-message", ("Alt+Up", "Alt+Down")),
        Keys("keys.message-menu", ("Menu",)),
        Keys("keys.ends", ("Home", "End")),
    ),
    "keys.in-list": (
        Keys("keys.open", ("Enter",)),
        Keys("chats.rename", ("F2",)),
        Keys("chats.delete", ("Del",)),
        Keys("keys.row-menu", ("Menu",)),
        Keys("keys.to-message", ("Esc",)),
    ),
}


def shown(keys: str) -> str:
    """Return keys as this system writes them, such as "⌘N"."""
    return QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)


def of(name: str) -> str:
    """Return the first keys for something that is done anywhere, as this system writes them."""
    return shown(next(each.keys[0] for each in ANYWHERE if each.name == name))


def install(window: QWidget, deeds: Mapping[str, Deed]) -> None:
    """Do these, by the names in `ANYWHERE`, wherever in the window the keyboard is.

    Raises:
        KeyError: something in the table is done by nobody.
    """
    for each in ANYWHERE:
        deed = deeds[each.name]
        for keys in each.keys:
            QShortcut(QKeySequence(keys), window, lambda deed=deed: deed())
