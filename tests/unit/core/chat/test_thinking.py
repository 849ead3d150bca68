"""Thinking that comes inside a reply, however it is cut into pieces."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from desktop.core.chat.thinking import Thinking

QWEN = "<think>\nThey want 2 < 3, so </thin> air.\n</think>\n\nYes: **2 < 3**."
THOUGHT, SAID = "They want 2 < 3, so </thin> air.\n", "Yes: **2 < 3**."


def told(pieces: Iterable[str], *, listens: bool = True) -> tuple[str, str]:
    """Return all that is told of the thinking, and of the reply."""
    thinking = Thinking(listens=listens)
    heard = [thinking.hear("", piece) for piece in pieces]
    heard.append(thinking.rest())
    return "".join(thought for thought, _ in heard), "".join(said for _, said in heard)


@pytest.mark.parametrize("size", range(1, len(QWEN) + 1))
def test_marks_may_be_cut_anywhere(size: int) -> None:
    pieces = [QWEN[at : at + size] for at in range(0, len(QWEN), size)]
    assert told(pieces) == (THOUGHT, SAID)


@pytest.mark.parametrize(
    ("text", "thought", "said"),
    [
        ("\n <think>a</think>b", "a", "b"),
        ("<think></think>b", "", "b"),
        ("<think>\n\n</think>\n\nb", "", "b"),
        ("<think>a</think>", "a", ""),
        ("<think>a</think>\n\n    code", "a", "    code"),
        ("<think>a</think>b</think><think>c", "a", "b</think><think>c"),
        ("<think>a <think> b</think>c", "a <think> b", "c"),
        ("<think>cut in the middle </thi", "cut in the middle </thi", ""),
        ("<think>", "", ""),
        ("<thi", "", "<thi"),
        ("<thinking>a", "", "<thinking>a"),
        ("<THINK>a", "", "<THINK>a"),
        ("<table>", "", "<table>"),
        ("The mark <think>a</think> is one", "", "The mark <think>a</think> is one"),
        ("`<think>` is a mark", "", "`<think>` is a mark"),
        ("a\n</think>\nb", "", "a\n</think>\nb"),
        ("\n\nb", "", "\n\nb"),
        ("", "", ""),
    ],
)
@pytest.mark.parametrize("size", [1, 3, 100])
def test_only_what_a_reply_begins_with_is_thinking(
    text: str, thought: str, said: str, size: int
) -> None:
    assert told(text[at : at + size] for at in range(0, len(text), size)) == (thought, said)


def test_nothing_is_held_back_longer_than_a_mark_may_take() -> None:
    thinking = Thinking()
    assert thinking.hear("", " " * 64) == ("", "")
    assert thinking.hear("", " ") == ("", " " * 65)
    assert thinking.hear("", "<think>a") == ("", "<think>a")


def test_a_thought_is_told_as_it_comes() -> None:
    thinking = Thinking()
    pieces = ("<think>", "\n", "a ", "<", "b", "</", "think>", "\n\n", "c")
    assert [thinking.hear("", piece) for piece in pieces] == [
        ("", ""), ("", ""), ("a ", ""), ("", ""), ("<b", ""), ("", ""), ("", ""), ("", ""),
        ("", "c"),
    ]  # fmt: skip


def test_an_engine_that_knows_the_marks_is_believed() -> None:
    thinking = Thinking()
    assert thinking.hear("hm", "") == ("hm", "")
    assert thinking.hear("", "<think>a") == ("", "<think>a")


def test_what_goes_on_is_text() -> None:
    assert told(["<think>", "a"], listens=False) == ("", "<think>a")
