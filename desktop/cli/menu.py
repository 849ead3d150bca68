"""`paperkite desktop-entry`: the app in the menu of the desktop, or out of it."""

from __future__ import annotations

import sys

from desktop.cli.output import Output
from desktop.core.errors import AppError
from desktop.system import menu_entry
from desktop.system.desktop_entry import own_command


def list_in_menu(output: Output, *, remove: bool) -> int:
    """Write or remove the entry, and say where; returns the exit status.

    Raises:
        AppError: `no-desktop-entries` on a system that has none.
        StorageError: it cannot be written.
    """
    if not sys.platform.startswith("linux"):
        raise AppError("no-desktop-entries")
    done = menu_entry.remove() if remove else menu_entry.install(own_command())
    for path in done:
        output.say("removed" if remove else "written", path=str(path))
    if not done:
        output.say("nothing-to-remove")
    return 0
