"""Hosts as people leave them: shells that talk, other login shells, files that a crash emptied."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.e2e.conftest import Box, MakeBox
from tests.helpers.command import Outcome

_IN_ANOTHER_SHELL = 'ForceCommand {shell} -c "$SSH_ORIGINAL_COMMAND"\n'


def nothing_runs(outcome: Outcome) -> bool:
    """Whether the agent was put there, understood, and said that nothing is being served."""
    return (outcome.status, outcome.error) == (73, "nothing-running")


def archive_of(box: Box) -> Path:
    (archive,) = (box.home / ".paperkite/agent").iterdir()
    return archive


@pytest.mark.parametrize(
    "banner",
    [
        "printf welcome",
        r"printf '\033[H\033[2J'",
        "echo hi; printf '@paperkite-python@ /bin/false'",
    ],
)
def test_a_shell_that_prints_a_banner_without_a_line_end_is_no_obstacle(
    box: Box, banner: str
) -> None:
    (box.home / ".bashrc").write_text(f"{banner}\n", encoding="utf-8")
    assert nothing_runs(box.run("status"))
    assert box.up().status == 0
    assert box.run("status").status == 0


@pytest.mark.parametrize("shell", ["dash", "tcsh", "fish", "zsh"])
def test_any_login_shell_will_do(make_box: MakeBox, shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} on this machine")
    box = make_box(sshd_extra=_IN_ANOTHER_SHELL.format(shell=shell))
    assert nothing_runs(box.run("status"))
    assert nothing_runs(box.run("status"))  # now with the archive in place


def test_an_archive_that_a_power_cut_emptied_is_sent_again(box: Box) -> None:
    assert nothing_runs(box.run("status"))
    archive = archive_of(box)
    whole = archive.read_bytes()
    archive.write_bytes(b"")
    assert nothing_runs(box.run("status"))
    assert archive_of(box).read_bytes() == whole
