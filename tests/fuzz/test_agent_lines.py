"""A hostile host's lines: an answer or an error of ours, plain and bounded, and no more memory."""

from __future__ import annotations

import dataclasses
import json
import tracemalloc
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice, repeat
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.core.agent.answers import Hello, messages, parse_hello, parse_status, refusal
from desktop.core.agent.client import Agent
from desktop.core.errors import AppError, ProtocolMismatch
from desktop.core.explain import explain
from desktop.core.session.reading import reason_of, to_event
from desktop.core.ssh.channel import SafeChannel
from desktop.core.ssh.connection import Connection
from desktop.core.ssh.destination import Destination
from desktop.core.ssh.process import Process
from remote import wire
from tests.fuzz.strategies import mutated, odd, share

_MESSAGES: tuple[dict[str, Any], ...] = (
    {"kind": "task", "task": "serve", "state": "running", "seq": 3, "time": 1.5},
    {"kind": "progress", "task": "model-files", "done": 1, "total": 2, "unit": "bytes", "rate": 9},
    {"kind": "fact", "name": "gpus", "value": [{"name": "RTX 4090", "memory": 24}]},
    {"kind": "sample", "gpus": [{"utilization": 9, "memory_used": 1}], "kv_use": 0.5, "running": 1},
    {"kind": "refused", "code": "model.not-found", "model": "a/b", "last_lines": ["one", "two"]},
    {"kind": "failed", "code": "engine.crashed", "detail": "why", "free": 1, "needed": 2},
    {"kind": "status", "run": "r", "state": "ready", "port": 8000, "tasks": {"serve": "done"}},
    {"kind": "hello", "protocol": 1, "agent": "1", "home": "/root", "run": {"run": "r"}},
    {"kind": "endpoint", "run": "r", "port": 8000, "api_key": "sk-1", "model": "a/b"},
    {"kind": "started", "run": "r", "adopted": True},
    {"kind": "stopped", "was_running": True, "reason": "idle", "power_off": "begun"},
    {"kind": "cleaned", "bytes": 1, "files": 2},
    {"kind": "log", "task": "serve", "line": "INFO"},
    {"kind": "keepalive"},
    {"kind": "end"},
)
_NAMES = sorted({name for message in _MESSAGES for name in message} | {"self", "args", "code"})
_numbers = st.one_of(
    st.integers(), st.floats(), st.sampled_from([2**63, -(2**63), 10**400, 1e308, 0, -1, 65536])
)
_scalars = st.one_of(st.none(), st.booleans(), _numbers, odd, st.sampled_from(wire.TASKS))
values = st.recursive(
    _scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.one_of(odd, st.sampled_from(_NAMES)), inner)
    ),
    max_leaves=8,
)


@st.composite
def changed(draw: st.DrawFn) -> str:
    """Draw a line of the protocol with up to four of its values, or of others', changed."""
    message = draw(st.sampled_from(_MESSAGES))
    names = st.one_of(st.sampled_from(sorted(message)), st.sampled_from(_NAMES))
    changes = draw(st.dictionaries(names, values, max_size=4))
    return json.dumps(message | changes | {"kind": message["kind"]})


_deep = st.builds(
    lambda kind, depth, opening, closing: (
        f'{{"kind":"{kind}","protocol":1,"name":"x","value":{opening * depth}1{closing * depth},'
        f'"tasks":{{"serve":{opening * depth}1{closing * depth}}}}}'
    ),
    st.sampled_from(["fact", "refused", "status", "hello"]),
    st.integers(1, 1200),
    st.sampled_from(["[", '{"a":']),
    st.sampled_from(["]", "}"]),
)
_TWICE = ('{"kind":"task","kind":"end"}', '{"kind":"fact","name":"a","value":NaN,"value":Infinity}')
lines = st.one_of(
    changed(),
    mutated(st.sampled_from(_MESSAGES).map(json.dumps)),
    st.sampled_from([*_TWICE, "[]", "null", '"x"', wire.MARKER]),
    odd,
    _deep,
)
outputs = st.lists(lines, max_size=6)


def check_plain(value: Any, most: int = 2000) -> None:
    """Hold a value of an event, with all that is in it, to plain and bounded text and numbers."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = [getattr(value, each.name) for each in dataclasses.fields(value)]
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list | tuple):
        assert len(value) <= 100
        for item in value:
            check_plain(item, most)
    elif isinstance(value, str):
        assert value.isprintable()
        assert len(value) <= most
    else:
        json.dumps(value, allow_nan=False)
        assert not isinstance(value, int) or abs(value) < 2**63


def check_error(error: AppError) -> None:
    check_plain(error.facts)
    check_plain(error.code, 100)
    for words in (explain(error, "zh"), explain(error, "en")):
        assert len(words.title + words.detail + words.hint) < 5000


@given(outputs)
def test_what_becomes_an_event_is_plain_and_bounded(output: list[str]) -> None:
    for message in messages([wire.MARKER, *output]):
        check_plain(to_event(message))
        check_plain(parse_status(message))
        check_plain(reason_of(message))
        check_error(refusal(message))
        str(refusal(message)).encode()


@given(outputs, st.booleans())
def test_a_hello_is_read_or_refused(output: list[str], marked: bool) -> None:
    text = "\n".join([wire.MARKER, *output] if marked else output)
    try:
        hello = parse_hello(text)
    except AppError as error:
        check_error(error)
        return
    assert hello.home.startswith("/")
    check_plain(hello)


class HostileProcess:
    """An exec whose output is made up."""

    def __init__(self, output: Iterable[str]) -> None:
        self._output = output

    def write(self, data: bytes) -> None:
        pass

    def close_stdin(self) -> None:
        pass

    def close(self) -> None:
        pass

    def lines(self, timeout: float | None = None, within: float | None = None) -> Iterator[str]:
        yield from self._output


class HostileConnection:
    """A connection to a host that answers every verb with the same lines."""

    destination = Destination("gpu")

    def __init__(self, output: Iterable[str]) -> None:
        self._output = output

    def exec(self, command: str) -> HostileProcess:
        return HostileProcess(self._output)


def agent(output: Iterable[str]) -> Agent:
    connection = cast("Connection", HostileConnection(output))
    return Agent(connection, ("python3",), Hello("1", "3.8", "", "/root", None))


_ONE_ANSWER: tuple[Callable[[Agent], Any], ...] = (
    lambda host: host.start({}),
    lambda host: host.endpoint(),
    lambda host: host.stop(power_off=True),
    lambda host: host.clean(),
)
_MANY: tuple[Callable[[Agent], Iterable[Any]], ...] = (
    lambda host: host.watch("r", 0),
    lambda host: host.logs(),
    lambda host: host.doctor({}),
)


@given(outputs, st.sampled_from([*_ONE_ANSWER, *(lambda h, v=v: list(v(h)) for v in _MANY)]))
def test_every_verb_has_an_answer_or_an_error_of_ours(
    output: list[str], verb: Callable[[Agent], Any]
) -> None:
    try:
        answer = verb(agent([wire.MARKER, *output]))
    except AppError as error:
        check_error(error)
        return
    if not isinstance(answer, list):
        check_plain(answer)


@pytest.mark.parametrize("verb", _ONE_ANSWER)
@pytest.mark.parametrize("line", ["junk", '{"kind":"fact"}', "[" * 100_000, "9" * 200_000])
def test_endless_lines_are_no_answer(verb: Callable[[Agent], Any], line: str) -> None:
    with pytest.raises(ProtocolMismatch):
        verb(agent(chain([wire.MARKER], repeat(line))))


@pytest.mark.parametrize("verb", _MANY)
def test_a_watch_and_logs_give_up_endless_junk(verb: Callable[[Agent], Iterable[Any]]) -> None:
    with pytest.raises(ProtocolMismatch):
        list(verb(agent(chain([wire.MARKER], repeat("junk")))))


class HostileChannel:
    """A channel out of which come pieces without end, of which so many are read."""

    exit_status = 0
    exit_signal = ""

    def __init__(self, piece: bytes, count: int) -> None:
        self._pieces = repeat(piece, count)

    def settimeout(self, seconds: float | None) -> None:
        pass

    def recv(self, size: int) -> bytes:
        return next(self._pieces, b"")

    @property
    def status_event(self) -> HostileChannel:
        return self

    def wait(self, seconds: float) -> bool:
        return True


def peak_of(call: Callable[[], object]) -> int:
    """Return the most bytes that Python held at once for the call, beyond what it had before."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


_MIB = 1 << 20
_LINE = b'{"kind":"fact","name":"x","value":"' + b"\xe5\xad\x97" * 80_000 + b'"}\n'


@pytest.mark.parametrize(
    ("piece", "count"),
    [
        (b"x" * (256 << 10), 128),  # 32 MiB and no line end
        (b"[" * (256 << 10), 128),
        (b"\n" * (64 << 10), 16),  # a million empty lines
        (_LINE, 64),  # 15 MiB of messages as long as they may be
        (b"\xff" * (64 << 10) + b"\n", 256),
    ],
)
def test_a_flood_takes_no_more_memory_than_a_few_lines(piece: bytes, count: int) -> None:
    marker = f"{wire.MARKER}\n".encode()
    channel = HostileChannel(piece, count)
    first = chain([marker], channel._pieces)
    channel._pieces = cast("Any", first)
    process = Process(cast("SafeChannel", channel), Destination("gpu"))

    def follow() -> None:
        try:
            for message in messages(process.lines()):
                check_plain(to_event(message))
        except ProtocolMismatch:
            pass

    assert peak_of(follow) < 24 * _MIB


@share(50)
@given(st.lists(odd, min_size=1, max_size=3).map("".join).filter(bool), st.integers(1, 4))
def test_a_hello_of_mebibytes_is_refused_in_bounds(piece: str, mebibytes: int) -> None:
    text = f"{wire.MARKER}\n" + piece * (mebibytes * _MIB // len(piece))

    def say_hello() -> None:
        with pytest.raises(AppError) as caught:
            parse_hello(text)
        check_error(caught.value)

    assert peak_of(say_hello) < 24 * _MIB


def test_a_watch_is_read_as_it_comes() -> None:
    flood = chain([wire.MARKER], repeat('{"kind":"fact","name":"x","value":1}'))
    watched = islice(agent(flood).watch("r", 0), 20_000)
    assert peak_of(lambda: deque(watched, maxlen=0)) < _MIB
