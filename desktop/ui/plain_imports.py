"""The `import` that was there before PySide6 put its own in its place.

PySide6 reads the source of whatever is imported after it, to find those modules that may use
`from __feature__ import …` (shibokensupport/feature.py), and keeps what it read in `linecache`: in
this app 250 files, 7 MB and 40 ms of the start, for what nobody here uses. The other one that it
puts there, for `from PySide6.QtWidgets import *`, stays.
"""

from __future__ import annotations

import builtins
import linecache

from PySide6 import QtCore  # noqa: F401 - what puts its own `import` there


def import_plainly() -> None:
    """Put back the `import` that PySide6 set aside; no effect where it set none aside."""
    plain = getattr(builtins, "__orig_import__", None)
    if plain is not None:
        builtins.__import__ = plain
        linecache.clearcache()  # what it read of its own modules, and of those that came with it
