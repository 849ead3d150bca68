"""A hostile host cannot do more than fail: in time, in our words, and at no cost in memory.

Each act of `tests/helpers/hostile_acts.py` is met by the same calls that a session makes. After
it there is at most an AppError, every thread has ended (tests/conftest.py looks), and the most
memory that was held meanwhile is within a bound.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Protocol

import paramiko
import pytest

from desktop.cli.plain import plain
from desktop.core.errors import AppError, ConnectionLost
from desktop.core.explain import explain
from desktop.core.ssh import authentication, packets, process
from desktop.core.ssh.connection import Connection, Timeouts, connect
from desktop.core.ssh.credentials import Credentials
from desktop.core.ssh.known_hosts import KnownHosts
from tests.helpers.hostile_acts import (
    BEFORE_KEYS,
    BORNE,
    CUT_OFF,
    ON_LOGIN,
    TOO_MUCH,
    WITHOUT_END,
)
from tests.helpers.hostile_host import HONEST, LATE, HostileHost
from tests.helpers.person import Person
from tests.helpers.waiting import until

_SHORT = Timeouts(connect=2.0, greeting=1.0, handshake=3.0, channel=3.0)
_SECONDS = 20.0  # for any of it; a deadline of ours is 3 s here, and the machine may be busy
_PATIENCE = 3.0
_MOST_MIB = 48  # `run` may keep 16 MiB of output, twice while it hands it out; a window is 2 MiB

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="the most memory is read from Linux' /proc"
)


class Enter(Protocol):
    """Opens a connection to the host where this act is played."""

    def __call__(self, act: str, timeouts: Timeouts = ..., /) -> Connection: ...


@pytest.fixture(scope="module")
def hostile() -> Iterator[HostileHost]:
    with HostileHost() as host:
        yield host


@pytest.fixture(autouse=True)
def deadlines_of_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authentication, "_SECONDS", _PATIENCE)
    monkeypatch.setattr(packets, "_DEAF_SECONDS", _PATIENCE)
    monkeypatch.setattr(process, "_WRITE_SECONDS", _PATIENCE)
    monkeypatch.setattr(process, "_STATUS_SECONDS", _PATIENCE)


@pytest.fixture
def enter(hostile: HostileHost, tmp_path: Path) -> Enter:
    def enter(act: str, timeouts: Timeouts = _SHORT) -> Connection:
        credentials = Credentials(password="any", accept_new_host_key=True)
        hosts = KnownHosts(tmp_path / "known_hosts", ())
        return connect(hostile.of(act), credentials, Person(), hosts, timeouts)

    return enter


@contextmanager
def _bounded() -> Iterator[None]:
    """Hold what happens inside to the bounds of time and memory."""
    Path("/proc/self/clear_refs").write_text("5")  # proc(5): the peak begins anew
    before, begin = _peak(), time.monotonic()
    yield
    assert time.monotonic() - begin < _SECONDS
    assert _peak() - before < _MOST_MIB << 10, "KiB"


def _peak() -> int:
    """Return the most memory that this process has held, in KiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def _within_time(call: Callable[[], object]) -> object:
    """Make a call that may hang, in a thread: the test fails rather than hang with it."""
    with ThreadPoolExecutor(1) as caller:
        return caller.submit(call).result(_SECONDS)


def _failure(call: Callable[[], object]) -> AppError:
    with pytest.raises(AppError) as caught:
        _within_time(call)
    texts = explain(caught.value, "en")
    shown = plain(f"{texts.title} {texts.detail} {texts.hint}")
    assert "\x1b" not in shown
    assert len(shown) < 2000
    return caught.value


# The fake itself


def test_the_fake_is_a_host_like_any_other_until_its_act(
    hostile: HostileHost, enter: Enter
) -> None:
    where = hostile.of(HONEST)
    with paramiko.SSHClient() as stock:
        stock.set_missing_host_key_policy(paramiko.AutoAddPolicy())
        stock.connect(where.host, where.port, "root", "any", allow_agent=False, look_for_keys=False)
        assert stock.exec_command(HONEST)[1].read() == b"as it should be\n"
    with enter(HONEST) as connection:
        assert connection.run(HONEST).stdout == b"as it should be\n"


def test_the_acts_have_an_effect_on_one_who_does_not_look(hostile: HostileHost) -> None:
    """Stock paramiko hoards what goes beyond its window: the act reaches its memory."""
    where = hostile.of(TOO_MUCH)
    transport = paramiko.Transport((where.host, where.port))
    transport.set_log_channel("paramiko.stock")
    transport.logger.setLevel(100)
    try:
        transport.connect(username="root", password="any")
        channel = transport.open_session()
        channel.exec_command("play")
        deadline = time.monotonic() + _SECONDS
        while len(channel.in_buffer) < 16 << 20:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    finally:
        transport.close()
        transport.join(5)
    assert hostile.played(TOO_MUCH).said > (16 << 20) // 32_768


# The way in


@pytest.mark.parametrize("act", BEFORE_KEYS)
def test_before_the_keys_it_is_refused(act: str, hostile: HostileHost, enter: Enter) -> None:
    with _bounded():
        _failure(partial(enter, act))
    assert hostile.played(act).said > 0


def test_a_number_that_would_take_seconds_to_read_is_not_read(enter: Enter) -> None:
    error = _failure(partial(enter, "an answer with a huge number"))
    assert "impossible size" in error.facts["reason"]


@pytest.mark.parametrize("act", [act for act in ON_LOGIN if act != "banners"])
def test_while_we_ask_to_be_let_in_it_is_refused(
    act: str, hostile: HostileHost, enter: Enter
) -> None:
    with _bounded():
        _failure(partial(enter, act))
    assert hostile.played(act).said > 0


def test_banners_of_many_mebibytes_are_let_pass(hostile: HostileHost, enter: Enter) -> None:
    with _bounded(), enter("banners") as connection:
        assert connection.run(HONEST).stdout == b"as it should be\n"
    assert hostile.played("banners").said == 200


# Inside


@pytest.mark.parametrize("act", BORNE)
def test_it_is_borne(act: str, hostile: HostileHost, enter: Enter) -> None:
    with _bounded(), enter(act) as connection:
        done = connection.run("play", timeout=_SECONDS)
        assert done.status in (0, 128)  # 128: a signal that has no number
        assert len(done.stderr) <= 64 << 10
        assert connection.run(HONEST).stdout == b"as it should be\n"
    played = hostile.played(act)
    assert (played.said > 0, played.why) == (True, "")


@pytest.mark.parametrize("act", CUT_OFF)
def test_it_ends_the_connection(act: str, hostile: HostileHost, enter: Enter) -> None:
    with _bounded(), enter(act) as connection:
        error = _failure(lambda: list(connection.exec("play").lines()))
        assert isinstance(error, ConnectionLost)
        assert error.code == "connection-lost"
        assert connection.wait_closed(_SECONDS)
    assert hostile.played(act).said > 0


def test_a_host_that_ignores_our_window_is_cut_off(hostile: HostileHost, enter: Enter) -> None:
    with _bounded(), enter(TOO_MUCH) as connection:
        reasons: list[object] = []
        connection.on_lost(lambda error: reasons.append(error.facts["reason"]))
        process = connection.exec("play")  # and nobody reads
        assert connection.wait_closed(_SECONDS)
        until(lambda: bool(reasons))
        assert process._channel.in_buffer.read_ready()
        assert len(process._channel.in_buffer) <= 2 << 20
    assert reasons == ["more data than was allowed"]
    assert hostile.played(TOO_MUCH).said > 0


@pytest.mark.parametrize("act", WITHOUT_END)
def test_a_deadline_ends_it(act: str, hostile: HostileHost, enter: Enter) -> None:
    with _bounded():
        connection = enter(act)
        try:
            stdin = bytes(32 << 20 if "wide window" in act else 10)
            _failure(lambda: connection.run("play", stdin=stdin, timeout=_PATIENCE))
        finally:
            _within_time(connection.close)
    assert hostile.played(act).said > 0


def test_a_channel_that_is_opened_too_late_is_closed_and_harms_nothing(enter: Enter) -> None:
    with enter(LATE, replace(_SHORT, channel=0.3)) as connection:
        assert _failure(lambda: connection.run(HONEST)).code == "connection-lost"
        transport = connection._transport
        until(lambda: not transport._opening and not transport._channels.values())
        assert connection.run(HONEST).stdout == b"as it should be\n"


def test_a_line_without_end_is_cut_and_not_kept(enter: Enter) -> None:
    with _bounded():
        connection = enter("output without end")
        process = connection.exec("play")
        lines = process.lines(timeout=_PATIENCE)
        with ThreadPoolExecutor(1) as caller:
            waiting = caller.submit(next, lines)
            with pytest.raises(TimeoutError):
                waiting.result(_PATIENCE)
            connection.close()
            assert isinstance(waiting.exception(_SECONDS), ConnectionLost)
