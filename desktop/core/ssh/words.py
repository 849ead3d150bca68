"""The words of a line in an SSH config, split as ssh splits them (`argv_split` in its misc.c)."""

from __future__ import annotations

from collections.abc import Iterator

_BLANK = " \t"
_QUOTES = "'\""


def split_words(line: str) -> list[str]:
    """Return the words without quotes; one that begins with `#` ends the line.

    Raises:
        ValueError: a quote is left open.
    """
    words = []
    signs = iter(line)
    for sign in signs:
        if sign in _BLANK:
            continue
        if sign == "#":
            break
        words.append(_word(sign, signs))
    return words


def _word(sign: str, signs: Iterator[str]) -> str:
    """Return the word that begins with `sign`, and take it and one blank from `signs`."""
    word: list[str] = []
    quote = ""
    while sign and (quote or sign not in _BLANK):
        if sign == "\\":
            sign = next(signs, "")
            escaped = sign and (sign in "\\'\"" or (sign == " " and not quote))
            word.append(sign if escaped else "\\")
            if not escaped:
                continue
        elif not quote and sign in _QUOTES:
            quote = sign
        elif sign == quote:
            quote = ""
        else:
            word.append(sign)
        sign = next(signs, "")
    if quote:
        raise ValueError("an open quote")
    return "".join(word)
