"""Colours of code, line by line: a lexer that goes on where the last line left it.

Pygments lexes whole texts. A reply grows by a line now and then, and lexing all of it again for
each would miss the frame; so the state stack is kept between lines. What one rule matches over
several lines (the comments of C and its kin) is waited for and lexed in one piece.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

Run = tuple[int, int, str]  # from, length, name of the colour

_LONGEST_LINE = 1000  # characters: a longer line is data, and rules may take quadratic time
_LONGEST_COMMENT = 60  # lines

# From Pygments' token types to our few colours; the nearest ancestor that is named counts.
_COLOURS = {
    "Token.Keyword": "keyword",
    "Token.Keyword.Constant": "number",
    "Token.Operator.Word": "keyword",
    "Token.Literal.String": "string",
    "Token.Literal.Number": "number",
    "Token.Comment": "comment",
    "Token.Comment.Preproc": "keyword",
    "Token.Name.Function": "function",
    "Token.Name.Decorator": "function",
    "Token.Name.Attribute": "function",
    "Token.Name.Class": "type",
    "Token.Name.Builtin": "type",
    "Token.Name.Exception": "type",
    "Token.Name.Tag": "keyword",
    "Token.Name.Variable": "type",
    "Token.Generic.Deleted": "removed",
    "Token.Generic.Inserted": "added",
    "Token.Generic.Heading": "keyword",
    "Token.Generic.Prompt": "comment",
    "Token.Generic.Output": "",
}
# Lexers whose block comment is one rule.
_C_COMMENTS = frozenset(
    (
        *("c", "cpp", "csharp", "css", "dart", "go", "groovy", "java", "javascript", "jsx"),
        *("kotlin", "objective-c", "php", "rust", "scala", "scss", "solidity", "sql", "swift"),
        *("ts", "tsx", "typescript", "verilog"),
    )
)


def load(language: str) -> Any | None:
    """Return Pygments' lexer for a language as it is written after a fence, or None.

    Slow the first time (10 to 50 ms): not for the GUI's thread.
    """
    lexers: Any = import_module("pygments.lexers")
    try:
        return lexers.get_lexer_by_name(language.lower(), stripnl=False, ensurenl=False)
    except lexers.ClassNotFound:
        return None


class Lexers:
    """Loads lexers in a thread of their own, one for each language."""

    def __init__(self) -> None:
        self._loaded: dict[str, Any | None] = {}
        self._loading: set[str] = set()

    def get(self, language: str) -> tuple[bool, Any | None]:
        """Return whether it is known, and the lexer, or None of a language that nobody knows."""
        if language in self._loaded:
            return True, self._loaded[language]
        if language not in self._loading:
            self._loading.add(language)
            threading.Thread(target=self._load, args=(language,), daemon=True).start()
        return False, None

    def _load(self, language: str) -> None:
        try:
            self._loaded[language] = load(language)
        except Exception:  # noqa: BLE001 - a lexer that cannot be made costs its colours, no more
            self._loaded[language] = None


LEXERS = Lexers()


class LineLexer:
    """Colours lines one after the other."""

    def __init__(self, lexer: Any) -> None:
        regex_lexer: Any = import_module("pygments.lexer").RegexLexer
        self._lexer = lexer
        own = getattr(type(lexer), "get_tokens_unprocessed", None)
        # A lexer with a way of its own, such as one in another, gets every line alone.
        self._resumable = own is regex_lexer.get_tokens_unprocessed
        self._comments = bool(_C_COMMENTS & set(lexer.aliases))
        self._stack = ["root"]
        self._held: list[str] = []

    def feed(self, line: str) -> list[list[Run]]:
        """Return the runs of the lines that are known now: none while a comment is open."""
        self._held.append(line)
        if self._comments and _opens_comment(self._held) and len(self._held) < _LONGEST_COMMENT:
            return []
        lines, self._held = self._held, []
        return self._lex(lines, self._stack)

    def peek(self, line: str) -> list[Run]:
        """Return the runs of a line that is not complete yet."""
        return [] if self._held else self._lex([line], [*self._stack])[0]

    def rest(self) -> list[list[Run]]:
        """Return the runs of what was waiting for the end of a comment that never came."""
        lines, self._held = self._held, []
        return self._lex(lines, self._stack) if lines else []

    def _lex(self, lines: list[str], stack: list[str]) -> list[list[Run]]:
        if any(len(line) > _LONGEST_LINE for line in lines):
            return [[] for _ in lines]
        text = "\n".join(lines) + "\n"
        if self._resumable:
            tokens = _resumed(self._lexer, text, stack)
        else:
            tokens = iter(self._lexer.get_tokens_unprocessed(text))
        try:
            return _by_line(lines, tokens)
        except Exception:  # noqa: BLE001 - a lexer that fails on odd code costs its colours, no more
            stack[:] = ["root"]
            return [[] for _ in lines]


def _opens_comment(lines: list[str]) -> bool:
    text = "\n".join(lines)
    return text.rfind("/*") > text.rfind("*/")


def _resumed(lexer: Any, text: str, stack: list[str]) -> Iterator[tuple[int, Any, str]]:
    """Yield Pygments' tokens of a text and leave `stack` as it is at its end.

    The rules of a RegexLexer are applied as its documentation says ("Write your own lexer").
    """
    kinds: Any = import_module("pygments.token")
    rules, at = lexer._tokens, 0  # noqa: SLF001 - the processed rules have no public name
    while at < len(text):
        for match_at, action, new_state in rules[stack[-1]]:
            found = match_at(text, at)
            if found is None:
                continue
            if action is not None:
                if action in kinds.Token:
                    yield at, action, found.group()
                else:
                    yield from action(lexer, found)
            at = found.end()
            _go(stack, new_state)
            break
        else:
            if text[at] == "\n":  # no rule for it: the line is over, and so are its states
                stack[:] = ["root"]
                yield at, kinds.Whitespace, "\n"
            else:
                yield at, kinds.Error, text[at]
            at += 1


def _go(stack: list[str], new_state: Any) -> None:
    """Change the stack as a rule says."""
    if isinstance(new_state, tuple):
        for state in new_state:
            _go(stack, state)
    elif isinstance(new_state, int):
        kept = max(len(stack) + new_state, 1)
        del stack[kept:]
    elif new_state == "#pop":
        del stack[max(len(stack) - 1, 1) :]
    elif new_state == "#push":
        stack.append(stack[-1])
    elif new_state is not None:
        stack.append(new_state)


def _by_line(lines: list[str], tokens: Iterator[tuple[int, Any, str]]) -> list[list[Run]]:
    """Return the coloured runs of each line; a token over several lines is cut at their ends."""
    runs: list[list[Run]] = [[] for _ in lines]
    starts, start = [], 0
    for line in lines:
        starts.append(start)
        start += len(line) + 1
    row = 0
    for at, kind, value in tokens:
        colour = _colour(kind)
        while row + 1 < len(lines) and at >= starts[row + 1]:
            row += 1
        if not colour:
            continue
        here, end = row, at + len(value)
        while here < len(lines) and starts[here] < end:
            begin = max(at - starts[here], 0)
            length = min(end - starts[here], len(lines[here])) - begin
            if length > 0:
                _add(runs[here], (begin, length, colour))
            here += 1
    return runs


def _add(runs: list[Run], run: Run) -> None:
    """Add a run, to the one before it where both have one colour."""
    if runs and runs[-1][2] == run[2] and sum(runs[-1][:2]) == run[0]:
        begin, length, colour = runs.pop()
        run = (begin, length + run[1], colour)
    runs.append(run)


_KNOWN: dict[Any, str] = {}


def _colour(kind: Any) -> str:
    if kind not in _KNOWN:
        found, now = "", kind
        while now is not None and not (found := _COLOURS.get(str(now), "")):
            now = now.parent
        _KNOWN[kind] = found
    return _KNOWN[kind]


class Colouring:
    """The colours of one piece of fenced code, however many blocks show it.

    Attributes:
        runs: of every line that is coloured so far.
    """

    def __init__(self, language: str, lookup: Callable[[str], tuple[bool, Any | None]]) -> None:
        self.runs: list[list[Run]] = []
        self._language = language
        self._lookup = lookup
        self._lexer: LineLexer | None = None
        self._hopeless = not language
        self._fed = 0

    def wants(self, count: int) -> bool:
        """Tell whether there is work to do for `count` complete lines."""
        return not self._hopeless and self._fed < count

    def advance(self, line: str) -> bool:
        """Colour the next line; tells whether it could (its lexer may not be there yet)."""
        if self._lexer is None:
            known, lexer = self._lookup(self._language)
            if not known:
                return False
            if lexer is None:
                self._hopeless = True
                return False
            self._lexer = LineLexer(lexer)
        self.runs += self._lexer.feed(line)
        self._fed += 1
        return True

    @property
    def fed(self) -> int:
        """How many lines were taken."""
        return self._fed

    def finish(self) -> None:
        """Colour what was held back for the end of a comment."""
        if self._lexer is not None:
            self.runs += self._lexer.rest()

    def peek(self, line: str) -> list[Run]:
        """Return the runs of the line after the last one, which is not complete yet."""
        return [] if self._lexer is None else self._lexer.peek(line)
