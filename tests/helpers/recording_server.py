"""An SSH server that lets itself be asked what it was told: for passwords, which a test cannot set.

paramiko's server half on a loopback socket. It serves connections until it is closed.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

import paramiko
from paramiko.common import AUTH_FAILED, AUTH_PARTIALLY_SUCCESSFUL, AUTH_SUCCESSFUL
from paramiko.server import InteractiveQuery

from desktop.core.ssh.destination import Destination
from desktop.core.ssh.known_hosts import HostKey


class RecordingServer:
    """One SSH server with one password.

    Attributes:
        methods: what it offers, as SSH names it.
        attempts: each authentication request, as (method, secret).
        key_first: whether a key only opens the way to the password.
        welcome_keys: blobs of public keys that it takes.
        connections: how many were accepted.
    """

    def __init__(self, password: str = "right", methods: str = "password") -> None:
        self.password = password
        self.methods = methods
        self.attempts: list[tuple[str, str]] = []
        self.welcome_keys: set[bytes] = set()
        self.key_first = False
        self.questions: list[tuple[str, bool]] = [("Password: ", False)]
        self.connections = 0
        self.max_failures = 6
        self._key = paramiko.ECDSAKey.generate()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._transports: list[paramiko.Transport] = []
        self._thread = threading.Thread(target=self._serve, name="recording-server")
        self._thread.start()

    def __enter__(self) -> RecordingServer:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        self.hang_up()

    @property
    def destination(self) -> Destination:
        """Where it is."""
        return Destination("127.0.0.1", self.port, "root")

    @property
    def host_key(self) -> HostKey:
        """What it shows."""
        return HostKey(self._key.get_name(), self._key.asbytes())

    def hang_up(self) -> None:
        """Close every connection."""
        for transport in self._transports:
            transport.packetizer.complete_handshake()
            transport.close()
            transport.join(5)

    def _serve(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            transport = paramiko.Transport(sock)
            transport.set_log_channel("paramiko.test")
            transport.logger.setLevel(100)
            transport.add_server_key(self._key)
            self._transports.append(transport)
            with suppress(paramiko.SSHException, EOFError, OSError):
                transport.start_server(threading.Event(), _Server(self))


class _Server(paramiko.ServerInterface):
    def __init__(self, owner: RecordingServer) -> None:
        self._owner = owner
        self._key_shown = False

    def get_allowed_auths(self, username: str) -> str:
        return "password" if self._key_shown else self._owner.methods

    def check_auth_none(self, username: str) -> int:
        self._owner.attempts.append(("none", ""))
        return AUTH_FAILED

    def check_auth_password(self, username: str, password: str) -> int:
        self._owner.attempts.append(("password", password))
        return self._judge(password)

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        self._owner.attempts.append(("publickey", key.fingerprint))
        if key.asbytes() not in self._owner.welcome_keys:
            return AUTH_FAILED
        if self._owner.key_first:
            self._key_shown = True
            return AUTH_PARTIALLY_SUCCESSFUL
        return AUTH_SUCCESSFUL

    def check_auth_interactive(self, username: str, submethods: str) -> InteractiveQuery:
        return InteractiveQuery("", "", *self._owner.questions)

    def check_auth_interactive_response(self, responses: list[str]) -> int:
        self._owner.attempts += [("keyboard-interactive", response) for response in responses]
        return self._judge(responses[0] if responses else "")

    def _judge(self, password: str) -> int:
        return AUTH_SUCCESSFUL if password == self._owner.password else AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.common.OPEN_SUCCEEDED
