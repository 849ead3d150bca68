"""A program of the user's as the way to a host (`ProxyCommand`), with its death noticed at once."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections import deque
from contextlib import suppress

from desktop.core.plain_text import plain_text
from desktop.core.ssh.bridging import bridge

_SECONDS = 2.0  # for a program to end by itself once its input has
_LINES = 20  # of its stderr
_OURS = "PAPERKITE_"  # variables, with the hub's token and a proxy's password among them


class ProxyCommand:
    """A running program whose stdin and stdout are a socket of ours.

    Attributes:
        sock: our end.
    """

    def __init__(self, command: str) -> None:
        """Run it in the user's shell, as ssh does; raises OSError."""
        if sys.platform == "win32":  # a pipe of a program is no socket there
            self._process = _run(command, subprocess.PIPE, subprocess.PIPE)
            self.sock = _bridged(self._process)
        else:
            self.sock, theirs = socket.socketpair()
            with theirs:
                # `exec`, so that the shell does not outlive the program.
                self._process = _run(f"exec {command}", theirs.fileno(), theirs.fileno())
        self._said: deque[str] = deque(maxlen=_LINES)
        self._listening = threading.Thread(
            target=self._listen, name="proxy-command-stderr", daemon=True
        )
        self._listening.start()

    def last_words(self) -> str:
        """Return the end of its stderr as plain text, once it has ended; "" while it runs."""
        try:
            status = self._process.wait(_SECONDS)
        except subprocess.TimeoutExpired:
            return ""
        self._listening.join(_SECONDS)
        return " ".join(self._said)[-300:] or f"exit status {status}"

    def close(self) -> None:
        """End it and what it started; safe from any thread and more than once."""
        self.sock.close()
        try:
            self._process.wait(_SECONDS)
        except subprocess.TimeoutExpired:
            with suppress(OSError):
                if sys.platform == "win32":
                    self._process.kill()
                else:
                    os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(_SECONDS)
        self._listening.join(_SECONDS)

    def _listen(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as stream, suppress(OSError, ValueError):
            while line := stream.readline(1000):
                text = line.decode("utf-8", "replace").strip()
                self._said.append(plain_text(text))


def _run(command: str, stdin: int, stdout: int) -> subprocess.Popen[bytes]:
    # ssh_config(5): "executed using the user's shell". It is the user's own line; the host and the
    # user in it went through patterns that a shell reads as one word.
    return subprocess.Popen(  # noqa: S602 - see above
        command,
        shell=True,
        stdin=stdin,
        stdout=stdout,
        stderr=subprocess.PIPE,
        env={name: value for name, value in os.environ.items() if not name.startswith(_OURS)},
        start_new_session=True,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )


def _bridged(process: subprocess.Popen[bytes]) -> socket.socket:
    stdin, stdout = process.stdin, process.stdout
    assert stdin is not None
    assert stdout is not None

    def write(data: bytes) -> None:
        stdin.write(data)
        stdin.flush()

    def read(size: int) -> bytes:
        return os.read(stdout.fileno(), size)

    return bridge(read, write, process.kill)
