"""User authentication, RFC 4252 and RFC 4256: one request, one outcome.

Stock paramiko's handler never asks whether a public key would be welcome (so a passphrase would be
asked for keys the host does not want), hides which methods are left, keeps the password, and signs
on the transport's thread, where an agent waiting for a finger would stop the connection.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue

import paramiko
from paramiko.common import (
    MSG_SERVICE_ACCEPT,
    MSG_USERAUTH_BANNER,
    MSG_USERAUTH_FAILURE,
    MSG_USERAUTH_INFO_REQUEST,
    MSG_USERAUTH_SUCCESS,
    cMSG_SERVICE_REQUEST,
    cMSG_USERAUTH_INFO_RESPONSE,
    cMSG_USERAUTH_REQUEST,
)
from paramiko.message import Message

from desktop.core.ssh import challenge
from desktop.core.ssh.challenge import Challenge
from desktop.core.ssh.transport import SafeTransport

_MSG_60 = MSG_USERAUTH_INFO_REQUEST  # PK_OK, PASSWD_CHANGEREQ or INFO_REQUEST, by the method
_MAX_ROUNDS = 10  # of keyboard-interactive questions
_MOST_WAITING = 20  # answers in a row that were not read
_MOST_BANNER = 1000  # bytes that are kept of the host's last words to everybody (RFC 4252 §5.4)
_SERVICE = "ssh-connection"

Sign = Callable[[bytes], bytes]
Answer = Callable[[Challenge], list[str] | None]


class Redial(Exception):  # `connect` dials again
    """The connection is used up; a fresh one can go on where this one ended."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the host said to one request.

    Attributes:
        accepted: we are in; for a query: the key would do.
        methods: what may be tried next, when we are not in.
        partial: this step was right, and another is wanted.
        must_change: the password is right and has expired.
    """

    accepted: bool
    methods: tuple[str, ...] = ()
    partial: bool = False
    must_change: bool = False


class UserAuth:
    """The client's side for one transport; installs itself as its `auth_handler`.

    Every request raises TimeoutError after `timeout` seconds without an answer, and EOFError when
    the transport ends.
    """

    def __init__(self, transport: SafeTransport, user: str, timeout: float) -> None:
        self._transport = transport
        self._user = user
        self._timeout = timeout
        self._answers: SimpleQueue[tuple[int, Message | None]] = SimpleQueue()
        self._authenticated = False
        self._service_ready = False
        self.banner = b""
        transport.auth_handler = self  # type: ignore[assignment] # duck-typed by paramiko
        transport.when_ended(self.abort)

    def none(self) -> Outcome:
        """Ask for nothing: the way to learn which methods there are."""
        return self._plain("none", lambda _: None)

    def password(self, password: str) -> Outcome:
        """Send a password."""

        def fill(message: Message) -> None:
            message.add_boolean(False)
            message.add_string(password)

        return self._plain("password", fill)

    def query(self, algorithm: str, blob: bytes) -> Outcome:
        """Ask whether a public key would be accepted."""

        def fill(message: Message) -> None:
            _add_key(message, algorithm, blob, signed=False)

        return self._plain("publickey", fill, query=True)

    def publickey(self, algorithm: str, blob: bytes, sign: Sign) -> Outcome:
        """Prove to have a key; `sign` gets the data of RFC 4252 §7 and runs on this thread."""
        data = Message()
        session = self._transport.session_id
        assert session is not None
        data.add_string(session)
        data.add_bytes(self._request("publickey").asbytes())
        _add_key(data, algorithm, blob, signed=True)
        signature = sign(data.asbytes())

        def fill(message: Message) -> None:
            _add_key(message, algorithm, blob, signed=True)
            message.add_string(signature)

        return self._plain("publickey", fill)

    def interactive(self, answer: Answer) -> Outcome | None:
        """Go through the host's questions, round by round.

        Args:
            answer: called for each round with what the host asks; returns as many answers as
                there are prompts, or None to leave it at that.

        Returns:
            What the host said in the end; None when it asked too much or got no answer.
        """

        def fill(message: Message) -> None:
            message.add_string("")
            message.add_string("")

        self._send("keyboard-interactive", fill)
        for _ in range(_MAX_ROUNDS):
            kind, message = self._next()
            if kind != _MSG_60:
                return _outcome(kind, message)
            asked = challenge.read(message)
            answers = None if asked is None else answer(asked)
            if answers is None:
                break
            self._transport.send(_info_response(answers))
        return None

    def _plain(
        self, method: str, fill: Callable[[Message], None], *, query: bool = False
    ) -> Outcome:
        self._send(method, fill)
        return _outcome(*self._next(), query=query)

    def _send(self, method: str, fill: Callable[[Message], None]) -> None:
        if not self._service_ready:
            request = Message()
            request.add_byte(cMSG_SERVICE_REQUEST)
            request.add_string("ssh-userauth")
            self._transport.send(request)
            self._next(MSG_SERVICE_ACCEPT)
            self._service_ready = True
        message = self._request(method)
        fill(message)
        self._transport.send(message)

    def _request(self, method: str) -> Message:
        message = Message()
        message.add_byte(cMSG_USERAUTH_REQUEST)
        for text in (self._user, _SERVICE, method):
            message.add_string(text)
        return message

    def _next(self, wanted: int | None = None) -> tuple[int, Message]:
        deadline = time.monotonic() + self._timeout
        while True:
            try:
                kind, message = self._answers.get(timeout=max(0.0, deadline - time.monotonic()))
            except Empty as error:
                raise TimeoutError("no answer while authenticating") from error
            if message is None or not self._transport.active:
                raise EOFError("the host closed the connection while authenticating")
            if wanted is None or kind == wanted:
                return kind, message

    # What paramiko's transport calls, on its own thread.

    @property
    def _handler_table(self) -> dict[int, Callable[[Message], None]]:
        kinds = (MSG_SERVICE_ACCEPT, MSG_USERAUTH_FAILURE, MSG_USERAUTH_SUCCESS, _MSG_60)
        table: dict[int, Callable[[Message], None]] = {kind: self._keep(kind) for kind in kinds}
        table[MSG_USERAUTH_BANNER] = self._keep_banner
        return table

    def _keep(self, kind: int) -> Callable[[Message], None]:
        def keep(message: Message) -> None:
            if kind == MSG_USERAUTH_SUCCESS:
                self._authenticated = True
                self._transport.authenticated = True
            if self._answers.qsize() > _MOST_WAITING:
                raise paramiko.SSHException("answers that nobody asked for")
            self._answers.put((kind, message))

        return keep

    def _keep_banner(self, message: Message) -> None:
        self.banner = message.get_binary()[:_MOST_BANNER]

    def is_authenticated(self) -> bool:
        """Return whether the host let us in."""
        return self._authenticated

    def get_username(self) -> str:
        """Return the login name."""
        return self._user

    def abort(self) -> None:
        """The transport has ended: wake whoever waits."""
        self._answers.put((0, None))


def _add_key(message: Message, algorithm: str, blob: bytes, *, signed: bool) -> None:
    message.add_boolean(signed)
    message.add_string(algorithm)
    message.add_string(blob)


def _info_response(answers: list[str]) -> Message:
    reply = Message()
    reply.add_byte(cMSG_USERAUTH_INFO_RESPONSE)
    reply.add_int(len(answers))
    for line in answers:
        reply.add_string(line)
    return reply


def _outcome(kind: int, message: Message, *, query: bool = False) -> Outcome:
    if kind == MSG_USERAUTH_SUCCESS:
        return Outcome(accepted=True)
    if kind == _MSG_60:
        return Outcome(accepted=query, must_change=not query)
    names = message.get_binary().decode("ascii", "replace").split(",")
    methods = tuple(name[:50] for name in names[:10])
    return Outcome(accepted=False, methods=methods, partial=message.get_boolean())
