"""Which computers get the real engine."""

from __future__ import annotations

import pytest

from desktop.core.errors import AppError
from desktop.rehearsal import suitability
from desktop.rehearsal.suitability import Computer, scripted_reason, this_computer

AVX2 = frozenset({"sse2", "avx2"})


@pytest.mark.parametrize(
    ("computer", "reason"),
    [
        (Computer("Linux", "x86_64", AVX2, (2, 36)), ""),
        (Computer("Linux", "aarch64", frozenset(), (2, 28)), ""),
        (Computer("Linux", "x86_64", frozenset({"sse2"}), (2, 36)), "cpu-too-old"),
        (Computer("Linux", "riscv64", frozenset(), (2, 39)), "no-cpu-build"),
        (Computer("Linux", "x86_64", AVX2, (2, 17)), "no-cpu-build"),
        (Computer("Linux", "x86_64", AVX2, ()), "no-cpu-build"),
        (Computer("Darwin", "arm64", frozenset(), ()), "no-cpu-build"),
    ],
    ids=["usual", "arm", "no avx2", "riscv", "old glibc", "musl", "mac"],
)
def test_the_real_engine_runs_where_its_wheel_says_so(computer: Computer, reason: str) -> None:
    assert scripted_reason(computer) == reason


def test_this_computer_is_known() -> None:
    computer = this_computer()
    assert computer.system
    assert computer.machine == computer.machine.lower()


def test_where_the_agent_cannot_run_there_is_no_rehearsal(monkeypatch: pytest.MonkeyPatch) -> None:
    suitability.require_posix()
    monkeypatch.setattr(suitability.os, "name", "nt")
    with pytest.raises(AppError) as caught:
        suitability.require_posix()
    assert caught.value.code == "rehearsal-needs-posix"
