"""What is typed becomes wishes: over the settings, over the defaults."""

from __future__ import annotations

import io
import sys
from dataclasses import replace
from typing import Any

import pytest

from desktop.cli.invocation import Invocation, invocation
from desktop.cli.wishes import group_of, wishes
from desktop.core.saved import Group
from desktop.core.session.wishes import Wishes
from desktop.core.settings import Settings

HOST = "root@h:1"
DEFAULTS = Settings()


def wished(settings: Settings = DEFAULTS, **typed: Any) -> Wishes:
    call = invocation(host=HOST, **typed)
    return wishes(replace(call, settings=settings))


def typed_to_stdin(monkeypatch: pytest.MonkeyPatch, text: str, **typed: Any) -> Invocation:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    return invocation(host=HOST, **typed)


def test_the_terms_of_the_settings_are_in_minutes() -> None:
    saved = Settings(lease_minutes=5, idle_minutes=20, limit_minutes=600, power_off=True)
    found = wished(saved)
    assert (found.lease_seconds, found.idle_seconds, found.limit_seconds) == (300, 1200, 36000)
    assert found.power_off


def test_terms_that_are_typed_win_and_zero_is_one() -> None:
    saved = Settings(lease_minutes=5, idle_minutes=20)
    found = wished(saved, lease=0, limit=90, then_power_off=True)
    assert (found.lease_seconds, found.idle_seconds, found.limit_seconds) == (0, 1200, 5400)
    assert found.power_off


def test_a_lease_of_half_an_hour_is_the_default() -> None:
    assert wished().lease_seconds == 1800
    assert wished() == wished(Settings())


def test_code_of_a_model_is_trusted_for_that_model_only() -> None:
    saved = Settings(model="a/trusted", trust_remote_code=("a/trusted",))
    assert wished(saved).trust_remote_code == ("a/trusted",)
    assert wished(saved, model="b/other").trust_remote_code == ("a/trusted",)
    asked = wished(saved, model="b/other", trust_remote_code=True)
    assert asked.trust_remote_code == ("a/trusted", "b/other")


def test_the_token_comes_after_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    call = typed_to_stdin(
        monkeypatch, "a password\nthe-token\n", password_stdin=True, hub_token_stdin=True
    )
    assert (call.password, wishes(call).hub_token) == ("a password", "the-token")
    assert "token" not in repr(call).replace("hub_token_stdin", "")
    assert "the-token" not in repr(wishes(call))


def test_the_token_alone_or_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAPERKITE_HUB_TOKEN", " of-the-environment\n")
    assert wished().hub_token == "of-the-environment"
    typed = typed_to_stdin(monkeypatch, "typed\r\n", hub_token_stdin=True)
    assert (typed.password, wishes(typed).hub_token) == (None, "typed")
    assert typed_to_stdin(monkeypatch, "", hub_token_stdin=True).hub_token == ""


def test_the_kind_of_cache_is_passed_on() -> None:
    assert wished().kv_cache_dtype == ""
    assert wished(Settings(kv_cache_dtype="auto"), kv_cache_dtype="fp8").kv_cache_dtype == "fp8"


def test_of_a_group_the_head_is_meant_unless_another_host_is_named() -> None:
    group = Group(("root@a:1", "root@b:2"), "10.0.0.1")
    call = replace(invocation(host="pair"), settings=Settings(groups={"pair": group}))
    assert group_of(call) == group
    assert (wishes(call).destination.host, wishes(call, "root@b:2").destination.host) == ("a", "b")
    assert group_of(replace(call, settings=DEFAULTS)) is None
