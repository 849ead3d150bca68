import pytest

import desktop.core.explain as module
from desktop.core.errors import AgentRefused, AppError
from desktop.core.explain import explain


def test_facts_are_filled_in() -> None:
    error = AgentRefused("model.not-found", model="a/b", hub="https://hub")
    assert "a/b" in explain(error, "en").detail
    assert "a/b" in explain(error, "zh").detail


def test_byte_counts_read_as_sizes() -> None:
    error = AgentRefused("preflight.disk-full", path="/d", free=1_500_000_000, needed=20_000_000)
    detail = explain(error, "en").detail
    assert "1.5 GB" in detail
    assert "20.0 MB" in detail


def test_an_unknown_code_is_shown_with_the_hosts_detail() -> None:
    texts = explain(AgentRefused("future.code", detail="new trouble"), "en")
    assert texts.detail == "future.code: new trouble"


def test_a_missing_fact_reads_as_an_ellipsis() -> None:
    assert "…" in explain(AppError("model.not-found"), "en").detail


def test_what_the_host_says_cannot_drive_a_terminal_or_fill_a_screen() -> None:
    error = AgentRefused("run.bug", detail="\x1b[2J{path}\n" + "x" * 1000)
    detail = explain(error, "en").detail
    assert "\x1b" not in detail
    assert "\n" not in detail
    assert len(detail) < 500


DOES_NOT_FIT = {
    "preflight.model-does-not-fit": {
        language: {"title": "t", "detail": "{model}: {needed} > {room}", "hint": "smaller"}
        for language in ("en", "zh")
    },
    "preflight.model-does-not-fit+alternative": {
        language: {"title": "t", "detail": "{model}", "hint": "take {alternative}"}
        for language in ("en", "zh")
    },
}


@pytest.mark.parametrize(
    ("room", "hint"),
    [(14 << 30, "take Qwen/Qwen3-14B-AWQ"), (1 << 30, "smaller"), ("much", "smaller")],
)
def test_for_a_model_that_does_not_fit_one_that_does_is_named(
    room: object, hint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "catalogue", lambda: DOES_NOT_FIT)
    facts = {"model": "Qwen/Qwen3-32B-AWQ", "needed": 20 << 30, "room": room}
    error = AgentRefused("preflight.model-does-not-fit", **facts)
    assert explain(error, "en").hint == hint
