"""The app, opened from the command line: the only command that imports Qt."""

from __future__ import annotations

import os
import sys

from desktop.cli.invocation import Invocation
from desktop.core.errors import AppError, ExitStatus
from desktop.core.session.wishes import Wishes
from desktop.system.single_instance import SingleInstance


def has_screen() -> bool:
    """Tell whether a window can be shown here."""
    if sys.platform in ("win32", "darwin") or os.environ.get("QT_QPA_PLATFORM"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def open_app(
    call: Invocation,
    wished: Wishes | None = None,
    *,
    start_now: bool = False,
    hidden: bool = False,
) -> int:
    """Show the window until it is quit; returns the exit status.

    Where the app of this home runs already, its window comes to the front instead. One that was
    started for a host of its own (`wished`) is not the app of anybody's home.
    """
    if not has_screen():
        raise AppError("no-screen")
    instance = SingleInstance(call.paths.state) if wished is None else None
    if instance is not None and not instance.claim():
        return ExitStatus.DONE
    try:
        return _run(call, wished, instance, start_now=start_now, hidden=hidden)
    finally:
        if instance is not None:
            instance.close()


def _run(
    call: Invocation,
    wished: Wishes | None,
    instance: SingleInstance | None,
    *,
    start_now: bool,
    hidden: bool,
) -> int:
    from desktop.ui.run import run  # noqa: PLC0415 - Qt

    return run(
        wished,
        start_now=start_now,
        hidden=hidden,
        instance=instance,
        paths=call.paths,
        settings=call.settings,
        language=call.language,
    )
