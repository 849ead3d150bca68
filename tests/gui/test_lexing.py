import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.ui.transcript import lexing
from desktop.ui.transcript.lexing import Colouring, LineLexer, Run, load

PYTHON = Path(lexing.__file__).read_text(encoding="utf-8")
C = "int a; /* one\n two\n three */ int b = 1;\n// end\n"


def by_line(language: str, text: str) -> list[list[Run]]:
    lexer = LineLexer(load(language))
    runs = [run for line in text.split("\n") for run in lexer.feed(line)]
    return runs + lexer.rest()


def whole(language: str, text: str) -> list[list[Run]]:
    return lexing._by_line(text.split("\n"), load(language).get_tokens_unprocessed(text + "\n"))


@pytest.mark.parametrize("text", [PYTHON, 'x = """a\nb"""\ny = 1', "def f(\n  a,\n): ..."])
def test_line_by_line_colours_are_those_of_the_whole_text(text: str) -> None:
    assert by_line("python", text) == whole("python", text)


@pytest.mark.parametrize("language", ["c", "js", "java", "rust", "go", "css"])
def test_a_comment_over_several_lines_is_one(language: str) -> None:
    runs = by_line(language, C)
    assert (0, 4, "comment") in runs[1] or (1, 3, "comment") in runs[1]


def test_a_comment_that_never_ends_loses_no_line() -> None:
    assert len(by_line("c", "/* open\na\nb")) == 3


@pytest.mark.parametrize("language", ["html+php", "console", "jinja", "json", "yaml", "diff"])
def test_lexers_with_a_way_of_their_own_colour_line_by_line(language: str) -> None:
    assert len(by_line(language, "$ ls\n<b>x</b>\n+ {}")) == 3


def test_an_unknown_language_has_no_lexer() -> None:
    assert load("no-such-language") is None


def test_colours_wait_for_their_lexer_and_give_up_without_one() -> None:
    waiting = Colouring("python", lambda _: (False, None))
    assert not waiting.advance("x = 1")
    assert waiting.wants(1)
    hopeless = Colouring("nothing", lambda _: (True, None))
    assert not hopeless.advance("x = 1")
    assert not hopeless.wants(1)


def test_lexers_are_loaded_beside_the_window() -> None:
    lexers = lexing.Lexers()
    assert lexers.get("ini") == (False, None)
    deadline = time.monotonic() + 20
    while not lexers.get("ini")[0]:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert lexers.get("ini")[1] is not None


def test_a_line_of_data_is_left_alone() -> None:
    assert by_line("json", "[" + "1," * 5000) == [[]]


def test_a_lexer_that_fails_costs_the_colours_of_its_line() -> None:
    lexer = load("python")
    assert lexer is not None

    def broken(*_: object) -> Iterator[object]:
        raise RecursionError
        yield

    rule = (re.compile("odd").match, broken, None)
    lexer._tokens = {**lexer._tokens, "root": [rule, *lexer._tokens["root"]]}
    lines = LineLexer(lexer)
    assert lines.feed("odd") == [[]]
    assert lines.feed("import os")[0] != []
