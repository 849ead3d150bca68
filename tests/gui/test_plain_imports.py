"""The app's imports leave no sources in memory, as PySide6's own `import` would."""

from __future__ import annotations

import builtins
import subprocess
import sys

import pytest

from desktop.ui.plain_imports import import_plainly

_PROGRAM = """
import linecache
import {first}
import colorsys
from PySide6.QtCore import QObject, Signal

class Bell(QObject):
    rang = Signal(int)

heard = []
bell = Bell()
bell.rang.connect(heard.append)
bell.rang.emit(3)
assert heard == [3]
print(any(name.endswith("colorsys.py") for name in linecache.cache))
"""


def keeps_sources(first: str) -> bool:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM.format(first=first)],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout == "True\n"


def test_no_source_is_kept_which_would_be_otherwise() -> None:
    assert not keeps_sources("desktop.ui")
    assert keeps_sources("PySide6.QtCore")  # else PySide6 has changed, and we need not do it


def test_where_pyside_set_no_import_aside_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(builtins, "__orig_import__", raising=False)
    now = builtins.__import__
    import_plainly()
    assert builtins.__import__ is now
