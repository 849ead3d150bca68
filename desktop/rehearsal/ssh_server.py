"""One SSH connection to the loopback host: who is let in, and what a channel may do."""

from __future__ import annotations

import hmac
import logging
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import paramiko
from paramiko.common import (
    AUTH_FAILED,
    AUTH_SUCCESSFUL,
    MSG_CHANNEL_REQUEST,
    OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
    OPEN_FAILED_CONNECT_FAILED,
    OPEN_SUCCEEDED,
)
from paramiko.message import Message

from desktop.core.ssh.stock import StockChannel, StockPacketizer, StockTransport
from desktop.rehearsal.command import Command
from desktop.rehearsal.sftp import HomeFiles
from desktop.rehearsal.surroundings import command_environment
from desktop.rehearsal.tunnel import Tunnel, dial

_LOG = logging.getLogger(__name__)

_NAMES_OF_LOOPBACK = ("127.0.0.1", "localhost")
_JOIN_S = 5.0


@dataclass(frozen=True, slots=True)
class Access:
    """Who is let in.

    Attributes:
        host_key: the host's own key.
        user: the only user.
        public_key: of the only key that is let in.
        password: lets in too, unless it is None.
    """

    host_key: paramiko.PKey
    user: str
    public_key: paramiko.PKey
    password: str | None = None


class _Running(Protocol):
    """A command or a tunnel."""

    @property
    def is_over(self) -> bool: ...

    def hang_up(self) -> None: ...


class _Packets(StockPacketizer):
    # A key exchange that paramiko starts can block its own reading thread (paramiko #822).
    REKEY_BYTES = 2**36
    REKEY_PACKETS = 2**31


class ServerConnection(StockTransport):
    """A transport of paramiko's in server mode, with what runs on it."""

    def __init__(self, sock: socket.socket, access: Access, home: Path) -> None:
        super().__init__(sock, packetizer_class=_Packets)
        self.name = "loopback-ssh"
        self._home = home
        self._user = access.user
        self._running: list[_Running] = []
        self._due_commands: dict[int, str] = {}
        self._due_connections: dict[int, socket.socket] = {}
        # paramiko itself keeps a channel only as long as somebody else does.
        self._opened: list[paramiko.Channel] = []
        self._running_lock = threading.Lock()
        self.add_server_key(access.host_key)
        self.set_subsystem_handler("sftp", paramiko.SFTPServer, HomeFiles, home)
        # With an event it returns at once; the answer to a handshake that fails is the hang-up.
        self.start_server(event=threading.Event(), server=_Door(access, self))

    @property
    def is_over(self) -> bool:
        """Whether the connection has ended and everything that ran on it."""
        with self._running_lock:
            return not self.is_alive() and all(each.is_over for each in self._running)

    def execute(self, chanid: int, command: str) -> None:
        """Have a command run as soon as the client has been told that it may."""
        self._due_commands[chanid] = command

    def tunnel(self, chanid: int, connection: socket.socket) -> None:
        """Have a channel that is being opened joined to a connection that stands."""
        self._due_connections[chanid] = connection

    def begin(self, channel: paramiko.Channel) -> None:
        """Start what is due on a channel, if anything: the client has its answer."""
        number = channel.chanid
        with self._running_lock:
            self._running = [each for each in self._running if not each.is_over]
            if number in self._due_connections:
                self._running.append(Tunnel(channel, self._due_connections.pop(number)))
            elif number in self._due_commands:
                try:
                    self._running.append(self._command(channel, self._due_commands.pop(number)))
                except OSError as error:  # its home was removed, or no more processes may be made
                    _LOG.debug("no command could be started: %s", error)
                    channel.close()

    def _command(self, channel: paramiko.Channel, command: str) -> Command:
        environment = command_environment(self._home, self._user)
        return Command(channel, command, self._home, environment)

    def cut(self) -> None:
        """Drop the connection; commands see the end of their input."""
        self.close()
        self.packetizer.complete_handshake()  # its timer would outlive a failed handshake
        self.sock.close()

    def finish(self) -> None:
        """Drop the connection and end what has not left for a session of its own."""
        self.cut()
        self.join(_JOIN_S)
        with self._running_lock:
            running, self._running = self._running, []
        for each in running:
            each.hang_up()
        for connection in self._due_connections.values():
            connection.close()

    def _queue_incoming_channel(self, channel: paramiko.Channel) -> None:
        """Keep a channel that was opened, and begin a tunnel; nobody here calls `accept`."""
        self._opened = [each for each in self._opened if not each.closed]
        self._opened.append(channel)
        self.begin(channel)

    def _log(self, level: int, msg: str | list[str], *args: object) -> None:
        """Keep paramiko's own log out of sight: a client that goes away is no news."""
        _LOG.debug("%s", msg)


def _handle_request(channel: StockChannel, message: Message) -> None:
    """Answer a request and only then act on it: no output may come before the answer."""
    StockChannel._handle_request(channel, message)  # noqa: SLF001 - declared in stock.py
    channel.get_transport().begin(channel)  # type: ignore[attr-defined]


ServerConnection._channel_handler_table = StockTransport._channel_handler_table | {  # noqa: SLF001 - as SafeTransport does
    MSG_CHANNEL_REQUEST: _handle_request
}


class _Door(paramiko.ServerInterface):
    """paramiko's questions about one connection, answered on its reading thread."""

    def __init__(self, access: Access, connection: ServerConnection) -> None:
        self._access = access
        self._connection = connection

    def get_allowed_auths(self, username: str) -> str:
        return "publickey" if self._access.password is None else "publickey,password"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        is_right = username == self._access.user and key == self._access.public_key
        return AUTH_SUCCESSFUL if is_right else AUTH_FAILED

    def check_auth_password(self, username: str, password: str) -> int:
        right = self._access.password
        if right is None or username != self._access.user:
            return AUTH_FAILED
        is_right = hmac.compare_digest(password.encode(), right.encode())
        return AUTH_SUCCESSFUL if is_right else AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        if kind == "session":
            return OPEN_SUCCEEDED
        return OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        with suppress(UnicodeDecodeError):
            self._connection.execute(channel.chanid, command.decode())
            return True
        return False

    def check_channel_direct_tcpip_request(
        self,
        chanid: int,
        origin: tuple[str, int],
        destination: tuple[str, int],
    ) -> int:
        host, port = destination
        if host not in _NAMES_OF_LOOPBACK:
            return OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED
        try:
            self._connection.tunnel(chanid, dial(port))
        except (OSError, OverflowError):
            return OPEN_FAILED_CONNECT_FAILED
        return OPEN_SUCCEEDED
