"""Our Markdown comes back as far as it can carry a conversation, and other Markdown is refused."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from desktop.core.chat import tree
from desktop.core.chat.conversation import Attachment, Conversation, Message, Outcome, Setup
from desktop.core.chat.exports import files, markdown, markdown_in
from desktop.core.chat.exports.whole import Whole
from desktop.core.chat.store.values import well_formed
from desktop.core.errors import StorageError

ANY_TEXT = st.text(st.characters(exclude_categories=[]), max_size=20)  # surrogates too
LINES = st.sampled_from(
    [
        "", "", "## User", "## Assistant · m/n", "\\## System", "\\\\## 用户", "## 助手 ",
        "# title", "## User guide", "```", "````python", "~~~", "**x.md**", "****", "<!-- -->",
        "<details>", "<summary>Reasoning</summary>", "> quoted", ">", "</details>", "**System**",
        "\r", "\f", "\u2028", " ", "text",
    ]
)  # fmt: skip
FILE = "**x.md**\n\n```\nx\n```"
REASONING = "<details>\n<summary>Reasoning</summary>\n\n> x\n\n</details>"
BEGINNINGS = st.sampled_from(
    ["", FILE, f"{FILE}\n\n", REASONING, f"{REASONING}\n\n", "<!-- -->\n\n"]
)
SAID = st.builds("{}{}{}".format, BEGINNINGS, st.lists(LINES).map("\n".join), ANY_TEXT)
NAMES = st.lists(st.text("ab*`_·#>.", min_size=1), max_size=2).map(" ".join)
FILES = st.builds(Attachment, NAMES, SAID.map(lambda text: text.rstrip("\n")))


def message(index: int, role: str, said: str) -> Message:
    return Message(f"m{index}", "c", f"m{index - 1}" if index else "", role, said, 1.0)  # type: ignore[arg-type]


@st.composite
def talks(draw: st.DrawFn) -> Whole:
    messages = []
    for index in range(draw(st.integers(0, 4))):
        made = message(index, draw(st.sampled_from(["user", "assistant", "system"])), draw(SAID))
        if made.role == "assistant":
            made = replace(made, reasoning=draw(SAID), model=draw(NAMES), outcome=Outcome("length"))
        else:
            made = replace(made, attachments=tuple(draw(st.lists(FILES, max_size=2))))
        messages.append(made)
    title = draw((ANY_TEXT | LINES).filter(lambda text: bool(text.split())))
    leaf = messages[-1].id if messages else ""
    talk = Conversation("c", title, 1.0, 1.0, leaf, Setup(system=draw(SAID)))
    return Whole(talk, tuple(messages))


def carried(whole: Whole) -> tuple[object, ...]:
    """Return what Markdown carries of a conversation."""
    messages = {each.id: each for each in whole.messages}
    path = tree.path(messages, whole.conversation.leaf)
    assert len(path) == len(messages)
    return (
        well_formed(" ".join(whole.conversation.title.split())),
        well_formed(whole.conversation.setup.system),
        [
            (
                each.role,
                well_formed(each.content),
                well_formed(each.reasoning),
                each.model,
                [(file.name, well_formed(file.text)) for file in each.attachments],
            )
            for each in path
        ],
    )


def back(text: str) -> Whole:
    assert markdown_in.may_be_ours(text.encode())
    whole = markdown_in.conversation_of(text.encode(), 5.0)
    assert whole is not None
    return whole


TALK = Conversation("c", "Kites", 1.0, 1.0, "m1", Setup(system="Be\n\nbrief. "))
TWO = Whole(
    TALK,
    (
        message(0, "user", "Write a chat as Markdown"),
        message(1, "assistant", "```\n# Chat\n\n## User\n\nHi\n```\n\n## Assistant · m\n\nHo"),
    ),
)


@given(talks())
@example(TWO)
def test_what_goes_out_as_markdown_comes_back(before: Whole) -> None:
    after = back(markdown.document(before))
    assert carried(after) == carried(before)
    conversation = after.conversation
    assert (conversation.created, conversation.updated) == (5.0, 5.0)
    assert {each.conversation for each in after.messages} <= {conversation.id}
    assert all((each.outcome is None) == (each.role != "assistant") for each in after.messages)
    assert markdown.document(after) == markdown.document(before)


@given(talks())
def test_it_comes_back_from_a_program_that_changes_all_ends_of_lines(before: Whole) -> None:
    text = markdown.document(before)
    if "\r" not in text:
        changed = "\ufeff" + text.replace("\n", "\r\n")
        assert carried(back(changed)) == carried(before)
        assert carried(back(f"\n{text}")) == carried(before)


def test_words_that_look_like_a_heading_keep_a_backslash_in_the_file() -> None:
    text = markdown.document(TWO)
    assert [line for line in text.split("\n") if "## " in line] == [
        "## User", "## Assistant", "\\## User", "\\## Assistant · m",
    ]  # fmt: skip


def test_a_file_from_before_reads_as_it_was_said() -> None:
    whole = back(
        "# A kite\n\n**System**\n\n> Be\n>\n> brief.\n\n"
        "## User\n\n**x.md**\n\n````\n```py\n1\n```\n````\n\nLook\n\n"
        "## Assistant · m/n\n\n<details>\n<summary>Reasoning</summary>\n\n"
        "> Let me\n>\n> think\n\n</details>\n\n**a.py**\n\n```\n1\n```\n"
    )
    assert carried(whole) == (
        "A kite",
        "Be\n\nbrief.",
        [
            ("user", "Look", "", "", [("x.md", "```py\n1\n```")]),
            ("assistant", "**a.py**\n\n```\n1\n```", "Let me\n\nthink", "m/n", []),
        ],
    )


def test_chinese_headings_are_read_too() -> None:
    whole = back(
        "# 风筝\n\n**系统**\n\n> 简短。\n\n## 用户\n\n怎么飞？\n\n## 助手 · m/n\n\n"
        "<details>\n<summary>思考过程</summary>\n\n> 嗯\n\n</details>\n\n靠风。"
    )
    said: list[object] = [
        ("user", "怎么飞？", "", "", []),
        ("assistant", "靠风。", "嗯", "m/n", []),
    ]
    assert carried(whole) == ("风筝", "简短。", said)


@pytest.mark.parametrize(
    "text",
    [
        "# A page\n\nof words\n", "# A page\n\n## A part\n\nof words\n", "## User\n\nHi\n", "#\n",
        "# t\n\nof words\n\n## User\n\nHi\n", "# t\n\n**System**\n\n> a\nb\n\n## User\n\nHi\n",
        "words\n",
    ],
)  # fmt: skip
def test_other_markdown_is_refused_and_nothing_of_it_is_taken(tmp_path: Path, text: str) -> None:
    files.write_document(tmp_path / "ours.md", TWO)
    (tmp_path / "other.md").write_text(text, encoding="utf-8")
    with pytest.raises(StorageError) as caught:
        files.read(tmp_path / "ours.md", tmp_path / "other.md")
    assert caught.value.code == "import-unknown"
    assert caught.value.facts["path"] == str(tmp_path / "other.md")


def test_files_of_all_kinds_are_read_together_and_within_bounds(tmp_path: Path) -> None:
    written = files.write_markdown(tmp_path, [TWO, TWO])
    files.write_json(tmp_path / "all.json", [TWO, TWO])
    read = files.read(*written, tmp_path / "all.json")
    assert [each.conversation.title for each in read] == ["Kites"] * 4
    assert read[0].conversation.updated == pytest.approx(time.time(), abs=60)
    size = written[0].stat().st_size
    assert len(files.read(*written, most=2 * size)) == 2
    with pytest.raises(StorageError) as caught:
        files.read(*written, most=2 * size - 1)
    assert caught.value.code == "import-too-big"
    written[1].write_bytes(b"# t\n\n## User\n\n\xff\n")
    with pytest.raises(StorageError) as caught:
        files.read(*written)
    assert caught.value.code == "import-unknown"


@given(st.lists(LINES | ANY_TEXT).map("\n".join))
def test_any_markdown_is_read_or_refused(text: str) -> None:
    content = f"# {text}".encode(errors="replace")
    whole = markdown_in.conversation_of(content, 1.0)
    if whole is not None:
        again = back(markdown.document(whole))
        assert carried(again)[1:] == carried(whole)[1:]  # without a title it is called by its day
