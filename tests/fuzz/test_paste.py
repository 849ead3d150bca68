"""A password that was pasted is taken apart from the line, and told to nobody."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from desktop.core.errors import AppError
from desktop.core.explain import explain
from desktop.core.ssh.destination import Destination, parse
from desktop.core.ssh.paste import split_paste
from tests.fuzz.strategies import mutated, odd
from tests.fuzz.test_typed import understood

LINE = "ssh -p 12345 root@connect.westb.seetacloud.com"
_LINE_LABELS = ("", "登录指令：", "SSH指令: ", "SSH:", "Login:")
_PASSWORD_LABELS = ("密码：", "Password: ", "登录密码:", "root密码:", "pwd=", "passwd\t", "口令 ")
_ENDS = ("\n", "\r\n", "\n\n", "  \n \t\n", "\r", "\u2028")
# One word, as a password is; `@`, colons and quotes are signs like others. The marker tells it from
# what stands in the line by chance.
secrets = st.builds(
    "{}hunter2{}".format,
    st.text(st.characters(exclude_categories=["C", "Z"]), max_size=12),
    st.text("abcXYZ019+/@:=%$'\"\\-_.,;#!", max_size=20),
)


@given(
    st.sampled_from(_LINE_LABELS),
    st.sampled_from(["", *_PASSWORD_LABELS]),
    secrets,
    st.sampled_from(_ENDS),
    st.booleans(),
)
def test_line_and_password_come_apart_in_either_order(
    line_label: str, label: str, secret: str, end: str, below: bool
) -> None:
    assume(split_paste(f"gpu{end}{secret}").password is None)  # says itself that it is one
    assume(label.strip()[-1:] in ("", ":", "：", "=") or secret[0] not in ":：=")
    parts = [f"{line_label}{LINE}", f"{label}{secret}"]
    text = end.join(parts if below else reversed(parts))
    found = split_paste(text)
    assert (found.line, found.password) == (LINE, secret)
    where = parse(text)
    shown = [str(found), repr(found), repr(where), str(where)]
    shown.append(repr(Destination(where.host, password=where.password)))
    assert not any("hunter2" in words for words in shown)


@given(
    mutated(st.sampled_from([LINE, "root@gpu:22", "gpu", "ssh gpu", "ssh -J a,b gpu"])),
    st.sampled_from(["", *_PASSWORD_LABELS]),
    secrets,
    st.sampled_from(_ENDS),
    st.booleans(),
    st.lists(odd, max_size=2).map("".join),
)
def test_whatever_stands_beside_it_no_error_tells_the_password(
    line: str, label: str, secret: str, end: str, below: bool, more: str
) -> None:
    # Where a line says that it is the password, the other one is the host, and shown; the same of
    # two lines without a command, of which the upper one has an `@`.
    lines = [each.strip() for each in (line + end + more).splitlines() if each.strip()]
    assume(lines and not any(split_paste(f"a\n{each}").password for each in lines))
    assume(label or len(lines) > 1 or line.startswith("ssh ") or below)
    parts = [line, f"{label}{secret}"]
    text = end.join([*(parts if below else reversed(parts)), more])
    found = understood(text)
    if isinstance(found, AppError):
        words = [str(found), repr(found), *_explained(found)]
        assert not any("hunter2" in each for each in words)
        return
    assert "hunter2" not in repr(found) + found.host + found.user + found.text


def _explained(error: AppError) -> list[str]:
    both = [explain(error, "zh"), explain(error, "en")]
    return [text for words in both for text in (words.title, words.detail, words.hint)]


@given(st.lists(st.one_of(st.sampled_from([LINE, "\n", *_PASSWORD_LABELS]), odd)).map("".join))
def test_any_paste_is_read_or_refused(text: str) -> None:
    found = split_paste(text)
    assert len(found.line) + len(found.password or "") <= len(text)
    understood(text)
