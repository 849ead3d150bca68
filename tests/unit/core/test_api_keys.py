"""The endpoint's key of each saved host: what other programs were told holds the next day too."""

from __future__ import annotations

import pytest

from desktop.core.api_keys import ApiKeys, fresh_key
from remote.spec import parse


class Kept:
    """A place for secrets; `works` is False for one that keeps nothing."""

    def __init__(self, *, works: bool = True) -> None:
        self.works = works
        self.secrets: dict[str, str] = {}

    def secret(self, name: str) -> str | None:
        return self.secrets.get(name)

    def keep(self, name: str, secret: str) -> bool:
        if self.works:
            self.secrets[name] = secret
        return self.works

    def forget(self, name: str) -> None:
        self.secrets.pop(name, None)


def test_a_saved_host_has_the_same_key_the_next_day_and_no_other_host_has_it() -> None:
    kept = Kept()
    keys = ApiKeys(kept)
    first = keys.of("west")
    assert first == keys.of("west") == ApiKeys(kept).of("west")
    assert first != keys.of("east")


def test_without_a_keyring_the_key_stays_for_as_long_as_the_app_runs() -> None:
    kept = Kept(works=False)
    keys = ApiKeys(kept)
    assert keys.of("west") == keys.of("west")
    assert ApiKeys(kept).of("west") != keys.of("west")


def test_a_host_that_is_not_saved_has_a_fresh_key_each_time() -> None:
    kept = Kept()
    keys = ApiKeys(kept)
    assert keys.of("") != keys.of("")
    assert kept.secrets == {}


@pytest.mark.parametrize("odd", ["", "x", "pk-short", "pk-" + "a" * 32 + "\n", "pk-" + "键" * 32])
def test_what_is_no_key_of_ours_is_replaced(odd: str) -> None:
    kept = Kept()
    ApiKeys(kept).of("west")
    (name,) = kept.secrets
    kept.secrets[name] = odd
    made = ApiKeys(kept).of("west")
    assert kept.secrets == {name: made}
    assert made != odd


def test_a_host_that_is_forgotten_leaves_no_key() -> None:
    kept = Kept()
    keys = ApiKeys(kept)
    before = keys.of("west")
    keys.forget("west")
    assert kept.secrets == {}
    assert keys.of("west") != before


def test_a_key_is_hard_to_guess_fits_the_spec_and_is_in_no_repr() -> None:
    made = {fresh_key() for _ in range(100)}
    assert len(made) == 100
    for key in made:
        assert parse({"model": "o/m", "api_key": key}).api_key == key
    keys = ApiKeys(Kept())
    assert keys.of("west") not in repr(keys)
