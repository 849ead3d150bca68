"""Our own reading of an SSH config, for laptops without an `ssh` that could be asked.

It follows ssh_config(5) for what leads to a host: Host, Match (host, originalhost, user, localuser
and all), Include, and the first value of each setting. What it cannot follow is skipped and named,
never guessed: paramiko's reader drops Include and takes a Match that it does not know as true.
"""

from __future__ import annotations

import fnmatch
import getpass
import glob
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

_MAX_BYTES = 1 << 20
_MOST_NOTES = 20
_DEPTH = 16  # of Include, as in OpenSSH's readconf.c
_LINE = re.compile(r"(\w+)(?:\s*=\s*|\s+)(.*)")
_WORD = re.compile(r'"([^"]*)"|(\S+)')
_REST_OF_LINE = frozenset({"proxycommand"})
_WHOLE_LIST = frozenset({"userknownhostsfile", "globalknownhostsfile"})
_REPEATED = frozenset({"identityfile", "certificatefile"})
_CRITERIA = frozenset({"host", "originalhost", "user", "localuser"})


@dataclass
class Reading:
    """What a config says about one host so far.

    Attributes:
        host: as it was typed.
        user: as it was typed, or "".
        found: settings by lower-case name; lists as lines.
        notes: what could not be followed, as `FILE:LINE: words`.
    """

    host: str
    user: str = ""
    found: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def read(self, path: Path, depth: int = 0) -> None:
        """Take in a file; one that is not there says nothing."""
        applies = True
        for number, line in enumerate(_lines(path), 1):
            parts = _LINE.fullmatch(line.strip())
            if parts is None or line.lstrip().startswith("#"):
                continue
            key, value = parts[1].lower(), parts[2].strip()
            source = f"{path}:{number}: {line.strip()[:80]}"
            if key == "host":
                applies = _any_matches(_words(value), self.host)
            elif key == "match":
                applies = self._matches(_words(value), source)
            elif applies and key == "include":
                self._include(_words(value), path, depth, source)
            elif applies:
                self._take(key, value)

    def _take(self, key: str, value: str) -> None:
        words = _words(value)
        if key not in _REST_OF_LINE and words:
            value = "\n".join(words) if key in _WHOLE_LIST else words[0]
        if key not in self.found:
            self.found[key] = value
        elif key in _REPEATED:
            self.found[key] += f"\n{value}"

    def _include(self, patterns: Iterable[str], path: Path, depth: int, source: str) -> None:
        if depth == _DEPTH:
            self._note(source)
            return
        for pattern in patterns:
            # ssh_config(5): relative names are of ~/.ssh; with a file of its own, of its folder.
            place = Path(pattern).expanduser()
            for name in sorted(glob.glob(str(path.parent / place))):  # noqa: PTH207 - absolute too
                self.read(Path(name), depth + 1)

    def _matches(self, words: list[str], source: str) -> bool:
        """Return whether every criterion holds; one that we do not know holds never."""
        rest = list(words)
        holds = bool(rest)
        while rest:
            word = rest.pop(0)
            negated = word.startswith("!")
            name, equals, value = word.lstrip("!").partition("=")
            name = name.lower()
            if name == "all":
                holds = holds and not negated
                continue
            if name not in _CRITERIA or not (equals or rest):
                self._note(source)
                return False
            patterns = (value if equals else rest.pop(0)).split(",")
            if name in ("host", "originalhost"):  # there, and only there, case is ignored
                patterns = [pattern.lower() for pattern in patterns]
            holds = holds and _any_matches(patterns, self._subject(name)) is not negated
        return holds

    def _subject(self, criterion: str) -> str:
        if criterion == "host":
            return self.found.get("hostname", self.host).replace("%h", self.host)
        if criterion == "originalhost":
            return self.host
        local = getpass.getuser()
        return local if criterion == "localuser" else self.user or self.found.get("user", local)

    def _note(self, source: str) -> None:
        if len(self.notes) < _MOST_NOTES:
            self.notes.append(source)


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open("rb") as file:
            yield from file.read(_MAX_BYTES).decode("utf-8", "replace").splitlines()
    except OSError:
        return


def _words(value: str) -> list[str]:
    """Split at spaces outside double quotes; a word that begins with `#` ends the line."""
    words: list[str] = []
    for quoted, bare in _WORD.findall(value):
        if bare.startswith("#"):
            break
        words.append(quoted or bare)
    return words


def _any_matches(patterns: Iterable[str], subject: str) -> bool:
    """Match a pattern list: one that is negated and matches decides against all others."""
    found = False
    for pattern in patterns:
        if _glob(subject, pattern.lstrip("!")):
            if pattern.startswith("!"):
                return False
            found = True
    return found


def _glob(subject: str, pattern: str) -> bool:
    """Match OpenSSH's `*` and `?`; brackets stand for themselves."""
    return fnmatch.fnmatchcase(subject, pattern.replace("[", "[[]"))
