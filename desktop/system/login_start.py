"""Starting at login, as each system has it: an entry of this user's, that only we write.

Linux: a desktop entry in `~/.config/autostart` (XDG autostart specification). macOS: a launch
agent. Windows: a value under HKEY_CURRENT_USER's Run key. The app starts hidden, in the tray;
where no tray turns up it shows its window.
"""

from __future__ import annotations

import os
import plistlib
import re
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from desktop.core.atomic_file import not_writable, write_atomically
from desktop.system.desktop_entry import desktop_entry

_NAME = "paperkite"
_LABEL = "io.paperkite.app"
# How GNOME, KDE and the autostart specification switch off an entry that stays.
_SWITCHED_OFF = re.compile(
    rb"^(?:Hidden\s*=\s*true|X-GNOME-Autostart-enabled\s*=\s*false)\s*$", re.MULTILINE
)
_RUN_KEY = r"Software\Microsoft\Windows\CurrentVersion\Run"


class LoginStart(Protocol):
    """Whether the app starts at login."""

    def is_on(self) -> bool:
        """Tell whether it does."""
        ...

    def turn(self, *, on: bool) -> None:
        """Have it start at login, or no more; raises StorageError `storage-not-writable`."""
        ...


def login_start(command: Sequence[str], system: str = sys.platform) -> LoginStart:
    """Return how this system starts a program at login.

    Args:
        command: what is started, such as `["/usr/bin/paperkite", "--hidden"]`.
        system: as `sys.platform` has it.
    """
    if system == "win32":
        return RunKey(command)
    if system == "darwin":
        content = plistlib.dumps(
            {"Label": _LABEL, "ProgramArguments": list(command), "RunAtLoad": True}
        )
        return EntryFile(Path.home() / "Library/LaunchAgents" / f"{_LABEL}.plist", content)
    config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    entry = desktop_entry(command).encode()
    return EntryFile(config / "autostart" / f"{_NAME}.desktop", entry, _SWITCHED_OFF)


class EntryFile:
    """A file whose being there starts the app."""

    def __init__(self, path: Path, content: bytes, off: re.Pattern[bytes] | None = None) -> None:
        """Take where it is, what is in it, and what another program writes to switch it off."""
        self._path, self._content, self._off = path, content, off

    def is_on(self) -> bool:
        """Tell whether the file is there, and was not switched off by the desktop's settings."""
        try:
            there = self._path.read_bytes()
        except OSError:
            return False
        return self._off is None or self._off.search(there) is None

    def turn(self, *, on: bool) -> None:
        """Write the file or take it away; raises StorageError."""
        if on:
            write_atomically(self._path, self._content)
            return
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            raise not_writable(self._path, error) from error


class RunKey:
    """A value in the registry of Windows."""

    def __init__(self, command: Sequence[str]) -> None:
        self._line = subprocess.list2cmdline(command)

    def is_on(self) -> bool:
        """Tell whether the value is there."""
        import winreg  # noqa: PLC0415 - Windows

        with (
            suppress(OSError),
            winreg.OpenKey(winreg.HKEY_CURRENT_USER, _RUN_KEY) as key,  # type: ignore[attr-defined,unused-ignore]
        ):
            return bool(winreg.QueryValueEx(key, _NAME)[0])  # type: ignore[attr-defined,unused-ignore]
        return False

    def turn(self, *, on: bool) -> None:
        """Set the value or take it away; raises StorageError."""
        import winreg  # noqa: PLC0415 - Windows

        try:
            with winreg.CreateKey(winreg.HKEY_CURRENT_USER, _RUN_KEY) as key:  # type: ignore[attr-defined,unused-ignore]
                if on:
                    winreg.SetValueEx(key, _NAME, 0, winreg.REG_SZ, self._line)  # type: ignore[attr-defined,unused-ignore]
                else:
                    with suppress(FileNotFoundError):
                        winreg.DeleteValue(key, _NAME)  # type: ignore[attr-defined,unused-ignore]
        except OSError as error:
            raise not_writable(Path(_RUN_KEY), error) from error
