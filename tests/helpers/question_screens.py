"""The questions that a host or a link makes the app ask."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QDialog, QWidget

from desktop.core.ssh.prompts import (
    ChallengePrompt,
    ChallengeQuestion,
    HostKeyQuestion,
    SecretQuestion,
)
from desktop.core.texts import Texts
from desktop.ui.changed_key import ChangedKeyDialog
from desktop.ui.chats.link import LinkDialog
from desktop.ui.dialogs import ChallengeDialog, HostKeyDialog, SecretDialog
from tests.helpers.scenes import Picture, alone, ground
from tests.helpers.screens import CHANGED, FINGERPRINT

CODE = ChallengePrompt("Verification code:", echo=False)


def _asked(*prompts: ChallengePrompt, said: str = "", wrong: bool = False) -> ChallengeQuestion:
    where = ("root", "connect.westb.seetacloud.com", 12345)
    return ChallengeQuestion(*where, "", said, prompts, wrong)


QUESTIONS: dict[str, Callable[[QWidget, Texts], QDialog]] = {
    "link": lambda parent, texts: LinkDialog(
        parent, texts, "http://download.example.org/kites/2026/how-to-fly?lang=zh&size=large#wind"
    ),
    "host-key": lambda parent, texts: HostKeyDialog(
        parent,
        texts,
        HostKeyQuestion("connect.westb.seetacloud.com", 12345, "ssh-ed25519", FINGERPRINT),
    ),
    "changed-key": lambda parent, texts: ChangedKeyDialog(parent, texts, CHANGED),
    "password": lambda parent, texts: SecretDialog(
        parent,
        texts,
        SecretQuestion("password", "root", "connect.westb.seetacloud.com", 12345, wrong=True),
        may_remember=True,
    ),
    "password-without-keyring": lambda parent, texts: SecretDialog(
        parent,
        texts,
        SecretQuestion("password", "root", "connect.westb.seetacloud.com", 12345),
        may_remember=False,
    ),
    "code": lambda parent, texts: ChallengeDialog(parent, texts, _asked(CODE, wrong=True)),
    "two-codes": lambda parent, texts: ChallengeDialog(
        parent,
        texts,
        _asked(
            ChallengePrompt("用户名:", echo=True),
            ChallengePrompt("动态口令:", echo=False),
            said="JumpServer 堡垒机\n本系统仅限授权用户使用，所有操作都会被记录。",
        ),
    ),
    "much-asked": lambda parent, texts: ChallengeDialog(
        parent, texts, _asked(*[ChallengePrompt("A" * 600, echo=True)] * 8, said="line\n" * 12)
    ),
}


def _picture(make: Callable[[QWidget, Texts], QDialog]) -> Picture:
    return alone(lambda _theme, texts: make(ground(), texts))


PICTURES = {name: _picture(make) for name, make in QUESTIONS.items()}
