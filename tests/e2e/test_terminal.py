"""What a person meets at a real terminal: questions that can be read, answered and interrupted."""

from __future__ import annotations

import os
import pty
import select
import shutil
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import ioctl
from pathlib import Path

import pytest

from tests.e2e.conftest import Box, MakeBox
from tests.helpers.command import ROOT

CTRL_C, CTRL_D = b"\x03", b"\x04"
PASSPHRASE = "open-sesame"
# The child takes the terminal as its own, as a shell's does: Ctrl-C reaches it.
_IN_TERMINAL = (
    "import fcntl, runpy, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
    "runpy.run_module('desktop', run_name='__main__')"
)


class Terminal:
    """`paperkite` at a terminal of 80 columns."""

    def __init__(self, process: subprocess.Popen[bytes], ours: int, its: int) -> None:
        self._process = process
        self._ours = ours
        self._its = its
        self.text = ""

    def until(self, words: str, seconds: float = 60) -> None:
        """Read on until these words come, after all that was waited for before."""
        deadline = time.monotonic() + seconds
        begin = len(self.text)
        while words not in self.text[begin:]:
            assert time.monotonic() < deadline, self.text
            assert self._process.poll() is None or self._readable(0.5), self.text
            self._read(0.2)

    def asks(self, question: str) -> None:
        """Read on until this is asked, with nothing drawn over it (a table is, every 1/8 s)."""
        self.until(question)
        while self._readable(0.1):  # the rest of what was being written
            self._read(0)
        assert not self._readable(0.5), self.text

    def type(self, keys: bytes) -> None:
        os.write(self._ours, keys)

    def end(self, seconds: float = 60) -> int:
        """Read to the end; returns the exit status."""
        deadline = time.monotonic() + seconds
        while self._process.poll() is None:
            assert time.monotonic() < deadline, self.text
            self._read(0.1)
        while self._readable(0):
            self._read(0)
        return self._process.returncode

    def echoes(self) -> bool:
        """Tell whether what is typed is shown."""
        return bool(termios.tcgetattr(self._its)[3] & termios.ECHO)

    def _readable(self, seconds: float) -> bool:
        return bool(select.select([self._ours], [], [], seconds)[0])

    def _read(self, seconds: float) -> None:
        if self._readable(seconds):
            self.text += os.read(self._ours, 65536).decode(errors="replace")


@contextmanager
def at_terminal(*argv: str) -> Iterator[Terminal]:
    ours, its = pty.openpty()
    ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-c", _IN_TERMINAL, *argv],
        stdin=its,
        stdout=its,
        stderr=its,
        env={**os.environ, "TERM": "xterm-256color"},
        cwd=ROOT,
        start_new_session=True,
    )
    try:
        yield Terminal(process, ours, its)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
        os.close(its)


def key_file(folder: Path, passphrase: str, *, like: Path | None = None) -> Path:
    """Return a private key with this passphrase: a copy of another one, or a new one."""
    path = folder / "own_key"
    if like is None:
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    else:
        shutil.copy(like, path)
    if passphrase:
        subprocess.run(["ssh-keygen", "-q", "-p", "-N", passphrase, "-f", path], check=True)
    return path


def who(box: Box) -> str:
    where = box.sshd.destination
    return f"{where.user}@{where.host}:{where.port}"


def asking_for_a_password(box: Box, folder: Path) -> tuple[str, ...]:
    stranger = key_file(folder, "")
    return (who(box), "--identity", str(stranger), "--host-key", box.sshd.host_fingerprint)


def asking_for_trust(box: Box) -> tuple[str, ...]:
    return (who(box), "--identity", str(box.sshd.credentials.identity))


@pytest.mark.usefixtures("no_keys_of_this_machine")
def test_a_passphrase_is_asked_where_it_can_be_read_and_up_goes_on(
    box: Box, tmp_path: Path
) -> None:
    locked = key_file(tmp_path, PASSPHRASE, like=box.sshd.identity)
    host = (who(box), "--identity", str(locked), "--host-key", box.sshd.host_fingerprint)
    with at_terminal("up", *host, *box.work) as terminal:
        terminal.asks("Passphrase of ")
        assert not terminal.echoes()
        terminal.type(b"wrong\n")
        terminal.asks("Wrong passphrase.")
        terminal.type(PASSPHRASE.encode() + b"\n")
        terminal.until(f"{box.model} answers")
        assert terminal.end() == 0
        assert terminal.echoes()
        assert PASSPHRASE not in terminal.text


@pytest.mark.usefixtures("no_keys_of_this_machine")
def test_a_host_key_that_is_accepted_lets_up_go_on(box: Box) -> None:
    with at_terminal("up", *asking_for_trust(box), *box.work) as terminal:
        terminal.asks("Trust it from now on?")
        assert box.sshd.host_fingerprint in terminal.text
        terminal.type(b"y\n")
        terminal.until(f"{box.model} answers")
        assert terminal.end() == 0


@pytest.mark.usefixtures("no_keys_of_this_machine")
@pytest.mark.parametrize("verb", ["up", "chat", "status"])
def test_ctrl_c_at_a_password_ends_it_and_leaves_the_terminal_as_it_was(
    box: Box, tmp_path: Path, verb: str
) -> None:
    with at_terminal(verb, *asking_for_a_password(box, tmp_path)) as terminal:
        terminal.asks("Password of ")
        terminal.type(CTRL_C)
        assert terminal.end(10) == 130
        assert terminal.echoes()
        assert "Interrupted." in terminal.text
        assert "Traceback" not in terminal.text


@pytest.mark.usefixtures("no_keys_of_this_machine")
@pytest.mark.parametrize("verb", ["up", "status"])
def test_end_of_input_at_a_password_says_that_one_is_needed(
    box: Box, tmp_path: Path, verb: str
) -> None:
    with at_terminal(verb, *asking_for_a_password(box, tmp_path)) as terminal:
        terminal.asks("Password of ")
        terminal.type(CTRL_D)
        assert terminal.end(10) == 66
        assert terminal.echoes()
        assert "A password is needed" in terminal.text


@pytest.mark.usefixtures("no_keys_of_this_machine")
@pytest.mark.parametrize("verb", ["up", "status"])
@pytest.mark.parametrize(("keys", "status"), [(CTRL_C, 130), (CTRL_D, 67), (b"n\n", 67)])
def test_no_answer_about_a_host_key_is_no(box: Box, verb: str, keys: bytes, status: int) -> None:
    with at_terminal(verb, *asking_for_trust(box)) as terminal:
        terminal.asks("Trust it from now on?")
        terminal.type(keys)
        assert terminal.end(10) == status
        said = "Interrupted." if status == 130 else "Host key not confirmed"
        assert said in terminal.text


def test_ctrl_c_stops_a_reply_and_the_chat_goes_on_to_the_next(make_box: MakeBox) -> None:
    box = make_box("--scripted-tokens-per-s", "5", "--scripted-reply-tokens", "400")
    assert box.up().status == 0
    with at_terminal("chat", *box.host) as terminal:
        terminal.asks("› ")
        terminal.type(b"first\n")
        terminal.until("scripted")
        terminal.type(CTRL_C)
        terminal.asks("› ")
        terminal.type(b"second\n")
        terminal.until("scripted")
        terminal.type(CTRL_C)
        terminal.asks("› ")
        terminal.type(CTRL_D)
        assert terminal.end(10) == 0
