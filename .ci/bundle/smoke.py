"""Uses the bundle as a person would, on its own and from outside.

Usage: `python .ci/bundle/smoke.py dist/paperkite/paperkite`, with a Python that has Paperkite with
its `rehearsal` extra, a screen in DISPLAY, xdotool and ImageMagick.
"""

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from smoke_window import Window, differs, has_colour

from desktop.core.chat.conversation import Conversation, Message
from desktop.core.chat.store.store import open_store
from desktop.rehearsal.host import USER, LoopbackHost

SECONDS = 60
REPLY = "```python\nimport os\n```\n\n$$\\frac{1}{2}$$\n"
FIRST_ROW = (120, 96)  # of the list of conversations
KEYWORD = "85359f"  # of light code, in desktop/ui/transcript/look.py


class Bundle:
    """The program with a home of its own."""

    def __init__(self, program: str, home: Path) -> None:
        self.program, self.home = program, home
        self.files = home / "paperkite"
        path = f"{home}{os.pathsep}{os.environ['PATH']}"
        own = {"HOME": str(home), "PAPERKITE_HOME": str(self.files), "PATH": path}
        self._environment = os.environ | own

    def run(self, *words: str, status: int = 0, said: str = "") -> str:
        """Return what a command prints; it ends with this status and without a traceback."""
        done = subprocess.run(
            [self.program, *words],
            env=self._environment,
            input=said,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == status, (words, done)
        assert "Traceback" not in done.stderr, done.stderr
        return done.stdout + done.stderr

    def window(self, language: str) -> Window:
        """Return the app, to be entered."""
        return Window([self.program, "--lang", language], self._environment, SECONDS)


def contents(bundle: Bundle) -> None:
    """The keyrings of Linux are there: nothing imports them by name, and none may answer here."""
    packed = Path(bundle.program).read_bytes()  # ends in the table of its modules, in clear
    for module in ("keyring.backends.SecretService", "keyring.backends.kwallet", "secretstorage"):
        assert module.encode() in packed, module
    beside = Path(bundle.program).parent / "_internal"
    assert list(beside.glob("keyring-*.dist-info/entry_points.txt")), beside


def commands(bundle: Bundle) -> None:
    """Texts, errors and hosts' facts are there, in both languages."""
    assert "paperkite, version" in bundle.run("--version")
    line = "ssh -p 12345 root@connect.westb.seetacloud.com"
    assert "已保存" in bundle.run("--lang", "zh", "hosts", "save", "box", line)
    assert json.loads(bundle.run("hosts", "--json"))["name"] == "box"
    bundle.run("hosts", "forget", "box")
    refused = bundle.run("up", "root@127.0.0.1:1", "--json", status=65).splitlines()[-1]
    assert json.loads(refused)["code"] == "host-refused", refused


def agent(bundle: Bundle) -> None:
    """SSH works, and the bundle holds the agent that it sends to a host."""
    with LoopbackHost(bundle.home / "host") as host:
        where = f"{USER}@127.0.0.1:{host.port}"
        trusted = ("--identity", str(host.identity), "--accept-new-host-key", "--json")
        said = bundle.run("status", where, *trusted, status=73)
        assert json.loads(said.splitlines()[-1])["code"] == "nothing-running", said


def others(bundle: Bundle) -> None:
    """Programs that the bundle starts load the system's libraries, not the bundle's."""
    seen = bundle.home / "seen"
    ssh = bundle.home / "ssh"  # is asked for its configuration
    ssh.write_text(f"#!/bin/sh\nenv >'{seen}'\nprintf 'hostname 127.0.0.1\\nport 1\\n'\n")
    ssh.chmod(0o700)
    bundle.run("status", "box", "--json", status=65)
    assert "PATH=" in seen.read_text()
    assert "LD_LIBRARY_PATH" not in seen.read_text()


def formula(bundle: Bundle) -> None:
    """The helper process is the bundle itself."""
    question = json.dumps({"key": 1, "tex": r"\frac{1}{2}", "display": True})
    answer = bundle.run("--formula-worker", said=question + "\n").splitlines()[-1]
    assert "<svg" in json.loads(answer)["svg"], answer


def first_run(bundle: Bundle) -> None:
    """The window comes in both languages; its store can search."""
    pictures = []
    for language in ("en", "zh"):
        with bundle.window(language) as window:
            pictures.append(window.picture())
    assert differs(*pictures), "one language looks like the other"
    with closing(sqlite3.connect(bundle.files / "state" / "conversations.db")) as store:
        tables = str(store.execute("SELECT sql FROM sqlite_master").fetchall())
    assert "fts5" in tables, tables


def conversation(bundle: Bundle) -> None:
    """What was said is read again, with its code in colours."""
    bundle.files.mkdir()
    (bundle.files / "settings.toml").write_text('theme = "light"\n')
    bundle.run("hosts", "save", "box", "ssh -p 1 root@127.0.0.1")
    with closing(open_store(bundle.files / "state" / "conversations.db")) as store:
        store.save(Conversation("c", "烟雾测试", 1.0, 1.0, leaf="r"))
        store.add(Message("q", "c", "", "user", "Show me.", 1.0))
        store.add(Message("r", "c", "q", "assistant", REPLY, 1.0))
    with bundle.window("zh") as window:
        window.click(*FIRST_ROW)
        window.wait_for(lambda picture: has_colour(picture, KEYWORD))


if __name__ == "__main__":
    for check in (contents, commands, agent, others, formula, first_run, conversation):
        with tempfile.TemporaryDirectory() as folder:
            check(Bundle(sys.argv[1], Path(folder)))
        print(f"{check.__name__}: well")  # noqa: T201 - a command line prints
