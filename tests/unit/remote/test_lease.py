from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from remote import lease, loopback, runs, terms
from remote.guards import LOOK_SECONDS, Guards
from remote.lease import BLIND_SECONDS, Activity, Lease
from remote.metrics import Metrics
from remote.runs import Run
from remote.spec import Spec
from remote.terms import Terms

ALL = Terms(lease_seconds=10, idle_seconds=30, limit_seconds=100)


@pytest.mark.parametrize(
    ("terms", "renewed", "active", "now", "found"),
    [
        (Terms(), 0, 0, 1e9, ""),
        (Terms(lease_seconds=10), 0, 0, 9.9, ""),
        (Terms(lease_seconds=10), 0, 0, 10, "lease"),
        (Terms(lease_seconds=10), 5, 0, 14.9, ""),
        (Terms(lease_seconds=10), 0, 5, 14.9, ""),  # a request of somebody who left
        (Terms(lease_seconds=10), 5, 4, 15, "lease"),
        (Terms(idle_seconds=30), 0, 0, 29.9, ""),
        (Terms(idle_seconds=30), 29, 0, 30, "idle"),  # a laptop in sight is no request
        (Terms(idle_seconds=30), 0, 20, 49, ""),
        (Terms(limit_seconds=100), 99, 99, 99.9, ""),
        (Terms(limit_seconds=100), 100, 100, 100, "limit"),
        (ALL, 0, 0, 10, "lease"),
        (ALL, 29, 0, 30, "idle"),
        (ALL, 99, 99, 100, "limit"),
        (ALL, 0, 0, 200, "limit"),
        (Terms(lease_seconds=10), float("inf"), float("inf"), 1e9, ""),  # not ready yet
    ],
)
def test_a_run_ends_when_its_terms_have_run_out(
    terms: Terms, renewed: float, active: float, now: float, found: str
) -> None:
    assert lease.verdict(now, renewed, active, 0, terms) == found


@pytest.mark.parametrize(
    ("before", "metrics", "last"),
    [
        (None, Metrics(), 0.0),
        (Metrics(), Metrics(), 0.0),
        (Metrics(), Metrics(running=1), 50.0),
        (Metrics(), Metrics(waiting=1), 50.0),
        (Metrics(), Metrics(generation_tokens=1), 50.0),
        (Metrics(), Metrics(prompt_tokens=1), 50.0),
        (Metrics(), Metrics(requests_done=1), 50.0),
        (Metrics(requests_done=9), Metrics(), 50.0),  # another engine
        (Metrics(kv_use=0.5), Metrics(kv_use=0.1), 0.0),
    ],
)
def test_a_request_and_every_counter_that_moved_is_activity(
    before: Metrics | None, metrics: Metrics, last: float
) -> None:
    found = lease.after_look(Activity(0.0, 0.0, before), metrics, 50.0)
    assert found == Activity(last, 50.0, metrics)


def test_figures_that_cannot_be_read_count_as_activity_for_a_while_only() -> None:
    seen = Activity(0.0, 0.0, Metrics(requests_done=3))
    blind = lease.after_look(seen, None, BLIND_SECONDS - 1)
    assert blind == seen._replace(last=BLIND_SECONDS - 1)
    assert lease.after_look(blind, None, BLIND_SECONDS) == blind
    assert lease.after_look(blind, Metrics(requests_done=3), 700.0).last == blind.last


@pytest.mark.parametrize(("stamp", "renewed"), [(7, 0.0), (8, 50.0), (6, 50.0), (None, 50.0)])
def test_a_lease_is_renewed_by_any_change_whatever_the_clock_says(
    stamp: int | None, renewed: float
) -> None:
    assert lease.after_glance(Lease(0.0, 7), stamp, 50.0) == Lease(renewed, stamp)


class Host:
    """A run, a clock and an engine's figures, all in the hands of the test."""

    def __init__(self, folder: Path, agreed: Terms) -> None:
        self.now = 1000.0
        self.metrics: Metrics | None = Metrics()
        self.run = runs.create(folder, {})
        self.connected = False
        self.guards = Guards(
            self.run, agreed, lambda: self.now, lambda _: self.metrics, lambda _: self.connected
        )

    def over_after(self, seconds: float) -> str:
        """Return the verdict after so many seconds, with a look each time one is due."""
        end = self.now + seconds
        while self.now < end:
            self.now += LOOK_SECONDS
            found = self.guards.over()
            if found:
                return found
        return ""


@pytest.fixture
def host(tmp_path: Path) -> Callable[..., Host]:
    return lambda **agreed: Host(tmp_path, Terms(**agreed))


def test_only_the_limit_counts_while_the_run_is_being_prepared(host: Callable[..., Host]) -> None:
    assert host(lease_seconds=10, idle_seconds=10).over_after(1000) == ""
    assert host(limit_seconds=60).over_after(62) == "limit"


def test_the_lease_counts_from_ready(host: Callable[..., Host]) -> None:
    box = host(lease_seconds=10)
    assert box.over_after(500) == ""
    box.guards.engine_serves(8000)
    assert box.over_after(9) == ""
    assert box.over_after(3) == "lease"


def test_on_a_node_that_is_not_the_head_the_lease_counts_when_its_engine_has_ended(
    host: Callable[..., Host],
) -> None:
    box = host(lease_seconds=10, idle_seconds=10)
    box.guards.engine_serves(0)
    assert box.over_after(1000) == ""
    box.guards.count_from_now()
    assert box.over_after(12) == "idle"


def test_a_clock_that_jumps_ends_no_run_and_renews_no_lease(host: Callable[..., Host]) -> None:
    box = host(lease_seconds=10)
    os.utime(str(box.run.lease), (0, 0))  # the laptop was here fifty years ago
    box.guards.engine_serves(8000)
    assert box.over_after(9) == ""
    assert box.over_after(3) == "lease"
    assert box.over_after(3) == "lease"


def test_a_renewed_lease_goes_on(host: Callable[..., Host]) -> None:
    box = host(lease_seconds=10)
    box.guards.engine_serves(8000)
    for age in range(1, 8):
        assert box.over_after(8) == ""
        os.utime(str(box.run.lease), (age, age))
    assert box.over_after(14) == "lease"


def test_a_run_never_ends_for_idleness_while_a_request_runs(host: Callable[..., Host]) -> None:
    box = host(idle_seconds=10, lease_seconds=10)
    box.guards.engine_serves(8000)
    box.metrics = Metrics(running=1)
    assert box.over_after(1000) == ""
    box.metrics = Metrics()
    assert box.over_after(9) == ""
    assert box.over_after(3) == "idle"


def test_a_request_between_the_last_two_looks_keeps_the_run(host: Callable[..., Host]) -> None:
    box = host(idle_seconds=10)
    box.guards.engine_serves(8000)
    assert box.over_after(10) == ""  # suspected once
    box.metrics = Metrics(requests_done=1)
    assert box.over_after(9) == ""
    assert box.over_after(3) == "idle"


@pytest.mark.parametrize("agreed", [{"idle_seconds": 10}, {"lease_seconds": 10}])
def test_a_request_whose_first_step_takes_minutes_keeps_the_run(
    host: Callable[..., Host], agreed: dict[str, int]
) -> None:
    box = host(**agreed)
    box.guards.engine_serves(8000)
    assert box.over_after(9) == ""
    box.connected = True  # and the figures tell nothing of it before the step is done
    assert box.over_after(300) == ""
    box.connected, box.metrics = False, Metrics(requests_done=1)
    assert box.over_after(9) == ""
    assert box.over_after(3) == next(iter(agreed)).partition("_")[0]


def test_a_connection_that_nobody_uses_keeps_a_run_for_a_while_only(
    host: Callable[..., Host],
) -> None:
    box = host(idle_seconds=10)
    box.guards.engine_serves(8000)
    box.connected = True
    assert box.over_after(BLIND_SECONDS) == ""
    assert box.over_after(15) == "idle"


def test_a_connection_keeps_no_run_beyond_its_limit(host: Callable[..., Host]) -> None:
    box = host(limit_seconds=60)
    box.guards.engine_serves(8000)
    box.connected = True
    assert box.over_after(62) == "limit"


def test_who_is_connected_to_a_port_is_seen() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not loopback.connected(port)
        with socket.create_connection(("127.0.0.1", port)):
            assert loopback.connected(port)


def test_new_terms_take_the_place_of_those_in_the_spec(host: Callable[..., Host]) -> None:
    box = host(lease_seconds=10)
    box.guards.engine_serves(8000)
    terms.write(box.run.terms, Terms(lease_seconds=100, power_off=True))
    assert box.over_after(50) == ""
    assert box.guards.terms.power_off is True


def test_idle_time_counts_from_the_agreement_on_it(host: Callable[..., Host]) -> None:
    box = host()
    box.guards.engine_serves(8000)
    assert box.over_after(1000) == ""
    terms.write(box.run.terms, Terms(idle_seconds=10))
    assert box.over_after(9) == ""
    assert box.over_after(5) == "idle"


def test_looks_are_not_taken_more_often_than_needed(host: Callable[..., Host]) -> None:
    box = host(idle_seconds=10)
    box.guards.engine_serves(8000)
    box.guards.over()
    box.now += 100
    assert box.guards.over() == ""
    assert box.guards.over() == ""  # at the same moment: no second look, so no verdict
    box.now += LOOK_SECONDS
    assert box.guards.over() == "idle"


@pytest.mark.parametrize(
    "fields",
    [
        {"lease_seconds": "60"},
        {"lease_seconds": -1},
        {"lease_seconds": True},
        {"power_off": 1},
        {"idle_seconds": None},
        [],
    ],
)
def test_damaged_terms_change_nothing(tmp_path: Path, fields: Any) -> None:
    agreed = Terms(60, 70, 80, power_off=True)
    path = tmp_path / "terms.json"
    runs.write_private(path, fields)
    assert terms.read(path, agreed) == agreed


def test_terms_survive_their_file(tmp_path: Path) -> None:
    agreed = Terms(60, 70, 80, power_off=True)
    terms.write(tmp_path / "terms.json", agreed)
    assert terms.read(tmp_path / "terms.json", Terms()) == agreed


def test_terms_come_with_the_spec() -> None:
    spec = Spec(model="a/b", api_key="k", lease_seconds=1, idle_seconds=2, limit_seconds=3)
    assert terms.of(spec) == Terms(1, 2, 3)


def test_renewing_makes_no_file_and_minds_no_missing_one(tmp_path: Path) -> None:
    run = Run(tmp_path)
    runs.renew_lease(run)
    assert list(tmp_path.iterdir()) == []


def test_renewing_changes_the_stamp(tmp_path: Path) -> None:
    run = runs.create(tmp_path, {})
    os.utime(str(run.lease), (5, 5))
    before = lease.stamp(run.lease)
    runs.renew_lease(run)
    assert lease.stamp(run.lease) not in (None, before)
