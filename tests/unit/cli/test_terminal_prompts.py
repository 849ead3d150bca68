"""A host's own questions at a terminal: in its words, hidden where it says so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import click
import pytest

from desktop.cli.prompts import TerminalPrompts
from desktop.core.ssh.prompts import ChallengePrompt, ChallengeQuestion, SecretQuestion
from desktop.core.texts import Texts
from desktop.system.keyring import Keyring

CODE = ChallengeQuestion(
    *("root", "host", 22, "Bastion", "Two\nlines"),
    (ChallengePrompt("User:", echo=True), ChallengePrompt("1. push\n2. code\nOption:", echo=False)),
)


class Terminal:
    """What is typed, and what was asked for: hidden or not."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *typed: str) -> None:
        self._typed: Iterator[str] = iter(typed)
        self.prompts: list[tuple[str, str]] = []
        monkeypatch.setattr(click.termui, "hidden_prompt_func", lambda text: self._read("-", text))
        monkeypatch.setattr(click.termui, "visible_prompt_func", lambda text: self._read("+", text))

    def _read(self, kind: str, text: str) -> str:
        self.prompts.append((kind, text))
        try:
            return next(self._typed)
        except StopIteration:
            raise EOFError from None


def test_the_hosts_words_stand_apart_and_hide_what_they_say(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = Terminal(monkeypatch, "me", "42")
    assert TerminalPrompts("en", interactive=True).challenge(CODE) == ["me", "42"]
    shown = capsys.readouterr()
    heading = Texts("en")("cli.challenge", who="root@host:22")
    assert shown.out == ""
    assert shown.err.startswith(f"{heading}\n  Bastion\n  Two\n  lines\n")
    assert "42" not in shown.err
    assert [kind for kind, _ in terminal.prompts] == ["+", "-"]


def test_a_refused_answer_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Terminal(monkeypatch, "me", "42")
    TerminalPrompts("zh", interactive=True).challenge(replace(CODE, wrong=True))
    heading = Texts("zh")("cli.challenge-again", who="root@host:22")
    assert capsys.readouterr().err.startswith(heading)


def test_nothing_is_an_answer_and_the_end_of_input_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Terminal(monkeypatch, "", "")
    assert TerminalPrompts("en", interactive=True).challenge(CODE) == ["", ""]
    Terminal(monkeypatch, "me")
    assert TerminalPrompts("en", interactive=True).challenge(CODE) is None


def test_without_a_terminal_nobody_answers() -> None:
    assert TerminalPrompts("en", interactive=False).challenge(CODE) is None


# -- what the app keeps in the keyring -------------------------------------------------------------

PASSWORD = SecretQuestion("password", "root", "host", 22)


class Kept(Keyring):
    """A keyring with these secrets, by what they open."""

    def __init__(self, kept: dict[str, str]) -> None:
        super().__init__()
        self.kept = kept

    def secret(self, name: str) -> str | None:
        return self.kept.get(name)

    def forget(self, name: str) -> None:
        del self.kept[name]


@pytest.mark.parametrize("interactive", [True, False])
def test_a_password_that_the_app_keeps_is_not_asked_for(
    monkeypatch: pytest.MonkeyPatch, interactive: bool
) -> None:
    terminal = Terminal(monkeypatch)
    prompts = TerminalPrompts("en", Kept({"root@host:22": "kept"}), interactive=interactive)
    assert prompts.secret(PASSWORD) == "kept"
    assert terminal.prompts == []


def test_a_kept_password_that_was_refused_is_forgotten_and_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Terminal(monkeypatch, "typed")
    keyring = Kept({"root@host:22": "old", "root@other:22": "x"})
    prompts = TerminalPrompts("en", keyring, interactive=True)
    prompts.secret(PASSWORD)
    assert prompts.secret(replace(PASSWORD, wrong=True)) == "typed"
    assert keyring.kept == {"root@other:22": "x"}


def test_what_was_typed_and_refused_says_nothing_about_what_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Terminal(monkeypatch, "typed")
    keyring = Kept({"root@host:22": "kept"})
    prompts = TerminalPrompts("en", keyring, interactive=True)
    assert prompts.secret(replace(PASSWORD, wrong=True)) == "typed"
    assert keyring.kept == {"root@host:22": "kept"}
