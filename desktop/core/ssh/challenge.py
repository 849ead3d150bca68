"""What a host asks in words of its own: RFC 4256, which ssh calls keyboard-interactive.

Its first question is the password's on many a host, and that one is answered as a password is;
everything else goes to the person: one-time codes, menus, a new password for one that expired.
The words are the host's, so they are made plain and short before anybody sees them, and a host
that goes on asking is left.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from paramiko.message import Message

from desktop.core.plain_text import plain_text
from desktop.core.ssh.prompts import ChallengePrompt

_MOST_PROMPTS = 8  # in one round; sshd's PAM sends one, Duo and OTP servers up to three
_MOST_CHARACTERS = 600  # of one text; Duo's menu of devices has about 200
_MOST_LINES = 12

# "Password:" as PAM and the bastions of providers say it, and nothing that is only like it: neither
# a one-time password, nor a new one, nor a "动态密码".
_WORDS = (
    "password|passwort|mot de passe|contraseña|senha|пароль|パスワード|암호|비밀번호|密码|密碼|口令"
)
_PASSWORD = re.compile(
    r"(?:\(\S+@\S+\) ?)?"
    r"(?:(?:please )?enter |请输入 ?|输入 ?|請輸入 ?)?"
    r"(?:(?:your|the|unix|ssh|ldap|login|您的|你的|登录|登陆|用户|[a-z0-9._@-]+(?:'s| ?的)) ?){0,2}"
    rf"(?:{_WORDS})"
    r"(?: (?:for|of) [a-z0-9._@-]+)?"
)


@dataclass(frozen=True, slots=True)
class Challenge:
    """One round of questions; without prompts it is only a message."""

    name: str
    instruction: str
    prompts: tuple[ChallengePrompt, ...]

    @property
    def wants_password(self) -> bool:
        """Whether this is plainly the question for the login's password: one, not to be seen."""
        if len(self.prompts) != 1 or self.prompts[0].echo:
            return False
        return bool(_PASSWORD.fullmatch(self.prompts[0].text.casefold().strip(" :：")))


def read(message: Message) -> Challenge | None:
    """Return the round in an SSH_MSG_USERAUTH_INFO_REQUEST; None if it asks more than is decent."""
    name, instruction = _plain(message.get_binary()), _plain(message.get_binary())
    message.get_binary()  # the language, which RFC 4256 has given up
    count = message.get_int()
    if count > _MOST_PROMPTS:
        return None
    prompts = tuple(
        ChallengePrompt(_plain(message.get_binary()), message.get_boolean()) for _ in range(count)
    )
    return Challenge(name, instruction, prompts)


def _plain(raw: bytes) -> str:
    """Return a host's words without control characters (escapes, direction marks), and bounded."""
    text = raw[: 4 * _MOST_CHARACTERS].decode("utf-8", "replace")[:_MOST_CHARACTERS]
    lines = text.replace("\r\n", "\n").strip().split("\n")[:_MOST_LINES]
    return "\n".join(plain_text(line).rstrip() for line in lines).strip()
