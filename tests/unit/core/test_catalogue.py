import pytest

from desktop.core.catalogue import DEFAULT_MODEL, find, models, nearest_that_fits, stop_token_ids

GIB = 1 << 30


def test_the_default_model_is_in_the_catalogue() -> None:
    assert find(DEFAULT_MODEL) is not None
    assert next(iter(models())) == DEFAULT_MODEL


def test_any_other_hub_id_is_simply_not_known() -> None:
    assert find("somebody/else") is None
    assert stop_token_ids("somebody/else") == []


def test_a_reply_of_yi_ends_at_the_token_of_its_template() -> None:
    assert stop_token_ids(DEFAULT_MODEL) == [7]


def test_the_memory_of_yi_is_as_measured() -> None:
    # As loaded by vLLM 0.26, and its KV cache: 240 KiB for each token.
    yi = models()[DEFAULT_MODEL]
    assert yi.needed(0) == pytest.approx(18.41 * GIB, rel=0.01)
    assert yi.kv_per_token == 240 * 1024
    assert yi.needed(1000) - yi.needed(0) == 240 * 1024 * 1000


def test_only_layers_with_attention_have_a_cache() -> None:
    hybrid = models()["tclf90/Qwen3.5-9B-AWQ"]
    assert hybrid.kv_per_token == 2 * 8 * 4 * 256 * 2


@pytest.mark.parametrize(
    ("model", "room", "instead"),
    [
        ("Qwen/Qwen2.5-32B-Instruct-AWQ", 14 * GIB, "Qwen/Qwen2.5-14B-Instruct-AWQ"),
        ("Qwen/Qwen2.5-Coder-32B-Instruct-AWQ", 14 * GIB, "Qwen/Qwen2.5-Coder-14B-Instruct-AWQ"),
        ("Qwen/Qwen3-32B-AWQ", 14 * GIB, "Qwen/Qwen3-14B-AWQ"),
        ("Qwen/Qwen2.5-72B-Instruct-AWQ", 21 * GIB, "Qwen/Qwen2.5-32B-Instruct-AWQ"),
        (DEFAULT_MODEL, 14 * GIB, "Qwen/Qwen2.5-14B-Instruct-AWQ"),
        ("somebody/else", 7 * GIB, "Qwen/Qwen3-8B-AWQ"),
        (DEFAULT_MODEL, 4 * GIB, None),
        (DEFAULT_MODEL, 0, None),
    ],
)
def test_the_nearest_that_fits_is_large_and_of_the_same_family(
    model: str, room: int, instead: str | None
) -> None:
    found = nearest_that_fits(model, room)
    assert (found.id if found else None) == instead


def test_a_model_that_does_not_fit_is_never_its_own_alternative() -> None:
    found = nearest_that_fits("Qwen/Qwen2.5-7B-Instruct-AWQ", 6 * GIB)
    assert found is not None
    assert found.id == "Qwen/Qwen2.5-Coder-7B-Instruct-AWQ"


def test_a_model_that_needs_a_newer_driver_is_offered_only_where_there_is_one() -> None:
    newest = "tclf90/Qwen3.6-27B-AWQ"
    older, newer = (nearest_that_fits("x/y", 30 * GIB, cuda_major) for cuda_major in (12, 13))
    assert older is not None
    assert newer is not None
    assert (older.cuda_major, newer.id) == (12, newest)
