"""The person at a terminal, as the connection sees them; without a terminal everything is "no"."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import Protocol, TypeVar

import click

from desktop.core.explain import Language
from desktop.core.ssh.prompts import (
    ChallengePrompt,
    ChallengeQuestion,
    HostKeyQuestion,
    Prompts,
    SecretQuestion,
)
from desktop.core.texts import Texts
from desktop.system.keyring import Keyring

Answer = TypeVar("Answer")


class TerminalPrompts:
    """Asks on the controlling terminal; `password` (from stdin) never gets here.

    What the app keeps in the system's keyring is taken from there, without a terminal too, and
    forgotten once a host refused it; nothing is put there from here.

    Only for the main thread, where Ctrl-C arrives: it leaves as KeyboardInterrupt. End of input is
    "no".
    """

    def __init__(
        self,
        language: Language,
        keyring: Keyring | None = None,
        *,
        interactive: bool | None = None,
    ) -> None:
        self._texts = Texts(language)
        self._keyring = keyring or Keyring()
        self._lent: set[str] = set()  # names of what came from the keyring
        self._interactive = sys.stdin.isatty() if interactive is None else interactive

    def accept_host_key(self, question: HostKeyQuestion) -> bool:
        """Show the fingerprint and ask; the default is no."""
        if not self._interactive:
            return False
        where = f"{question.host}:{question.port}"
        click.echo(
            self._texts(
                "cli.host-key",
                host=where,
                key_type=question.key_type,
                fingerprint=question.fingerprint,
            ),
            err=True,
        )
        return bool(
            _typed(lambda: click.confirm(self._texts["cli.trust"], default=False, err=True))
        )

    def secret(self, question: SecretQuestion) -> str | None:
        """Return the kept secret, or ask without echo; an empty answer gives up."""
        if kept := self._kept(question):
            return kept
        if not self._interactive:
            return None
        who = question.opens
        again = question.wrong or question.paste_refused
        key = f"cli.{question.kind}-again" if again else f"cli.{question.kind}"
        text = self._texts(key, who=who)
        answer = _typed(
            lambda: click.prompt(text, hide_input=True, default="", show_default=False, err=True)
        )
        return str(answer) if answer else None

    def _kept(self, question: SecretQuestion) -> str | None:
        """Return what the keyring has, unless it is what the host has just refused."""
        name = question.opens
        if not question.wrong:
            kept = self._keyring.secret(name)
            if kept:
                self._lent.add(name)
            return kept
        if name in self._lent:
            self._lent.discard(name)
            self._keyring.forget(name)
        return None

    def challenge(self, question: ChallengeQuestion) -> list[str] | None:
        """Show what the host asks and ask it; the end of input gives up, nothing is an answer."""
        if not self._interactive:
            return None
        who = f"{question.user}@{question.host}:{question.port}"
        heading = "cli.challenge-again" if question.wrong else "cli.challenge"
        click.echo(self._texts(heading, who=who), err=True)
        for text in filter(None, (question.name, question.instruction)):
            click.echo(_indented(text), err=True)
        answers = []
        for prompt in question.prompts:
            answer = _typed(partial(_ask_for_host, prompt))
            if answer is None:
                return None
            answers.append(answer)
        return answers


def _ask_for_host(prompt: ChallengePrompt) -> str:
    """Ask in the host's words; the indent keeps them apart from ours."""
    return str(
        click.prompt(
            _indented(prompt.text),
            hide_input=not prompt.echo,
            default="",
            show_default=False,
            prompt_suffix=" ",
            err=True,
        )
    )


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.split("\n"))


def _typed(ask: Callable[[], Answer]) -> Answer | None:
    """Return the answer, or None at the end of input; click calls Ctrl-C and that both Abort."""
    try:
        return ask()
    except click.Abort as abort:
        if isinstance(abort.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from None
        click.echo(err=True)  # the shell's prompt, or our next line, begins on its own
        return None


class MainThread(Protocol):
    """Where a person can be asked."""

    def ask(self, question: Callable[[], Answer]) -> Answer | None:
        """Return the answer to a question that is asked there; None where it never will be."""
        ...


class RelayedPrompts:
    """The same person, for the session's thread: every question is asked by the main thread."""

    def __init__(self, person: Prompts, main_thread: MainThread) -> None:
        self._person = person
        self._main_thread = main_thread

    def accept_host_key(self, question: HostKeyQuestion) -> bool:
        """Return whether this key may be trusted; False where nobody could be asked."""
        return bool(self._main_thread.ask(lambda: self._person.accept_host_key(question)))

    def secret(self, question: SecretQuestion) -> str | None:
        """Return the secret; None where nobody could be asked."""
        return self._main_thread.ask(lambda: self._person.secret(question))

    def challenge(self, question: ChallengeQuestion) -> list[str] | None:
        """Return the answers; None where nobody could be asked."""
        return self._main_thread.ask(lambda: self._person.challenge(question))
