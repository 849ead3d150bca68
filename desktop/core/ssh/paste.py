"""The provider's login line and the password under it, copied in one go, taken apart.

A console shows two fields, and people copy both: `ssh -p 12345 root@…` and a line with the
password, with or without a label before either. The password goes no further than memory.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

MAX_TEXT = 10_000  # characters of a paste; more is something else
_MOST_LINES = 20
_LABEL_OF_LINE = re.compile(r"^[^\s:：]{0,20}[:：]\s*(?=ssh\s)", re.IGNORECASE)
_LABEL_OF_PASSWORD = re.compile(
    r"^(?:(?:ssh|root|登录|登陆|主机|实例)\s*)?(?:password|passwd|pass|pwd|密码|口令)"
    r"(\s*[:：=]|\s)\s*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Paste:
    """What was pasted: the line that names the host, and the password if one was there."""

    line: str
    password: str | None = field(default=None, repr=False)


def split_paste(text: str) -> Paste:
    """Return the two parts; text that is not a line with a password stays what it is, lines apart.

    A password that says nothing of itself may look like a login (`P@ss`), so one of two lines is
    the login only where it is an ssh command, or where it comes first and has an `@`.
    """
    lines = [line.strip() for line in text[:MAX_TEXT].splitlines() if line.strip()][:_MOST_LINES]
    passwords = [_labelled(line) for line in lines]
    hosts = [
        _LABEL_OF_LINE.sub("", line)
        for line, password in zip(lines, passwords, strict=True)
        if password is None
    ]
    labelled = [password for password in passwords if password]
    if len(hosts) == 1 and len(labelled) <= 1:
        return Paste(hosts[0], labelled[0] if labelled else None)
    logins = [host for host in hosts if names_a_command(host)]
    if not logins and hosts and "@" in hosts[0]:
        logins = hosts[:1]
    others = [host for host in hosts if host not in logins]
    if len(logins) == 1 and len(others) == 1 and not labelled and len(others[0].split()) == 1:
        return Paste(logins[0], others[0])
    return Paste("\n".join([*logins, *others]))


def names_a_command(line: str) -> bool:
    """Return whether it is an `ssh` command line, rather than a name or a password."""
    return line.startswith("ssh ")


def _labelled(line: str) -> str | None:
    """Return the password of a line that says so; None for every other line.

    After a colon it may have blanks in it; without one, two words more are a sentence.
    """
    label = _LABEL_OF_PASSWORD.match(line)
    rest = line[label.end() :].strip() if label else ""
    if label is None or not rest:
        return None
    return rest if label[1].strip() or len(rest.split()) == 1 else None
