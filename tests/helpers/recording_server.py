"""An SSH server that lets itself be asked what it was told: for secrets, which a test cannot set.

paramiko's server half on a loopback socket. It serves connections until it is closed.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import paramiko
from paramiko.common import AUTH_FAILED, AUTH_PARTIALLY_SUCCESSFUL, AUTH_SUCCESSFUL
from paramiko.server import InteractiveQuery

from desktop.core.ssh.destination import Destination
from desktop.core.ssh.known_hosts import HostKey

_KEYBOARD = "keyboard-interactive"


@dataclass
class Round:
    """What it asks at once in keyboard-interactive, and the right answers.

    A lone surrogate stands for a byte that is no text, as `surrogateescape` has it.
    """

    prompts: list[tuple[str, bool]] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    instruction: str = ""
    name: str = ""

    def query(self) -> InteractiveQuery:
        """Return it as paramiko sends it."""
        query = InteractiveQuery(_bytes(self.name), _bytes(self.instruction))
        for text, echo in self.prompts:
            query.add_prompt(_bytes(text), echo)
        return query


def _bytes(text: str) -> Any:
    """Return what paramiko sends as it is, whatever its stubs say."""
    return text.encode("utf-8", "surrogateescape")


def password_round(password: str = "right") -> Round:
    """Return what PAM asks first."""
    return Round([("Password: ", False)], [password])


class RecordingServer:
    """One SSH server with one password.

    Attributes:
        methods: what it offers, as SSH names it.
        steps: methods that are wanted one after the other; then `methods` does not count.
        rounds: what it asks in keyboard-interactive; all must be answered right.
        endless: whether it begins with the first round again after the last one, for ever.
        attempts: each authentication request, as (method, secret).
        welcome_keys: blobs of public keys that it takes.
        connections: how many were accepted.
    """

    def __init__(
        self,
        password: str = "right",
        methods: str = "password",
        *,
        steps: tuple[str, ...] = (),
        rounds: list[Round] | None = None,
        port: int = 0,
    ) -> None:
        self.password = password
        self.methods = methods
        self.steps = steps
        self.rounds = [password_round(password)] if rounds is None else rounds
        self.endless = False
        self.attempts: list[tuple[str, str]] = []
        self.welcome_keys: set[bytes] = set()
        self.connections = 0
        self._key = paramiko.ECDSAKey.generate()
        self._listener = socket.create_server(("127.0.0.1", port))
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

    def change_host_key(self) -> None:
        """Show another one from the next connection on."""
        self._key = paramiko.ECDSAKey.generate()

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
    """One connection's authentication."""

    def __init__(self, owner: RecordingServer) -> None:
        self._owner = owner
        self._steps = list(owner.steps)
        self._round = 0
        self._right = True

    def get_allowed_auths(self, username: str) -> str:
        return self._steps[0] if self._steps else self._owner.methods

    def check_auth_none(self, username: str) -> int:
        self._owner.attempts.append(("none", ""))
        return AUTH_FAILED

    def check_auth_password(self, username: str, password: str) -> int:
        self._owner.attempts.append(("password", password))
        return self._verdict("password", right=password == self._owner.password)

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        self._owner.attempts.append(("publickey", key.fingerprint))
        return self._verdict("publickey", right=key.asbytes() in self._owner.welcome_keys)

    def check_auth_interactive(self, username: str, submethods: str) -> int | InteractiveQuery:
        self._owner.attempts.append((_KEYBOARD, ""))
        self._round, self._right = 0, True
        return self._owner.rounds[0].query() if self._owner.rounds else AUTH_FAILED

    def check_auth_interactive_response(self, responses: list[str]) -> int | InteractiveQuery:
        self._owner.attempts += [(_KEYBOARD, response) for response in responses]
        rounds = self._owner.rounds
        self._right &= responses == rounds[self._round % len(rounds)].answers
        self._round += 1
        if self._owner.endless or self._round < len(rounds):
            return rounds[self._round % len(rounds)].query()
        return self._verdict(_KEYBOARD, right=self._right)

    def _verdict(self, method: str, *, right: bool) -> int:
        if not right or (self._steps and self._steps[0] != method):
            return AUTH_FAILED
        self._steps = self._steps[1:]
        return AUTH_PARTIALLY_SUCCESSFUL if self._steps else AUTH_SUCCESSFUL

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.common.OPEN_SUCCEEDED
