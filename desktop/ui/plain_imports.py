"""Python's own `import` in place of the one that PySide6 puts there.

PySide6 reads the source of whatever is imported after it, to find those modules that may use
`from __feature__ import …`, and Python keeps what was read for its tracebacks: a thousand files,
20 MB, for a feature that nobody here uses.
"""

from __future__ import annotations

import builtins

from PySide6 import QtCore  # noqa: F401 - what puts its own `import` there


def import_plainly() -> None:
    """Put back the `import` that PySide6 set aside; no effect where it set none aside."""
    plain = getattr(builtins, "__orig_import__", None)
    if plain is not None:
        builtins.__import__ = plain
