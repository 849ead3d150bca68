"""The model files with the real ModelScope client against a loopback hub."""

from __future__ import annotations

import os
import signal
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from desktop.rehearsal.faults import Faults
from desktop.rehearsal.hub import Fetch, Hub
from remote.task import Cancelled, TaskFailed
from remote.tasks import hub_environment, model_files
from tests.unit.remote_tasks.standin import StandIn

MODEL = "kite/Tiny-1.5B-AWQ"
WEIGHTS = "model.safetensors"
SIZE = 24 * 1024 * 1024
SERVED = {"config.json", "tokenizer.json", WEIGHTS}


@pytest.fixture(scope="module")
def hub_python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The Python of a real hub environment, made by the task itself."""
    folder = tmp_path_factory.mktemp("host")
    ctx = StandIn(folder)
    ctx.facts["data_dir"] = str(folder)
    assert hub_environment.run(ctx) is False
    assert hub_environment.run(ctx) is True, "a complete environment is not made again"
    return str(ctx.facts["hub.python"])


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    (folder / "original").mkdir(parents=True)
    (folder / WEIGHTS).write_bytes(os.urandom(SIZE))
    (folder / "config.json").write_text('{"model_type": "llama"}')
    (folder / "tokenizer.json").write_text("{}")
    for unread in ("README.md", "pytorch_model.bin", "modeling.py", "original/config.json"):
        (folder / unread).write_text("not for vLLM")
    return folder


@pytest.fixture(autouse=True)
def a_home_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the client's session file and the search for copies out of the real home."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(model_files, "LIST_PAUSES", (0.01,))
    monkeypatch.setattr(model_files, "FETCH_PAUSES", (0.01,))


def context(tmp_path: Path, hub_python: str, url: str, **fields: Any) -> StandIn:
    folder = tmp_path / "data"
    folder.mkdir(exist_ok=True)
    ctx = StandIn(folder, model=MODEL, hub=url, **fields)
    ctx.facts.update({"data_dir": str(folder), "hub.python": hub_python})
    return ctx


def model_folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "paperkite" / "models" / "kite--Tiny-1.5B-AWQ" / "master"


def visible(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.startswith(".")}


def of_weights(fetches: list[Fetch]) -> list[Fetch]:
    return [fetch for fetch in fetches if fetch.path == WEIGHTS]


def never_backwards(ctx: StandIn) -> bool:
    done = [report.done for report in ctx.reports if report.step == "fetch"]
    return len(done) > 2 and all(before <= after for before, after in pairwise(done))


def failure(ctx: StandIn) -> TaskFailed:
    with pytest.raises(TaskFailed) as caught:
        model_files.run(ctx)
    return caught.value


def test_only_what_vllm_reads_is_fetched_and_kept_without_the_network(
    tmp_path: Path, hub_python: str, repository: Path
) -> None:
    with Hub({MODEL: repository}) as hub:
        ctx = context(tmp_path, hub_python, hub.url)
        assert model_files.run(ctx) is False
        assert {fetch.path for fetch in hub.fetches()} == SERVED
    folder = model_folder(tmp_path)
    assert ctx.facts["model.path"] == str(folder)
    assert visible(folder) == SERVED
    assert (folder / WEIGHTS).read_bytes() == (repository / WEIGHTS).read_bytes()
    last = ctx.reports[-1]
    assert last.done == last.total == ctx.facts["model.bytes"]

    offline = context(tmp_path, hub_python, hub.url)  # the hub is gone by now
    assert model_files.run(offline) is True
    assert offline.commands == []


def test_a_cut_body_is_resumed_and_the_finished_half_is_not_fetched_again(
    tmp_path: Path, hub_python: str, repository: Path
) -> None:
    with Hub({MODEL: repository}, faults=Faults(cut_after={WEIGHTS: SIZE // 2})) as hub:
        model_files.run(context(tmp_path, hub_python, hub.url))
        first, second = of_weights(hub.fetches())
    assert (first.start, first.sent) == (0, SIZE // 2)
    assert second.start > 0
    assert second.end == SIZE
    assert first.sent + second.sent < SIZE * 1.1
    assert (model_folder(tmp_path) / WEIGHTS).read_bytes() == (repository / WEIGHTS).read_bytes()


class Killing(StandIn):
    """Kills the worker once a third of the model is there; then is cancelled, if it is to be."""

    cancels = False
    killed = 0

    def progress(self, done: float, total: float | None, *args: Any, **named: Any) -> None:
        super().progress(done, total, *args, **named)
        if self.killed or self.child is None or done < (total or 0) / 3:
            return
        self.killed = self.child.pid
        os.kill(self.killed, signal.SIGKILL)
        if self.cancels:
            raise Cancelled


@pytest.mark.parametrize("cancels", [False, True], ids=["worker alone", "agent too"])
def test_a_killed_download_goes_on_where_it_was(
    tmp_path: Path, hub_python: str, repository: Path, cancels: bool
) -> None:
    with Hub({MODEL: repository}, faults=Faults(bytes_per_s=SIZE // 2)) as hub:
        ctx = context(tmp_path, hub_python, hub.url)
        ctx.__class__ = Killing
        ctx.cancels = cancels  # type: ignore[attr-defined]
        if cancels:
            with pytest.raises(Cancelled):
                model_files.run(ctx)
            model_files.run(context(tmp_path, hub_python, hub.url))
        else:
            model_files.run(ctx)
        fetches = of_weights(hub.fetches())
    assert max(fetch.start for fetch in fetches) > SIZE // 4
    assert never_backwards(ctx)
    assert visible(model_folder(tmp_path)) == SERVED
    assert (model_folder(tmp_path) / WEIGHTS).read_bytes() == (repository / WEIGHTS).read_bytes()


def test_wrong_bytes_are_named_and_only_they_are_fetched_again(
    tmp_path: Path, hub_python: str, repository: Path
) -> None:
    with Hub({MODEL: repository}, faults=Faults(wrong_bytes=frozenset({"tokenizer.json"}))) as hub:
        failed = failure(context(tmp_path, hub_python, hub.url))
    assert failed.code == "model.hash-mismatch"
    assert failed.facts["files"] == ["tokenizer.json"]
    assert visible(model_folder(tmp_path)) == SERVED - {"tokenizer.json"}

    with Hub({MODEL: repository}) as honest:
        model_files.run(context(tmp_path, hub_python, honest.url))
        assert [fetch.path for fetch in honest.fetches()] == ["tokenizer.json"]


def test_a_shard_that_arrives_damaged_once_is_fetched_again_alone(
    tmp_path: Path, hub_python: str, repository: Path
) -> None:
    with Hub({MODEL: repository}, faults=Faults(wrong_first=frozenset({WEIGHTS}))) as hub:
        ctx = context(tmp_path, hub_python, hub.url)
        model_files.run(ctx)
        fetches = sorted((fetch.path, fetch.start, fetch.sent) for fetch in hub.fetches())
    assert fetches == [
        ("config.json", 0, 23),
        (WEIGHTS, 0, SIZE),
        (WEIGHTS, 0, SIZE),
        ("tokenizer.json", 0, 2),
    ]
    assert never_backwards(ctx)
    assert (model_folder(tmp_path) / WEIGHTS).read_bytes() == (repository / WEIGHTS).read_bytes()


def test_a_shard_without_a_byte_is_a_damaged_one(
    tmp_path: Path, hub_python: str, repository: Path
) -> None:
    with Hub({MODEL: repository}, faults=Faults(empty=frozenset({WEIGHTS}))) as hub:
        failed = failure(context(tmp_path, hub_python, hub.url))
    assert failed.code == "model.hash-mismatch"
    assert failed.facts["files"] == [WEIGHTS]
    assert not (model_folder(tmp_path) / WEIGHTS).exists()


def test_a_hub_whose_shard_is_empty_has_no_model(
    tmp_path: Path, hub_python: str, repository: Path
) -> None:
    (repository / WEIGHTS).write_bytes(b"")  # its SHA-256 is e3b0c442…
    with Hub({MODEL: repository}) as hub:
        failed = failure(context(tmp_path, hub_python, hub.url))
    assert failed.code == "model.not-servable"
    assert failed.facts["missing"] == ["*.safetensors"]


def test_a_download_that_stands_still_is_started_again_where_it_was(
    tmp_path: Path, hub_python: str, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_files, "STALL_SECONDS", 1.0)
    faults = Faults(hang_after={WEIGHTS: SIZE // 2})
    with Hub({MODEL: repository}, faults=faults) as hub:
        ctx = context(tmp_path, hub_python, hub.url)
        model_files.run(ctx)
        first, second = of_weights(hub.fetches())
    assert (first.start, first.sent) == (0, SIZE // 2)
    assert (second.start, second.sent) == (SIZE // 2, SIZE // 2)
    assert "no byte came for 1 s" in ctx.lines
    assert never_backwards(ctx)


class Watching(StandIn):
    """Counts the half files at each report."""

    folder = Path()
    most = 0

    def progress(self, done: float, total: float | None, *args: Any, **named: Any) -> None:
        super().progress(done, total, *args, **named)
        self.most = max(self.most, len(list(self.folder.glob("*.incomplete"))))


def test_four_files_come_at_once_and_count_together(
    tmp_path: Path, hub_python: str, repository: Path
) -> None:
    (repository / WEIGHTS).unlink()
    for number in range(6):
        (repository / f"model-{number}.safetensors").write_bytes(os.urandom(SIZE // 6))
    with Hub({MODEL: repository}, faults=Faults(bytes_per_s=SIZE // 2)) as hub:
        ctx = context(tmp_path, hub_python, hub.url)
        ctx.__class__ = Watching
        ctx.folder = model_folder(tmp_path)  # type: ignore[attr-defined]
        model_files.run(ctx)
    assert ctx.most == 4  # type: ignore[attr-defined]
    assert {report.total for report in ctx.reports if report.step == "fetch"} == {SIZE + 25}
    rates = [report for report in ctx.reports if report.rate and report.step == "fetch"]
    assert 0 < rates[-1].rate < SIZE  # type: ignore[operator]
    assert any(report.eta_s for report in rates)


def test_a_body_that_is_always_cut_ends_as_incomplete(
    tmp_path: Path, hub_python: str, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODELSCOPE_DOWNLOAD_MAX_RETRIES", "0")
    faults = Faults(cut_after={WEIGHTS: 0}, cut_always=True)
    with Hub({MODEL: repository}, faults=faults) as hub:
        failed = failure(context(tmp_path, hub_python, hub.url))
    assert failed.code == "model.incomplete"
    assert failed.facts["files"] == [WEIGHTS]


def test_what_the_hub_refuses_is_told_apart(
    tmp_path: Path, hub_python: str, repository: Path
) -> None:
    with Hub({}) as hub:
        failed = failure(context(tmp_path, hub_python, hub.url))
        assert failed.code == "model.not-found"
        assert failed.facts["model"] == MODEL
    with Hub({MODEL: repository}, faults=Faults(unauthorised=True)) as hub:
        assert failure(context(tmp_path, hub_python, hub.url)).code == "model.access-denied"
    assert failure(context(tmp_path, hub_python, hub.url)).code == "model.hub-unreachable"


def test_a_hub_out_of_reach_is_told_soon(
    tmp_path: Path, hub_python: str, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()  # with the real pauses
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    with Hub({MODEL: repository}) as hub:
        gone = hub.url
    began = time.monotonic()
    assert failure(context(tmp_path, hub_python, gone)).code == "model.hub-unreachable"
    assert time.monotonic() - began < 20


def test_a_hub_that_takes_the_call_and_says_nothing_is_given_up_on(
    tmp_path: Path, hub_python: str, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_files, "LIST_PAUSES", ())
    began = time.monotonic()
    with Hub({MODEL: repository}, faults=Faults(mute=True)) as hub:
        failed = failure(context(tmp_path, hub_python, hub.url))
    assert failed.code == "model.hub-unreachable"
    assert time.monotonic() - began < 12, "three tries and two pauses stay below 35 s"


def test_a_private_model_comes_with_the_token_alone_and_the_token_is_left_nowhere(
    tmp_path: Path, hub_python: str, repository: Path
) -> None:
    with Hub({MODEL: repository}, faults=Faults(token="ms-secret-token")) as hub:
        assert failure(context(tmp_path, hub_python, hub.url)).code == "model.access-denied"
        other = context(tmp_path, hub_python, hub.url, hub_token="another")
        assert failure(other).code == "model.access-denied"
        ctx = context(tmp_path, hub_python, hub.url, hub_token="ms-secret-token")
        model_files.run(ctx)
    assert visible(model_folder(tmp_path)) == SERVED
    assert "ms-secret-token" not in str((ctx.commands, ctx.lines, ctx.facts))
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert written
    assert not [path for path in written if b"ms-secret-token" in path.read_bytes()]


@pytest.mark.parametrize(
    "layout",
    ["kite/Tiny-1___5B-AWQ", "models/kite--Tiny-1.5B-AWQ/snapshots/master"],
    ids=["old layout", "new layout"],
)
def test_a_copy_that_the_host_has_is_adopted(
    tmp_path: Path, hub_python: str, repository: Path, layout: str
) -> None:
    copy = tmp_path / "data" / layout
    copy.mkdir(parents=True)
    for name in (WEIGHTS, "config.json"):
        (copy / name).write_bytes((repository / name).read_bytes())
    (copy / "tokenizer.json").write_text("[]")  # as long as the right one, but another
    with Hub({MODEL: repository}) as hub:
        ctx = context(tmp_path, hub_python, hub.url)
        model_files.run(ctx)
        assert [fetch.path for fetch in hub.fetches()] == ["tokenizer.json"]
    assert "adopt" in ctx.steps
    assert (model_folder(tmp_path) / "tokenizer.json").read_text() == "{}"
    assert (copy / "tokenizer.json").read_text() == "[]", "what is not ours stays as it was"
