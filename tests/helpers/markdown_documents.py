"""Documents for property tests: pieces of Markdown put together in ways nobody would write."""

from __future__ import annotations

from hypothesis import strategies as st

# Each piece begins or ends something, or looks as if it did.
PIECES = (
    "word", "词，", "**bold**", "**重点：**她", "`code`", "$x_1$", "$$", "\\[", "\\]", "\\(a\\)",
    " ", "  ", "    ", "\t", "\n", "\n\n", "\r\n", "- ", "* ", "1. ", "2) ", "> ", ">", "# ",
    "## x\n",
    "---", "===", "***", "```", "```python\n", "~~~", "````", "|", "| a | b |\n", "|---|---|\n",
    "|:-:|", "[^1]", "[^1]: ", "[r]: /u", "[r]", "![i](u)", "<b>", "&amp;", "\\", "_", "~~x~~",
    "- [ ] ", "السلام", "😀", "$$\nx\n$$\n", "\0",
    "\\begin{align}\n", "\\end{align}", "- $$\n  x\n  + x\n  $$\n", "https://a.b/c",
)  # fmt: skip

documents = st.lists(
    st.one_of(
        st.sampled_from(PIECES),
        st.sampled_from(PIECES),
        st.text(max_size=6),
        # Longer than a paragraph, a table's piece or a piece of code may be.
        st.sampled_from(("字。" * 1300, "| 1 | 2 |\n" * 19, "x = 1\n" * 130, "- i\n" * 9)),
    ),
    max_size=30,
).map("".join)


@st.composite
def chunked(draw: st.DrawFn) -> tuple[str, list[str]]:
    """Return a document, and the same in pieces."""
    text = draw(documents)
    chunks, at = [], 0
    while at < len(text):
        step = draw(st.sampled_from((1, 1, 2, 3, 7, 40, 900)))
        chunks.append(text[at : at + step])
        at += step
    return text, chunks
