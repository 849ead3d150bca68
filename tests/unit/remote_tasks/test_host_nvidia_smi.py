"""The stand-in for nvidia-smi answers as the real one does."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.helpers.nvidia_smi import RTX_3090, RTX_4090, Card, GpuHost, Process, install

CSV = "--format=csv,noheader,nounits"


def ask(folder: Path, host: GpuHost, *arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [str(install(folder, host)), *arguments],
        stdout=subprocess.PIPE,
        encoding="utf-8",
        check=False,
    )
    return done.returncode, done.stdout


def test_it_answers_a_query_with_one_row_for_each_card(tmp_path: Path) -> None:
    host = GpuHost("550.90.07", "12.4", (RTX_4090, RTX_3090))
    query = "--query-gpu=index,name,memory.total,compute_cap"
    assert ask(tmp_path, host, query, CSV) == (
        0,
        "0, NVIDIA GeForce RTX 4090, 24564, 8.9\n1, NVIDIA GeForce RTX 3090, 24576, 8.6\n",
    )


def test_an_old_driver_refuses_a_field_that_it_does_not_know(tmp_path: Path) -> None:
    host = GpuHost("470.82.01", "11.4", (RTX_3090,))
    status, said = ask(tmp_path, host, "--query-gpu=name,compute_cap", CSV)
    assert status == 2
    assert 'Field "compute_cap" is not a valid field to query.' in said


def test_it_names_the_programs_that_hold_memory(tmp_path: Path) -> None:
    busy = Card("NVIDIA A10", 23028, "8.6", (Process(7, "python", 1000), Process(8, "x", None)))
    host = GpuHost(cards=(busy,))
    query = "--query-compute-apps=pid,process_name,used_memory"
    assert ask(tmp_path, host, query, CSV) == (0, "7, python, 1000\n8, x, [N/A]\n")
    assert ask(tmp_path, host, "--query-gpu=memory.used,memory.free", CSV) == (0, "1000, 21578\n")


def test_its_table_shows_driver_and_cuda(tmp_path: Path) -> None:
    status, said = ask(tmp_path, GpuHost("580.65.06", "13.0", (RTX_4090,)))
    assert status == 0
    assert "Driver Version: 580.65.06" in said
    assert "CUDA Version: 13.0" in said


def test_it_fails_as_it_is_told_to(tmp_path: Path) -> None:
    assert ask(tmp_path, GpuHost(), "-L") == (6, "No devices were found\n")
    assert ask(tmp_path, GpuHost(said="GPU is lost", status=15), "-L") == (15, "GPU is lost\n")
