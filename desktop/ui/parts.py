"""F6: from one part of the window to the next, as in other programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget


def go(window: QWidget, parts: Sequence[QWidget], step: int) -> None:
    """Bring the keyboard to another part, to where it was there before.

    Args:
        window: that has the parts.
        parts: in the order in which one goes; those that are not seen are passed over.
        step: 1 to the next, -1 to the one before, around the end.
    """
    held = window.focusWidget()
    here = next((n for n, part in enumerate(parts) if held and _holds(part, held)), -1 * (step > 0))
    for far in range(1, len(parts) + 1):
        part = parts[(here + step * far) % len(parts)]
        if (found := _entry(part)) is not None:
            found.setFocus(Qt.FocusReason.TabFocusReason)
            return


def _holds(part: QWidget, held: QWidget) -> bool:
    return part is held or part.isAncestorOf(held)


def _entry(part: QWidget) -> QWidget | None:
    """Return what takes the keyboard in a part: what had it last, or else the first that can."""
    before = part.focusWidget()
    if before is not None and _takes(before):
        return before
    return next((each for each in _in_order(part) if _holds(part, each) and _takes(each)), None)


def _in_order(part: QWidget) -> Iterator[QWidget]:
    """Go through the window in the order of Tab, from this part on."""
    each: QWidget | None = part
    while each is not None:
        yield each
        each = each.nextInFocusChain()
        if each is part:
            return


def _takes(each: QWidget) -> bool:
    tab = Qt.FocusPolicy.TabFocus.value
    return each.isVisible() and each.isEnabled() and bool(each.focusPolicy().value & tab)
