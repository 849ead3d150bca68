"""Never billed for nothing: lease, idle time and limit over a real sshd, and the power-off.

Every host here has a harmless `shutdown` first in its PATH: it writes down that it was called.
"""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from desktop.core.agent.client import Agent
from desktop.core.agent.deploy import deploy
from desktop.core.errors import AppError
from desktop.core.events import Ended, PhaseChanged, PoweringOff
from desktop.core.phases import Phase
from desktop.core.session.power import SILENT_PROBES, power_off
from desktop.core.session.spec import spec_fields
from desktop.core.ssh.connection import connect
from remote import wire
from tests.e2e.conftest import Box, MakeBox
from tests.helpers.person import Person
from tests.helpers.rented import AUTODL, rent
from tests.helpers.sessions import ready_session, wishes_for
from tests.helpers.story import Heard
from tests.helpers.waiting import until

GIVEN_UP_SECONDS = 3.0
LATE_SECONDS = 10.0  # how long after its time a run may end at most
SLOW_REPLY = ("--scripted-tokens-per-s", "10", "--scripted-reply-tokens", "80")
REPLY_SECONDS = 8


@contextmanager
def agent_on(box: Box) -> Iterator[Agent]:
    """Give the agent over a connection; at the end no laptop is there any more."""
    sshd = box.sshd
    with connect(sshd.destination, sshd.credentials, Person(), sshd.known_hosts()) as connection:
        yield deploy(connection)


def begin(box: Box, agent: Agent, **terms: Any) -> str:
    """Start a run under these terms, wait until it serves, and return it."""
    run = agent.start({**spec_fields(wishes_for(box)), **terms}).run
    for message in agent.watch(run, 0):
        assert message["kind"] not in ("failed", "end"), message
        if message["kind"] == "ready":
            return run
    raise AssertionError("unreachable")


def reason(box: Box) -> object:
    last = box.journal[-1]
    return last["reason"] if last["kind"] == "stopped" else None


def ready_at(box: Box) -> float:
    """Return the wall time at which the engine was ready."""
    return next(float(str(e["time"])) for e in box.journal if e["kind"] == "ready")


def test_a_lease_that_runs_out_ends_everything_with_no_laptop_in_sight(box: Box) -> None:
    with agent_on(box) as agent:
        begin(box, agent, lease_seconds=3)
    left = time.time()
    until(lambda: box.processes == [], 3 + LATE_SECONDS)
    assert reason(box) == wire.LEASE
    assert float(str(box.journal[-1]["time"])) >= ready_at(box) + 3
    assert time.time() - left < 3 + LATE_SECONDS


def test_a_lease_that_is_renewed_goes_on_and_then_runs_out(box: Box) -> None:
    with agent_on(box) as agent:
        run = begin(box, agent, lease_seconds=9)
        until_watched(agent, run, seconds=20)
        assert reason(box) is None
    until(lambda: box.processes == [], 9 + LATE_SECONDS)
    assert reason(box) == wire.LEASE


def until_watched(agent: Agent, run: str, seconds: float) -> None:
    """Watch for so long, as the laptop does; its samples are the clock."""
    deadline = time.monotonic() + seconds
    for message in agent.watch(run, 0):
        assert message["kind"] != "end"
        if message["kind"] == "sample" and time.monotonic() > deadline:
            return


def test_a_connection_that_is_cut_renews_nothing(box: Box) -> None:
    with agent_on(box) as agent:
        run = begin(box, agent, lease_seconds=3)
        watching = agent.watch(run, 0)
        next(watching)
        box.sshd.freeze()  # the laptop's machine sleeps: TCP stands, nobody is there
        try:
            until(lambda: reason(box) == wire.LEASE, 3 + LATE_SECONDS)
        finally:
            box.sshd.thaw()
        assert [m["reason"] for m in watching if m["kind"] == "end"] == ["stopped"]


def test_a_run_is_not_idle_while_a_slow_reply_is_being_written(make_box: MakeBox) -> None:
    box = make_box(*SLOW_REPLY)
    with agent_on(box) as agent, ThreadPoolExecutor(1) as pool:
        begin(box, agent, idle_seconds=2, lease_seconds=2)
        endpoint = agent.endpoint()
        asking = pool.submit(ask, endpoint.port, endpoint.api_key, box.model)
        assert asking.result(60)["usage"]["completion_tokens"] == REPLY_SECONDS * 10
        answered = time.time()
        assert reason(box) is None
    until(lambda: box.processes == [], 2 + LATE_SECONDS)
    assert reason(box) == wire.IDLE
    assert float(str(box.journal[-1]["time"])) >= answered + 1


def ask(port: int, key: str, model: str) -> dict[str, Any]:
    body = {"model": model, "messages": [{"role": "user", "content": "A long story, please."}]}
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/chat/completions",
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=60) as response:
        answer: dict[str, Any] = json.load(response)
    return answer


def test_a_limit_ends_a_run_that_is_being_watched_and_says_so(box: Box) -> None:
    with agent_on(box) as agent:
        run = begin(box, agent)
        assert reason(box) is None
        until_watched(agent, run, seconds=0)
        spec = json.loads((box.home / ".paperkite/runs" / run / "spec.json").read_text())
        joined = agent.start({**spec, "limit_seconds": 1})
        assert joined.adopted  # and the living run is under the new terms
        events = list(agent.watch(run, 0))
    assert [(e["kind"], e["reason"]) for e in events[-2:]] == [
        ("stopped", wire.LIMIT),
        ("end", "stopped"),
    ]


def test_a_lease_that_has_run_out_powers_off_a_host_where_that_is_safe(box: Box) -> None:
    record = rent(box.home, AUTODL)
    with agent_on(box) as agent:
        begin(box, agent, lease_seconds=2, power_off=True)
    until(record.exists, 2 + LATE_SECONDS)
    assert reason(box) == wire.LEASE
    until(lambda: box.processes == [])
    assert record.read_text(encoding="utf-8") == "called: \n"


@pytest.mark.parametrize("variable", ["", "RUNPOD_POD_ID=x"])
def test_a_host_where_it_is_not_known_to_be_safe_is_left_on(box: Box, variable: str) -> None:
    record = rent(box.home, variable)
    with agent_on(box) as agent:
        begin(box, agent, lease_seconds=2, power_off=True)
    until(lambda: box.processes == [], 2 + LATE_SECONDS)
    assert reason(box) == wire.LEASE
    assert not record.exists()
    with agent_on(box) as agent, pytest.raises(AppError) as caught:
        power_off(agent, box.sshd.destination, threading.Event())
    assert caught.value.code == "power-off-not-known"
    assert not record.exists()


def test_a_power_off_is_believed_once_the_ssh_port_is_silent(box: Box) -> None:
    record = rent(box.home, AUTODL)
    with agent_on(box) as agent:
        begin(box, agent)
        with ThreadPoolExecutor(1) as pool:
            going = pool.submit(power_off, agent, box.sshd.destination, threading.Event())
            until(record.exists)
            assert not going.done()  # the port still speaks
            box.sshd.stop()
            stopped = going.result(60)
    assert (stopped.was_running, stopped.provider) == (True, "autodl")
    assert record.read_text(encoding="utf-8") == "called: \n"
    box.sshd.start()


def test_a_session_that_powers_its_host_off_is_off_once_that_was_seen(box: Box) -> None:
    record = rent(box.home, AUTODL)
    with ready_session(box) as (session, heard):
        session.stop(power_off=True)
        until(record.exists)
        assert heard.phases[-1] is Phase.STOPPING, "the port still speaks"
        assert box.processes == []
        box.sshd.stop()
        until(lambda: heard.phases[-1] is Phase.OFF, 60)
        assert Phase.RECONNECTING not in heard.phases
    assert Ended("stopped", wire.ASKED, powered_off=True) in heard.events
    assert PoweringOff(SILENT_PROBES, SILENT_PROBES) in heard.events
    box.sshd.start()


def test_a_session_says_where_it_cannot_power_off_and_has_stopped_all_the_same(box: Box) -> None:
    record = rent(box.home, "RUNPOD_POD_ID=x")
    with ready_session(box) as (session, heard):
        session.stop(power_off=True)
        until(lambda: heard.phases[-1] is Phase.FAILED)
        assert box.processes == []
        assert not record.exists()
    assert codes(heard) == ["power-off-not-known"]
    assert Ended("stopped", wire.ASKED) in heard.events


def test_a_stop_that_hangs_is_given_up_at_the_second_word_and_called_unseen(box: Box) -> None:
    with ready_session(box) as (session, heard):
        box.sshd.freeze()
        try:
            session.stop()
            until(lambda: heard.phases[-1] is Phase.STOPPING)
            began = time.monotonic()
            session.stop()
            until(lambda: heard.phases[-1] is Phase.FAILED)
            assert time.monotonic() - began < GIVEN_UP_SECONDS
        finally:
            box.sshd.thaw()
    assert codes(heard) == ["stop-unseen"]
    assert box.processes, "nobody can tell, and it was not called stopped"


def codes(heard: Heard) -> list[str]:
    """Return the errors that phases came with."""
    changes = [event for event in heard.events if isinstance(event, PhaseChanged)]
    return [event.error.code for event in changes if event.error is not None]
