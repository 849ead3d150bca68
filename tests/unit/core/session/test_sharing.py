"""Two ports: ours is nobody's business, the shared one comes and goes and stays the same."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar, cast

import pytest

from desktop.core.agent.answers import HostEndpoint
from desktop.core.errors import ConnectionLost, ForwardFailed
from desktop.core.events import Endpoint, Ready
from desktop.core.phases import Phase
from desktop.core.session import endpoint
from desktop.core.session import session as story
from desktop.core.session.endpoint import LocalEnd
from desktop.core.session.session import Session
from desktop.core.ssh.connection import Connection
from desktop.core.ssh.forward import LocalForward
from tests.helpers.story import READY, WISHES, WORK, FakeHost, Heard, living

FOUND = HostEndpoint("r1", 9000, "pk-1", "a/b", 2048, "0.32.0")
_OPEN = endpoint.open_forward
_ANY = 50_000


class Port:
    """A forward without a socket: what is taken is taken."""

    taken: ClassVar[set[int]] = set()
    count: ClassVar[int] = 0

    def __init__(self, port: int = 0) -> None:
        Port.count += 1
        self.port = port or _ANY + Port.count
        if self.port in Port.taken:
            raise ForwardFailed("local-port-taken", port=port)
        Port.taken.add(self.port)
        self.leads: list[str] = []
        self.open_count = 0

    def attach(self, _connection: object, port: int, _more: object = None) -> None:
        self.leads.append(f"to {port}")

    def detach(self) -> None:
        self.leads.append("nowhere")

    def close(self) -> None:
        Port.taken.discard(self.port)


@pytest.fixture(autouse=True)
def ports(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """Return the ports that are taken."""
    monkeypatch.setattr(Port, "taken", set())
    monkeypatch.setattr(endpoint, "LocalForward", Port)
    monkeypatch.setattr(endpoint, "open_forward", _OPEN)  # the real one: conftest has another
    return Port.taken


def attach(end: LocalEnd, **wishes: Any) -> Endpoint:
    connection = cast("Connection", object())
    return end.attach(FOUND, connection, lambda: connection, replace(WISHES, **wishes))


def test_the_usual_port_is_for_others_and_ours_is_another(ports: set[int]) -> None:
    there = attach(LocalEnd(has_own=True))
    assert there.shared_url == "http://127.0.0.1:8000/v1"
    assert there.base_url != there.shared_url
    assert len(ports) == 2


def test_with_one_port_it_is_the_same_for_all_and_stays_open(ports: set[int]) -> None:
    end = LocalEnd()
    there = attach(end)
    assert there.base_url == there.shared_url == "http://127.0.0.1:8000/v1"
    end.share(WISHES, wanted=False)
    assert ports == {8000}
    assert end.others == 0


def test_what_is_not_shared_has_no_usual_port(ports: set[int]) -> None:
    there = attach(LocalEnd(has_own=True, is_shared=False))
    assert there.shared_url == ""
    assert 8000 not in ports


def test_the_shared_port_comes_back_as_it_was_over_switches_and_reconnects(
    ports: set[int],
) -> None:
    ports.add(8000)
    end = LocalEnd(has_own=True)
    first = attach(end)
    ports.discard(8000)  # free by now, but others were told of another one
    end.share(WISHES, wanted=False)
    end.share(WISHES, wanted=True)
    end.detach()
    again = attach(end)
    assert first.shared_url == end.shared_url == again.shared_url == "http://127.0.0.1:8001/v1"
    assert first.base_url == again.base_url
    end.close()
    assert attach(end).shared_url == first.shared_url


def test_a_port_that_is_taken_leaves_everything_as_it_was(ports: set[int]) -> None:
    end = LocalEnd(has_own=True, is_shared=False)
    ports.add(7777)
    before = attach(end, local_port=7777)
    with pytest.raises(ForwardFailed):
        end.share(replace(WISHES, local_port=7777), wanted=True)
    end.detach()
    assert attach(end, local_port=7777) == before, "the next connection is worth no failure"


def test_a_wished_port_that_is_taken_at_first_costs_no_conversation(ports: set[int]) -> None:
    ports.add(7777)
    end = LocalEnd(has_own=True)
    there = attach(end, local_port=7777)
    assert there.base_url
    assert there.shared_url == ""
    assert there.not_shared is not None
    assert there.not_shared.code == "local-port-taken"
    ports.discard(7777)
    end.detach()
    again = attach(end, local_port=7777)
    assert (again.shared_url, again.not_shared) == ("http://127.0.0.1:7777/v1", None)


def test_who_was_refused_is_let_in_by_the_switch_once_the_port_is_free(ports: set[int]) -> None:
    ports.add(7777)
    wishes = replace(WISHES, local_port=7777)
    end = LocalEnd(has_own=True)
    attach(end, local_port=7777)
    end.share(wishes, wanted=False)
    assert end.not_shared is None, "nobody is to be let in"
    ports.discard(7777)
    end.share(wishes, wanted=True)
    assert (end.shared_url, end.not_shared) == ("http://127.0.0.1:7777/v1", None)


def test_where_it_is_the_only_port_a_wished_one_that_is_taken_is_an_error(ports: set[int]) -> None:
    ports.add(7777)
    with pytest.raises(ForwardFailed) as caught:
        attach(LocalEnd(), local_port=7777)
    assert caught.value.code == "local-port-taken"


def test_who_is_let_in_while_the_host_is_away_waits_for_it() -> None:
    end = LocalEnd(has_own=True, is_shared=False)
    attach(end)
    end.detach()
    end.share(WISHES, wanted=True)
    assert end.shared_url == "http://127.0.0.1:8000/v1"
    forward = cast("Port", end._shared)
    assert forward.leads == []
    attach(end)
    assert forward.leads == ["to 9000"]


def test_only_what_comes_through_the_shared_port_are_others() -> None:
    end = LocalEnd(has_own=True)
    attach(end)
    cast("Port", end._own).open_count = 5
    assert end.others == 0
    cast("Port", end._shared).open_count = 2
    assert end.others == 2
    end.share(WISHES, wanted=False)
    assert end.others == 0


def test_two_sessions_of_one_process_have_ports_of_their_own(ports: set[int]) -> None:
    one, other = attach(LocalEnd(has_own=True)), attach(LocalEnd(has_own=True))
    assert one.shared_url == "http://127.0.0.1:8000/v1"
    assert other.shared_url == "http://127.0.0.1:8001/v1"
    assert len(ports) == 4


def test_ports_are_given_back(ports: set[int]) -> None:
    end = LocalEnd(has_own=True)
    attach(end)
    end.close()
    assert ports == set()


def test_a_real_port_is_open_only_while_it_is_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "LocalForward", LocalForward)
    probe = LocalForward(0)
    wished = probe.port
    probe.close()
    end = LocalEnd(has_own=True, is_shared=False)
    end._own = LocalForward(0)
    try:
        end.share(replace(WISHES, local_port=wished), wanted=True)
        with pytest.raises(ForwardFailed):
            LocalForward(wished)
        end.share(WISHES, wanted=False)
        LocalForward(wished).close()
    finally:
        end.close()


# -- in the story ----------------------------------------------------------------------------------


def shared_urls(heard: Heard) -> list[str]:
    return [event.endpoint.shared_url for event in heard.events if isinstance(event, Ready)]


def test_the_switch_is_told_while_the_model_answers(
    begin: Callable[..., Session], heard: Heard
) -> None:
    session = begin(FakeHost([*WORK, READY, "until closed"]), is_shared=True)
    heard.wait_for(lambda event: isinstance(event, Ready))
    session.share(wanted=False)
    session.share(wanted=True)
    url = "http://127.0.0.1:8000/v1"
    assert shared_urls(heard) == [url, "", url]


def test_a_switch_while_the_model_is_asked_for_the_first_time_is_not_lost(
    begin: Callable[..., Session], heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_asked, may_answer = threading.Event(), threading.Event()

    def answers(_endpoint: Endpoint, _is_moot: object) -> bool:
        is_asked.set()
        return may_answer.wait(10)

    monkeypatch.setattr(story, "await_answer", answers)
    session = begin(FakeHost([*WORK, READY, "until closed"]), is_shared=True)
    assert is_asked.wait(10)
    session.share(wanted=False)
    may_answer.set()
    heard.wait_for(lambda event: isinstance(event, Ready))
    assert shared_urls(heard) == [""]


def test_a_switch_while_the_connection_is_away_is_told_when_it_is_back(
    begin: Callable[..., Session], heard: Heard
) -> None:
    lost = ConnectionLost("connection-lost")
    host = FakeHost([*WORK, READY, lost], ["until closed"], run=living())
    is_switched = threading.Event()
    session = begin(host, None, lambda: is_switched.wait(10) and None, is_shared=False)
    heard.phase(Phase.RECONNECTING)
    session.share(wanted=True)
    is_switched.set()
    heard.wait_for(lambda event: len(shared_urls(heard)) == 2)
    assert shared_urls(heard) == ["", "http://127.0.0.1:8000/v1"]


def test_after_the_end_nothing_is_opened(
    begin: Callable[..., Session], heard: Heard, ports: set[int]
) -> None:
    end = {"kind": "end", "reason": "stopped"}
    session = begin(FakeHost([*WORK, READY, end]), is_shared=False)
    heard.phase(Phase.OFF)
    session.share(wanted=True)
    assert ports == set()
    assert shared_urls(heard) == [""]
