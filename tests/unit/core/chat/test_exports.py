"""What goes out as a file comes back as it was, and nothing that comes in overwrites anything."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.core.chat.conversation import (
    Attachment,
    Conversation,
    Message,
    Outcome,
    Role,
    Sampling,
    Setup,
)
from desktop.core.chat.exports import files, markdown, own_format, pieces
from desktop.core.chat.exports.whole import Whole, all_of, apart, bring_in, gathered
from desktop.core.chat.store.store import Store, open_store
from desktop.core.chat.store.values import plain, well_formed
from desktop.core.errors import Cancelled, StorageError
from desktop.core.events import Usage

ANY_TEXT = st.text(st.characters(exclude_categories=[]), max_size=20)  # surrogates too
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
WHOLES = st.integers(-(2**70), 2**70)


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


SAMPLINGS = st.builds(
    Sampling,
    maybe(NUMBERS), maybe(NUMBERS), maybe(WHOLES), maybe(NUMBERS), maybe(NUMBERS), maybe(WHOLES),
    st.lists(ANY_TEXT, max_size=2).map(tuple), maybe(WHOLES),
)  # fmt: skip
SETUPS = st.builds(
    Setup, ANY_TEXT, st.sampled_from(["chat", "completion"]), ANY_TEXT, maybe(st.booleans()),
    SAMPLINGS,
)  # fmt: skip
OUTCOMES = st.builds(
    Outcome, ANY_TEXT, ANY_TEXT, ANY_TEXT, maybe(st.builds(Usage, WHOLES, WHOLES)),
    maybe(NUMBERS), maybe(NUMBERS), maybe(NUMBERS), ANY_TEXT,
)  # fmt: skip


@st.composite
def wholes(draw: st.DrawFn) -> Whole:
    name = draw(st.uuids()).hex
    ids = [draw(st.uuids()).hex for _ in range(draw(st.integers(0, 5)))]
    messages = []
    for index, each in enumerate(ids):
        role: Role = draw(st.sampled_from(["user", "assistant", "system"]))
        message = Message(
            each, name, draw(st.sampled_from(["", *ids[:index]])), role, draw(ANY_TEXT),
            draw(NUMBERS), draw(ANY_TEXT), draw(maybe(NUMBERS)),
            tuple(draw(st.lists(st.builds(Attachment, ANY_TEXT, ANY_TEXT), max_size=2))),
            draw(ANY_TEXT), draw(OUTCOMES if role == "assistant" else maybe(OUTCOMES)),
            draw(st.integers(0, 2**31)),
        )  # fmt: skip
        messages.append(message)
    conversation = Conversation(
        name, draw(ANY_TEXT), draw(NUMBERS), draw(NUMBERS), draw(st.sampled_from(["", *ids])),
        draw(SETUPS), draw(ANY_TEXT), draw(st.booleans()), draw(st.booleans()),
    )  # fmt: skip
    return Whole(conversation, tuple(messages))


def cleaned(value: Any) -> Any:
    """Return the value with every text well-formed: what is promised to come back."""
    if isinstance(value, str):
        return well_formed(value)
    if isinstance(value, tuple):
        return tuple(map(cleaned, value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        parts = {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}
        return dataclasses.replace(value, **{name: cleaned(part) for name, part in parts.items()})
    return value


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(tmp_path / "conversations.db")) as store:
        yield store


@given(st.lists(wholes(), max_size=3))
def test_our_own_format_comes_back_as_it_went_out(before: list[Whole]) -> None:
    after = own_format.conversations_of(json.loads(own_format.written(before)))
    assert after == list(cleaned(tuple(before)))


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=8,
)


@given(JSON_VALUES, st.sampled_from([None, 1]))
def test_json_that_is_read_piece_by_piece_is_read_as_any_other(value: Any, indent: Any) -> None:
    text = json.dumps(value, indent=indent)
    assert pieces.loads(f" {text}\n".encode()) == value
    assert pieces.loads(text.encode("utf-16")) == value


@given(JSON_VALUES, st.integers(0, 60), st.sampled_from(["", ",", ":", "]", "}", "[", "x", '"']))
def test_what_is_no_json_is_refused_like_any_other(value: Any, at: int, mark: str) -> None:
    text = json.dumps(value)
    at = min(at, len(text))
    broken = (text[:at] + mark + text[at + 1 :]).encode()
    try:
        expected = json.loads(broken)
    except ValueError:
        with pytest.raises(ValueError, match=r".*"):
            pieces.loads(broken)
    else:
        assert pieces.loads(broken) == expected


def test_an_import_that_is_stopped_takes_back_what_it_kept(store: Store) -> None:
    two = [Whole(Conversation(name, name, 1.0, 2.0), ()) for name in ("a", "b")]
    asked: list[int] = []

    def stopped() -> bool:
        asked.append(len(store.conversations()))
        return asked[-1] == 1

    with pytest.raises(Cancelled):
        bring_in(store, two, stopped)
    assert asked == [0, 1]
    assert store.conversations() == []
    with pytest.raises(Cancelled):
        bring_in(store, two, lambda: True)
    bring_in(store, two)
    with pytest.raises(Cancelled):
        all_of(store, lambda: True)


@settings(max_examples=30, deadline=None)
@given(st.lists(wholes(), max_size=2))
def test_store_to_file_to_store_changes_nothing(before: list[Whole]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with closing(open_store(folder / "a.db")) as first:
            bring_in(first, before)
            went_out = all_of(first)
            files.write_json(folder / "all.json", went_out)
        by_id = {each.conversation.id: each for each in went_out}
        assert by_id == {each.conversation.id: cleaned(each) for each in before}
        with closing(open_store(folder / "b.db")) as second:
            if before:
                bring_in(second, files.read(folder / "all.json"))
            assert {each.conversation.id: each for each in all_of(second)} == by_id


@given(
    st.recursive(
        st.none() | st.booleans() | WHOLES | NUMBERS | ANY_TEXT,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    ),
    st.data(),
)
def test_garbage_in_our_own_format_is_left_out(garbage: Any, data: st.DataObject) -> None:
    whole = plain(SMALL.conversation) | {"messages": [plain(each) for each in SMALL.messages]}
    field = data.draw(st.sampled_from(sorted(whole)))
    inner = data.draw(st.sampled_from(sorted(whole["messages"][0])))
    messages = [{**whole["messages"][0], inner: garbage}, garbage]
    entries = [{**whole, field: garbage}, {**whole, "messages": messages}, garbage]
    for each in own_format.conversations_of({"version": 1, "conversations": entries}):
        assert own_format.conversations_of(json.loads(own_format.written([each]))) == [each]


TALK = Conversation("c", "A: kite/风筝?", 1.7e9, 1.7e9, leaf="a", setup=Setup(system="Be\nbrief."))
QUESTION = Message(
    "q", "c", "", "user", "Look", 1.0, attachments=(Attachment("x.md", "```py\n1\n```\n"),)
)
OTHER = Message("o", "c", "q", "assistant", "not read", 2.0, outcome=Outcome("stop"))
ANSWER = Message(
    "a", "c", "q", "assistant", "**Yes**", 3.0,
    reasoning="Let me\n\nthink", model="m/n", outcome=Outcome("stop", tokens_per_s=123.0),
)  # fmt: skip
SMALL = Whole(TALK, (QUESTION, OTHER, ANSWER))


def test_what_is_there_already_comes_in_beside_it(store: Store) -> None:
    bring_in(store, [SMALL])
    (second,) = bring_in(store, [SMALL])
    assert gathered(store, "c") == SMALL
    copy = gathered(store, second.id)
    assert copy is not None
    assert len(store.conversations()) == 2
    ids = {each.content: each.id for each in copy.messages}
    parents = {each.content: each.parent for each in copy.messages}
    assert parents == {"Look": "", "not read": ids["Look"], "**Yes**": ids["Look"]}
    assert copy.conversation.leaf == ids["**Yes**"]
    assert not {"q", "o", "a"} & set(ids.values())


def test_what_was_deleted_is_not_overwritten_either(store: Store) -> None:
    bring_in(store, [SMALL])
    store.delete("c")
    bring_in(store, [SMALL])
    store.restore("c")
    assert len(store.conversations()) == 2


def test_ids_that_occur_twice_in_a_file_become_new_ones() -> None:
    twice = apart(Whole(TALK, (QUESTION, QUESTION)), frozenset())
    assert len({each.id for each in twice.messages}) == len(twice.messages)


def test_markdown_reads_as_it_was_said() -> None:
    assert markdown.document(SMALL) == (
        "# A: kite/风筝?\n\n**System**\n\n> Be\n> brief.\n\n## User\n\n**x.md**\n\n"
        "````\n```py\n1\n```\n````\n\nLook\n\n## Assistant · m/n\n\n<details>\n"
        "<summary>Reasoning</summary>\n\n> Let me\n>\n> think\n\n</details>\n\n**Yes**\n"
    )


@given(ANY_TEXT, NUMBERS)
def test_every_title_makes_a_name_for_a_file(title: str, created: float) -> None:
    name = markdown.file_name(Conversation("c", title, created, 0.0))
    assert len(name.encode()) <= 255
    assert not set(name) & set('<>:"/\\|?*\0\n')
    assert markdown.file_name(Conversation("c", title, created, 0.0), {name.lower()}) != name


def test_markdown_files_stand_beside_each_other(tmp_path: Path) -> None:
    written = files.write_markdown(tmp_path / "out", [SMALL, SMALL])
    written += files.write_markdown(tmp_path / "out", [SMALL])
    assert [each.name[11:] for each in written] == [
        "A kite 风筝.md", "A kite 风筝 (2).md", "A kite 风筝 (3).md",
    ]  # fmt: skip
    assert {each.read_text(encoding="utf-8") for each in written} == {markdown.document(SMALL)}
    assert {each.name for each in (tmp_path / "out").iterdir()} == {each.name for each in written}


def code_of(path: Path, **more: int) -> str:
    with pytest.raises(StorageError) as caught:
        files.read(path, **more)
    return caught.value.code


def zipped(**contents: bytes) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name.replace("__", "."), content)
    return whole.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{}", b"[]", b"null", b"\xff\xfe\x00", b"no JSON", b"[" * 100_000, b"9" * 10_000,
        b'[{"mapping": {}}]', b'{"format": "paperkite-conversations", "version": 1}',
        zipped(), zipped(readme__txt=b"hello"), zipped(conversations__json=b"garbage"),
    ],
)  # fmt: skip
def test_a_file_without_conversations_is_said(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    assert code_of(path) == "import-unknown"


def test_other_files_that_cannot_be_taken_in_are_said(tmp_path: Path) -> None:
    path = tmp_path / "file"
    assert code_of(path) == "import-not-readable"
    path.write_bytes(b'{"format": "paperkite-conversations", "version": 2}')
    assert code_of(path) == "import-newer"
    path.write_bytes(own_format.written([SMALL]))
    assert code_of(path, most=100) == "import-too-big"
    bomb = zipped(conversations__json=b"[" + b" " * 10_000_000)
    assert len(bomb) < 100_000
    path.write_bytes(bomb)
    assert code_of(path, most=1_000_000) == "import-too-big"
    damaged = bytearray(zipped(conversations__json=os.urandom(1000)))
    damaged[100:200] = bytes(100)
    path.write_bytes(damaged)
    assert code_of(path) == "import-not-readable"


def test_a_place_that_cannot_be_written_is_said_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for write in (files.write_json, files.write_markdown):
        with pytest.raises(StorageError) as caught:
            write(tmp_path / "file" / "out", [SMALL])
        assert caught.value.code == "storage-not-writable"
    (tmp_path / "folder").mkdir()
    with pytest.raises(StorageError):
        files.write_json(tmp_path / "folder", [SMALL])
    assert {each.name for each in tmp_path.iterdir()} == {"file", "folder"}
