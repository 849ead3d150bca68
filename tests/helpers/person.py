"""A person in front of the dialogs, scripted: what they answer and what they were asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from desktop.core.ssh.prompts import ChallengeQuestion, HostKeyQuestion, SecretQuestion


class Person:
    """Implements `Prompts`.

    Attributes:
        asked: every question, in order.
        codes: the answers to a host's own questions, one list for each round.
    """

    def __init__(
        self,
        *secrets: str | None,
        accepts: bool = True,
        before_answer: Callable[[], None] = lambda: None,
        codes: Sequence[list[str]] = (),
    ) -> None:
        self._secrets = list(secrets)
        self._accepts = accepts
        self._before_answer = before_answer
        self.codes = list(codes)
        self.asked: list[HostKeyQuestion | SecretQuestion | ChallengeQuestion] = []

    def accept_host_key(self, question: HostKeyQuestion) -> bool:
        """Say yes or no, always the same."""
        self.asked.append(question)
        self._before_answer()
        return self._accepts

    def secret(self, question: SecretQuestion) -> str | None:
        """Give the next secret; None when there are no more."""
        self.asked.append(question)
        self._before_answer()
        return self._secrets.pop(0) if self._secrets else None

    def challenge(self, question: ChallengeQuestion) -> list[str] | None:
        """Give the next answers; None when there are no more."""
        self.asked.append(question)
        self._before_answer()
        return self.codes.pop(0) if self.codes else None
