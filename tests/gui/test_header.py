"""The strip at the top, as it is drawn."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby

import pytest
from PySide6.QtCore import QRect
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFrame, QWidget

from desktop.core.explain import Language
from tests.helpers.scenes import settle
from tests.helpers.screens import RENTED, Stage, ready
from tests.helpers.window import child


def gaps(image: QImage) -> list[tuple[int, int]]:
    """Return where in a line of text nothing is drawn: from which pixel, and how many."""
    ground = image.pixel(0, 0)
    empty = [
        all(image.pixel(x, y) == ground for y in range(image.height()))
        for x in range(image.width())
    ]
    found = []
    for is_empty, group in groupby(enumerate(empty), key=lambda each: each[1]):
        places = [x for x, _ in group]
        if is_empty:
            found.append((places[0], len(places)))
    return found


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_dot_before_the_bill_stands_in_the_middle(
    stage: Callable[..., Stage], language: Language
) -> None:
    play = stage(target=RENTED, language=language)
    play.play(ready())
    play.clock.now += 3600
    play.window._follow()
    settle()
    header, bill = child(play.window, "header"), child(play.window, "billLabel")
    assert isinstance(header, QFrame)
    begins = bill.mapTo(header, bill.rect().topLeft())
    before, after = around(header, QRect(begins, bill.size()))
    assert abs(before - after) <= 2
    assert before >= 3


def around(header: QWidget, bill: QRect) -> tuple[int, int]:
    """Return how many pixels are empty before the first sign of the bill, and after it."""
    line = header.grab(bill.adjusted(-40, 0, 0, 0)).toImage()
    found = gaps(line)
    at = next(i for i, (x, wide) in enumerate(found) if x + wide >= 40)
    return found[at][1], found[at + 1][1]
