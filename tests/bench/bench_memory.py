"""How much memory the app holds when it idles: a long conversation open, the network client loaded.

The app is a process of its own, as it is for a person; nothing is collected or trimmed for it.
What is resident counts whole, also the pages that it shares with other programs.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from desktop.core.chat.conversation import Conversation, Message, Role, Setup
from desktop.core.chat.store.store import open_store
from desktop.core.paths import paths
from tests.bench.figures import median, show, times
from tests.helpers.command import ROOT

ROUNDS = 3
MESSAGES = 500
BAR_MB = 130.0
TEXT = (ROOT / "tests/data/conversation/rich-zh.md").read_text(encoding="utf-8")[:900]
PLATFORM = "xcb" if os.environ.get("DISPLAY") else "offscreen"

# The app as its command starts it, but that it opens the conversation, asks an endpoint that is not
# there for a reply (the client is made, with all that it imports), and after a while says what
# it holds.
IDLE = """
from desktop.system.heaps import share_one_heap

share_one_heap()

import sys
from PySide6.QtCore import QCoreApplication, QTimer
import desktop.ui.app as app
from desktop.core.chat.ask import Ask
from desktop.core.chat.turn import Turn
from desktop.core.events import Endpoint
from desktop.core.paths import paths
from desktop.core.settings import Settings

NOBODY = Endpoint("http://127.0.0.1:9/v1", "key", "model", 8192, "run", "0.30.0")
started = []

class Watched(app.App):
    def __init__(self, *argv, **options):
        super().__init__(*argv, **options)
        started.append(self)

def use():
    started[0].window.desk.open("long")
    started[0].controller.replies().send(NOBODY, Ask((Turn("user", "Hello?"),)))
    QTimer.singleShot(4000, say)

def say():
    assert "openai.resources.chat.completions" in sys.modules
    with open("/proc/self/status") as status:
        print(next(line for line in status if line.startswith("VmRSS:")).split()[1], flush=True)
    QCoreApplication.quit()

app.App = Watched
app.run(None, start_now=False, paths=paths(), settings=Settings(), language="zh",
        on_first_paint=lambda: QTimer.singleShot(2500, use))
"""


def keep_conversation() -> None:
    """Write the long conversation into the store of this home."""
    store, now = open_store(paths().database), time.time()
    last = f"m{MESSAGES - 1}"
    store.save(Conversation("long", "long", now, now, leaf=last, setup=Setup()))
    for number in range(MESSAGES):
        parent = f"m{number - 1}" if number else ""
        role: Role = "assistant" if number % 2 else "user"
        store.add(Message(f"m{number}", "long", parent, role, TEXT, now + number))
    store.close()


def megabytes() -> float:
    """Return what the app holds, in MB (2^20 bytes)."""
    done = subprocess.run(
        [sys.executable, "-c", IDLE],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        env={**os.environ, "QT_QPA_PLATFORM": PLATFORM},
        timeout=120,
        check=True,
    )
    return int(done.stdout.split()[-1]) / 1024


def bench() -> None:
    with tempfile.TemporaryDirectory() as home:
        os.environ["PAPERKITE_HOME"] = home
        keep_conversation()
        megabytes()  # the first one after an update compiles
        held = median(f"resident, {PLATFORM}", times(ROUNDS, megabytes), "MB", BAR_MB)
    show(f"The app at rest, {MESSAGES} messages open", [held])


if __name__ == "__main__":
    bench()
