"""What is made of nvidia-smi's answers, in the forms that drivers of several years print them."""

from __future__ import annotations

from pathlib import Path

import pytest

from remote import processes
from remote.host import capabilities, gpus
from remote.host.gpus import MIB, Gpu, Gpus, Holder
from tests.helpers import nvidia_smi
from tests.helpers.nvidia_smi import RTX_4090, Card, GpuHost, Process

HEADERS = {
    "| NVIDIA-SMI 470.82.01    Driver Version: 470.82.01    CUDA Version: 11.4     |": 11,
    "| NVIDIA-SMI 525.60.13    Driver Version: 525.60.13    CUDA Version: 12.0     |": 12,
    "| NVIDIA-SMI 535.104.05             Driver Version: 535.104.05   CUDA Version: 12.2   |": 12,
    "| NVIDIA-SMI 560.35.03              Driver Version: 560.35.03    CUDA Version: 12.6   |": 12,
    "| NVIDIA-SMI 580.65.06              Driver Version: 580.65.06    CUDA Version: 13.0   |": 13,
    "| NVIDIA-SMI 590.44.01     KMD Version: 590.44.01     CUDA UMD Version: 13.1          |": 13,
}

UUID = "GPU-5d8c3f0e-9b1f-7a52-2e0f-0d3f5c7b9a11"


@pytest.fixture
def smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with nothing in it but what a test puts there, and no driver of this machine."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(gpus, "WELL_KNOWN", ())
    monkeypatch.setattr(gpus, "DRIVER_FILE", tmp_path / "version")
    return tmp_path / "bin"


def seen(folder: Path, host: GpuHost) -> Gpus:
    nvidia_smi.install(folder, host)
    return gpus.look()


@pytest.mark.parametrize(("header", "major"), HEADERS.items())
def test_the_cuda_version_is_read_from_old_and_new_headers(header: str, major: int) -> None:
    assert gpus.parse_cuda_major(header) == major


def test_a_header_without_a_cuda_version_tells_nothing() -> None:
    assert gpus.parse_cuda_major("| NVIDIA-SMI 535.104.05   CUDA Version: N/A  |") is None
    assert gpus.parse_cuda_major("No devices were found") is None


def test_a_card_is_read_with_what_its_driver_knows() -> None:
    line = f"3, NVIDIA GeForce RTX 4090 D, 24564, 24100, 560.35.03, {UUID}, [N/A], 8.9\n"
    (card,) = gpus.parse_cards(line)
    assert card.name == "NVIDIA GeForce RTX 4090 D"
    assert (card.memory_total, card.memory_free) == (24564 * MIB, 24100 * MIB)
    assert (card.driver, card.capability, card.uuid) == ("560.35.03", (8, 9), UUID)
    assert card.number == 3


def test_what_a_driver_does_not_tell_is_none() -> None:
    line = "0, NVIDIA GB10, [N/A], [Insufficient Permissions], 580.95.05, GPU-1, [N/A], [N/A]"
    (card,) = gpus.parse_cards(line)
    assert (card.memory_total, card.memory_free) == (None, None)
    assert card.capability == (12, 1)


@pytest.mark.parametrize(
    "said",
    [
        "No devices were found\n",
        "Unable to determine the device handle for GPU0000:05:00.0: Unknown Error\n",
        "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\n",
        "Failed to initialize NVML: Driver/library version mismatch\nNVML library version: 535.183",
        "a, b, c, d, e\n,,,\n\x00\x1b[31m\n",
        "0\n0, x\n\u00b2, card, 1, 1, 535.104.05, GPU-1, , 8.9\n-1, card, 1, 1, 535.104.05\n",
        "",
    ],
)
def test_lines_that_are_no_cards_are_skipped(said: str) -> None:
    assert gpus.parse_cards(said) == ()


def test_numbers_that_cannot_be_meant_are_not_known() -> None:
    line = f"0, card, \u00b2, {'9' * 5000}, 580.95.05, GPU-1, [N/A], 8.9.9"
    (card,) = gpus.parse_cards(line)
    assert (card.memory_total, card.memory_free, card.capability) == (None, None, None)
    assert gpus.parse_holders(f"{UUID}, \u00b2, x, 1\n{UUID}, {'9' * 5000}, x, 1", {}) == {}


def test_a_card_that_is_cut_into_parts_does_not_tell_how_much_a_part_has() -> None:
    line = f"0, NVIDIA A100-SXM4-80GB, 81920, 80000, 560.35.03, {UUID}, Enabled, 8.0\n"
    (card,) = gpus.parse_cards(line)
    assert (card.memory_total, card.memory_free, card.capability) == (None, None, (8, 0))


@pytest.mark.parametrize(
    ("setting", "left"),
    [
        ("", [0, 1, 2]),
        ("2", [2]),
        ("2, 0", [0, 2]),
        ("GPU-1b", [1]),
        ("-1", [0, 1, 2]),
        ("7", [0, 1, 2]),  # a number from outside of the container
        ("MIG-5d8c3f0e", [0, 1, 2]),
        ("GPU-", [0, 1, 2]),
    ],
)
def test_only_the_cards_that_are_ours_on_a_shared_host_are_looked_at(
    setting: str, left: list[int]
) -> None:
    cards = [Gpu("a", 1, 1, "", uuid=f"GPU-{n}b", number=n) for n in range(3)]
    assert [card.number for card in gpus.visible(cards, setting)] == left


def test_a_lost_card_does_not_hide_the_others() -> None:
    said = (
        "Unable to determine the device handle for GPU0000:05:00.0: GPU is lost.\n"
        f"1, NVIDIA GeForce RTX 3090, 24576, 24200, 535.104.05, {UUID}, [N/A], 8.6\n"
    )
    assert [(card.name, card.number) for card in gpus.parse_cards(said)] == [
        ("NVIDIA GeForce RTX 3090", 1)
    ]


@pytest.mark.parametrize(
    ("name", "capability"),
    [
        ("NVIDIA GeForce RTX 5090", (12, 0)),
        ("NVIDIA RTX PRO 6000 Blackwell Server Edition", (12, 0)),
        ("NVIDIA B200", (10, 0)),
        ("NVIDIA H100 80GB HBM3", (9, 0)),
        ("NVIDIA H20", (9, 0)),
        ("NVIDIA GeForce RTX 4090", (8, 9)),
        ("NVIDIA RTX 6000 Ada Generation", (8, 9)),
        ("NVIDIA L40S", (8, 9)),
        ("NVIDIA A100-SXM4-80GB", (8, 0)),
        ("NVIDIA A800 80GB PCIe", (8, 0)),
        ("NVIDIA GeForce RTX 3090", (8, 6)),
        ("NVIDIA RTX A6000", (8, 6)),
        ("NVIDIA A10", (8, 6)),
        ("NVIDIA GeForce RTX 2080 Ti", (7, 5)),
        ("Tesla T4", (7, 5)),
        ("NVIDIA TITAN RTX", (7, 5)),
        ("Tesla V100-SXM2-32GB", (7, 0)),
        ("TITAN V", (7, 0)),
        ("Tesla P100-PCIE-16GB", (6, 0)),
        ("Tesla P40", (6, 1)),
        ("GeForce GTX 1080 Ti", (6, 1)),
        ("Tesla K80", (3, 7)),
        ("Some Card Of 2031", None),
    ],
)
def test_a_card_that_an_old_driver_names_has_its_capability_from_the_table(
    name: str, capability: tuple[int, int] | None
) -> None:
    assert capabilities.of_card(name) == capability


def test_holders_are_told_apart_by_card_and_ours_are_known() -> None:
    said = (
        f"{UUID}, 4711, /usr/bin/python3.10, 20012\n"
        f"{UUID}, 12, VLLM::EngineCore, [N/A]\n"
        "GPU-other, 13, [Not Found], 120\n"
        "GPU-other, 14, train.py, --lr, 0.1, 64\n"
        "No running processes found\n"
    )
    found = gpus.parse_holders(said, {12: "20261122-090000-abcd"})
    assert found[UUID] == (
        Holder(4711, "python3.10", 20012 * MIB),
        Holder(12, "VLLM::EngineCore", None, ours=True),
    )
    assert found["GPU-other"] == (
        Holder(13, "", 120 * MIB),
        Holder(14, "train.py,--lr,0.1", 64 * MIB),
    )


def test_holders_are_described_for_people_the_largest_first() -> None:
    holders = [Holder(12, "", None), Holder(4711, "python", 20480 * MIB, ours=True)]
    assert gpus.describe_holders(holders) == "python (4711), Paperkite, 20.0 GiB; ? (12)"
    assert len(gpus.describe_holders(holders * 100)) <= 300


@pytest.mark.parametrize(
    ("text", "version"),
    [
        (
            "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15\n",
            "535.104.05",
        ),
        (
            "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build\n",
            "580.65.06",
        ),
        ("", ""),
        ("something else 1.2.3", ""),
    ],
)
def test_the_loaded_driver_is_read_from_its_file(text: str, version: str) -> None:
    assert gpus.parse_driver_file(text) == version


def test_a_host_is_looked_at_whole(smi: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "marked", lambda: {99: "a-run"})
    busy = Card(*("NVIDIA GeForce RTX 4090", 24564, "8.9"), (Process(99, "python", 2048),))
    found = seen(smi, GpuHost("580.65.06", "13.0", (RTX_4090, busy)))
    assert (found.cuda_major, found.driver, found.problem) == (13, "580.65.06", "")
    assert [card.capability for card in found.cards] == [(8, 9), (8, 9)]
    assert found.cards[0].holders == ()
    assert found.cards[1].holders == (Holder(99, "python", 2048 * MIB, ours=True),)
    assert found.cards[1].memory_free == (24564 - 450 - 2048) * MIB
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert gpus.look().cards == found.cards[1:]


def test_a_driver_that_does_not_know_every_field_is_asked_again_for_less(smi: Path) -> None:
    found = seen(smi, GpuHost("470.82.01", "11.4", (nvidia_smi.RTX_2080_TI,)))
    assert (found.cuda_major, found.driver) == (11, "470.82.01")
    assert found.cards[0].capability == (7, 5)


@pytest.mark.parametrize("status", [6, 9, 14, 15])
def test_a_failing_nvidia_smi_is_no_card_and_says_why(smi: Path, status: int) -> None:
    found = seen(smi, GpuHost(said="Failed to initialize NVML: Unknown Error", status=status))
    assert found == Gpus(problem="Failed to initialize NVML: Unknown Error")


def test_without_a_device_the_loaded_driver_is_still_known(smi: Path) -> None:
    gpus.DRIVER_FILE.write_text("NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.90.07  Fri\n")
    assert seen(smi, GpuHost()) == Gpus(loaded_driver="550.90.07", problem="No devices were found")
    assert gpus.look().driver == "550.90.07"


def test_a_hanging_nvidia_smi_is_given_up(smi: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpus, "SECONDS_TO_ANSWER", 0.2)
    assert seen(smi, GpuHost(hangs=True)) == Gpus(problem="nvidia-smi gave no answer")


def test_an_nvidia_smi_that_is_no_program_is_survived(smi: Path) -> None:
    smi.mkdir()
    (smi / "nvidia-smi").write_bytes(b"\x7fELF garbage")
    (smi / "nvidia-smi").chmod(0o755)
    assert gpus.look().problem.startswith("nvidia-smi does not start")


def test_a_host_without_nvidia_smi_has_no_cards_and_no_problem(smi: Path) -> None:
    assert gpus.look() == Gpus()
