"""What is left out where a conversation does not fit, and what never is."""

from __future__ import annotations

import pytest

from desktop.core.chat.ask import Ask
from desktop.core.chat.context import most_tokens, shortened, surely_fits
from desktop.core.chat.conversation import Setup
from desktop.core.chat.turn import Turn

LONG = "word " * 100


def asked(*turns: tuple[str, str], continued: bool = False) -> Ask:
    return Ask(tuple(Turn(role, text) for role, text in turns), continued=continued)  # type: ignore[arg-type]


def texts(ask: Ask | None) -> list[str]:
    assert ask is not None
    return [turn.content[:3].strip() for turn in ask.turns]


@pytest.mark.parametrize(
    ("length", "wanted", "most"),
    [(16384, None, 15360), (2048, None, 1536), (2048, 100, 1948), (2048, 5000, 1536)],
)
def test_a_reply_always_has_room(length: int, wanted: int | None, most: int) -> None:
    assert most_tokens(length, wanted) == most


def test_a_short_text_need_not_be_counted_and_a_long_one_must() -> None:
    assert surely_fits(asked(("user", "你好")), 1536)
    assert not surely_fits(asked(("user", "好" * 400)), 1536)  # 1,200 bytes


def test_the_oldest_question_goes_with_its_answer() -> None:
    ask = asked(
        ("system", "be brief"),
        *[("user", "q1 " + LONG), ("assistant", "a1 " + LONG)],
        *[("user", "q2 " + LONG), ("assistant", "a2 " + LONG)],
        ("user", "q3"),
    )
    assert texts(shortened(ask, 1000, 900)) == ["be", "q2", "a2", "q3"]
    assert texts(shortened(ask, 1000, 400)) == ["be", "q3"]


def test_the_last_question_stays_and_so_does_the_reply_that_goes_on() -> None:
    ask = asked(
        ("user", "q1 " + LONG), ("assistant", "a1"), ("user", "q2"), ("assistant", "a2"),
        continued=True,
    )  # fmt: skip
    assert texts(shortened(ask, 1000, 1)) == ["q2", "a2"]
    assert shortened(asked(("system", "s"), ("user", LONG)), 1000, 10) is None
    assert shortened(asked(("assistant", "a"), ("user", LONG)), 1000, 10) is not None


def test_each_round_leaves_out_something() -> None:
    ask = asked(("user", "q1"), ("assistant", "a1"), ("user", "q2"))
    assert texts(shortened(ask, 10, 10)) == ["q2"] or texts(shortened(ask, 10, 9)) == ["q2"]


def test_a_completion_is_never_cut() -> None:
    ask = Ask(
        (Turn("user", "a"), Turn("assistant", "b"), Turn("user", "c")), Setup("", "completion")
    )
    assert shortened(ask, 10, 1) is None
