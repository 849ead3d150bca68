"""PySide6 6.12.0 drops references of True and None on Python < 3.12 and ends in an abort."""

import sys

import pytest
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication, QWidget

CALLS = 300
pytestmark = pytest.mark.skipif(
    sys.version_info >= (3, 12), reason="singletons are immortal from Python 3.12 on"
)


class Bell(QObject):
    rang = Signal()


def test_emitting_a_signal_keeps_the_references_of_true() -> None:
    bell = Bell()
    before = sys.getrefcount(True)
    for _ in range(CALLS):
        bell.rang.emit()
    assert abs(sys.getrefcount(True) - before) < CALLS // 10


def test_a_void_call_keeps_the_references_of_none(qapp: QApplication) -> None:
    widget = QWidget()
    before = sys.getrefcount(None)
    for _ in range(CALLS):
        widget.update()
    assert abs(sys.getrefcount(None) - before) < CALLS // 10
