"""A provider's line and password, copied in one go, and what is never shown of them."""

from __future__ import annotations

import pytest

from desktop.core.errors import DestinationError
from desktop.core.ssh.destination import parse, resolve
from desktop.core.ssh.paste import split_paste

LINE = "ssh -p 12345 root@connect.westb.seetacloud.com"


@pytest.mark.parametrize(
    "text",
    [
        f"{LINE}\nAbc+123/x",
        f"{LINE}\r\n\r\n  Abc+123/x  \r\n",
        f"{LINE}\n密码：Abc+123/x",
        f"{LINE}\n密码 Abc+123/x",
        f"{LINE}\nPassword: Abc+123/x",
        f"登录指令：{LINE}\n登录密码: Abc+123/x",
        f"SSH指令: {LINE}\nroot密码:Abc+123/x",
        f"密码：Abc+123/x\n{LINE}",
        f"Abc+123/x\n{LINE}",
    ],
)
def test_line_and_password_are_taken_apart(text: str) -> None:
    found = split_paste(text)
    assert (found.line, found.password) == (LINE, "Abc+123/x")
    assert "Abc" not in repr(found)


@pytest.mark.parametrize("text", [LINE, f"  {LINE}\n", f"登录指令: {LINE}"])
def test_a_line_alone_has_no_password(text: str) -> None:
    assert (split_paste(text).line, split_paste(text).password) == (LINE, None)


def test_the_destination_keeps_the_password_to_itself() -> None:
    where = resolve(f"{LINE}\n密码：hunter2")
    assert where.password == "hunter2"
    assert where.text == LINE
    assert "hunter2" not in repr(where) + str(where)
    assert "hunter2" not in repr(parse(f"{LINE}\nhunter2"))


@pytest.mark.parametrize(
    "text",
    [
        f"hunter2\n{LINE} \x00",
        "ssh -p many root@gpu\nhunter2",
        f"{LINE}\nhunter2\nhunter2",
        "ssh -p 22\n密码 hunter2",
        f"one\n{LINE}\nhunter2",
    ],
)
def test_an_error_about_a_paste_does_not_tell_the_password(text: str) -> None:
    with pytest.raises(DestinationError) as caught:
        parse(text)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "line", "password"),
    [
        (f"{LINE}\nP@ssw0rd", LINE, "P@ssw0rd"),
        (f"P@ssw0rd\n{LINE}", LINE, "P@ssw0rd"),
        ("root@gpu:22\nP@ssw0rd", "root@gpu:22", "P@ssw0rd"),
        (f"{LINE}\n密码：my pass word", LINE, "my pass word"),
        (f"{LINE}\n{'x' * 300}", LINE, "x" * 300),
    ],
)
def test_a_password_that_looks_like_something_else_is_one(
    text: str, line: str, password: str
) -> None:
    assert (split_paste(text).line, split_paste(text).password) == (line, password)


@pytest.mark.parametrize(
    "text",
    [
        "gpu\nhunt@er2",
        "hunter2\ngpu",
        "密码：hunter2",
        "密码：hunter2 and more",
        "root@gpu hunter2",
        "sshpass -p hunter2 ssh root@gpu",
        f"hunter2\n{LINE}\nsomething else",
        "x" * 10_000 + "\nhunter2",
    ],
)
def test_what_is_told_of_a_paste_that_is_not_understood_holds_no_password(text: str) -> None:
    with pytest.raises(DestinationError) as caught:
        parse(text)
    assert "hunt" not in str(caught.value)
