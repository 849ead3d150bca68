"""The user's own program as the way to a host: what it is told, and what it says in the end."""

from __future__ import annotations

import os

import pytest

from desktop.core.ssh.proxy_command import ProxyCommand

pytestmark = pytest.mark.skipif(os.name == "nt", reason="shell commands of POSIX")


def output(command: str) -> bytes:
    program = ProxyCommand(command)
    try:
        said = b""
        while piece := program.sock.recv(4096):
            said += piece
        return said
    finally:
        program.close()


def test_it_has_the_users_environment_without_our_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAPERKITE_HUB_TOKEN", "hub-secret")
    monkeypatch.setenv("PAPERKITE_PROXY_PASSWORD", "proxy-secret")
    monkeypatch.setenv("OF_THE_USER", "kept")
    said = output("env")
    assert b"OF_THE_USER=kept" in said
    assert b"hub-secret" not in said
    assert b"proxy-secret" not in said


def test_its_last_words_are_plain_text() -> None:
    program = ProxyCommand("printf 'no\\033[2J way\\n' >&2; exit 3")
    try:
        assert program.last_words() == "no [2J way"
    finally:
        program.close()


def test_one_that_dies_without_a_word_tells_its_status() -> None:
    program = ProxyCommand("false")
    try:
        assert program.last_words() == "exit status 1"
    finally:
        program.close()
