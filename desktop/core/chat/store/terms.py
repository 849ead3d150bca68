"""What a text is found by: words, and pairs of characters where a script has no spaces.

SQLite's trigram tokenizer finds nothing shorter than three characters, and most Chinese words have
two. So a run of such characters is taken apart here, each with its right neighbour (中文字 → 中文,
文字, 字), and two characters are one look-up. Punctuation is of no account in texts and queries.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

# Scripts without spaces, and pictures: Thai to Myanmar, Khmer, symbols, CJK, Hangul, planes 2-3.
_DENSE = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2600-\u27bf\u2e80-\u2fdf\u3005-\u3007\u3040-\u9fff"
    "\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U0001f000-\U0001faff\U00020000-\U0003ffff"
)
_WORD = rf"[^\W_{_DENSE}]"
_PARTS = re.compile(rf"(?P<dense>[{_DENSE}]+)|{_WORD}+")
_LONGEST = 64  # characters of a word that count: the rest of a digest or of base64 does not
_MOST_WORDS = 16  # of a query
_BEFORE, _AFTER = 24, 120  # characters around what was found


def terms(text: str) -> str:
    """Return what the index keeps of a text: terms between spaces."""
    return " ".join(_terms(text.lower()))


def _terms(text: str) -> Iterator[str]:
    for part in _PARTS.finditer(text):
        run = part.group()
        if part.lastgroup is None:
            yield run[:_LONGEST]
        else:
            yield from (run[at : at + 2] for at in range(len(run)))


@dataclass(frozen=True, slots=True)
class Snippet:
    """A piece of a text in one line.

    Attributes:
        text: the piece, with "…" where it was cut off.
        marks: from where to where it matches, in characters of `text`.
    """

    text: str
    marks: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Query:
    """What somebody looks for: all of these words, in any order; each may go on where it ends.

    Attributes:
        words: and runs of characters, in lower case.
    """

    words: tuple[tuple[str, bool], ...]  # with whether its script has no spaces

    @cached_property
    def match(self) -> str:
        """Return it as FTS5 reads it; every term is quoted, so nothing in it is an operator."""
        return " AND ".join(_phrase(word, dense=dense) for word, dense in self.words)

    def fits(self, text: str) -> bool:
        """Return whether all of it stands in the text."""
        return all(pattern.search(text) for pattern in self._patterns)

    def snippet(self, text: str) -> Snippet:
        """Return the piece of the text around the first thing that matches."""
        first = self._any.search(text)
        at = first.start() if first else 0
        begin = max(at - _BEFORE, 0)
        piece = re.sub(r"\s", " ", text[begin : at + _AFTER])  # one for one: the places stay
        before = "…" if begin else ""
        after = "…" if at + _AFTER < len(text) else ""
        shift = len(before)
        marks = [each.span() for each in self._any.finditer(piece)]
        return Snippet(
            f"{before}{piece}{after}",
            tuple((start + shift, end + shift) for start, end in marks if end > start),
        )

    @cached_property
    def _patterns(self) -> Sequence[re.Pattern[str]]:
        return [re.compile(_pattern(*word), re.IGNORECASE) for word in self.words]

    @cached_property
    def _any(self) -> re.Pattern[str]:
        longest_first = sorted(self.words, key=lambda word: -len(word[0]))
        return re.compile("|".join(_pattern(*word) for word in longest_first), re.IGNORECASE)


def query(text: str) -> Query:
    """Return what is looked for; without any words where there are only marks."""
    parts = list(_PARTS.finditer(text.lower()))[:_MOST_WORDS]
    words = [(part.group()[:_LONGEST], part.lastgroup is not None) for part in parts]
    return Query(tuple(dict.fromkeys(words)))


def _phrase(word: str, *, dense: bool) -> str:
    if not dense or len(word) == 1:
        return f'"{word}"*'
    pairs = " ".join(word[at : at + 2] for at in range(len(word) - 1))
    return f'"{pairs}"'


def _pattern(word: str, dense: bool) -> str:
    return re.escape(word) if dense else rf"(?<!{_WORD}){re.escape(word)}"
