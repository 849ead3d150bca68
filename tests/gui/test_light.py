"""What the app does without: before its first paint, and until somebody connects (ARCHITECTURE)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.helpers.command import ROOT

_NOT_BEFORE_THE_PAINT = ("openai", "pydantic", "httpx2", "asyncio", "markdown_it", "pygments")
_NOT_AT_REST = (
    "paramiko",
    "cryptography",
    "rich",
    "ziamath",
    "openai.types.beta",
    "desktop.core.ssh.connection",
    "desktop.ui.chats.setup_panel",
)
# The command as it is typed; looked at when the window was painted, and when all that comes after
# it is imported.
_PROGRAM = """
import sys
import desktop.cli.app as command
from desktop.__main__ import main

open_app = command.open_app

def open_watched(*argv, **options):
    from PySide6.QtCore import QCoreApplication, QTimer
    import desktop.ui.run as app
    run = app.run

    def painted():
        print("painted", *sys.modules, flush=True)
        look()

    def look():
        late = ("desktop.core.session.dial", "desktop.ui.transcript.markdown")
        has_client = hasattr(sys.modules.get("openai"), "AsyncOpenAI")
        if has_client and all(name in sys.modules for name in late):
            print("rest", *sys.modules, flush=True)
            QCoreApplication.quit()
        else:
            QTimer.singleShot(20, look)

    app.run = lambda *argv, **options: run(*argv, **options, on_first_paint=painted)
    return open_app(*argv, **options)

command.open_app = open_watched
main()
"""


def test_the_app_imports_late_what_is_slow_and_not_at_all_what_it_may_never_need(
    tmp_path: Path,
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "PAPERKITE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        check=True,
    )
    painted, rest = (set(line.split()[1:]) for line in done.stdout.splitlines())
    assert {"desktop.ui.window", "PySide6.QtWidgets"} <= painted
    assert not painted & {*_NOT_BEFORE_THE_PAINT, *_NOT_AT_REST}
    assert {"openai", "markdown_it", "desktop.core.session.session"} <= rest
    assert not rest & set(_NOT_AT_REST)
