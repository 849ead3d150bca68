"""Made-up text that is nearly right: real lines with odd pieces put in and pieces cut out."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st

# What has broken readers of text before: line ends that only Python knows, widths, directions,
# halves of pairs, signs of shells, patterns and formats, and numbers beyond any register.
_ODD = (
    *("\x00", "\x1b[2J", "\x07", "\x7f", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\r", "\n"),
    *("\r\n", "\t", " ", "\u3000", "\xa0", "\u200b", "\u200d", "\u202e", "\u2066", "\ufeff"),
    *("\ud800", "\udfff", "\ufffd", "\U0010ffff", "😀", "é", "e\u0301", "ß", "İ", "ſ", "Σ"),
    *("ｓｓｈ", "２２", "²", "٣", "：", "＠", "。", "－", "主机", "密码：", "password "),
    *("'", '"', "\\", "`id`", "$(id)", "${IFS}", ";", "|", "&", "<", ">", "(", "{", "~", "!"),
    *("*", "?", "[", "]", "#", ",", "=", "%", "%h", "%%", "%n", "@", "/", "//", ":", "::", "-"),
    *("--", "-oProxyCommand=id", "../", "~nobody-here/", "0", "-1", "65536", "1e999", "NaN"),
    "9" * 30,
)
any_sign = st.characters()  # halves of pairs too
_long = st.builds(
    lambda piece, count: piece * count,
    st.sampled_from(["9", "A", "[", '{"a":', " ", "*", "é"]),
    st.sampled_from([300, 1200, 5000]),
)
odd = st.one_of(st.sampled_from(_ODD), st.sampled_from(_ODD), st.text(any_sign, max_size=4), _long)
safe_word = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=12)


@st.composite
def mutated(draw: st.DrawFn, original: st.SearchStrategy[str]) -> str:
    """Draw a text and put up to four odd pieces into it, over some of what was there."""
    text = draw(original)
    for piece in draw(st.lists(odd, max_size=4)):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + piece + text[at + draw(st.integers(0, 6)) :]
    return text


def share(part: int) -> settings:
    """Return settings for a test whose inputs cost `part` times as much as others'."""
    usual = settings.get_profile("paperkite").max_examples
    return settings(max_examples=max(20, usual // part))
