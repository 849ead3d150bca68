"""The app, opened from the command line: the only command that imports Qt."""

from __future__ import annotations

import os
import sys

from desktop.cli.options import Invocation
from desktop.core.errors import AppError
from desktop.core.session.wishes import Wishes


def has_screen() -> bool:
    """Tell whether a window can be shown here."""
    if sys.platform in ("win32", "darwin") or os.environ.get("QT_QPA_PLATFORM"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def open_app(call: Invocation, wished: Wishes | None = None, *, start_now: bool = False) -> int:
    """Show the window until it is quit; returns the exit status."""
    if not has_screen():
        raise AppError("no-screen")
    from desktop.ui.app import run  # noqa: PLC0415 - Qt

    return run(
        wished,
        start_now=start_now,
        paths=call.paths,
        settings=call.settings,
        language=call.language,
    )
