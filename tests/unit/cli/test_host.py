"""`doctor` and `down`, with an agent that only remembers what it was asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from desktop.cli import host
from desktop.cli.commands import run
from desktop.core.agent.answers import Cleaned, Stopped
from desktop.core.errors import AgentRefused, AppError
from desktop.core.paths import paths
from remote import wire

HOST = "root@connect.westb.seetacloud.com:1"


class FakeAgent:
    """Says what a host would, and keeps in order what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.facts: list[tuple[str, object]] = []
        self.refusal: AppError | None = None

    def stop(self) -> Stopped:
        self.asked.append("stop")
        if self.refusal is not None and self.asked == ["stop"]:
            raise self.refusal
        return Stopped(was_running=True)

    def clean(self) -> Cleaned:
        self.asked.append("clean")
        return Cleaned(bytes=3_000_000_000, files=12)

    def doctor(self, spec: dict[str, Any]) -> Iterator[dict[str, Any]]:
        self.asked.append(f"doctor {spec['model']}")
        for name, value in self.facts:
            yield {"kind": "fact", "name": name, "value": value}
        if self.refusal is not None:
            raise self.refusal


@pytest.fixture
def agent(monkeypatch: pytest.MonkeyPatch) -> FakeAgent:
    fake = FakeAgent()

    @contextmanager
    def opened_connection(*_: object) -> Iterator[None]:
        yield None

    monkeypatch.setattr(host, "opened_connection", opened_connection)
    monkeypatch.setattr(host, "deploy", lambda _connection: fake)
    monkeypatch.setattr(host, "forwarding_allowed", lambda _connection: True)
    return fake


@pytest.fixture
def switched_off(agent: FakeAgent, monkeypatch: pytest.MonkeyPatch) -> None:
    """The host powers off when it is asked to, and is seen to be off."""

    def power_off(*_: object) -> Stopped:
        agent.asked.append("power off")
        return Stopped(was_running=False, power_off=wire.POWER_OFF_BEGUN, provider="autodl")

    monkeypatch.setattr(host, "power_off", power_off)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_down_stops_and_nothing_else(agent: FakeAgent, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["down", HOST, "--json"]) == 0
    assert agent.asked == ["stop"]
    assert lines(capsys) == [{"kind": "ended", "reason": "stopped"}]


@pytest.mark.usefixtures("switched_off")
def test_down_cleans_up_after_the_stop_and_powers_off_last(
    agent: FakeAgent, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["down", HOST, "--discard-partial", "--power-off", "--json"]) == 0
    assert agent.asked == ["stop", "clean", "power off"]
    assert lines(capsys)[1:] == [
        {"kind": "cleaned", "bytes": 3_000_000_000, "files": 12},
        {"kind": "powered-off", "host": "connect.westb.seetacloud.com", "provider": "autodl"},
    ]


@pytest.mark.usefixtures("switched_off")
def test_where_to_look_at_the_bill_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["down", HOST, "--discard-partial", "--power-off", "--lang", "en"]) == 0
    said = capsys.readouterr().err
    assert "12 half-fetched files; 3 GB of disk" in said
    assert "nobody answers at its SSH port any more" in said
    assert "https://www.autodl.com" in said


@pytest.mark.usefixtures("agent")
def test_off_is_not_said_where_it_was_not_seen(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def power_off(*_: object) -> Stopped:
        raise AppError("power-off-not-confirmed", host="h", port=1, seconds=120)

    monkeypatch.setattr(host, "power_off", power_off)
    assert run(["down", HOST, "--power-off", "--json"]) == 64
    assert [line["kind"] for line in lines(capsys)] == ["ended", "error"]


def test_down_stops_every_host_of_a_group(
    agent: FakeAgent, capsys: pytest.CaptureFixture[str]
) -> None:
    group = '[groups.pair]\nhosts = ["root@a:1", "root@b:2"]\nhead_address = "10.0.0.1"\n'
    paths().ensure().settings.write_text(group, encoding="utf-8")
    assert run(["down", "pair", "--lang", "en"]) == 0
    assert agent.asked == ["stop", "stop"]
    said = capsys.readouterr().err
    assert "root@a:1" in said
    assert "root@b:2" in said


def test_doctor_prints_facts_as_they_are(
    agent: FakeAgent, capsys: pytest.CaptureFixture[str]
) -> None:
    agent.facts = [("gpu.count", 0), ("provider", "")]
    assert run(["doctor", HOST, "-m", "a/b", "--json"]) == 0
    assert agent.asked == ["doctor a/b"]
    told = {line["name"]: line["value"] for line in lines(capsys)}
    assert told == {"forwarding": True, "gpu.count": 0, "provider": "autodl"}


def test_the_hosts_own_mark_is_the_better_witness(
    agent: FakeAgent, capsys: pytest.CaptureFixture[str]
) -> None:
    agent.facts = [("provider", "gpushare")]
    assert run(["doctor", HOST, "--json"]) == 0
    assert lines(capsys)[-1]["value"] == "gpushare"


def test_doctor_tells_people_what_it_found_also_where_the_host_says_no(
    agent: FakeAgent, capsys: pytest.CaptureFixture[str]
) -> None:
    agent.facts = [("gpu.count", 0), ("data_dir", "/data")]
    agent.refusal = AgentRefused("preflight.disk-full", path="/data", free=1, needed=2)
    assert run(["doctor", HOST, "--lang", "en"]) == 68
    captured = capsys.readouterr()
    assert "Disk     /data\n" in captured.out
    assert "gpu.count" not in captured.out
    assert "/data" in captured.err


PAIR = '[groups.pair]\nhosts = ["root@a:1", "root@b:2"]\nhead_address = "10.0.0.1"\n'


def test_one_host_of_a_group_that_cannot_be_stopped_keeps_no_other_on_the_bill(
    agent: FakeAgent, capsys: pytest.CaptureFixture[str]
) -> None:
    paths().ensure().settings.write_text(PAIR, encoding="utf-8")
    agent.refusal = AgentRefused("run.not-ended", processes=["12"])
    assert run(["down", "pair", "--json"]) == agent.refusal.exit_status
    assert agent.asked == ["stop", "stop"]
    assert [line["kind"] for line in lines(capsys)] == ["fact", "error", "fact", "ended"]


def test_doctor_examines_every_host_of_a_group_as_what_it_will_be(
    agent: FakeAgent, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    paths().ensure().settings.write_text(PAIR, encoding="utf-8")
    specs: list[dict[str, Any]] = []

    def doctor(spec: dict[str, Any]) -> Iterator[dict[str, Any]]:
        specs.append(spec)
        yield {"kind": "fact", "name": "gpu.count", "value": len(specs)}

    monkeypatch.setattr(agent, "doctor", doctor)
    assert run(["doctor", "pair", "--json"]) == 0
    assert [(spec["node_rank"], spec["node_count"]) for spec in specs] == [(0, 2), (1, 2)]
    told = [(line["name"], line["value"]) for line in lines(capsys)]
    assert [value for name, value in told if name == "host"] == ["root@a:1", "root@b:2"]


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"model.fits": True, "model.max_model_len": 4096}, "context of 4,096 tokens"),
        ({"model.fits": None, "no_gpu_boot": True}, "Then boot the host with its GPU"),
        ({"model.fits": None}, "could not be worked out"),
        ({"model.fits": True, "model.max_model_len": "\x1b[2J"}, "could not be worked out"),
    ],
)
def test_doctor_ends_with_what_follows(
    agent: FakeAgent, capsys: pytest.CaptureFixture[str], facts: dict[str, object], said: str
) -> None:
    agent.facts = list(facts.items())
    assert run(["doctor", HOST, "--lang", "en"]) == 0
    assert said in capsys.readouterr().err
