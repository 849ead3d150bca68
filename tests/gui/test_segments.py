import random

import pytest

from desktop.ui.transcript.segments import LONGEST_LINE, Segment, Splitter, balanced
from tests.helpers.screens import REPLY


def split(text: str, *, chunk: int | None = None) -> list[Segment]:
    splitter = Splitter()
    for at in range(0, len(text), chunk or max(len(text), 1)):
        splitter.feed(text[at : at + (chunk or len(text))])
    splitter.finish()
    return splitter.segments


def kinds(text: str) -> list[str]:
    return [segment.kind for segment in split(text)]


def test_blank_lines_part_paragraphs() -> None:
    assert [s.source for s in split("one\ntwo\n\nthree")] == ["one\ntwo", "three"]


def test_every_top_level_item_is_a_segment_and_keeps_its_children() -> None:
    found = split("- a\n  - b\n\n  more\n- c\n\nafter")
    assert [s.source for s in found] == ["- a\n  - b\n\n  more", "- c", "after"]


def test_a_lazy_line_stays_with_its_item() -> None:
    assert [s.source for s in split("1. one\ngoes on\n2. two")] == ["1. one\ngoes on", "2. two"]


def test_fenced_code_is_taken_without_its_fences() -> None:
    (code,) = split("```python title=x\na = 1\n\n- b\n```\n")
    assert (code.kind, code.language, code.source) == ("code", "python", "a = 1\n\n- b")


def test_a_fence_closes_only_with_its_own_kind_and_length() -> None:
    (code,) = split("````\n```\n~~~~\n`````")
    assert code.source == "```\n~~~~"


def test_a_fence_inside_an_item_belongs_to_the_item() -> None:
    found = split("1. run:\n   ```\n   - x\n\n   # y\n   ```\n2. done")
    assert [s.kind for s in found] == ["item", "item"]


def test_an_unclosed_fence_ends_with_the_reply() -> None:
    assert split("```\nx") == [Segment("code", "x", closed=True)]


def test_a_heading_stands_alone_and_an_underline_belongs_to_its_text() -> None:
    assert kinds("# one\ntext\n\nTitle\n---\n\n> quote\nlazy") == ["text", "text", "text", "quote"]


def test_a_number_other_than_one_does_not_interrupt_a_paragraph() -> None:
    assert kinds("It was in\n1986. What a year.") == ["text"]


def test_an_endless_line_is_closed_at_a_sentence() -> None:
    sentence = "纸鸢飞得很高。" * (LONGEST_LINE // 7 + 100)
    first, second = split(sentence)
    assert first.source.endswith("。")
    assert first.source + second.source == sentence


def test_a_line_of_markup_is_held_back_until_more_is_known() -> None:
    splitter = Splitter()
    splitter.feed("Some words\n-")
    assert [s.source for s in splitter.segments] == ["Some words"]
    splitter.feed(" item")
    assert [s.kind for s in splitter.segments] == ["text", "item"]


def test_feeding_tells_from_where_segments_changed() -> None:
    splitter = Splitter()
    assert splitter.feed("one\n\ntwo") == 0
    assert splitter.feed(" more") == 1
    assert splitter.segments[1] == Segment("text", "two more")


@pytest.mark.parametrize("seed", range(25))
def test_chunking_changes_nothing(seed: int) -> None:
    rng = random.Random(seed)
    pieces = [REPLY, "x" * 9, "\n\n", "- a\n  b\n", "```\n", "> q\n", "#", "1. z\n", "词。" * 1300]
    text = "".join(rng.choice(pieces) for _ in range(12))
    splitter, at = Splitter(), 0
    while at < len(text):
        step = rng.choice((1, 2, 5, 17, 400))
        splitter.feed(text[at : at + step])
        at += step
    splitter.finish()
    assert splitter.segments == split(text)


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("a **bold", "a **bold**"),
        ("a **", "a "),
        ("run `ls", "run `ls`"),
        ("a **b** c", "a **b** c"),
        ("`**` is markup", "`**` is markup"),
    ],
)
def test_open_markers_are_closed_while_it_streams(source: str, shown: str) -> None:
    assert balanced(source) == shown
