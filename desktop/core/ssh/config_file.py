"""Our own reading of an SSH config, for laptops without an `ssh` that could be asked.

It follows ssh_config(5) for what leads to a host: Host, Match (host, originalhost, user, localuser
and all), Include, and the first value of each setting. What it cannot follow is skipped and named,
never guessed: paramiko's reader drops Include and takes a Match that it does not know as true.
"""

from __future__ import annotations

import getpass
import glob
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from desktop.core.ssh.patterns import any_matches
from desktop.core.ssh.words import split_words

_MAX_BYTES = 1 << 20  # of all files together
_MOST_FILES = 200  # files that include each other multiply
_MOST_NOTES = 20
_DEPTH = 16  # of Include, as in OpenSSH's readconf.c
_MOST_REPEATED = 100  # SSH_MAX_IDENTITY_FILES and SSH_MAX_CERTIFICATE_FILES
_BLANK = " \t\r\f"
_LINE = re.compile(r"([A-Za-z0-9]+)(?:[ \t]*=[ \t]*|[ \t]+)(.+)")
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
    _files_left: int = field(default=_MOST_FILES, init=False, repr=False)
    _bytes_left: int = field(default=_MAX_BYTES, init=False, repr=False)

    def read(self, path: Path, folder: Path, depth: int = 0) -> None:
        """Take in a file; one that is not there says nothing.

        Args:
            path: the file.
            folder: where relative names of Include are, in included files too: `~/.ssh` for a
                user's config and what `-F` names, `/etc/ssh` for the system's.
            depth: how many files include this one.
        """
        applies = True
        for number, raw in enumerate(self._lines(path), 1):
            line = raw.strip(_BLANK)
            if not line or line.startswith("#"):
                continue
            source = f"{path}:{number}: {line[:80]}"
            key, words, rest = _setting(line)
            if not key or (not words and not rest):
                self._note(source)
                applies = applies and key not in ("host", "match")
            elif key == "host":
                applies = any_matches(words, self.host)
            elif key == "match":
                applies = self._matches(words, source)
            elif applies and key == "include":
                self._include(words, folder, depth, source)
            elif applies:
                self._take(key, words, rest)

    def _take(self, key: str, words: list[str], rest: str) -> None:
        if key in _REST_OF_LINE:
            value = rest
        else:
            value = "\n".join(words) if key in _WHOLE_LIST else words[0]
        if key not in self.found:
            self.found[key] = value
        elif key in _REPEATED:
            values = [*self.found[key].split("\n"), value]
            self.found[key] = "\n".join(list(dict.fromkeys(values))[:_MOST_REPEATED])

    def _include(self, patterns: Iterable[str], folder: Path, depth: int, source: str) -> None:
        if depth == _DEPTH:
            self._note(source)
            return
        for pattern in patterns:
            # Not Path.expanduser: it raises where `~name` is nobody here.
            place = folder / os.path.expanduser(pattern)  # noqa: PTH111
            names = glob.iglob(str(place))  # noqa: PTH207 - absolute too
            for name in sorted(islice(names, _MOST_FILES)):
                if self._files_left == 0:
                    self._note(source)
                    return
                self._files_left -= 1
                self.read(Path(name), folder, depth + 1)

    def _matches(self, words: list[str], source: str) -> bool:
        """Return whether every criterion holds; one that we do not know holds never."""
        # ssh reads `host=a` and `host = a` as `host a`.
        rest = " ".join(words).replace("=", " ").split(" ")
        rest = [word for word in rest if word]
        holds = bool(rest)
        while rest:
            word = rest.pop(0)
            negated = word.startswith("!")
            name = word[negated:].lower()
            if name == "all":
                holds = holds and not negated
                continue
            if name not in _CRITERIA or not rest:
                self._note(source)
                return False
            patterns = rest.pop(0).split(",")
            if name in ("host", "originalhost"):  # there, and only there, case is ignored
                patterns = [pattern.lower() for pattern in patterns]
            holds = holds and any_matches(patterns, self._subject(name)) is not negated
        return holds

    def _subject(self, criterion: str) -> str:
        if criterion == "host":
            return self.found.get("hostname", self.host).replace("%h", self.host)
        if criterion == "originalhost":
            return self.host
        local = getpass.getuser()
        return local if criterion == "localuser" else self.user or self.found.get("user", local)

    def _lines(self, path: Path) -> list[str]:
        """Return the lines of a regular file; a pipe or a device would never end."""
        try:
            if not path.is_file():
                return []
            with path.open("rb") as file:
                content = file.read(self._bytes_left + 1)
        except (OSError, ValueError):  # ValueError: a NUL in the name
            return []
        if len(content) > self._bytes_left:
            self._note(f"{path}: too long")
            content = content[: content.rfind(b"\n", 0, self._bytes_left) + 1]
        self._bytes_left -= len(content)
        # Windows' Notepad begins with a BOM, which would hide a `Host` line.
        return content.decode("utf-8-sig", "replace").split("\n")

    def _note(self, source: str) -> None:
        if len(self.notes) < _MOST_NOTES:
            self.notes.append("".join(sign if sign.isprintable() else "�" for sign in source))


def _setting(line: str) -> tuple[str, list[str], str]:
    """Return a line's key, its words and the rest as it is; "" for a line that ssh would refuse."""
    parts = _LINE.fullmatch(line)
    if parts is None or "\0" in line:
        key = next((word for word in ("host", "match") if line.lower().startswith(word)), "")
        return key, [], ""
    key, rest = parts[1].lower(), parts[2]
    try:
        return key, split_words(rest), rest if key in _REST_OF_LINE else ""
    except ValueError:
        return key, [], rest if key in _REST_OF_LINE else ""
