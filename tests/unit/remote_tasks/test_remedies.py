"""What is tried after an engine ended: by its own word, each once, never against the user."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from remote.engine import remedies, signatures
from remote.engine.failures import Ending
from remote.engine.fit import Fit
from remote.engine.remedies import MOST, following
from remote.engine.serving import Serving
from remote.packages.places import Places

FP8 = Fit(
    fits=True,
    max_model_len=20_000,
    weights=18 * 2**30,
    kv_per_token=1000,
    kv_room=24_000_000,
    needed=0,
    room=0,
    kv_cache_dtype="fp8",
)
FIRST = Serving(
    argv=("vllm", "serve"),
    env="",
    version=(0, 32, 0),
    model_path="/m",
    gpu_count=1,
    port=8000,
    places=Places(Path("/data")),
    fit=FP8,
    has_nvcc=True,
)


def ended(remedy: str, **facts: Any) -> Ending:
    return Ending(1, "engine.exited", "words", remedy, facts)


@pytest.mark.parametrize(
    ("end", "changed"),
    [
        (ended(signatures.NEXT_PORT), {"port": 8001}),
        (ended(signatures.LISTEN_AGAIN), {"port": 8001}),
        (ended(signatures.NAMED_LENGTH, asked=8192, fits=2048), {"fitted_length": 2048}),
        (ended(signatures.LESS_MEMORY, free_gib=31.44, total_gib=47.38), {"utilization": 0.64}),
        (ended(signatures.SAME_AGAIN), {}),
        (ended(signatures.FEWER_SEQUENCES, loaded=True), {"max_num_seqs": 2}),
        (ended(signatures.WITHOUT_NVCC), {"has_nvcc": False}),
        (ended(signatures.EAGER), {"eager": True}),
        (ended(signatures.HALF), {"dtype": "half"}),
        (ended(signatures.WITHOUT_ARGUMENT, argument="--new-flag 5"), {"dropped": ("--new-flag",)}),
    ],
    ids=lambda value: value.remedy if isinstance(value, Ending) else "",
)
def test_a_remedy_changes_one_thing_and_is_noted(end: Ending, changed: dict[str, Any]) -> None:
    assert following(FIRST, end) == FIRST._replace(remedies=(end.remedy,), **changed)


def test_without_fp8_half_the_length_is_left() -> None:
    found = following(FIRST, ended(signatures.PLAIN_CACHE))
    assert found is not None
    assert found.fit is not None
    assert (found.fit.kv_cache_dtype, found.fit.max_model_len) == ("auto", 12_000)
    assert following(FIRST._replace(fit=None), ended(signatures.PLAIN_CACHE)) is None


@pytest.mark.parametrize("remedy", sorted(remedies.REMEDIES.keys() - {signatures.NEXT_PORT}))
def test_each_is_tried_once(remedy: str) -> None:
    end = ended(remedy, fits=2048, free_gib=20.0, total_gib=24.0, argument="--x")
    first = following(FIRST, end)
    assert first is not None
    second = following(first, end)
    assert second is None or second.remedies[-1] == signatures.EAGER != remedy


def test_another_port_is_tried_three_times() -> None:
    what: Serving | None = FIRST
    ports = []
    while what is not None:
        ports.append(what.port)
        what = following(what, ended(signatures.NEXT_PORT))
    assert ports == [8000, 8001, 8002, 8003]


def test_an_engine_that_listens_on_nothing_is_started_again_though_ports_were_lost_before() -> None:
    lost = following(FIRST, ended(signatures.NEXT_PORT))
    assert lost is not None
    deaf = following(lost, ended(signatures.LISTEN_AGAIN))
    assert deaf is not None
    assert following(deaf, ended(signatures.LISTEN_AGAIN)) is None


@pytest.mark.parametrize("remedy", [signatures.FEWER_SEQUENCES, signatures.WITHOUT_NVCC])
def test_what_was_of_no_use_is_followed_by_an_eager_start_and_then_by_nothing(
    remedy: str,
) -> None:
    first = following(FIRST, ended(remedy))
    assert first is not None
    second = following(first, ended(remedy))
    assert second is not None
    assert second.eager
    assert following(second, ended(remedy)) is None


def test_a_host_that_has_no_nvcc_anyway_goes_on_with_an_eager_start() -> None:
    found = following(FIRST._replace(has_nvcc=False), ended(signatures.WITHOUT_NVCC))
    assert found is not None
    assert found.eager


def test_the_tries_are_bounded_whatever_the_engine_says() -> None:
    what, count = FIRST, 0
    ends = [ended(remedy, fits=9, argument="--x") for remedy in sorted(remedies.REMEDIES)]
    while (after := next(filter(None, (following(what, end) for end in ends)), None)) is not None:
        what, count = after, count + 1
    assert count == MOST


@pytest.mark.parametrize(
    ("remedy", "own"),
    [
        (signatures.NAMED_LENGTH, "--max_model_len=9000"),
        (signatures.LESS_MEMORY, "--gpu-memory-utilization=0.9"),
        (signatures.HALF, "--dtype=bfloat16"),
        (signatures.PLAIN_CACHE, "--kv-cache-dtype=fp8"),
        (signatures.EAGER, "--no-enforce-eager"),
        (signatures.WITHOUT_ARGUMENT, "--x"),
    ],
)
def test_what_the_user_said_is_not_overruled(remedy: str, own: str) -> None:
    end = ended(remedy, fits=2048, free_gib=20.0, total_gib=24.0, argument="--x")
    assert following(FIRST, end, ()) is not None
    assert following(FIRST, end, (own,)) is None


@pytest.mark.parametrize(
    "end",
    [
        ended(""),
        ended("nobody-knows-this"),
        ended(signatures.NAMED_LENGTH),
        ended(signatures.NAMED_LENGTH, fits=0),
        ended(signatures.LESS_MEMORY),
        ended(signatures.LESS_MEMORY, free_gib=1.0, total_gib=24.0),
        ended(signatures.LESS_MEMORY, free_gib=1.0, total_gib=0),
        ended(signatures.WITHOUT_ARGUMENT),
        ended(signatures.WITHOUT_ARGUMENT, argument="no option"),
    ],
)
def test_what_cannot_help_is_not_tried(end: Ending) -> None:
    assert following(FIRST, end) is None


def test_all_options_that_an_engine_does_not_know_are_left_out_at_once() -> None:
    end = ended(signatures.WITHOUT_ARGUMENT, argument="--new-flag 5 --another=x")
    found = following(FIRST, end)
    assert found is not None
    assert found.dropped == ("--new-flag", "--another")
    assert following(FIRST, end, ("--another=y",)) is None
