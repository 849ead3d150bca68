"""The password of one user at one host: given, pasted, kept or typed; each is sent once."""

from __future__ import annotations

from desktop.core.errors import AuthenticationFailed
from desktop.core.ssh.credentials import Credentials
from desktop.core.ssh.destination import Destination
from desktop.core.ssh.prompts import Prompts, SecretQuestion
from desktop.core.ssh.transport import SafeTransport
from desktop.core.ssh.userauth import Redial

_QUESTIONS = 3  # how often a person may mistype it


class Passwords:
    """Where the next password comes from; it outlives a connection."""

    def __init__(
        self, destination: Destination, credentials: Credentials, prompts: Prompts
    ) -> None:
        """Take whose password it is, what was given beforehand, and who can be asked."""
        self._destination = destination
        self._prompts = prompts
        self._given = credentials.password is not None  # then nobody is asked for another one
        self._ready = credentials.password or destination.password
        self._sent: str | None = None
        self._asked = 0
        self._doubted = False

    @property
    def given_and_unused(self) -> bool:
        """Whether one was given for a way without a person and has not been sent."""
        return self._given and self._ready is not None

    def take(self, transport: SafeTransport) -> str | None:
        """Return one to send over this transport; None when there is no other one to try.

        Raises:
            AuthenticationFailed: the person gave up.
            Redial: the person thought for longer than the host waits; the answer is not lost.
        """
        if self._ready is None:
            if self._given or self._asked == _QUESTIONS:
                return None
            self._ready = self._ask()
            if not transport.is_active():
                raise Redial
        self._sent, self._ready = self._ready, None
        return self._sent

    def spare(self) -> None:
        """Let the last one be sent again: the host has not refused it."""
        self._ready = self._sent

    def doubt(self) -> None:
        """Let the last one be sent again, once: perhaps it was something else that was refused."""
        if not self._doubted:
            self._doubted = True
            self.spare()

    def _ask(self) -> str:
        where = self._destination
        question = SecretQuestion(
            "password",
            where.user,
            where.host,
            where.port,
            wrong=self._asked > 0,
            paste_refused=not self._asked and self._sent is not None,
        )
        answer = self._prompts.secret(question)
        if answer is None:
            code = "authentication-failed" if self._asked else "password-needed"
            raise AuthenticationFailed(code, user=where.user, host=where.host, port=where.port)
        self._asked += 1
        return answer
