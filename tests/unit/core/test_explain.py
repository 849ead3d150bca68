from desktop.core.errors import AgentRefused, AppError
from desktop.core.explain import explain


def test_facts_are_filled_in() -> None:
    error = AgentRefused("model.not-found", model="a/b", hub="https://hub")
    assert "a/b" in explain(error, "en").detail
    assert "a/b" in explain(error, "zh").detail


def test_byte_counts_read_as_sizes() -> None:
    error = AgentRefused("preflight.disk-full", path="/d", free=1_500_000_000, needed=20_000_000)
    assert explain(error, "en").detail == "/d has 1.5 GB free; the engine needs 20.0 MB."


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
