import pytest

from desktop.core.events import Card, Fact, Progress, Sample, TaskChanged
from desktop.core.phases import Phase
from desktop.core.session.reading import phase_of, reason_of, to_event


def test_a_task_line_becomes_a_task_event() -> None:
    line = {"kind": "task", "task": "serve", "state": "running", "seq": 3}
    assert to_event(line) == TaskChanged("serve", "running")


@pytest.mark.parametrize(
    "line",
    [
        {"kind": "task", "task": "mine-bitcoin", "state": "running"},
        {"kind": "task", "task": "serve", "state": "dancing"},
        {"kind": "task", "task": ["serve"], "state": "running"},
        {"kind": "task", "task": "serve", "state": []},
        {"kind": "task", "task": "serve", "state": {}},
        {"kind": "progress", "task": "serve", "done": 10**400},
        {"kind": "progress", "task": "serve", "done": -1},
        {"kind": "progress", "task": "serve", "done": "much"},
        {"kind": "progress", "task": "serve", "done": True},
        {"kind": "progress", "done": 1},
        {"kind": "fact", "value": 3},
        {"kind": "something-newer"},
    ],
)
def test_what_does_not_fit_is_dropped(line: dict[str, object]) -> None:
    assert to_event(line) is None


def test_progress_never_exceeds_its_total() -> None:
    line = {"kind": "progress", "task": "model-files", "done": 12, "total": 10, "unit": "bytes"}
    assert to_event(line) == Progress("model-files", 10, 10.0, "bytes")


def test_an_endless_number_is_no_number() -> None:
    line = {"kind": "progress", "task": "serve", "done": 1, "total": float("inf"), "unit": "steps"}
    assert to_event(line) == Progress("serve", 1.0, None, "steps")


def test_a_fact_is_bounded() -> None:
    event = to_event({"kind": "fact", "name": "x", "value": ["y" * 10_000]})
    assert isinstance(event, Fact)
    assert len(str(event.value)) == 500


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), 10**400])
def test_a_fact_that_json_cannot_hold_is_nothing(value: float) -> None:
    assert to_event({"kind": "fact", "name": "x", "value": value}) == Fact("x", None)


def test_a_sample_is_read() -> None:
    card = {"index": 0, "utilization": 97, "memory_used": 5, "memory_total": 9}
    line = {
        "kind": "sample",
        "gpus": [card],
        "kv_use": 0.25,
        "running": 1,
        "waiting": 2,
        "tokens_per_s": 40.5,
        "prompt_tokens_per_s": None,
    }
    assert to_event(line) == Sample((Card(97, 5, 9),), 0.25, 1, 2, 40.5, None)
    totals = {"generation_tokens": 4600, "prompt_tokens": 9000, "requests_done": 17}
    more = to_event(line | totals)
    assert more == Sample((Card(97, 5, 9),), 0.25, 1, 2, 40.5, None, 4600, 9000, 17)


@pytest.mark.parametrize("total", [-1, 1.5, "7", True, 2**70, None, [3]])
def test_a_total_that_is_no_count_is_not_known(total: object) -> None:
    event = to_event({"kind": "sample", "generation_tokens": total, "requests_done": total})
    assert isinstance(event, Sample)
    assert (event.generation_tokens, event.requests_done) == (None, None)


def test_the_journal_says_which_run_it_is() -> None:
    line = {"kind": "run", "run": "20261123120000000-abcd", "model": "o/m", "seq": 1}
    assert to_event(line) == Fact("run", "20261123120000000-abcd")
    assert to_event({"kind": "run", "run": 7}) is None


def test_a_sample_of_a_strange_host_is_bounded() -> None:
    card = {"utilization": 10**9, "memory_used": "all", "memory_total": -1}
    line = {
        "kind": "sample",
        "gpus": [card, "card", None] + [card] * 1000,
        "kv_use": 70,
        "running": 2**70,
        "waiting": True,
        "tokens_per_s": float("nan"),
        "prompt_tokens_per_s": "many",
    }
    event = to_event(line)
    assert isinstance(event, Sample)
    assert event.cards[0] == Card(100, None, None)
    assert len(event.cards) < 100
    assert event == Sample(event.cards, 1.0, 0, 0, None, None)
    assert to_event({"kind": "sample", "gpus": {}}) == Sample((), 0.0, 0, 0, None, None)


@pytest.mark.parametrize(
    ("reason", "read"),
    [
        *[(known, known) for known in ("asked", "lease", "idle", "limit")],
        *[(unknown, "") for unknown in ("whim", None, ["lease"])],
    ],
)
def test_only_a_known_reason_of_a_stop_is_read(reason: object, read: str) -> None:
    assert reason_of({"kind": "stopped", "reason": reason}) == read


@pytest.mark.parametrize(
    ("tasks", "phase"),
    [
        ({}, Phase.CHECKING),
        ({"preflight": "running"}, Phase.CHECKING),
        ({"preflight": "done", "engine-environment": "waiting"}, Phase.CHECKING),
        ({"preflight": "done", "hub-environment": "running"}, Phase.PREPARING),
        ({"preflight": "skipped", "model-files": "skipped"}, Phase.PREPARING),
        ({"model-files": "done", "serve": "running"}, Phase.LOADING),
    ],
)
def test_the_latest_task_decides_the_phase(tasks: dict[str, str], phase: Phase) -> None:
    assert phase_of(tasks) is phase
