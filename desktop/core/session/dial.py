"""How a session reaches its host: everything about the connection, bound into one call.

paramiko is imported by the first call, in the thread that waits for the host anyway (0.2 s, 17 MB):
an app at rest does without it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from desktop.core.agent.archive import build_ahead
from desktop.core.session.wishes import Wishes
from desktop.core.ssh.attempt import ORDINARY, Attempt, PersonNeeded
from desktop.core.ssh.credentials import Credentials
from desktop.core.ssh.destination import Destination
from desktop.core.ssh.dialled import Dial
from desktop.core.ssh.forwarding import check_forwarding
from desktop.core.ssh.known_hosts import KnownHosts
from desktop.core.ssh.prompts import (
    ChallengeQuestion,
    HostKeyQuestion,
    Prompts,
    SecretQuestion,
)

if TYPE_CHECKING:
    from desktop.core.ssh.connection import Connection

__all__ = ["Dial", "dialler"]

Answer = TypeVar("Answer")


def dialler(
    wishes: Wishes,
    prompts: Prompts,
    known_hosts: KnownHosts,
    password: str | None = None,
    *,
    forwarding: bool = False,
    until_pinned: bool = False,
) -> Dial:
    """Return a call that connects to the host of these wishes, each time anew.

    Args:
        wishes: whose destination, identity and host-key wishes count.
        prompts: asked in the calling thread, and by a quiet attempt not at all.
        known_hosts: which host keys are trusted.
        password: of the SSH user; kept in memory only.
        forwarding: the connection is for a session: the first one must show that the host
            forwards TCP, or else the call raises ForwardFailed before anything is installed.
        until_pinned: the host key that is demanded was chosen once, by a person who compared it:
            it is pinned when the first connection stands, and another one has changed then.
    """
    credentials = Credentials(
        identity=wishes.identity,
        password=password,
        accept_new_host_key=wishes.accept_new_host_key,
        host_key=wishes.host_key,
    )

    answers: dict[SecretQuestion, str] = {}

    def dial(attempt: Attempt = ORDINARY) -> Connection:
        from desktop.core.ssh.connection import QUICK, Timeouts, connect  # noqa: PLC0415 - paramiko

        nonlocal credentials
        build_ahead()
        connection = connect(
            _without_refused(wishes.destination, answers),
            credentials,
            _AttemptPrompts(prompts, answers, attempt),
            known_hosts,
            QUICK if attempt.quick else Timeouts(),
            abandon=attempt.abandon,
        )
        if until_pinned:
            credentials = replace(credentials, host_key="")
        return connection

    return _with_forwarding(dial) if forwarding else dial


def _without_refused(where: Destination, answers: Mapping[SecretQuestion, str]) -> Destination:
    """Return where to connect; a pasted password is sent no more once a person gave another one."""
    question = SecretQuestion("password", where.user, where.host, where.port)
    return replace(where, password=None) if question in answers else where


def _with_forwarding(dial: Dial) -> Dial:
    """Return the same call, which also checks that the host forwards TCP until it once did."""
    shown = False

    def dial_and_check(attempt: Attempt = ORDINARY) -> Connection:
        nonlocal shown
        connection = dial(attempt)
        try:
            if not shown:
                with attempt.abandon.by(connection.cut):
                    check_forwarding(connection)
                shown = True
        except BaseException:
            connection.close()
            raise
        return connection

    return dial_and_check


class _AttemptPrompts:
    """The person, as one attempt may ask: each secret once, and a quiet attempt nothing at all.

    A reconnect in the night finds nobody to ask. The answers are kept in memory only.
    """

    def __init__(
        self, prompts: Prompts, answers: dict[SecretQuestion, str], attempt: Attempt
    ) -> None:
        self._prompts = prompts
        self._answers = answers
        self._attempt = attempt

    def accept_host_key(self, question: HostKeyQuestion) -> bool:
        facts = {"key_type": question.key_type, "fingerprint": question.fingerprint}
        needed = PersonNeeded("host-key-unknown", host=question.host, port=question.port, **facts)
        return self._ask(lambda: self._prompts.accept_host_key(question), needed)

    def challenge(self, question: ChallengeQuestion) -> list[str] | None:
        return self._ask(lambda: self._prompts.challenge(question), _secret_needed(question))

    def secret(self, question: SecretQuestion) -> str | None:
        key = replace(question, wrong=False, paste_refused=False)
        if question.wrong:
            self._answers.pop(key, None)
        answer = self._answers.get(key) or self._ask(
            lambda: self._prompts.secret(question), _secret_needed(question)
        )
        if answer:
            self._answers[key] = answer
        return answer

    def _ask(self, ask: Callable[[], Answer], needed: PersonNeeded) -> Answer:
        self._attempt.abandon.check()
        if self._attempt.quiet:
            raise needed
        self._attempt.asking.set()
        try:
            return ask()
        finally:
            self._attempt.asking.clear()


def _secret_needed(question: SecretQuestion | ChallengeQuestion) -> PersonNeeded:
    return PersonNeeded(
        "password-needed", user=question.user, host=question.host, port=question.port
    )
