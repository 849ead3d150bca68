from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from desktop.core.agent.answers import (
    Hello,
    Stopped,
    messages,
    parse_hello,
    parse_status,
    refusal,
)
from desktop.core.agent.client import Agent
from desktop.core.errors import (
    AgentRefused,
    ConnectionLost,
    DeployFailed,
    NothingRunning,
    ProtocolMismatch,
)
from desktop.core.ssh.connection import Connection
from desktop.core.ssh.destination import Destination
from remote import wire

HELLO = Hello(agent="1", python="3.8", platform="", home="/root", run=None)


class FakeProcess:
    """One exec with a prepared output."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self.timeout: float | None = None
        self.within: float | None = None
        self.stdin = b""
        self.stdin_open = True
        self.open = True

    def write(self, data: bytes) -> None:
        self.stdin += data

    def close_stdin(self) -> None:
        self.stdin_open = False

    def lines(self, timeout: float | None = None, within: float | None = None) -> Iterator[str]:
        self.timeout, self.within = timeout, within
        yield from self._lines

    def close(self) -> None:
        self.open = False


class FakeConnection:
    """A connection whose every exec prints the same lines."""

    destination = Destination("gpu", 2222)

    def __init__(self, *sent: dict[str, Any], banner: tuple[str, ...] = ()) -> None:
        self._lines = [*banner, wire.MARKER, *(wire.encode(message).strip() for message in sent)]
        self.commands: list[str] = []
        self.process = FakeProcess([])

    def exec(self, command: str) -> FakeProcess:
        self.commands.append(command)
        self.process = FakeProcess(self._lines)
        return self.process


def agent(connection: FakeConnection) -> Agent:
    return Agent(cast("Connection", connection), ("/usr/bin/python3", "-I", "/a b.pyz"), HELLO)


def test_banners_before_the_marker_are_skipped() -> None:
    lines = ['{"kind":"a trap"}', "Welcome!", wire.MARKER, '{"kind":"x"}', "junk", '{"kind":"y"}']
    assert [message["kind"] for message in messages(lines)] == ["x", "y"]


def test_a_flood_without_a_marker_is_refused() -> None:
    with pytest.raises(ProtocolMismatch):
        list(messages(["yes"] * 5000))


def test_the_spec_travels_on_stdin_and_never_in_the_command() -> None:
    connection = FakeConnection({"kind": "started", "run": "r1", "adopted": True})
    started = agent(connection).start({"model": "a/b", "api_key": "secret-key"})
    assert (started.run, started.adopted) == ("r1", True)
    assert "secret-key" not in connection.commands[0]
    assert b'"api_key":"secret-key"' in connection.process.stdin
    assert not connection.process.stdin_open
    assert not connection.process.open


def test_the_command_is_quoted() -> None:
    connection = FakeConnection({"kind": "stopped", "was_running": False})
    assert agent(connection).stop() == Stopped(was_running=False)
    assert connection.commands == ["exec /usr/bin/python3 -I '/a b.pyz' stop"]


def test_a_watch_ends_with_its_end_line() -> None:
    connection = FakeConnection(
        {"kind": "task", "seq": 4}, {"kind": "keepalive"}, {"kind": "end", "reason": "stopped"}
    )
    kinds = [message["kind"] for message in agent(connection).watch("r1", 3)]
    assert kinds == ["task", "end"]
    assert "watch --after 3 --run r1" in connection.commands[0]


def test_a_watch_without_its_end_line_was_cut() -> None:
    connection = FakeConnection({"kind": "task", "seq": 4})
    with pytest.raises(ConnectionLost) as caught:
        list(agent(connection).watch("r1", 0))
    assert caught.value.facts.items() >= {"host": "gpu", "port": 2222}.items()
    assert caught.value.facts["reason"]


@pytest.mark.parametrize(
    ("told", "power_off"),
    [
        ("begun", "begun"),
        ("not-known-safe", "not-known-safe"),
        ("failed", "failed"),
        ("surely", "failed"),
        (None, "failed"),  # an older agent stops and knows nothing of it
        (["begun"], "failed"),
    ],
)
def test_a_stop_tells_what_became_of_the_power_off(told: object, power_off: str) -> None:
    line = {"kind": "stopped", "was_running": True, "power_off": told, "provider": "p" * 99}
    connection = FakeConnection(line)
    stopped = agent(connection).stop(power_off=True)
    assert stopped == Stopped(was_running=True, power_off=power_off, provider="p" * 50)
    assert connection.commands[0].endswith("stop --power-off")


def test_what_comes_from_a_watch_renews_the_lease_every_five_seconds() -> None:
    connection = FakeConnection(
        *[{"kind": "keepalive"}, {"kind": "sample"}] * 6, {"kind": "end", "reason": "stopped"}
    )
    now = 100.0

    def clock() -> float:
        nonlocal now
        now += 1.0  # asked about once for each message
        return now

    list(agent(connection).watch("r1", 0, clock))
    assert connection.process.stdin == b"\n\n"


def test_a_watch_that_has_just_begun_renews_nothing() -> None:
    connection = FakeConnection({"kind": "task", "seq": 4}, {"kind": "end", "reason": "stopped"})
    list(agent(connection).watch("r1", 0, lambda: 100.0))
    assert connection.process.stdin == b""
    assert connection.process.stdin_open


def test_logs_without_their_end_line_were_cut() -> None:
    with pytest.raises(ConnectionLost) as caught:
        list(agent(FakeConnection()).logs())
    assert caught.value.facts.items() >= {"host": "gpu", "port": 2222}.items()


def test_a_watch_that_misses_four_keepalives_is_given_up_and_followed_logs_are_not() -> None:
    connection = FakeConnection({"kind": "end", "reason": "stopped"})
    list(agent(connection).watch("r1", 0))
    assert connection.process.timeout == 4 * wire.KEEPALIVE_SECONDS
    list(agent(connection).logs(follow=True))
    assert connection.process.timeout is None


# What remote/verbs/stop.py allows itself, in all: for a start that is under way, for a supervisor
# that is asked twice and killed, and for what it leaves.
A_STOP_TAKES = 90 + 10 + 20 + 20 + 10


@pytest.mark.parametrize(
    ("verb", "least"),
    [
        (lambda one: one.start({}), A_STOP_TAKES),
        (lambda one: one.stop(), A_STOP_TAKES),
        (lambda one: one.stop(power_off=True), A_STOP_TAKES),
        (lambda one: one.endpoint(), 10),
        (lambda one: one.clean(), 60),
    ],
)
def test_a_verb_with_one_answer_is_given_up_when_it_does_not_come(
    verb: Callable[[Agent], object], least: float
) -> None:
    connection = FakeConnection()
    with pytest.raises(ProtocolMismatch):
        verb(agent(connection))
    assert connection.process.within is not None
    assert least < connection.process.within <= 600


@pytest.mark.parametrize("verb", [lambda one: one.doctor({}), lambda one: one.logs()])
def test_a_doctor_or_a_log_that_falls_silent_is_given_up(
    verb: Callable[[Agent], Iterator[dict[str, Any]]],
) -> None:
    connection = FakeConnection({"kind": "end", "reason": "done"})
    list(verb(agent(connection)))
    assert connection.process.timeout is not None


def test_a_refusal_carries_the_hosts_code_and_facts() -> None:
    connection = FakeConnection({"kind": "refused", "code": "run.busy", "model": "x/y"})
    with pytest.raises(AgentRefused) as caught:
        agent(connection).start({})
    assert caught.value.code == "run.busy"
    assert caught.value.facts["model"] == "x/y"


def test_a_refusal_keeps_only_facts_that_can_be_shown() -> None:
    hostile: dict[str, Any] = {"self": 1, "not a name": 2, "x" * 51: 3, "{0}": 4, "nested": {}}
    numbers = {"a": float("nan"), "b": 10**400, "c": [float("inf"), 1, {"deep": "y" * 900}]}
    error = refusal({"kind": "refused", "code": "run.busy", "free": 5, **hostile, **numbers})
    deep = error.facts["c"].pop()
    assert len(deep) == 500
    assert error.facts == {"detail": "", "free": 5, "a": None, "b": None, "c": [None, 1]}


def test_a_secret_is_not_in_the_words_of_an_endpoint() -> None:
    line = {"kind": "endpoint", "port": 1, "api_key": "secret-key", "run": "r"}
    endpoint = agent(FakeConnection(line)).endpoint()
    assert endpoint.api_key == "secret-key"
    assert "secret-key" not in repr(endpoint)


def test_nothing_running_is_an_error_of_its_own() -> None:
    connection = FakeConnection({"kind": "refused", "code": "nothing-running"})
    with pytest.raises(NothingRunning):
        agent(connection).endpoint()


@pytest.mark.parametrize("port", [0, 70000, "8000", -1, True])
def test_an_endpoint_with_a_bad_port_is_refused(port: object) -> None:
    connection = FakeConnection({"kind": "endpoint", "port": port, "api_key": "k", "run": "r"})
    with pytest.raises(ProtocolMismatch):
        agent(connection).endpoint()


def test_the_doctors_facts_come_before_its_refusal() -> None:
    connection = FakeConnection(
        {"kind": "fact", "name": "gpu.count", "value": 0},
        {"kind": "refused", "code": "preflight.disk-full", "free": 1},
        {"kind": "end", "reason": "done"},
    )
    seen = []
    with pytest.raises(AgentRefused) as caught:
        seen += list(agent(connection).doctor({}))
    assert caught.value.exit_status == 68
    connection = FakeConnection(
        {"kind": "fact", "name": "gpu.count", "value": 0}, {"kind": "end", "reason": "done"}
    )
    assert [fact["name"] for fact in agent(connection).doctor({})] == ["gpu.count"]


def test_a_hello_of_another_protocol_is_refused() -> None:
    output = f'{wire.MARKER}\n{{"kind":"hello","protocol":2,"home":"/root"}}\n'
    with pytest.raises(ProtocolMismatch):
        parse_hello(output)


def test_an_agent_that_prints_a_traceback_did_not_start() -> None:
    with pytest.raises(DeployFailed) as caught:
        parse_hello("Traceback (most recent call last):\nzipimport.ZipImportError: not a Zip\n")
    assert "ZipImportError" in caught.value.facts["detail"]


def test_a_status_from_a_strange_host_is_bounded() -> None:
    status = parse_status(
        {"kind": "status", "run": 7, "state": "x" * 999, "tasks": {"serve": "y" * 99, "z": "1"}}
    )
    assert status.run == ""
    assert len(status.state) == 50
    assert status.tasks == {"serve": "y" * 20}
    assert not status.alive


def test_what_a_host_says_is_printable_and_not_nested_deep() -> None:
    nest = "[" * 500 + "]" * 500
    line = f'{{"kind":"fact","name":"a\\u001b[2J\\ud800\\u202eb","value":{nest}}}'
    message = next(messages([wire.MARKER, line]))
    assert message["name"] == "a [2J  b"
    assert str(message["value"]).count("[") == 5


def test_a_flood_of_damaged_lines_is_refused() -> None:
    with pytest.raises(ProtocolMismatch):
        list(messages([wire.MARKER, *["junk"] * 5000]))


def test_damaged_lines_between_good_ones_are_skipped() -> None:
    lines = [wire.MARKER, *(["junk"] * 900 + ['{"kind":"x"}']) * 3]
    assert len(list(messages(lines))) == 3


def test_a_verb_with_one_answer_does_not_wait_for_it_without_end() -> None:
    connection = FakeConnection(*[{"kind": "fact"}] * 2000, {"kind": "cleaned"})
    with pytest.raises(ProtocolMismatch):
        agent(connection).clean()


@pytest.mark.parametrize("key", ["a b", "a\nb", "ключ", "", 3])
def test_a_key_that_no_header_can_carry_is_no_key(key: object) -> None:
    connection = FakeConnection({"kind": "endpoint", "port": 8000, "api_key": key})
    with pytest.raises(ProtocolMismatch):
        agent(connection).endpoint()
