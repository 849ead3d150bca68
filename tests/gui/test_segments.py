import random

import pytest

from desktop.ui.transcript.machine import LONGEST_TEXT, Segment
from desktop.ui.transcript.segments import Splitter, balanced
from tests.helpers.chat_screens import ZH as REPLY


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


def test_code_inside_an_item_is_code_and_the_item_goes_on() -> None:
    found = split("1. run:\n   ```sh\n   - x\n\n     # y\n   ```\n   and wait\n2. done")
    assert [s.kind for s in found] == ["item", "code", "item", "item"]
    assert (found[1].source, found[1].language, found[1].indent) == ("- x\n\n  # y", "sh", 3)
    assert (found[2].part, found[2].source, found[3].number) == (1, "   and wait", 2)


def test_an_item_that_is_over_ends_the_code_inside_it() -> None:
    found = split("- a\n  ```\n  x\nafter")
    assert [(s.kind, s.source) for s in found] == [
        ("item", "- a"),
        ("code", "x"),
        ("text", "after"),
    ]


def test_code_on_the_line_of_a_marker_is_code() -> None:
    assert [s.kind for s in split("- ```\n  x\n  ```\n- b")] == ["item", "code", "item"]


@pytest.mark.parametrize(
    "text",
    [
        "- first\n" + "  - an inner item with some words\n" * 900,
        "- first\n\n" + "  A paragraph of the item.\n\n" * 900,
        "- first\n" + "  one paragraph that goes on\n" * 900,
        "> said a line that goes on\n" * 900,
        "> said a paragraph\n>\n" * 900,
        "> ```\n" + "> x = 1\n" * 3000,
        "[^1]: a note\n" + "  that goes on and on\n" * 900,
        "- " + "一句话。" * 9000,
        "> " + "一句话。" * 9000,
        "$$\n" + "x + y\n" * 3000,
        "|" + "x" * 90_000,
    ],
    ids=lambda text: text[:12],
)
def test_what_is_open_stays_small_enough_for_a_frame(text: str) -> None:
    splitter = Splitter()
    for at in range(0, len(text), 800):
        splitter.feed(text[at : at + 800])
        bound = 24_100 if text.startswith("|") else 2 * LONGEST_TEXT + 900
        assert len(splitter.segments[-1].source) <= bound
    splitter.finish()
    letters = "".join(segment.source for segment in splitter.segments)
    assert letters.count("x") + letters.count("话") == text.count("x") + text.count("话")


def test_a_quote_that_is_cut_inside_code_goes_on_as_code() -> None:
    first, second = split("> ```py\n" + "> x = 1\n" * 700)[:2]
    assert (first.head, second.head, second.part) == ("", "```py", 1)


def test_an_unclosed_fence_ends_with_the_reply() -> None:
    assert split("```\nx") == [Segment("code", "x", closed=True)]


def test_a_heading_stands_alone_and_an_underline_belongs_to_its_text() -> None:
    assert kinds("# one\ntext\n\nTitle\n---\n\n> quote\nlazy") == ["text", "text", "text", "quote"]


def test_a_number_other_than_one_does_not_interrupt_a_paragraph() -> None:
    assert kinds("It was in\n1986. What a year.") == ["text"]


def test_an_endless_line_is_closed_at_a_sentence() -> None:
    sentence = "纸鸢飞得很高。" * (LONGEST_TEXT // 7 + 100)
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


def test_a_paragraph_of_very_many_short_lines_is_cut_between_them() -> None:
    found = split("a\n" * 1000)
    assert 5 < len(found) < 10
    assert "".join(s.source for s in found).count("a") == 1000


def test_a_wide_table_has_fewer_rows_in_each_piece() -> None:
    wide = f"{'|c' * 32}|\n{'|---' * 32}|\n" + f"{'|v' * 32}|\n" * 8
    assert [s.source.count("\n") + 1 for s in split(wide)] == [2, 2, 2, 2]
    narrow = "|a|b|\n|---|---|\n" + "|v|w|\n" * 16
    assert [s.source.count("\n") + 1 for s in split(narrow)] == [8, 8]


@pytest.mark.parametrize("name", ["align", "align*", "equation", "gather*", "multline"])
def test_an_environment_of_latex_is_a_formula_without_dollars(name: str) -> None:
    tex = f"\\begin{{{name}}}\na &= b \\\\\n- c\n\\end{{{name}}}"
    found = split(f"so\n{tex}\nthat")
    assert [(s.kind, s.source) for s in found] == [("text", "so"), ("maths", tex), ("text", "that")]
    assert kinds(f"\\begin{{{name}}}x\\end{{{name}}}.") == ["maths"]
    assert kinds(f"\\begin{{{name}}}\nx\n\ny") == ["text", "text"]


@pytest.mark.parametrize("partial", ["\\", "\\be", "\\begin", "\\begin{ali", "\\begin{align*"])
def test_the_beginning_of_an_environment_is_held_back(partial: str) -> None:
    splitter = Splitter()
    splitter.feed("so\n" + partial)
    assert [s.source for s in splitter.segments] == ["so"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("1. x:\n   $$\n   a\n   + b\n   $$\n   y", "1. x:\n   $$ a + b $$\n   y"),
        ("- $$\n  a % note\n  - b\n  $$.", "- $$ a - b $$."),
        ("> x\n> \\[\n> a\n> - b\n> \\]", "x\n\\[ a - b \\]"),
        ("- \\begin{align}\n  a\n  + b\n  \\end{align}", "- $$\\begin{align} a + b \\end{align}$$"),
        ("- $$\n  a\n\n  + b\n  $$", "- $$\n  a\n\n  + b\n  $$"),
        ("- $$\n  + b", "- $$\n  + b"),
        ("> ```\n> $$\n> + a\n> $$\n> ```", "```\n$$\n+ a\n$$\n```"),
    ],
)
def test_a_formula_in_an_item_or_a_quote_is_read_on_one_line(text: str, shown: str) -> None:
    (found,) = split(text)
    assert found.markdown() == shown
    assert found.source == text


def test_what_begins_a_formula_in_an_item_is_taken_for_one_while_it_streams() -> None:
    splitter = Splitter()
    splitter.feed("- $$\n  a\n  + b")
    (found,) = splitter.segments
    assert found.markdown() == "- $$ a + b"
