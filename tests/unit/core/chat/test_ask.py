"""What a request says to the engine."""

from __future__ import annotations

from typing import Any

from desktop.core.catalogue import DEFAULT_MODEL
from desktop.core.chat.ask import Ask, counting, request
from desktop.core.chat.conversation import Attachment, Message, Role, Sampling, Setup
from desktop.core.chat.turn import Turn, quoting, turns_of
from desktop.core.events import Endpoint

HELLO = (Turn("user", "Hello?"),)


def endpoint(model: str = "a/b") -> Endpoint:
    return Endpoint("http://127.0.0.1:9/v1", "k", model, 2048, "r", "0")


def said(role: Role, content: str, **more: Any) -> Message:
    return Message(content, "c", "", role, content, 0.0, **more)


def test_nothing_is_sent_that_nobody_chose() -> None:
    body = request(endpoint(), Ask(HELLO))
    assert body == {
        "model": "a/b",
        "stream": True,
        "stream_options": {"include_usage": True, "continuous_usage_stats": True},
        "messages": [{"role": "user", "content": "Hello?"}],
        "extra_body": {},
    }


def test_every_choice_travels_where_the_client_takes_it() -> None:
    sampling = Sampling(0.0, 0.9, 40, 0.1, 1.05, 64, ("END",), 7)
    body = request(endpoint(), Ask(HELLO, Setup(thinking=False, sampling=sampling)), room=50)
    assert (body["temperature"], body["top_p"], body["seed"], body["stop"]) == (
        0.0,
        0.9,
        7,
        ["END"],
    )
    assert body["max_tokens"] == 50  # no more than there is room for
    assert body["extra_body"] == {
        "top_k": 40,
        "min_p": 0.1,
        "repetition_penalty": 1.05,
        "chat_template_kwargs": {"enable_thinking": False},
    }


def test_yi_is_told_where_to_stop_and_has_no_switch_for_thinking() -> None:
    body = request(endpoint(DEFAULT_MODEL), Ask(HELLO, Setup(thinking=True)))
    assert body["extra_body"] == {"stop_token_ids": [7]}


def test_a_continued_reply_is_the_last_turn_and_not_begun_anew() -> None:
    ask = Ask((*HELLO, Turn("assistant", "Hel")), continued=True)
    body = request(endpoint(), ask)
    assert body["messages"][-1] == {"role": "assistant", "content": "Hel"}
    assert body["extra_body"] == {"continue_final_message": True, "add_generation_prompt": False}
    assert counting(endpoint(), ask)["add_generation_prompt"] is False


def test_the_blogs_one_shot_completion_is_sent_as_it_stands_there() -> None:
    setup = Setup(kind="completion", sampling=Sampling(temperature=0.0, max_tokens=7))
    body = request(endpoint(), Ask((Turn("user", "San Francisco is a"),), setup), room=2000)
    assert body["prompt"] == "San Francisco is a"
    assert (body["max_tokens"], body["temperature"]) == (7, 0.0)
    assert "messages" not in body
    assert counting(endpoint(), Ask(HELLO, setup)) == {"model": "a/b", "prompt": "Hello?"}


def test_a_completion_without_a_limit_takes_what_is_left() -> None:
    body = request(endpoint(), Ask(HELLO, Setup(kind="completion")), room=2000)
    assert body["max_tokens"] == 2000  # the engine's own default is 16


def test_half_an_emoji_in_a_prompt_is_replaced_and_sent() -> None:
    body = request(endpoint(), Ask((Turn("user", "half \ud83d of it"),)))
    assert body["messages"] == [{"role": "user", "content": "half ? of it"}]


def test_an_empty_reply_is_left_out_and_two_turns_of_one_role_become_one() -> None:
    path = [said("user", "one"), said("assistant", ""), said("user", "two")]
    assert turns_of(path, Setup(system=" ")) == (Turn("user", "one\n\ntwo"),)
    assert turns_of(path, Setup(system="Be brief."))[0] == Turn("system", "Be brief.")


def test_files_are_quoted_over_what_was_typed_in_a_fence_that_holds() -> None:
    text = quoting(
        "what is this?", [Attachment("a.md", "````\ncode\n````\n"), Attachment("b", "x")]
    )
    assert text == "a.md\n`````\n````\ncode\n````\n`````\n\nb\n````\nx\n````\n\nwhat is this?"
