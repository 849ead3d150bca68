from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from remote import monitor
from remote.metrics import Metrics
from remote.monitor import Cards, Look

MIB = 1024 * 1024
CARDS = "0, 97, 21485, 24564\n1, [N/A], 12, 24564\n"
FIGURES = (
    'vllm:num_requests_running{engine="0"} 1.0\n'
    'vllm:num_requests_waiting{engine="0"} 0.0\n'
    'vllm:kv_cache_usage_perc{engine="0"} 0.25\n'
    'vllm:generation_tokens_total{engine="0"} 100.0\n'
)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("0, 97, 21485, 24564", (0, 97, 21485 * MIB, 24564 * MIB)),
        ("3, [N/A], [Not Supported], 24564", (3, None, None, 24564 * MIB)),
        ("No devices were found", None),
        ("index, utilization.gpu [%], memory.used [MiB], memory.total [MiB]", None),
        ("0, 97, 21485", None),
        ("0, 97, 21485, 24564, 1", None),
        ("9999999999, 1, 1, 1", None),
        ("", None),
    ],
)
def test_a_line_of_nvidia_smi_is_one_card(line: str, found: Any) -> None:
    card = monitor.card(line)
    assert (None if card is None else tuple(card.values())) == found


def test_rates_are_what_was_added_since_the_last_look() -> None:
    before = Look(10.0, Metrics(generation_tokens=100, prompt_tokens=50))
    now = Look(12.0, Metrics(1, 2, 0.123456, generation_tokens=180, prompt_tokens=50))
    assert monitor.sample([], before, now) == {
        "gpus": [],
        "kv_use": 0.1235,
        "running": 1,
        "waiting": 2,
        "tokens_per_s": 40.0,
        "prompt_tokens_per_s": 0.0,
        "generation_tokens": 180,
        "prompt_tokens": 50,
        "requests_done": None,
        "ttft_s": None,
    }


@pytest.mark.parametrize(
    "before",
    [None, Look(12.0, Metrics()), Look(10.0, Metrics(generation_tokens=9, prompt_tokens=9))],
)
def test_without_anything_before_there_is_no_rate(before: Look | None) -> None:
    found = monitor.sample([], before, Look(12.0, Metrics(generation_tokens=1, prompt_tokens=1)))
    assert found["tokens_per_s"] is None
    assert found["prompt_tokens_per_s"] is None


def test_totals_are_the_engines_own_whatever_was_seen_before() -> None:
    now = Look(12.0, Metrics(generation_tokens=7, prompt_tokens=9, requests_done=2))
    for before in (None, Look(10.0, Metrics(generation_tokens=900))):
        found = monitor.sample([], before, now)
        totals = (found["generation_tokens"], found["prompt_tokens"], found["requests_done"])
        assert totals == (7, 9, 2)


def test_an_engine_that_tells_no_counters_has_no_totals_and_no_rates() -> None:
    found = monitor.sample([], Look(10.0, Metrics()), Look(12.0, Metrics(1)))
    told = ("generation_tokens", "prompt_tokens", "requests_done", "tokens_per_s")
    assert [found[name] for name in told] == [None] * 4


def install_nvidia_smi(folder: Path, script: str) -> None:
    program = folder / "nvidia-smi"
    program.write_text("#!/bin/sh\n" + script)
    program.chmod(0o755)


@pytest.mark.parametrize("then", ["exec sleep 600", "exit 0"])
def test_cards_are_told_whether_the_child_stays_or_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, eventually: Callable[..., None], then: str
) -> None:
    (tmp_path / "cards").write_text(CARDS)
    install_nvidia_smi(tmp_path, f"cat {tmp_path}/cards\n{then}\n")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    cards = Cards(2.0)
    found: list[dict[str, Any]] = []
    eventually(lambda: found.extend(cards.read()) or found)
    assert [card["utilization"] for card in found] == [97, None]
    cards.close()
    assert cards.read() == []


def test_without_nvidia_smi_there_are_no_cards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitor, "WELL_KNOWN", ())
    monkeypatch.setenv("PATH", str(tmp_path))
    cards = Cards(2.0)
    assert cards.read() == []
    cards.close()


def test_a_program_that_cannot_be_run_is_no_nvidia_smi(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nvidia-smi").write_bytes(b"\x7fELF of another machine")
    (tmp_path / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    cards = Cards(2.0)
    assert cards.read() == []
    cards.close()


def test_samples_come_between_the_events_of_a_watch_and_never_into_the_journal(agent: Any) -> None:
    (agent.home / "metrics").write_text(FIGURES)
    (agent.home / "cards").write_text(CARDS)
    smi = 'echo $$ > "$HOME/smi"; cat "$HOME/cards"; exec sleep 600\n'
    install_nvidia_smi(agent.programs, smi)
    agent.start("answers")
    agent.wait_for("ready")
    with agent.open("watch", "--after", "0") as watch:
        sample = first_sample(watch, with_cards=True)
        watch.stdin.close()
        watch.stdout.read()
    assert "seq" not in sample
    assert (sample["kv_use"], sample["running"], sample["waiting"]) == (0.25, 1, 0)
    assert (sample["generation_tokens"], sample["prompt_tokens"]) == (100, None)
    assert sample["gpus"][0] == {
        "index": 0,
        "utilization": 97,
        "memory_used": 21485 * MIB,
        "memory_total": 24564 * MIB,
    }
    assert "sample" not in agent.run().journal.read_text(encoding="utf-8")
    child = int((agent.home / "smi").read_text())
    assert not Path(f"/proc/{child}").exists()


def test_a_watch_of_an_engine_that_is_ready_already_samples_too(agent: Any) -> None:
    (agent.home / "metrics").write_text(FIGURES)
    agent.start("answers")
    seq = agent.wait_for("ready")["seq"]
    with agent.open("watch", "--after", str(seq)) as watch:
        assert first_sample(watch)["running"] == 1
        watch.stdin.close()
        watch.stdout.read()


def first_sample(watch: Any, *, with_cards: bool = False) -> dict[str, Any]:
    for text in watch.stdout:
        if not text.startswith("{"):
            continue
        line: dict[str, Any] = json.loads(text)
        if line["kind"] == "sample" and (line["gpus"] or not with_cards):
            return line
    raise AssertionError("the watch ended")


def test_the_wait_for_the_first_token_is_that_of_the_newest_requests() -> None:
    before = Look(10.0, Metrics(first_token_seconds=30.0, first_tokens=10))
    now = Look(12.0, Metrics(first_token_seconds=31.0, first_tokens=14))
    assert monitor.sample([], before, now)["ttft_s"] == 0.25
    assert monitor.sample([], now, now)["ttft_s"] is None
    assert monitor.sample([], None, now)["ttft_s"] is None
