"""ChatGPT's export: its branches are kept, what says nothing is left out, garbage harms nothing."""

from __future__ import annotations

import copy
import json
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.core.chat import tree
from desktop.core.chat.exports import chatgpt, files, marks


def node(parent: str | None, role: str, text: object, **more: Any) -> dict[str, Any]:
    content = {"content_type": "text", "parts": [text]}
    message = {"author": {"role": role}, "create_time": 1.7e9, "content": content, **more}
    return {"parent": parent, "message": message, "children": []}


TALK: dict[str, Any] = {
    "title": "About kites",
    "create_time": 1.6e9,
    "update_time": 1.7e9,
    "current_node": "a2",
    "mapping": {
        "root": {"parent": None, "message": None, "children": ["hidden"]},
        "hidden": node("root", "system", ""),
        "context": node(
            "hidden", "user", "profile", metadata={"is_visually_hidden_from_conversation": True}
        ),
        "q": node("context", "user", "Why?"),
        "a1": node("q", "assistant", "Because.", metadata={"model_slug": "gpt-5"}),
        "think": node("q", "assistant", "") | {},
        "search": node("think", "assistant", "query()", recipient="browser"),
        "tool": node("search", "tool", "found"),
        "a2": node("tool", "assistant", "So."),
        "q2": node("a1", "user", "And?"),
        "picture": node("q2", "user", {"asset_pointer": "file"}),
    },
}
TALK["mapping"]["think"]["message"]["content"] = {
    "content_type": "thoughts",
    "thoughts": [{"summary": "s", "content": "Let me see"}, {"content": "Hm"}],
}


def test_branches_and_the_one_that_was_read_are_kept() -> None:
    (whole,) = chatgpt.conversations_of([TALK])
    messages = {each.id: each for each in whole.messages}
    path = tree.path(messages, whole.conversation.leaf)
    assert [(each.role, each.content) for each in path] == [("user", "Why?"), ("assistant", "So.")]
    assert path[1].reasoning == "Let me see\n\nHm"
    beside = tree.siblings(messages, path[1])
    assert {each.content: each.model for each in beside} == {"Because.": "gpt-5", "So.": ""}
    assert {each.content for each in whole.messages} == {"Why?", "Because.", "So.", "And?"}
    assert whole.conversation.title == "About kites"
    assert (whole.conversation.created, whole.conversation.updated) == (1.6e9, 1.7e9)
    assert all(each.outcome is not None for each in whole.messages if each.role == "assistant")


def test_the_archive_that_they_send_is_read_too(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        archive.writestr("chat.html", "<html>")
        for number in range(2):
            archive.writestr(f"conversations-00{number}.json", json.dumps([TALK]))
    assert len(files.read(tmp_path / "export.zip")) == 2


@pytest.mark.parametrize(
    ("written", "reads"),
    [
        ("It flies \ue200cite\ue202turn0search0\ue202turn0search4\ue201.", "It flies."),
        ("It flies.\ue200cite\ue202turn0news1\ue201\n\nYes", "It flies.\n\nYes"),
        ("one \ue200cite\ue202turn0search0\ue201 two", "one two"),
        ("one \ue200cite\ue202turn0search0\ue201two", "one two"),
        ("see \ue200url\ue202A [kite]\ue202https://k.example/a(b)\ue201!",
         "see [A \\[kite\\]](<https://k.example/a(b)>)!"),
        ("see \ue200url\ue202\ue202http://k.example\ue201",
         "see [http://k.example](<http://k.example>)"),
        ("see \ue200url\ue202Kite\ue202javascript:x\ue201", "see Kite"),
        ('in \ue200entity\ue202["city","Weifang","x"]\ue201 too', "in Weifang too"),
        ("in \ue200entity\ue202nonsense\ue201 too", "in too"),
        ("\ue200image_group\ue202{}\ue201", ""),
        ("cut \ue200cite\ue202turn0", "cut "),
        ("alone \ue201 and \ue202", "alone \ue201 and \ue202"),
    ],
)  # fmt: skip
def test_marks_of_their_page_are_left_out_and_what_reads_stays(written: str, reads: str) -> None:
    mapping = {"q": node(None, "user", written), "a": node("q", "assistant", written)}
    (whole,) = chatgpt.conversations_of([{"mapping": mapping}])
    assert [each.content for each in whole.messages] == [written, *([reads] if reads else [])]


@given(st.lists(st.sampled_from(["\ue200", "\ue201", "\ue202", "url", "entity", "[1", " ", "a"])))
def test_marks_in_any_disorder_end_nothing(parts: list[str]) -> None:
    text = "".join(parts)
    assert len(marks.without(text)) <= len(text)
    assert marks.without(f"before {text}").startswith("before")


def test_rings_and_strangers_in_the_tree_end_nothing() -> None:
    talk = copy.deepcopy(TALK)
    talk["mapping"]["q"]["parent"] = "a1"
    talk["mapping"]["x"] = node("nobody", "user", "alone")
    talk["mapping"]["y"] = node("y", "user", "its own parent")
    talk["mapping"][""] = node("", "user", "no name")
    (whole,) = chatgpt.conversations_of([talk])
    assert "alone" in {each.content for each in whole.messages}


def test_a_long_chain_takes_a_moment() -> None:
    count = 20_000
    mapping = {str(n): node(str(n - 1), "tool", "x") for n in range(count)}
    mapping |= {f"leaf{n}": node(str(count - 1), "assistant", "y") for n in range(count)}
    began = time.process_time()
    (whole,) = chatgpt.conversations_of([{"mapping": mapping}])
    assert len(whole.messages) == count
    assert time.process_time() - began < 10  # quadratic would be minutes


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


def places(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the ways to all values inside of a value."""
    if not isinstance(value, dict | list):
        return [path]
    items = value.items() if isinstance(value, dict) else enumerate(value)
    return [path, *(place for key, each in items for place in places(each, (*path, key)))]


@given(st.sampled_from(places(TALK)[1:]), JSON)
def test_garbage_anywhere_costs_no_more_than_what_it_replaces(
    place: tuple[Any, ...], garbage: Any
) -> None:
    talk = copy.deepcopy(TALK)
    inside: Any = talk
    for key in place[:-1]:
        inside = inside[key]
    inside[place[-1]] = garbage
    found = chatgpt.conversations_of([talk, garbage, TALK])
    assert {each.content for each in found[-1].messages} == {"Why?", "Because.", "So.", "And?"}
    for whole in found:
        messages = {each.id: each for each in whole.messages}
        assert whole.conversation.leaf in messages
        assert all(each.parent in messages or not each.parent for each in whole.messages)
