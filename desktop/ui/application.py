"""The application object of Qt, in our style and with our fonts."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from PySide6.QtCore import QLibraryInfo
from PySide6.QtWidgets import QApplication

from desktop.ui import fonts

# Threads that parse take the interpreter for at most this long: no tick waits (Python's own
# default of 5 ms shows in the stream; measured, 0.5 ms costs no CPU worth naming).
_SWITCH_INTERVAL_S = 0.0005


def application(*, is_chinese: bool = False) -> QApplication:
    """Return the application object in our style, made at the first call.

    Its colours and a chosen font are the app's to set afterwards.

    Args:
        is_chinese: the window speaks Chinese; no face is loaded in vain then.
    """
    existing = QApplication.instance()
    if isinstance(existing, QApplication):
        qt = existing
    else:
        _choose_input_method()
        sys.setswitchinterval(_SWITCH_INTERVAL_S)
        qt = QApplication(sys.argv[:1])
    qt.setApplicationName("paperkite")
    qt.setApplicationDisplayName("Paperkite")
    qt.setDesktopFileName("paperkite")
    qt.setStyle("Fusion")
    qt.setFont(fonts.interface(is_chinese=is_chinese))
    qt.setQuitOnLastWindowClosed(False)  # the window's own closing decides
    return qt


def the_application() -> QApplication:
    """Return the application object that was made, with the font and the colours that it has."""
    made = QApplication.instance()
    assert isinstance(made, QApplication)
    return made


def _choose_input_method() -> None:
    """Reach fcitx through its ibus interface: PyPI's wheels bring no fcitx plugin (hydrus#1794)."""
    plugins = Path(QLibraryInfo.path(QLibraryInfo.LibraryPath.PluginsPath))
    has_plugin = any(plugins.glob("platforminputcontexts/*fcitx*"))
    if os.environ.get("QT_IM_MODULE", "").startswith("fcitx") and not has_plugin:
        os.environ["QT_IM_MODULE"] = "ibus"
