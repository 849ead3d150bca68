"""What is remembered of a look at a host, and what a damaged file or a hostile host makes of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest

from desktop.core.events import Event, Fact, Progress, Surveyed, TaskChanged
from desktop.core.last_checks import (
    ASKED_MODEL,
    DOWNLOAD_RATE,
    RUNNING_MODEL,
    LastCheck,
    LastChecks,
    bounded,
)

FACTS: dict[str, object] = {"gpu.count": 1, "gpu.0.name": "RTX 4090", "glibc": None}


@pytest.fixture
def checks(tmp_path: Path) -> LastChecks:
    return LastChecks(tmp_path / "last-checks", wall=lambda: 1000.0)


def test_what_was_found_out_is_read_back_with_its_time(checks: LastChecks) -> None:
    checks.keep("box", FACTS)
    assert checks.of("box") == LastCheck(FACTS, 1000.0)
    assert checks.of("other") is None
    assert checks.of("") is None


def test_a_host_that_is_forgotten_is_forgotten(checks: LastChecks) -> None:
    checks.keep("box", FACTS)
    checks.forget("box")
    checks.forget("box")
    assert checks.of("box") is None


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"at": 1}', '{"at": "x", "facts": {}}', '{"at": true, "facts": {}}',
     '{"at": 1, "facts": []}', "[" * 50_000, "\xff"],
)  # fmt: skip
def test_a_damaged_file_is_as_good_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "box.json").write_bytes(text.encode("latin-1"))
    assert LastChecks(tmp_path).of("box") is None


def test_what_a_host_can_make_us_keep_is_bounded(checks: LastChecks) -> None:
    many: dict[str, object] = {f"fact.{number}": "x" * 10_000 for number in range(10_000)}
    checks.keep("box", many)
    kept = checks.of("box")
    assert kept is not None
    assert len(kept.facts) == 400
    assert all(len(str(value)) <= 200 for value in kept.facts.values())
    odd: dict[str, object] = {"nested": {"a": 1}, "list": [1], "n" * 300: 1, "yes": True}
    assert bounded(odd) == {"yes": True}


def test_a_file_that_was_edited_has_no_figures_that_break_anybody(
    checks: LastChecks, tmp_path: Path
) -> None:
    checks.keep("box", {"gpu.count": 1})
    (file,) = tmp_path.rglob("box.json")
    file.write_text('{"at": 5, "facts": {"a": NaN, "b": Infinity, "c": 1e400, "d": 7}}')
    read = checks.of("box")
    assert read is not None
    assert read.facts == {"a": None, "b": None, "c": None, "d": 7}
    for at in ("NaN", "Infinity", "-1", "true", '"5"', "1" + "0" * 400):
        file.write_text(f'{{"at": {at}, "facts": {{}}}}')
        assert checks.of("box") is None


def test_a_folder_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "last-checks").write_text("a file in its place")
    LastChecks(tmp_path / "last-checks").keep("box", FACTS)


def play(checks: LastChecks, *events: Event, name: str = "box") -> list[Event]:
    heard: list[Event] = []
    hear = checks.keeping(name, heard.append)
    for event in events:
        hear(event)
    return heard


FOUND = tuple(Fact(name, value) for name, value in FACTS.items())


def test_a_session_leaves_what_its_preflight_found(checks: LastChecks) -> None:
    events = (TaskChanged("preflight", "running"), *FOUND, TaskChanged("preflight", "done"))
    assert play(checks, *events) == list(events)
    assert checks.of("box") == LastCheck(FACTS, 1000.0)


def test_a_look_leaves_what_it_found_too(checks: LastChecks) -> None:
    play(checks, *FOUND, Surveyed(FACTS))
    assert checks.of("box") == LastCheck(FACTS, 1000.0)


def test_a_preflight_that_told_nothing_leaves_what_was_known(checks: LastChecks) -> None:
    checks.keep("box", FACTS)
    play(checks, TaskChanged("preflight", "running"), TaskChanged("preflight", "failed"))
    assert checks.of("box") == LastCheck(FACTS, 1000.0)


def test_how_fast_the_host_downloads_is_kept_beyond_the_next_check(checks: LastChecks) -> None:
    fetched = Progress("model-files", 5, 10, "bytes", "fetch", 6e7)
    play(checks, *FOUND, fetched, TaskChanged("model-files", "done"))
    play(checks, *FOUND, TaskChanged("preflight", "done"))
    kept = checks.of("box")
    assert kept is not None
    assert kept.facts == {**FACTS, DOWNLOAD_RATE: 6e7}


def test_a_host_without_a_name_leaves_nothing(checks: LastChecks, tmp_path: Path) -> None:
    play(checks, *FOUND, Surveyed(FACTS), name="")
    assert not (tmp_path / "last-checks").exists()


def test_the_file_is_plain_json(checks: LastChecks, tmp_path: Path) -> None:
    checks.keep("box", FACTS)
    text = (tmp_path / "last-checks" / "box.json").read_text(encoding="utf-8")
    assert json.loads(text) == {"at": 1000.0, "facts": FACTS}


def test_what_runs_at_the_time_is_not_remembered_nor_the_memory_that_it_holds(
    checks: LastChecks,
) -> None:
    running = (Fact("gpu.0.memory_free", 1), Fact("gpu.0.holders", "vllm"))
    play(checks, *FOUND, *running, Fact(RUNNING_MODEL, "a/b"), Surveyed(FACTS))
    assert checks.of("box") == LastCheck(FACTS, 1000.0)
    play(checks, *FOUND, *running, Surveyed(FACTS))
    kept = checks.of("box")
    assert kept is not None
    assert kept.facts["gpu.0.memory_free"] == 1


def test_which_model_a_preflight_was_asked_about_is_remembered(checks: LastChecks) -> None:
    heard: list[Event] = []
    hear = checks.keeping("box", heard.append, lambda: "kite/Mine")
    for event in (TaskChanged("preflight", "running"), *FOUND, TaskChanged("preflight", "failed")):
        hear(event)
    kept = checks.of("box")
    assert kept is not None
    assert kept.facts == {ASKED_MODEL: "kite/Mine", **FACTS}


def test_a_host_that_tells_facts_for_ever_fills_no_memory(checks: LastChecks) -> None:
    told = checks.keeping("box", lambda _event: None)
    told(Fact("gpu.count", 1))
    for number in range(10_000):
        told(Fact(f"fact.{number}", number))
    told(Fact("gpu.count", 2))
    keeping = cast("Any", told).__self__
    assert len(keeping._facts) < 1000
    assert keeping._facts["gpu.count"] == 2
