"""The person at a terminal, as the connection sees them; without a terminal everything is "no"."""

from __future__ import annotations

import sys

import click

from desktop.core.explain import Language
from desktop.core.ssh.prompts import HostKeyQuestion, SecretQuestion
from desktop.core.texts import Texts


class TerminalPrompts:
    """Asks on the controlling terminal; `password` (from stdin) never gets here."""

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
        return click.confirm(self._texts["cli.trust"], default=False, err=True)

    def secret(self, question: SecretQuestion) -> str | None:
        """Ask without echo; an empty answer gives up."""
        if not self._interactive:
            return None
        who = question.key_path or f"{question.user}@{question.host}:{question.port}"
        key = f"cli.{question.kind}-again" if question.wrong else f"cli.{question.kind}"
        answer = click.prompt(
            self._texts(key, who=who), hide_input=True, default="", show_default=False, err=True
        )
        return str(answer) or None
