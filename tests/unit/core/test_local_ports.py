"""Each saved host keeps the first port that it got, and takes nobody else's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from desktop.core.events import Endpoint, Event, PhaseChanged, Ready
from desktop.core.local_ports import LocalPorts
from desktop.core.phases import Phase
from desktop.core.saved import SavedHost
from desktop.core.settings import Settings

TWO = Settings(hosts={"box": SavedHost("box"), "lab": SavedHost("lab")})
SHARED = "http://127.0.0.1:8003/v1"
ENDPOINT = Endpoint("http://127.0.0.1:41234/v1", "k", "a/b", 2048, "r", "0.32.0", SHARED)


@pytest.fixture
def ports(tmp_path: Path) -> LocalPorts:
    return LocalPorts(tmp_path / "local-ports")


def test_a_new_host_tries_the_usual_ports(ports: LocalPorts) -> None:
    assert ports.of("box") == 0
    assert ports.to_try("box", TWO) == tuple(range(8000, 8020))


def test_its_own_port_comes_first_and_no_other_hosts_at_all(ports: LocalPorts) -> None:
    ports.keep("box", 8002)
    ports.keep("lab", 8000)
    assert ports.to_try("box", TWO)[:3] == (8002, 8001, 8003)
    assert ports.to_try("", TWO)[:2] == (8001, 8003)
    chosen = replace(TWO, hosts={**TWO.hosts, "third": SavedHost("x", local_port=8001)})
    assert ports.to_try("", chosen)[0] == 8003


def test_the_first_port_stays(ports: LocalPorts) -> None:
    ports.keep("box", 8002)
    ports.keep("box", 8009)  # 8002 was taken that day
    assert ports.of("box") == 8002
    ports.forget("box")
    assert ports.of("box") == 0
    ports.forget("box")


def test_where_they_begin_is_the_users_choice_and_another_choice_gives_them_out_anew(
    tmp_path: Path,
) -> None:
    usual, wished = LocalPorts(tmp_path), LocalPorts(tmp_path, 9000)
    usual.keep("box", 8000)
    assert wished.of("box") == 0
    assert wished.to_try("box", TWO) == tuple(range(9000, 9020))
    wished.keep("box", 9000)
    assert wished.of("box") == 9000
    assert wished.to_try("lab", TWO)[0] == 9001
    assert usual.of("box") == 0
    assert LocalPorts(tmp_path, 65535).to_try("lab", TWO) == (65535,)


@pytest.mark.parametrize(
    "content", ["", "eight", "0", "70000", "８０００", "80\n00", "8000 9000", "8000 0"]
)
def test_what_is_no_port_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "box").write_text(content, encoding="utf-8")
    assert LocalPorts(tmp_path).of("box") == 0


def test_where_nothing_can_be_written_it_goes_on(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ports = LocalPorts(tmp_path / "file")
    ports.keep("box", 8000)
    assert ports.of("box") == 0


def test_a_session_that_is_ready_has_its_port_remembered(ports: LocalPorts) -> None:
    heard: list[Event] = []
    emit = ports.keeping("box", heard.append)
    events: list[Event] = [PhaseChanged(Phase.READY), Ready(ENDPOINT)]
    for event in events:
        emit(event)
    assert heard == events
    assert ports.of("box") == 8003
    ports.keeping("", heard.append)(Ready(ENDPOINT))
    nobody = ports.keeping("alone", heard.append)
    nobody(Ready(replace(ENDPOINT, shared_url="")))
    assert not (ports._folder / "alone").exists(), "only the port that others are told of is kept"
    assert ports.to_try("lab", TWO)[0] == 8000
