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


def test_memory_of_cards_is_counted_as_their_drivers_do() -> None:
    facts = {"card": "4090", "index": 0, "free": 7 << 29, "needed": 21 << 30, "holders": "x"}
    detail = explain(AgentRefused("preflight.card-busy", **facts), "en").detail
    assert "3.5 GiB" in detail
    assert "21.0 GiB" in detail


@pytest.mark.parametrize("code", ["not-known", "failed", "not-confirmed"])
def test_where_a_rental_is_ended_by_hand_is_named_where_it_is_known(code: str) -> None:
    by_address = AppError(f"power-off-{code}", host="connect.westb.seetacloud.com")
    by_mark = AppError(f"power-off-{code}", host="10.0.0.1", provider="vast")
    assert "https://www.autodl.com" in explain(by_address, "en").hint
    assert "https://cloud.vast.ai" in explain(by_mark, "zh").hint
    assert "https://" not in explain(AppError(f"power-off-{code}", host="h"), "en").hint
