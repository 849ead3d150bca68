"""The answers to a host that asks in words of its own; one `Dialogue` per authentication."""

from __future__ import annotations

from functools import partial

from desktop.core.errors import AuthenticationFailed
from desktop.core.ssh.challenge import Challenge
from desktop.core.ssh.destination import Destination
from desktop.core.ssh.passwords import Passwords
from desktop.core.ssh.prompts import ChallengeQuestion, Prompts
from desktop.core.ssh.transport import SafeTransport
from desktop.core.ssh.userauth import Outcome, Redial, UserAuth

_MOST_QUESTIONS = 10  # to the person, over all connections: a host may ask for ever
_MOST_MESSAGES = 3  # of the host, shown with its next question


class Dialogue:
    """Answers rounds of questions, with the password where that is plainly meant.

    Codes are good for once: when a connection is used up they are asked for again over the next.
    """

    def __init__(self, destination: Destination, passwords: Passwords, prompts: Prompts) -> None:
        """Take where it leads, and who knows the answers."""
        self._destination = destination
        self._passwords = passwords
        self._prompts = prompts
        self._questions = 0
        self._mute = False  # the host offers to ask and never does: sshd without PAM
        self._pending = False  # answers of the person were sent, and the host has not taken them
        self._begin()

    def _begin(self) -> None:
        """Begin a conversation: whatever answers are pending now have been refused."""
        self._wrong, self._pending = self._pending, False
        self._messages: list[str] = []
        self._asked = False
        self._sent_password = False

    def run(self, transport: SafeTransport, auth: UserAuth) -> Outcome | None:
        """Go through one conversation and return what came of it.

        Returns:
            None when it led nowhere: the host had no question, or we no answer.

        Raises:
            AuthenticationFailed: the person gave up (`code-needed`, or as for passwords).
            Redial: the person thought for longer than the host waits.
        """
        if self._mute:
            return None
        self._begin()
        outcome = auth.interactive(partial(self._answer, transport))
        if outcome is None:
            return None
        if outcome.accepted or outcome.partial:
            self._pending = False
            if self._sent_password:
                self._passwords.spare()  # the next step may want it too
            return outcome
        if self._sent_password and self._pending:
            self._passwords.doubt()  # it may have been the code
        self._mute = not self._asked
        return None if self._mute else outcome

    def _answer(self, transport: SafeTransport, challenge: Challenge) -> list[str] | None:
        if not challenge.prompts:
            self._messages = [*self._messages, challenge.instruction][-_MOST_MESSAGES:]
            return []
        first, self._asked = not self._asked, True
        if first and challenge.wants_password:
            password = self._passwords.take(transport)
            self._sent_password = password is not None
            return None if password is None else [password]
        return self._ask(transport, challenge)

    def _ask(self, transport: SafeTransport, challenge: Challenge) -> list[str] | None:
        if self._questions == _MOST_QUESTIONS:
            return None
        self._questions += 1
        answers = self._prompts.challenge(self._question(challenge))
        if answers is None:
            where = self._destination
            facts = {"user": where.user, "host": where.host, "port": where.port}
            raise AuthenticationFailed("code-needed", **facts, prompt=challenge.prompts[0].text)
        if not transport.is_active():
            if self._sent_password:
                self._passwords.spare()
            raise Redial
        self._pending = True
        return answers

    def _question(self, challenge: Challenge) -> ChallengeQuestion:
        where = self._destination
        instruction = "\n".join(filter(None, (*self._messages, challenge.instruction)))
        wrong, self._wrong = self._wrong, False
        self._messages = []
        return ChallengeQuestion(
            where.user,
            where.host,
            where.port,
            challenge.name,
            instruction,
            challenge.prompts,
            wrong,
        )
