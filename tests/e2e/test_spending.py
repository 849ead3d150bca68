"""The spending limit holds with the laptop asleep: the host counts it, and nobody has to be there.

Asleep is a process that is stopped in the middle of a reply, its TCP connections standing; the
other way is a laptop whose connection hangs somewhere on the way.
"""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from desktop.core import settings as settings_file
from desktop.core.events import SPENDING, Ended, TermsChanged
from desktop.core.paths import paths
from desktop.core.phases import Phase
from desktop.core.saved import SavedHost
from desktop.core.settings import Settings
from remote import wire
from tests.e2e.conftest import Box, MakeBox
from tests.helpers.command import Running, paperkite, started
from tests.helpers.processes import command_line
from tests.helpers.sessions import ready_session, wishes_for
from tests.helpers.waiting import until

LATE_SECONDS = 30.0  # the bar
LEFT_SECONDS = 15  # of the limit, when the host is told of it
RATE = 3600.0  # an hour: a second costs 1
ENDLESS_REPLY = ("--scripted-tokens-per-s", "5", "--scripted-reply-tokens", "2000")
NAME = "rented"


def join_under_a_limit(box: Box) -> float:
    """Join the run with a host that has a spending limit; return the time at which it is reached.

    What the run has cost before counts as well: that is what the limit is made of here.
    """
    began = float(str(box.journal[0]["time"]))
    where = box.sshd.destination
    saved = SavedHost(
        f"{where.user}@{where.host}:{where.port}",
        rate=RATE,
        spending_limit=float(round(time.time() - began) + LEFT_SECONDS),
        currency="CNY",
    )
    settings_file.save(Settings(hosts={NAME: saved}), paths().settings)
    joined = paperkite("up", NAME, *box.host[1:], *box.work, "--json")
    assert joined.status == 0, joined.stderr
    return began + terms(box)["limit_seconds"]


def terms(box: Box) -> dict[str, int]:
    """Return the terms that the run is under now."""
    (path,) = (box.home / ".paperkite/runs").glob("*/terms.json")
    found: dict[str, int] = json.loads(path.read_text(encoding="ascii"))
    return found


def engines(box: Box) -> list[int]:
    return [pid for pid in box.processes if b"engine.pyz" in command_line(pid)]


@contextmanager
def asleep(_box: Box, laptop: Running) -> Iterator[None]:
    laptop.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        laptop.process.send_signal(signal.SIGCONT)


@contextmanager
def out_of_reach(box: Box, _laptop: Running) -> Iterator[None]:
    box.sshd.freeze()
    try:
        yield
    finally:
        box.sshd.thaw()


@pytest.mark.parametrize("away", [asleep, out_of_reach])
def test_the_spending_limit_stops_the_engine_with_the_laptop_asleep(
    make_box: MakeBox,
    away: Callable[[Box, Running], AbstractContextManager[None]],
    record_property: Callable[[str, object], None],
) -> None:
    box = make_box(*ENDLESS_REPLY)
    assert box.up().status == 0
    limit_at = join_under_a_limit(box)
    with started("chat", *box.host, "--json", "A long story, please.") as laptop:
        laptop.wait_for(lambda line: line["kind"] == "delta")
        assert engines(box)
        with away(box, laptop):
            assert time.time() < limit_at, "the laptop must be away before the limit is reached"
            until(lambda: not engines(box), limit_at - time.time() + LATE_SECONDS)
            delay = time.time() - limit_at
            until(lambda: box.journal[-1]["kind"] == "stopped")
    assert box.journal[-1]["reason"] == wire.LIMIT
    assert 0 <= delay < LATE_SECONDS
    record_property("delay_s", round(delay, 2))
    print(f"the engine was gone {delay:.1f} s after the limit ({away})")


def test_a_limit_that_is_set_while_the_model_answers_ends_the_run_and_is_told_as_that(
    box: Box,
) -> None:
    with ready_session(box) as (session, heard):
        assert engines(box)
        session.change_terms(wishes_for(box, spending_seconds=1))
        until(lambda: TermsChanged() in heard.events)
        assert terms(box)["limit_seconds"] == 1
        until(lambda: heard.phases[-1] is Phase.OFF, LATE_SECONDS)
    assert Ended("stopped", SPENDING) in heard.events
    assert engines(box) == []
