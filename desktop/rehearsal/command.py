"""One command on the loopback host, between its channel and its pipes.

As with sshd: the command's stdin ends when the channel's input does, its output ends when nobody
holds the pipes any more, and a command that has left (setsid) lives on whatever becomes of the
channel.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import paramiko

from desktop.rehearsal import hanging_up

_CHUNK = 128 * 1024
_SIGNAL_STATUS = 128  # a shell's status of a command that a signal ended is this and its number


class Command:
    """A running command. It has two threads: one for its input, one for its output and its end."""

    def __init__(
        self,
        channel: paramiko.Channel,
        command: str,
        folder: Path,
        environment: Mapping[str, str],
    ) -> None:
        """Start `command` under /bin/sh; raises OSError when that cannot be."""
        self._channel = channel
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", command],
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
        )
        self._reader, self._waker = os.pipe()
        self._threads = [
            threading.Thread(target=self._feed, name="loopback-stdin"),
            threading.Thread(target=self._drain, name="loopback-stdout"),
        ]
        for thread in self._threads:
            thread.start()

    @property
    def is_over(self) -> bool:
        """Whether it has ended and both threads with it."""
        return not any(thread.is_alive() for thread in self._threads)

    def hang_up(self) -> None:
        """End it unless it has left for a session of its own; returns when its threads ended."""
        with suppress(OSError):  # no such group any more
            if self._process.poll() is None:
                os.killpg(self._process.pid, signal.SIGKILL)
        hanging_up.close(self._channel)
        for thread in self._threads:
            thread.join()

    def _feed(self) -> None:
        """Hand the channel's input on until it ends, then wait for the channel to be closed."""
        stdin = self._process.stdin
        assert stdin is not None
        with suppress(OSError), stdin:  # a command that reads no more is no reason to stop
            os.set_blocking(stdin.fileno(), False)
            while data := self._channel.recv(_CHUNK):
                self._write(stdin.fileno(), data)
        self._channel.status_event.wait()
        os.close(self._waker)

    def _write(self, stdin: int, data: bytes) -> None:
        """Write all of it, as fast as the command reads; raises OSError when it never will."""
        rest = memoryview(data)
        with selectors.DefaultSelector() as selector:
            selector.register(stdin, selectors.EVENT_WRITE)
            while rest:
                if not selector.select(timeout=0.5):
                    if self._channel.closed:
                        raise BrokenPipeError
                    continue
                rest = rest[os.write(stdin, rest) :]

    def _drain(self) -> None:
        """Hand the output on until nobody holds the pipes or the channel is closed, then end."""
        stdout, stderr = self._process.stdout, self._process.stderr
        assert stdout is not None
        assert stderr is not None
        senders = {stdout: self._channel.sendall, stderr: self._channel.sendall_stderr}
        with stdout, stderr, selectors.DefaultSelector() as selector:
            for pipe, send in senders.items():
                selector.register(pipe, selectors.EVENT_READ, send)
            selector.register(self._reader, selectors.EVENT_READ)
            with suppress(OSError, EOFError):  # the channel was closed while we were sending
                _pump(selector)
        status = self._process.wait()
        with suppress(OSError, EOFError):
            self._channel.send_exit_status(status if status >= 0 else _SIGNAL_STATUS - status)
        hanging_up.close(self._channel)
        self._threads[0].join()
        os.close(self._reader)


def _pump(selector: selectors.BaseSelector) -> None:
    """Send what the pipes give until both are at their end, or the one that wakes us is."""
    open_pipes = 2
    while open_pipes:
        for key, _ in selector.select():
            if key.data is None:
                return
            data = os.read(key.fd, _CHUNK)
            if data:
                key.data(data)
            else:
                selector.unregister(key.fileobj)
                open_pipes -= 1
