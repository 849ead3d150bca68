"""A request that does not fit is cut until it does, by the engine's own count."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from desktop.core.chat.ask import Ask
from desktop.core.chat.conversation import Sampling, Setup
from desktop.core.chat.counting import Fit, fitted, measured
from desktop.core.chat.turn import Turn
from desktop.core.errors import ReplyFailed
from desktop.core.events import Endpoint

ENDPOINT = Endpoint("http://127.0.0.1:9/v1", "k", "a/b", 1000, "r", "0")
LONG = "word " * 100


class Tokenizer:
    """Counts words, as the client gives an answer of `/tokenize`."""

    def __init__(self, answer: Any = None, error: Exception | None = None) -> None:
        self.asked: list[tuple[str, Any]] = []
        self._answer, self._error = answer, error

    def with_options(self, **_: Any) -> Tokenizer:
        return self

    async def post(self, url: str, *, body: Any, cast_to: Any) -> Any:
        self.asked.append((url, body))
        if self._error is not None:
            raise self._error
        said = body.get("prompt") or " ".join(each["content"] for each in body["messages"])
        return {"count": len(said.split())} if self._answer is None else self._answer


def fit(tokenizer: Tokenizer, ask: Ask) -> Fit:
    return asyncio.run(fitted(tokenizer, ENDPOINT, ask))  # type: ignore[arg-type]


def talk(rounds: int, last: str = "and now?") -> Ask:
    turns = [
        (Turn("user", f"q{n} {LONG}"), Turn("assistant", f"a{n} {LONG}")) for n in range(rounds)
    ]
    return Ask((*[turn for pair in turns for turn in pair], Turn("user", last)))


def test_a_short_question_goes_without_being_counted() -> None:
    tokenizer = Tokenizer()
    assert fit(tokenizer, Ask((Turn("user", "hi"),))) == Fit(Ask((Turn("user", "hi"),)))
    assert tokenizer.asked == []


def test_the_oldest_turns_are_left_out_and_counted() -> None:
    tokenizer = Tokenizer()
    fitting = fit(tokenizer, talk(6))
    assert fitting.left_out == 6  # 1,214 words; 750 may stay
    assert fitting.ask.turns[0].content.startswith("q3 ")
    assert fitting.room == 1000 - 608
    assert {url for url, _ in tokenizer.asked} == {"http://127.0.0.1:9/tokenize"}


def test_what_alone_is_too_long_is_said_before_it_is_sent() -> None:
    with pytest.raises(ReplyFailed) as failed:
        fit(Tokenizer(), talk(2, last="word " * 1200))
    assert failed.value.code == "prompt-too-long"
    assert failed.value.facts == {"tokens": 1200, "limit": 1000}


def test_a_limit_for_the_reply_leaves_it_that_much_room() -> None:
    setup = Setup(sampling=Sampling(max_tokens=100))
    fitting = fit(Tokenizer(), Ask((Turn("user", "word " * 950),), setup))
    assert fitting.room == 50


@pytest.mark.parametrize("answer", [[], {}, {"count": "7"}, {"count": True}, "no"])
def test_an_answer_that_is_none_sends_the_request_as_it_is(answer: object) -> None:
    fitting = fit(Tokenizer(answer), talk(6))
    assert (fitting.left_out, fitting.room, len(fitting.ask.turns)) == (0, None, 13)


def test_an_engine_without_a_tokenizer_has_the_last_word() -> None:
    fitting = fit(Tokenizer(error=ValueError("not JSON")), talk(6))
    assert fitting.left_out == 0


def test_a_prompt_of_a_completion_is_counted_as_it_stands() -> None:
    ask = Ask((Turn("user", "San Francisco is a"),), Setup(kind="completion"))
    tokens = asyncio.run(measured(Tokenizer(), ENDPOINT, ask))  # type: ignore[arg-type]
    assert tokens == 4
