"""A host's own questions: which of them is the password's, and what is left of its words."""

from __future__ import annotations

import pytest
from paramiko.message import Message

from desktop.core.ssh.challenge import Challenge, read
from desktop.core.ssh.prompts import ChallengePrompt


def _message(
    *prompts: tuple[str | bytes, bool], name: str | bytes = "", instruction: str | bytes = ""
) -> Message:
    message = Message()
    for text in (name, instruction, ""):
        message.add_string(text)
    message.add_int(len(prompts))
    for text, echo in prompts:
        message.add_string(text)
        message.add_boolean(echo)
    return Message(message.asbytes())


def _asked(*prompts: tuple[str | bytes, bool]) -> Challenge:
    challenge = read(_message(*prompts))
    assert challenge is not None
    return challenge


@pytest.mark.parametrize(
    "text",
    [
        *("Password: ", "password:", "PASSWORD", "Password for root@host:", "root's password:"),
        *("(root@gpu-7.example) Password: ", "Enter your password: ", "Please enter password"),
        *("UNIX password: ", "LDAP Password: ", "Mot de passe : ", "Passwort: ", "Contraseña: "),
        *(
            "密码：",
            "密码:",
            "请输入密码：",
            "请输入您的密码:",
            "root 的密码：",
            "登录密码:",
            "密碼：",
        ),
        *("パスワード: ", "Пароль: "),
    ],
)
def test_the_question_for_the_password_is_known(text: str) -> None:
    assert _asked((text, False)).wants_password


@pytest.mark.parametrize(
    "text",
    [
        *("Verification code: ", "One-time password (OATH) for `root': ", "Token: ", "", ": "),
        *(
            "New password: ",
            "(current) UNIX password: ",
            "Current password: ",
            "Password or token:",
        ),
        *("Retype new password: ", "Password expired. Change now? ", "Second password: "),
        *(
            "动态密码：",
            "动态口令:",
            "验证码：",
            "请输入短信密码：",
            "新密码：",
            "一次性密码:",
            "手机收到的密码：",
        ),
        *("Passwordless", "Your bank's account password or PIN", "Password:\nPassword:"),
    ],
)
def test_no_other_question_is_taken_for_it(text: str) -> None:
    assert not _asked((text, False)).wants_password


def test_the_password_is_not_meant_where_it_would_be_seen_or_is_one_of_several() -> None:
    assert not _asked(("Password: ", True)).wants_password
    assert not _asked(("Password: ", False), ("Code: ", False)).wants_password
    assert not _asked().wants_password


def test_the_words_of_a_host_are_plain_and_short() -> None:
    evil = "\x1b]0;title\x07\x1b[31mred\u202egnp.exe\x00\tend"
    challenge = read(_message((evil * 100, True), name=evil, instruction="a\r\nb\n" * 500))
    assert challenge is not None
    for text in (challenge.name, challenge.instruction, challenge.prompts[0].text):
        assert len(text) <= 600
        assert all(character.isprintable() or character == "\n" for character in text)
    assert challenge.name == "]0;title  [31mred gnp.exe  end"
    assert challenge.instruction == "\n".join(["a", "b"] * 6)


def test_words_that_are_no_text_are_replaced() -> None:
    assert _asked((b"\xff\xfeCode", False)).prompts == (ChallengePrompt("��Code", echo=False),)


def test_a_round_that_asks_for_ever_is_not_read() -> None:
    assert read(_message(*[("Code: ", True)] * 8)) is not None
    assert read(_message(*[("Code: ", True)] * 9)) is None
    message = _message()
    raw = bytearray(message.asbytes())
    raw[-4:] = b"\xff\xff\xff\xff"
    assert read(Message(bytes(raw))) is None


def test_a_round_that_is_cut_short_is_empty_and_not_an_error() -> None:
    whole = _message(("Code: ", True), name="n", instruction="i").asbytes()
    for size in range(len(whole)):
        challenge = read(Message(whole[:size]))
        assert challenge is None or len(challenge.prompts) <= 1
