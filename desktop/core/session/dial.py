"""How a session reaches its host: everything about the connection, bound into one call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from desktop.core.agent.archive import build_ahead
from desktop.core.session.wishes import Wishes
from desktop.core.ssh.connection import Connection, connect
from desktop.core.ssh.credentials import Credentials
from desktop.core.ssh.forwarding import check_forwarding
from desktop.core.ssh.known_hosts import KnownHosts
from desktop.core.ssh.prompts import HostKeyQuestion, Prompts, SecretQuestion

Dial = Callable[[], Connection]


def dialler(
    wishes: Wishes,
    prompts: Prompts,
    known_hosts: KnownHosts,
    password: str | None = None,
    *,
    forwarding: bool = False,
) -> Dial:
    """Return a call that connects to the host of these wishes, each time anew.

    Args:
        wishes: whose destination, identity and host-key wishes count.
        prompts: asked in the calling thread.
        known_hosts: which host keys are trusted.
        password: of the SSH user; kept in memory only.
        forwarding: the connection is for a session: the first one must show that the host
            forwards TCP, or else the call raises ForwardFailed before anything is installed.
    """
    credentials = Credentials(
        identity=wishes.identity,
        password=password,
        accept_new_host_key=wishes.accept_new_host_key,
        host_key=wishes.host_key,
    )

    remembering = _RememberingPrompts(prompts)

    def dial() -> Connection:
        build_ahead()
        return connect(wishes.destination, credentials, remembering, known_hosts)

    return _with_forwarding(dial) if forwarding else dial


def _with_forwarding(dial: Dial) -> Dial:
    """Return the same call, which also checks that the host forwards TCP until it once did."""
    shown = False

    def dial_and_check() -> Connection:
        nonlocal shown
        connection = dial()
        try:
            if not shown:
                check_forwarding(connection)
                shown = True
        except BaseException:
            connection.close()
            raise
        return connection

    return dial_and_check


class _RememberingPrompts:
    """Asks for each secret once: a reconnect in the night finds nobody to ask. Memory only."""

    def __init__(self, prompts: Prompts) -> None:
        self._prompts = prompts
        self._answers: dict[SecretQuestion, str] = {}

    def accept_host_key(self, question: HostKeyQuestion) -> bool:
        return self._prompts.accept_host_key(question)

    def secret(self, question: SecretQuestion) -> str | None:
        key = replace(question, wrong=False)
        if question.wrong:
            self._answers.pop(key, None)
        answer = self._answers.get(key) or self._prompts.secret(question)
        if answer:
            self._answers[key] = answer
        return answer
