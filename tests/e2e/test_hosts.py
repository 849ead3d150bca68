"""Two rented boxes at once: each with its name, its port and its own life."""

from __future__ import annotations

import json
import socket
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from desktop.core.local_ports import LocalPorts
from desktop.core.paths import paths
from tests.e2e.conftest import MODEL, Box, MakeBox
from tests.helpers.command import Line, Running, paperkite, started


@pytest.fixture
def boxes(make_box: MakeBox) -> dict[str, Box]:
    """Two boxes, saved under their names."""
    made = {name: make_box(name=name) for name in ("east", "west")}
    for name, box in made.items():
        where = box.sshd.destination
        saved = paperkite(
            *("hosts", "save", name, f"ssh -p {where.port} {where.user}@{where.host}"),
            *("--model", MODEL, "--data-dir", str(box.data)),
            *("--identity", str(box.sshd.identity)),
        )
        assert saved.status == 0, saved.stderr
    return made


def up(name: str, box: Box) -> Line:
    outcome = paperkite(
        *("up", name, "--hub", box.hub.url, "--engine-env", str(box.engine)),
        *("--host-key", box.sshd.host_fingerprint, "--accept-new-host-key", "--json"),
    )
    assert outcome.status == 0, outcome.stderr
    return outcome.only("ready")


@contextmanager
def forwards(*names: str) -> Iterator[list[Running]]:
    with ExitStack() as stack:
        yield [stack.enter_context(started("forward", name, "--json")) for name in names]


def is_ready(line: Line) -> bool:
    return bool(line["kind"] == "ready")


def asked(ready: Line) -> str:
    body = {
        "model": ready["model"],
        "messages": [{"role": "user", "content": "Hello?"}],
        "max_tokens": 8,
    }
    request = urllib.request.Request(
        f"{ready['base_url']}/chat/completions",
        json.dumps(body).encode(),
        {"Authorization": f"Bearer {ready['api_key']}", "Content-Type": "application/json"},
    )
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
        request, None, 20
    ) as got:
        return str(json.load(got)["choices"][0]["message"]["content"])


def test_two_hosts_answer_side_by_side_and_one_goes_on_when_the_other_is_stopped(
    boxes: dict[str, Box],
) -> None:
    with (
        socket.socket() as probe
    ):  # a port that nobody else on this machine takes for the usual one
        probe.bind(("127.0.0.1", 0))
        LocalPorts(paths().local_ports).keep("west", probe.getsockname()[1])
    for name, box in boxes.items():
        up(name, box)
    with forwards("east", "west") as (east, west):
        first, second = east.wait_for(is_ready), west.wait_for(is_ready)
        assert first["base_url"] != second["base_url"]
        assert first["api_key"] != second["api_key"]
        assert asked(first)
        assert asked(second)

        assert paperkite("down", "east", "--json").only("ended")["reason"] == "stopped"
        assert east.end(30).lines[-1]["kind"] in ("ended", "phase")
        assert boxes["east"].processes == []
        assert asked(second)
        assert west.process.poll() is None
        west.interrupt()

    with forwards("west") as (again,):
        assert again.wait_for(is_ready)["base_url"] == second["base_url"], "its own port"
        again.interrupt()
    assert paperkite("down", "west", "--json").status == 0


def test_each_saved_host_keeps_the_first_port_that_it_got(boxes: dict[str, Box]) -> None:
    ports = {name: up(name, box)["base_url"] for name, box in boxes.items()}
    assert len(set(ports.values())) == 2, "though the first one was free again"
    listed = {line["name"]: line for line in paperkite("hosts", "--json").of("host")}
    assert {name: f"http://127.0.0.1:{line['local_port']}/v1" for name, line in listed.items()} == (
        ports
    )
    for name in boxes:
        assert paperkite("down", name, "--json").status == 0
