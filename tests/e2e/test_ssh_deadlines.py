"""Every call on a connection has a deadline: each one is made to an sshd that is frozen.

The kernel goes on to answer TCP for it, so that nothing but the calls' own deadlines can end them
before liveness does, which takes 18 s.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from desktop.core.errors import ConnectionLost
from desktop.core.ssh import process
from desktop.core.ssh.connection import Connection, Process, Timeouts, connect
from tests.helpers.person import Person
from tests.helpers.sshd import Sshd

_OURS = 1.0  # each deadline here
_SECONDS = 8.0  # for a call that may have several, on a busy machine

Call = Callable[[Connection, Process], object]

# What waits for the host, and is to fail when it does not answer.
_FAILING: dict[str, Call] = {
    "Connection.exec": lambda connection, _: connection.exec("true"),
    "Connection.run": lambda connection, _: connection.run("true", timeout=_OURS),
    "Connection.put": lambda connection, _: connection.put(bytes(100_000), "/nowhere"),
    "Connection.open_tunnel": lambda connection, _: connection.open_tunnel("127.0.0.1", 1),
    "Process.lines": lambda _, running: list(running.lines(timeout=_OURS)),
    "Process.read_all": lambda _, running: running.read_all(timeout=_OURS),
    "Process.write": lambda _, running: running.write(bytes(64 << 20)),
}
# What gives the host its chance, and then goes on.
_PASSING: dict[str, Call] = {
    "Connection.send_promptly": lambda connection, _: connection.send_promptly(),
    "Connection.poke": lambda connection, _: connection.poke(),
    "Connection.wait_closed": lambda connection, _: connection.wait_closed(_OURS),
    "Connection.cut": lambda connection, _: connection.cut(),
    "Connection.close": lambda connection, _: connection.close(),
    "Process.close_stdin": lambda _, running: running.close_stdin(),
    "Process.close": lambda _, running: running.close(),
}
_WITHOUT_THE_HOST = {
    "Connection.when_stalled",
    "Connection.when_ended",
    "Connection.on_lost",
}


@pytest.fixture
def frozen(sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Connection, Process]]:
    monkeypatch.setattr(process, "_WRITE_SECONDS", _OURS)
    monkeypatch.setattr(process, "_STATUS_SECONDS", _OURS)
    with connect(
        sshd.destination,
        sshd.credentials,
        Person(),
        sshd.known_hosts(),
        Timeouts(channel=_OURS),
    ) as connection:
        running = connection.exec("cat")
        sshd.freeze()
        try:
            yield connection, running
        finally:
            sshd.thaw()


@pytest.mark.parametrize("name", _FAILING)
def test_what_waits_for_a_frozen_host_fails_in_time(
    name: str, frozen: tuple[Connection, Process]
) -> None:
    with pytest.raises(ConnectionLost):
        _within_time(name, _FAILING[name], frozen)


@pytest.mark.parametrize("name", _PASSING)
def test_what_can_do_without_a_frozen_host_returns_in_time(
    name: str, frozen: tuple[Connection, Process]
) -> None:
    _within_time(name, _PASSING[name], frozen)


def _within_time(name: str, call: Call, frozen: tuple[Connection, Process]) -> None:
    begin = time.monotonic()
    with ThreadPoolExecutor(1) as caller:
        called = caller.submit(call, *frozen)
        try:
            called.result(_SECONDS)
        except TimeoutError:
            frozen[0].close()  # or the test would hang with the call
            with suppress(ConnectionLost):
                called.result()
            pytest.fail(f"{name} took {time.monotonic() - begin:.0f} s")


def test_no_public_call_is_missing_here() -> None:
    public = {
        f"{owner.__name__}.{name}"
        for owner in (Connection, Process)
        for name, member in vars(owner).items()
        if callable(member) and not name.startswith("_")
    }
    assert public == {*_FAILING, *_PASSING} | _WITHOUT_THE_HOST
