"""Powering off, with a `shutdown` that only writes down that it was called: first in every PATH."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from remote import locks, power
from remote.host import providers
from remote.host.providers import Provider

SAFE = Provider("autodl", power_off=True)
AUTODL = {"AutoDLContainerUUID": "0000"}
# No files and no environment of this machine may make it a provider's.
pytestmark = pytest.mark.skipif(
    providers.look().power_off, reason="this machine could really be powered off"
)


def test_where_it_is_known_to_be_safe_shutdown_is_called_once_and_plainly(
    tmp_path: Path, eventually: Callable[..., None]
) -> None:
    assert power.begin(SAFE, delay=0) == "begun"
    eventually((tmp_path / "shutdowns").exists)
    eventually(lambda: (tmp_path / "shutdowns").read_text() == "called: \n")


def test_where_it_is_not_known_to_be_safe_nothing_is_called(tmp_path: Path) -> None:
    assert power.begin(Provider("runpod"), delay=0) == "not-known-safe"
    assert power.begin(providers.UNKNOWN, delay=0) == "not-known-safe"
    assert not (tmp_path / "shutdowns").exists()


def test_a_host_without_the_program_says_that_it_failed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(power, "_WELL_KNOWN", str(tmp_path / "shutdown"))
    assert power.begin(SAFE, delay=0) == "failed"


def test_a_stop_with_power_off_answers_before_the_machine_goes(
    agent: Any, eventually: Callable[..., None]
) -> None:
    agent.variables.update(AUTODL)
    run = agent.start().lines[0]["run"]
    agent.wait_for("ready")
    answer = agent("stop", "--power-off")
    assert answer.lines == [
        {
            "kind": "stopped",
            "run": run,
            "was_running": True,
            "power_off": "begun",
            "provider": "autodl",
        }
    ]
    assert agent.left() == []
    eventually(agent.shutdowns.exists)
    assert agent.shutdowns.read_text() == "called: \n"


def test_a_stop_with_power_off_works_where_nothing_runs(
    agent: Any, eventually: Callable[..., None]
) -> None:
    agent.variables.update(AUTODL)
    line = agent("stop", "--power-off").lines[0]
    assert (line["was_running"], line["power_off"]) == (False, "begun")
    eventually(agent.shutdowns.exists)


def test_a_stop_with_power_off_of_an_unknown_provider_only_stops(agent: Any) -> None:
    agent.start()
    agent.wait_for("ready")
    line = agent("stop", "--power-off").lines[0]
    assert (line["was_running"], line["power_off"], line["provider"]) == (
        True,
        "not-known-safe",
        "",
    )
    assert not agent.shutdowns.exists()


@pytest.mark.parametrize("terms", [{"lease_seconds": 1}, {"idle_seconds": 1}, {"limit_seconds": 2}])
def test_a_run_whose_terms_have_run_out_powers_the_host_off(
    agent: Any, eventually: Callable[..., None], terms: dict[str, int]
) -> None:
    (agent.home / "metrics").write_text("vllm:num_requests_running 0\n")
    agent.variables.update(AUTODL)
    agent.start("answers", power_off=True, **terms)
    eventually(agent.shutdowns.exists)
    assert agent.shutdowns.read_text() == "called: \n"
    last = agent.events()[-1]
    assert (last["kind"], last["reason"]) == ("stopped", next(iter(terms)).partition("_")[0])


@pytest.mark.parametrize(
    ("power_off", "variables"), [(True, {"RUNPOD_POD_ID": "x"}), (True, {}), (False, AUTODL)]
)
def test_nothing_is_powered_off_unasked_or_where_it_is_not_known_to_be_safe(
    agent: Any, eventually: Callable[..., None], power_off: bool, variables: dict[str, str]
) -> None:
    agent.variables.update(variables)
    agent.start("spins", power_off=power_off, limit_seconds=1)
    supervisor = agent.supervisor()
    eventually(lambda: not agent.lives(supervisor))
    assert agent.status()["reason"] == "limit"
    assert not agent.shutdowns.exists()


def test_a_run_that_somebody_stopped_powers_nothing_off(
    agent: Any, eventually: Callable[..., None]
) -> None:
    agent.variables.update(AUTODL)
    agent.start("spins", power_off=True, lease_seconds=1)
    supervisor = agent.supervisor()
    agent("stop")
    eventually(lambda: not agent.lives(supervisor))
    assert not agent.shutdowns.exists()


def failed_under_guard(agent: Any, seconds: int) -> int:
    """Let a run fail with nobody there; return the process that stays behind."""
    agent.variables.update(AUTODL)
    agent.start("fails-later", power_off=True, lease_seconds=seconds)
    supervisor: int = agent.supervisor()
    (agent.home / "go-on").touch()
    agent.story()
    return supervisor


def test_a_failed_run_is_guarded_until_its_lease_has_run_out(
    agent: Any, eventually: Callable[..., None]
) -> None:
    guard = failed_under_guard(agent, 2)
    run = agent.run()
    assert locks.holder(run.lock) is None
    assert agent.events()[-1]["kind"] == "failed"
    eventually(agent.shutdowns.exists)
    eventually(lambda: not agent.lives(guard))
    assert agent.shutdowns.read_text() == "called: \n"


def test_a_laptop_that_comes_back_relieves_the_guard(
    agent: Any, eventually: Callable[..., None]
) -> None:
    guard = failed_under_guard(agent, 600)

    def relieved() -> bool:
        assert agent("status").lines[0]["state"] == "failed"
        return not agent.lives(guard)

    eventually(relieved)
    assert not agent.shutdowns.exists()


def test_a_guard_ends_when_it_is_asked_to(agent: Any, eventually: Callable[..., None]) -> None:
    guard = failed_under_guard(agent, 600)

    def ended() -> bool:
        with contextlib.suppress(ProcessLookupError):
            os.kill(guard, signal.SIGTERM)  # again: just after the end it was still listening
        return not agent.lives(guard)

    eventually(ended)
    assert not agent.shutdowns.exists()


def test_a_failed_run_without_terms_leaves_no_guard(
    agent: Any, eventually: Callable[..., None]
) -> None:
    guard = failed_under_guard(agent, 0)
    eventually(lambda: not agent.lives(guard))
    assert not agent.shutdowns.exists()


def test_no_test_here_finds_another_shutdown_than_the_harmless_one(
    harmless: Path, agent: Any
) -> None:
    for path in (os.environ["PATH"], agent.environment()["PATH"]):
        assert shutil.which("shutdown", path=path) == str(harmless / "shutdown")
