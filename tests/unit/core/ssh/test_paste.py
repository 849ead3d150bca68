"""A provider's line and password, copied in one go, and what is never shown of them."""

from __future__ import annotations

import random

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


def test_whatever_is_pasted_is_read_or_refused() -> None:
    chance = random.Random(4)
    pieces = [
        "ssh",
        " -p ",
        "root@",
        "gpu",
        ":",
        "22",
        "\n",
        "密码：",
        "[",
        "]",
        "::1",
        "-",
        "'",
        '"',
    ]
    pieces += ["-J", "\\", "%", "\x00", "\u2028", "é", "=", "-o", "Port=", ",", "@", "//", "\t"]
    for _ in range(20_000):
        text = "".join(chance.choices(pieces, k=chance.randint(1, 12)))
        try:
            found = parse(text)
        except DestinationError:
            continue
        assert found.host
        assert not set(found.host + found.user) & set("'\"$`;|&<>() \n\t\x00")
        assert not found.host.startswith("-")
        assert not found.user.startswith("-")
