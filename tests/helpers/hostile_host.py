"""A host that breaks every rule it can, in a process of its own: what it hoards is not ours.

The process has one port for each act of `hostile_acts`; it writes the ports to stdout as one line
of JSON, and then one line for each act that has ended. It is an SSH server like any other until the
moment of the act: any password opens it, and the command `honest` is answered as it should be.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paramiko
from paramiko.common import AUTH_FAILED, AUTH_SUCCESSFUL, MSG_CHANNEL_SUCCESS, OPEN_SUCCEEDED
from paramiko.message import Message

from desktop.core.ssh.destination import Destination
from desktop.core.ssh.stock import StockTransport
from tests.helpers.hostile_acts import (
    BEFORE_KEYS,
    DEAF,
    ON_COMMAND,
    ON_LOGIN,
    Plain,
    Sealed,
)

HONEST = "honest"
LATE = "late"  # the first channel is opened, and that is said a second later
_ROOT = Path(__file__).parents[2]
_SECONDS = 20.0


@dataclass(frozen=True)
class Played:
    """An act that has ended.

    Attributes:
        act: its name.
        said: how many messages it sent; 0 proves nothing.
        why: the exception that ended it, or "".
    """

    act: str
    said: int
    why: str


class HostileHost:
    """The process, while it lasts."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.helpers.hostile_host"],
            cwd=_ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self._ports: dict[str, int] = json.loads(self._process.stdout.readline())
        self._played: list[Played] = []
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, name="hostile-host", daemon=True)
        self._reader.start()

    def __enter__(self) -> HostileHost:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()
        self._reader.join(_SECONDS)

    def of(self, act: str) -> Destination:
        """Return where this act is played."""
        return Destination("127.0.0.1", self._ports[act], "root")

    def played(self, act: str) -> Played:
        """Wait until the act has ended, and return how; each end is told once."""
        with self._news:
            assert self._news.wait_for(lambda: any(one.act == act for one in self._played), 20)
            found = next(one for one in self._played if one.act == act)
            self._played.remove(found)
            return found

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._news:
                self._played.append(Played(**json.loads(line)))
                self._news.notify_all()


class _Transport(StockTransport):
    """Tells when a request was answered: an act that is quicker would be no act but a mistake."""

    answered = threading.Event()

    def _send_user_message(self, data: Message) -> None:
        super()._send_user_message(data)
        if data.asbytes()[0] == MSG_CHANNEL_SUCCESS:
            self.answered.set()


class _Server(paramiko.ServerInterface):
    def __init__(self, act: str, transport: _Transport) -> None:
        self._act = act
        self._transport = transport
        self._has_been_late = False

    def get_allowed_auths(self, username: str) -> str:
        return "password"

    def check_auth_none(self, username: str) -> int:
        if self._act in ON_LOGIN:
            _play(self._act, ON_LOGIN[self._act], Sealed(self._transport))
        return AUTH_FAILED

    def check_auth_password(self, username: str, password: str) -> int:
        return AUTH_SUCCESSFUL

    def check_channel_request(self, kind: str, chanid: int) -> int:
        if self._act == LATE and not self._has_been_late:
            self._has_been_late = True
            threading.Event().wait(1.0)  # on the thread that reads: the host is late, not quiet
        return OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        host = Sealed(self._transport, channel)
        self._transport.answered = threading.Event()
        if command.decode() == HONEST:
            _aside(_answer, host)
        elif self._act in ON_COMMAND:
            if self._act in DEAF:
                setattr(self._transport.packetizer, "read_message", threading.Event().wait)  # noqa: B010 - mypy
            _aside(_play, self._act, ON_COMMAND[self._act], host)
        return True


def _answer(host: Sealed) -> None:
    assert host.channel is not None
    _wait_for_answer(host)
    host.channel.sendall(b"as it should be\n")
    host.finish()


def _play(act: str, play: Callable[[Any], None], host: Plain | Sealed) -> None:
    why = ""
    if isinstance(host, Sealed) and host.channel is not None:
        _wait_for_answer(host)
    try:
        play(host)
    except Exception as error:  # noqa: BLE001 - the test is told of it, whatever it is
        why = repr(error)
    print(json.dumps({"act": act, "said": host.said, "why": why}), flush=True)


def _wait_for_answer(host: Sealed) -> None:
    assert isinstance(host.transport, _Transport)
    host.transport.answered.wait(_SECONDS)


def _aside(target: Callable[..., None], *args: object) -> None:
    threading.Thread(target=target, args=args, daemon=True).start()


def _meet(act: str, sock: socket.socket, key: paramiko.PKey) -> None:
    if act in BEFORE_KEYS:
        with sock:
            _play(act, BEFORE_KEYS[act], Plain(sock))
            sock.settimeout(_SECONDS)
            while sock.recv(65536):  # closing with unread bytes would be a reset
                pass
        return
    transport = _Transport(sock)
    transport.clear_to_send_timeout = 1.0  # the stock one hangs in a key exchange (#822), here too
    transport.add_server_key(key)
    transport.start_server(threading.Event(), _Server(act, transport))


def _listen(act: str, listener: socket.socket, key: paramiko.PKey) -> None:
    while True:
        sock, _ = listener.accept()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _aside(_meet, act, sock, key)


def _main() -> None:
    key = paramiko.ECDSAKey.generate()
    paramiko.util.get_logger("paramiko").setLevel(100)
    threading.excepthook = lambda _: None  # a connection that was cut is what the tests want
    ports = {}
    for act in (HONEST, LATE, *BEFORE_KEYS, *ON_LOGIN, *ON_COMMAND):
        listener = socket.create_server(("127.0.0.1", 0))
        ports[act] = listener.getsockname()[1]
        _aside(_listen, act, listener, key)
    print(json.dumps(ports), flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    _main()
