"""OpenSSH's patterns (ssh_config(5), PATTERNS): `*`, `?`, `!`, and every other sign for itself.

Not `fnmatch`: it reads brackets, and compiles each pattern, so that a long one in a file costs
seconds and its memory is kept.
"""

from __future__ import annotations

from collections.abc import Iterable

_LONGEST = 1023  # of a list, as in OpenSSH's match_pattern_list: one that is longer matches nothing


def any_matches(patterns: Iterable[str], subject: str) -> bool:
    """Match a pattern list: one that is negated and matches decides against all others."""
    found = False
    for pattern in patterns:
        if len(pattern) > _LONGEST:
            return False
        negated = pattern.startswith("!")
        if matches(subject, pattern[negated:]):
            if negated:
                return False
            found = True
    return found


def matches(subject: str, pattern: str) -> bool:
    """Return whether the pattern matches all of the subject; `len(subject) * len(pattern)` steps.

    After a star only the last one is tried anew: where a later star fits, an earlier one did.
    """
    here = there = again = 0
    star = -1
    while here < len(subject):
        sign = pattern[there] if there < len(pattern) else ""
        if sign == "*":
            star, again = there, here
            there += 1
        elif sign in ("?", subject[here]):
            here += 1
            there += 1
        elif star >= 0:
            again += 1
            here, there = again, star + 1
        else:
            return False
    return not pattern[there:].strip("*")
