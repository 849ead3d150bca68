"""A desktop entry: how Linux desktops list a program (freedesktop.org, Desktop Entry 1.5)."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

# §"The Exec key": inside double quotes these are written with a backslash, which the entry's own
# escaping of strings doubles; % begins a field code.
_ESCAPED = '"`$\\'


def own_command(system: str = sys.platform) -> list[str]:
    """Return what starts this app.

    The bundle itself; the command beside our own Python, as pip, pipx and uv put it there (another
    one in the PATH may be another Paperkite); one in the PATH; else Python with our package. On
    Windows what opens no console: the bundle's other program (.ci/bundle), or `pythonw`.
    """
    here = Path(sys.executable)
    if getattr(sys, "frozen", False):
        windowed = here.with_name("paperkitew.exe")
        return [str(windowed if system == "win32" and windowed.is_file() else here)]
    windowed = here.with_name("pythonw.exe")
    if system == "win32" and windowed.is_file():
        return [str(windowed), "-m", "desktop"]
    beside = shutil.which("paperkite", path=str(here.parent))
    found = beside or shutil.which("paperkite")
    return [found] if found else [sys.executable, "-m", "desktop"]


def desktop_entry(command: Sequence[str], icon: str = "paperkite") -> str:
    """Return the text of an entry that starts a command, named in both languages.

    Args:
        command: program and arguments.
        icon: a name of the icon theme, or a path.
    """
    line = " ".join(_quoted(word) for word in command)
    lines = (
        "[Desktop Entry]",
        "Type=Application",
        "Version=1.5",
        "Name=Paperkite",
        "Name[zh_CN]=纸鸢 Paperkite",
        "Comment=Talk to a big open model on a rented GPU",
        "Comment[zh_CN]=租来的 GPU，一键可用",
        f"Exec={line}",
        f"Icon={icon}",
        "Terminal=false",
        "Categories=Network;Development;",
        "Keywords=GPU;LLM;vLLM;SSH;chat;",
        "StartupWMClass=paperkite",
        "StartupNotify=true",
        "",
    )
    return "\n".join(lines)


def _quoted(word: str) -> str:
    escaped = "".join(f"\\{letter}" if letter in _ESCAPED else letter for letter in word)
    text = escaped.replace("%", "%%").replace("\\", "\\\\").replace("\n", "\\n")
    return text if word.replace("/", "").replace("-", "").isalnum() else f'"{text}"'
