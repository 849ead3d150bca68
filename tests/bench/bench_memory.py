"""How much memory the app holds when it idles: a long conversation open, the network client loaded.

The app is a process of its own, started by its command as a person starts it; nothing is collected
or trimmed for it. What is resident counts whole, also the pages that it shares with other programs.
Then the same app connects to a host: what SSH adds is only there from then on, and has no bar.
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
from tests.bench.figures import median, show
from tests.bench.installed import compiled_into
from tests.helpers.command import ROOT
from tests.helpers.sshd import Sshd

ROUNDS = 3
MESSAGES = 500
BAR_MB = 130.0
TEXT = (ROOT / "tests/data/conversation/rich-zh.md").read_text(encoding="utf-8")[:900]
PLATFORM = "xcb" if os.environ.get("DISPLAY") else "offscreen"

# `paperkite` as it is typed, but that it opens the conversation, asks an endpoint that is not there
# for a reply (the client is made, with all that it imports), after a while says what it holds,
# connects to the host in argv as a session would, and says it again.
IDLE = """
import sys
import desktop.cli.app as command
from desktop.__main__ import main

open_app = command.open_app
port, user, identity = sys.argv[1:]

def open_watched(*argv, **options):
    from PySide6.QtCore import QTimer
    import desktop.ui.run as app
    global App, started
    App, run, started = app.App, app.run, []

    class Watched(App):
        def __init__(self, *argv, **options):
            super().__init__(*argv, **options)
            started.append(self)

    app.App = Watched
    app.run = lambda *argv, **options: run(
        *argv, **options, on_first_paint=lambda: QTimer.singleShot(2500, use))
    return open_app(*argv, **options)

def use():
    from PySide6.QtCore import QTimer
    from desktop.core.chat.ask import Ask
    from desktop.core.chat.turn import Turn
    from desktop.core.events import Endpoint
    nobody = Endpoint("http://127.0.0.1:9/v1", "key", "model", 8192, "run", "0.30.0")
    started[0].window.desk.open("long")
    started[0].controller.replies().send(nobody, Ask((Turn("user", "Hello?"),)))
    QTimer.singleShot(4000, rest)

def say():
    with open("/proc/self/status") as status:
        print(next(line for line in status if line.startswith("VmRSS:")).split()[1], flush=True)

def rest():
    from PySide6.QtCore import QTimer
    from threading import Thread
    assert "openai.resources.chat.completions" in sys.modules
    assert "paramiko" not in sys.modules
    say()
    Thread(target=connect).start()
    QTimer.singleShot(4000, leave)

def connect():
    from pathlib import Path
    from desktop.core.paths import paths
    from desktop.core.session.dial import dialler
    from desktop.core.session.wishes import Wishes
    from desktop.core.ssh.destination import Destination
    from desktop.core.ssh.known_hosts import KnownHosts
    where = Destination("127.0.0.1", int(port), user)
    wishes = Wishes(where, identity=Path(identity), accept_new_host_key=True)
    global connection
    connection = dialler(wishes, None, KnownHosts(paths().known_hosts, ()), forwarding=True)()
    connection.run("true")

def leave():
    from PySide6.QtCore import QCoreApplication
    assert connection.alive
    say()
    connection.close()
    QCoreApplication.quit()

command.open_app = open_watched
sys.argv[1:] = ["--lang", "zh"]
main()
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


def megabytes(sshd: Sshd, home: Path) -> tuple[float, float]:
    """Return what the app holds at rest and with a connection, in MB (2^20 bytes)."""
    where = sshd.destination
    done = subprocess.run(
        [sys.executable, "-c", IDLE, str(where.port), where.user, str(sshd.identity)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        env={**compiled_into(home), "QT_QPA_PLATFORM": PLATFORM},
        timeout=120,
        check=True,
    )
    at_rest, connected = done.stdout.split()
    return int(at_rest) / 1024, int(connected) / 1024


def bench() -> None:
    with tempfile.TemporaryDirectory() as folder, Sshd(Path(folder)) as sshd:
        home = os.environ["PAPERKITE_HOME"] = folder
        keep_conversation()
        megabytes(sshd, Path(home))  # the first one compiles
        held = [megabytes(sshd, Path(home)) for _ in range(ROUNDS)]
    at_rest, connected = zip(*held, strict=True)
    figures = [
        median(f"at rest, {PLATFORM}", at_rest, "MB", BAR_MB),
        median("after a connection", connected, "MB"),
    ]
    show(f"Resident memory of the app, {MESSAGES} messages open", figures)


if __name__ == "__main__":
    bench()
