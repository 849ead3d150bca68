from __future__ import annotations

from typing import Any

import pytest

from remote.spec import Spec, SpecError, from_optional, parse, to_fields

GOOD: dict[str, Any] = {"model": "01ai/Yi-34B-Chat-4bits", "api_key": "sk-1"}


def test_a_spec_survives_its_json() -> None:
    spec = parse(dict(GOOD, engine_args=["--a", "b\n"], port=9, data_dir="~/x", unknown=1))
    assert spec.engine_args == ("--a", "b\n")
    assert parse(to_fields(spec)) == spec


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("model", ""),
        ("model", "yi"),
        ("model", "../yi"),
        ("model", "a/.."),
        ("model", "a/b/c"),
        ("model", "a/b c"),
        ("model", 1),
        ("revision", ".."),
        ("revision", "a/b"),
        ("revision", ""),
        ("hub", "ftp://x"),
        ("hub", "https://x y"),
        ("api_key", ""),
        ("api_key", "a b"),
        ("api_key", "a\0b"),
        ("api_key", "k" * 9000),
        ("data_dir", "relative"),
        ("data_dir", "/a\0b"),
        ("engine_env", "../x"),
        ("engine_args", "--a"),
        ("engine_args", [1]),
        ("engine_args", ["a\0"]),
        ("engine_args", ["a"] * 201),
        ("port", 0),
        ("port", 65536),
        ("port", True),
        ("port", "8000"),
        ("max_model_len", "0"),
        ("max_model_len", "-1"),
        ("max_model_len", "²"),
        ("max_model_len", "9" * 10),
    ],
)
def test_a_bad_field_is_named(field: str, value: object) -> None:
    with pytest.raises(SpecError, match="^" + field):
        parse(dict(GOOD, **{field: value}))


def test_a_run_serves_whoever_asks_for_the_same_engine() -> None:
    ours = parse(GOOD)
    assert ours.serves_the_same(parse(dict(GOOD, api_key="other", port=1, data_dir="/x")))
    assert not ours.serves_the_same(parse(dict(GOOD, revision="v2")))
    assert not ours.serves_the_same(parse(dict(GOOD, max_model_len="2048")))


def test_what_may_be_shown_has_no_secrets() -> None:
    shown = Spec(model="a/b", api_key="sk-1", hub_token="ms-1").public()
    assert "sk-1" not in repr(shown)
    assert "ms-1" not in repr(shown)


def test_a_damaged_spec_is_none() -> None:
    assert from_optional(None) is None
    assert from_optional({"model": "x"}) is None
    assert from_optional(GOOD) == parse(GOOD)
