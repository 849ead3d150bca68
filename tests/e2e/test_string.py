"""The whole string over a real sshd: up, join, chat, forward, cut, interrupted, down."""

from __future__ import annotations

import json
import socket
import urllib.request

import pytest

from remote import wire
from tests.e2e.conftest import MODEL, WEIGHTS, Box, MakeBox
from tests.helpers.command import Line, paperkite, started


def is_running(task: str) -> object:
    def wanted(line: Line) -> bool:
        return line.get("name") == f"task.{task}" and line.get("value") == wire.RUNNING

    return wanted


def bytes_fetched(box: Box) -> int:
    return sum(fetch.sent for fetch in box.hub.fetches() if fetch.path == WEIGHTS)


def test_from_nothing_to_a_streaming_reply_and_back(box: Box) -> None:
    outcome = box.up()
    assert outcome.status == 0
    ready = outcome.only("ready")
    assert ready["model"] == MODEL
    assert outcome.phases == ["connecting", "checking", "preparing", "loading", "ready"]

    reply = box.ask("Hello?")
    assert reply.status == 0
    assert "".join(line["text"] for line in reply.of("delta"))
    assert reply.only("done")["usage"]["completion_tokens"] > 0

    status = box.run("status")
    facts = {line["name"]: line["value"] for line in status.of("fact")}
    assert facts["state"] == "ready"

    down = box.down()
    assert (down.status, down.only("ended")["reason"]) == (0, "stopped")
    assert box.processes == []
    assert box.run("status").status == 73
    again = box.down()
    assert (again.status, again.only("ended")["reason"]) == (0, "nothing-running")


def test_a_second_up_joins_and_does_nothing_twice(box: Box) -> None:
    first, second = box.up(), box.up()
    assert first.only("ready")["run"] == second.only("ready")["run"]
    assert first.only("ready")["api_key"] == second.only("ready")["api_key"]
    assert (
        bytes_fetched(box)
        == (box.data / f"paperkite/models/paperkite--tiny/master/{WEIGHTS}").stat().st_size
    )


def test_after_a_stop_what_is_true_is_skipped(box: Box) -> None:
    box.up()
    box.down()
    fetched = bytes_fetched(box)
    again = box.up()
    assert again.status == 0
    assert again.task_states("hub-environment")[-1] == wire.SKIPPED
    assert again.task_states("model-files")[-1] == wire.SKIPPED
    assert bytes_fetched(box) == fetched


@pytest.mark.parametrize("task", ["hub-environment", "model-files", "serve"])
@pytest.mark.parametrize("how", ["interrupt", "kill"])
def test_an_up_that_ends_early_leaves_the_host_working(
    make_box: MakeBox, task: str, how: str
) -> None:
    box = make_box("--scripted-startup-s", "1.5", faults=None, fresh=task == "hub-environment")
    with box.going_up() as running:
        running.wait_for(is_running(task))  # type: ignore[arg-type]
        ended = running.interrupt() if how == "interrupt" else running.kill()
    assert ended.status == (130 if how == "interrupt" else -9)
    assert box.processes
    again = box.up()
    assert again.status == 0
    assert len({line["run"] for line in again.of("ready")}) == 1
    runs = [path for path in (box.home / ".paperkite/runs").iterdir() if path.is_dir()]
    assert len(runs) == 1
    assert sum(fetch.sent for fetch in box.hub.fetches() if fetch.path == WEIGHTS) == 8_000_000


def test_a_cut_connection_is_taken_up_within_one_up(make_box: MakeBox) -> None:
    box = make_box("--scripted-startup-s", "3")
    with box.going_up() as running:
        running.wait_for(is_running("serve"))  # type: ignore[arg-type]
        box.sshd.cut()
        outcome = running.end()
    assert outcome.status == 0
    assert "reconnecting" in outcome.phases
    assert outcome.phases[-1] == "ready"
    states = outcome.task_states("model-files")
    assert len(states) == len(set(states)), "the watch went on from its cursor"


def test_an_up_after_a_cut_shows_what_was_missed_within_three_seconds(make_box: MakeBox) -> None:
    box = make_box("--scripted-startup-s", "4")
    with box.going_up() as running:
        running.wait_for(is_running("model-files"))  # type: ignore[arg-type]
        box.sshd.cut()
        running.kill()
    again = box.up()
    assert again.status == 0
    missed = [
        line
        for line in again.of("fact")
        if (line["name"], line["value"]) == ("task.preflight", wire.DONE)
    ]
    assert missed[0]["at"] < 3.0


def test_forward_holds_an_endpoint_for_other_programs(box: Box) -> None:
    assert box.up().status == 0
    with started("forward", *box.host, "--json") as running:
        ready = running.wait_for(lambda line: line["kind"] == "ready")
        request = urllib.request.Request(
            f"{ready['base_url']}/models", headers={"Authorization": f"Bearer {ready['api_key']}"}
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=10) as response:
            assert json.load(response)["data"][0]["id"] == MODEL
        assert running.interrupt().status == 130
    port = int(ready["base_url"].split(":")[2].split("/")[0])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 5)


def test_a_forward_ends_when_the_run_is_stopped(box: Box) -> None:
    assert box.up().status == 0
    with started("forward", *box.host, "--json") as running:
        running.wait_for(lambda line: line["kind"] == "ready")
        box.down()
        outcome = running.end()
    assert outcome.status == 0
    assert outcome.only("ended")["reason"] == "stopped"


def test_the_engines_port_is_free_after_down(box: Box) -> None:
    box.up()
    facts = {line["name"]: line["value"] for line in box.run("status").of("fact")}
    box.down()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(facts["port"])), 5)


def test_a_prompt_may_come_from_stdin(box: Box) -> None:
    box.up()
    outcome = paperkite("chat", *box.host, "-", stdin="你好，世界\n")
    assert outcome.status == 0
    assert outcome.stdout.strip()


def test_without_a_prompt_it_is_a_conversation(box: Box) -> None:
    box.up()
    outcome = paperkite("chat", *box.host, stdin="one\ntwo\n")
    assert outcome.status == 0
    assert outcome.stdout.count("scripted") >= 2


def test_logs_show_every_task(box: Box) -> None:
    box.up()
    lines = box.run("logs").of("log")
    assert {"serve", "model-files"} & {line["task"] for line in lines}
    serve = box.run("logs", "--task", "engine", "--lines", "5")
    assert serve.status == 0
    assert len(serve.of("log")) <= 5


def test_doctor_tells_facts_and_writes_nothing(box: Box) -> None:
    outcome = paperkite("doctor", *box.host, *box.work, "--json")
    assert outcome.status == 0
    names = {line["name"] for line in outcome.of("fact")}
    assert {"gpu.count", "data_dir", "disk.free", "engine.requirement"} <= names
    assert not (box.home / ".paperkite" / "runs").exists()


def test_two_different_wishes_do_not_disturb_each_other(box: Box) -> None:
    box.up()
    outcome = paperkite("up", *box.host, *box.work, "--max-model-len", "1024", "--json")
    assert (outcome.status, outcome.error) == (64, "run.busy")
    assert box.run("status").status == 0
