"""The scripted engine's decisions: its command line, its checks, and what it answers."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from desktop.rehearsal import scripted_engine
from desktop.rehearsal.scripted_engine.options import Options, parse
from desktop.rehearsal.scripted_engine.replies import Reply, Script
from desktop.rehearsal.scripted_engine.requests import Refused, count, split

SCRIPT = Script(model="m/x", max_model_len=100, reply_tokens=40, reasoning_tokens=2)


def chat(*texts: str, **fields: Any) -> Reply:
    roles = ("user", "assistant") * len(texts)
    messages = [{"role": role, "content": text} for role, text in zip(roles, texts, strict=False)]
    return SCRIPT.reply({"model": "m/x", "messages": messages, **fields}, is_chat=True)


def refusal(**fields: Any) -> dict[str, Any]:
    with pytest.raises(Refused) as caught:
        chat("hello", **fields)
    error: dict[str, Any] = caught.value.body["error"]
    assert error["code"] == caught.value.status
    return error


def test_the_model_is_named_either_way_and_unknown_flags_are_taken_for_vllms() -> None:
    first = parse(["serve", "/m", "--port", "81", "--max-num-seqs", "8", "-tp", "2"])
    second = parse(["serve", "--max-num-seqs=8", "--model", "/m", "--port", "81"])
    assert (first.model, first.port, first.served_model_name) == ("/m", 81, "/m")
    assert (second.model, second.port) == ("/m", 81)


@pytest.mark.parametrize(
    "argv",
    [
        ["serve", "/m", "--swap-space", "4"],
        ["serve", "/m", "--disable-log-requests"],
        ["serve", "/m", "--odd=1", "--scripted-refuse=--odd"],
    ],
)
def test_a_flag_that_vllm_refuses_ends_it_with_status_2(
    argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        parse(argv)
    assert caught.value.code == 2
    assert f"vllm: error: unrecognized arguments: {argv[2]}" in capsys.readouterr().err


def test_the_key_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLLM_API_KEY", "k")
    assert parse(["serve", "/m"]).api_key == "k"


@pytest.mark.parametrize(
    ("flags", "length"),
    [
        ([], 2048),
        (["--max-model-len", "auto"], 2048),
        (["--max-model-len", "auto", "--scripted-room", "500"], 500),
        (["--max-model-len", "700"], 700),
    ],
)
def test_the_context_is_the_models_own_unless_another_is_asked_for(
    tmp_path: Path, flags: list[str], length: int
) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"max_position_embeddings": 2048}))
    options: Options = parse(["serve", str(tmp_path), *flags])
    assert options.context_length() == length


def test_the_reply_says_that_it_is_scripted_and_repeats_the_question() -> None:
    text = "".join(chat("What is a kite?").tokens)
    assert text.startswith("This is a scripted stand-in; no model is behind it.")
    assert "What is a kite?" in text
    assert "替身" in "".join(chat("你好").tokens)


def test_the_same_question_gets_the_same_reply_of_the_asked_length() -> None:
    assert chat("hello").tokens == chat("hello").tokens
    assert len(chat("hello").tokens) == 40
    assert chat("hello").finish_reason == "stop"
    assert len(chat("hello").reasoning) == 2


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_a_limit_cuts_the_reply_short(name: str) -> None:
    reply = chat("hello", **{name: 7})
    assert (len(reply.tokens), reply.finish_reason) == (7, "length")
    assert reply.usage(7)["total_tokens"] == reply.prompt_tokens + 7


def test_a_completion_has_vllms_default_of_sixteen_tokens() -> None:
    reply = SCRIPT.reply({"prompt": "once upon"}, is_chat=False)
    assert (len(reply.tokens), reply.finish_reason, reply.reasoning) == (16, "length", [])


def test_a_reply_is_continued_where_it_was_cut() -> None:
    whole = "".join(chat("hello").tokens)
    rest = chat("hello", whole[:30], continue_final_message=True, add_generation_prompt=False)
    assert whole[:30] + "".join(rest.tokens) == whole


def test_refusals_are_vllms() -> None:
    assert refusal(model="nope")["type"] == "NotFoundError"
    assert refusal(max_tokens=101)["param"] == "max_tokens"
    assert "continue_final_message" in refusal(continue_final_message=True)["message"]
    with pytest.raises(Refused) as caught:
        chat("word " * 200)
    assert "maximum context length is 100 tokens" in str(caught.value)


def test_a_reply_never_goes_past_the_context() -> None:
    reply = chat("word " * 80)
    assert reply.prompt_tokens + len(reply.tokens) <= 100
    assert reply.finish_reason == "length"


def test_tokens_are_counted_over_all_messages() -> None:
    assert split("a kite, 你好") == ["a", " kite", ",", " 你", "好"]
    parts = [{"type": "text", "text": "a kite"}]
    assert count({"messages": [{"role": "user", "content": parts}]}) == 2 + 4
    with pytest.raises(Refused):
        count({"messages": "hello"})


def test_it_is_written_for_python_3_8() -> None:
    for path in Path(scripted_engine.__file__).parent.glob("*.py"):
        ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 8))
