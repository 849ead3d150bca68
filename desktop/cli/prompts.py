"""The person at a terminal, as the connection sees them; without a terminal everything is "no"."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Protocol, TypeVar

import click

from desktop.core.explain import Language
from desktop.core.ssh.prompts import HostKeyQuestion, Prompts, SecretQuestion
from desktop.core.texts import Texts

Answer = TypeVar("Answer")


class TerminalPrompts:
    """Asks on the controlling terminal; `password` (from stdin) never gets here.

    Only for the main thread, where Ctrl-C arrives: it leaves as KeyboardInterrupt. End of input is
    "no".
    """

    def __init__(self, language: Language, *, interactive: bool | None = None) -> None:
        self._texts = Texts(language)
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
        """Ask without echo; an empty answer gives up."""
        if not self._interactive:
            return None
        who = question.key_path or f"{question.user}@{question.host}:{question.port}"
        key = f"cli.{question.kind}-again" if question.wrong else f"cli.{question.kind}"
        text = self._texts(key, who=who)
        answer = _typed(
            lambda: click.prompt(text, hide_input=True, default="", show_default=False, err=True)
        )
        return str(answer) if answer else None


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
