"""Powering off, with a `shutdown` that only writes down that it was called: first in every PATH."""

from __future__ import annotations

import contextlib
import os
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


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a folder first in the PATH, with a harmless `shutdown` in it."""
    folder = tmp_path / "programs"
    folder.mkdir()
    program = folder / "shutdown"
    program.write_text(f'#!/bin/sh\necho "called: $*" >> {tmp_path}/shutdowns\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


def test_where_it_is_known_to_be_safe_shutdown_is_called_once_and_plainly(
    path: Path, tmp_path: Path, eventually: Callable[..., None]
) -> None:
    assert power.begin(SAFE, delay=0) == "begun"
    eventually((tmp_path / "shutdowns").exists)
    eventually(lambda: (tmp_path / "shutdowns").read_text() == "called: \n")


def test_where_it_is_not_known_to_be_safe_nothing_is_called(path: Path, tmp_path: Path) -> None:
    assert power.begin(Provider("runpod"), delay=0) == "not-known-safe"
    assert power.begin(providers.UNKNOWN, delay=0) == "not-known-safe"
    assert not (tmp_path / "shutdowns").exists()


def test_a_host_without_the_program_says_that_it_failed(
    path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
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
    last = agent.watch_so_far()[-1]
    assert (last["kind"], last["reason"]) == ("stopped", next(iter(terms)).partition("_")[0])


@pytest.mark.parametrize(
    ("power_off", "variables"), [(True, {"RUNPOD_POD_ID": "x"}), (True, {}), (False, AUTODL)]
)
def test_nothing_is_powered_off_unasked_or_where_it_is_not_known_to_be_safe(
    agent: Any, eventually: Callable[..., None], power_off: bool, variables: dict[str, str]
) -> None:
    agent.variables.update(variables)
    agent.start("spins", power_off=power_off, limit_seconds=1)
    supervisor = locks.holder(agent.run().lock).pid
    eventually(lambda: not Path(f"/proc/{supervisor}").exists())
    assert agent.status()["reason"] == "limit"
    assert not agent.shutdowns.exists()


def test_a_run_that_somebody_stopped_powers_nothing_off(
    agent: Any, eventually: Callable[..., None]
) -> None:
    agent.variables.update(AUTODL)
    agent.start("spins", power_off=True, lease_seconds=1)
    supervisor = locks.holder(agent.run().lock).pid
    agent("stop")
    eventually(lambda: not Path(f"/proc/{supervisor}").exists())
    assert not agent.shutdowns.exists()


def failed_under_guard(agent: Any, seconds: int) -> int:
    """Let a run fail with nobody there; return the process that stays behind."""
    agent.variables.update(AUTODL)
    agent.start("fails-later", power_off=True, lease_seconds=seconds)
    supervisor: int = locks.holder(agent.run().lock).pid
    (agent.home / "go-on").touch()
    agent.watch()
    return supervisor


def test_a_failed_run_is_guarded_until_its_lease_has_run_out(
    agent: Any, eventually: Callable[..., None]
) -> None:
    guard = failed_under_guard(agent, 2)
    run = agent.run()
    assert locks.holder(run.lock) is None
    assert agent.watch_so_far()[-1]["kind"] == "failed"
    eventually(agent.shutdowns.exists)
    eventually(lambda: not Path(f"/proc/{guard}").exists())
    assert agent.shutdowns.read_text() == "called: \n"


def test_a_laptop_that_comes_back_relieves_the_guard(
    agent: Any, eventually: Callable[..., None]
) -> None:
    guard = failed_under_guard(agent, 600)

    def relieved() -> bool:
        assert agent.status()["state"] == "failed"
        return not Path(f"/proc/{guard}").exists()

    eventually(relieved)
    assert not agent.shutdowns.exists()


def test_a_guard_ends_when_it_is_asked_to(agent: Any, eventually: Callable[..., None]) -> None:
    guard = failed_under_guard(agent, 600)

    def ended() -> bool:
        with contextlib.suppress(ProcessLookupError):
            os.kill(guard, signal.SIGTERM)
            return False
        return True

    eventually(ended)
    assert not agent.shutdowns.exists()


def test_a_failed_run_without_terms_leaves_no_guard(
    agent: Any, eventually: Callable[..., None]
) -> None:
    guard = failed_under_guard(agent, 0)
    eventually(lambda: not Path(f"/proc/{guard}").exists())
    assert not agent.shutdowns.exists()
