"""The keys of the window."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget

Deed = Callable[[], object]


def install(window: QWidget, deeds: Mapping[str, Deed]) -> None:
    """Do these on these keys, wherever in the window the keyboard is."""
    for keys, deed in deeds.items():
        QShortcut(QKeySequence(keys), window, lambda deed=deed: deed())
