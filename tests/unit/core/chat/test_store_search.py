"""What is found, and how it is shown."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.core.chat.conversation import Attachment, Conversation, Message, Outcome
from desktop.core.chat.store import search
from desktop.core.chat.store.store import Store, open_store
from desktop.core.chat.store.terms import query, terms
from desktop.core.errors import StorageError

TALK = Conversation("c", "About kites 风筝", 1.0, 1.0)


def indexed(store: Store) -> None:
    while store.index():
        pass


def said(name: str, text: str, **more: object) -> Message:
    return replace(Message(name, "c", "", "user", text, 0.0), **more)  # type: ignore[arg-type]


@pytest.fixture(params=["indexed", "not yet", "without FTS5"])
def store(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Store]:
    """Return a store with some messages, however far its index is."""
    if request.param == "without FTS5":
        monkeypatch.setattr(search, "has_full_text", lambda _: False)
    with closing(open_store(tmp_path / "conversations.db")) as store:
        store.save(TALK)
        for name, text in (
            ("zh", "今天天气怎么样？我们去放风筝吧。"),
            ("mixed", "在4090显卡上用vLLM跑Yi-34B，很快"),
            ("en", 'He said: "Straße is NOT a snake_case word" AND left'),
            ("code", "x = compute(a+b)  # über-fast 🎉"),
            ("kana", "カタカナと한국어"),
        ):
            store.add(said(name, text))
        store.add(said("file", "see this", attachments=(Attachment("notes.md", "inner text"),)))
        if request.param == "indexed":
            indexed(store)
        yield store


def found(store: Store, text: str) -> list[str]:
    return [hit.message for hit in store.search(text)]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("天气", ["zh"]),
        ("天气怎么样", ["zh"]),
        ("气天", []),
        ("吧", ["zh"]),
        ("风筝", ["", "zh"]),
        ("显卡", ["mixed"]),
        ("显卡 天气", []),
        ("很快 4090", ["mixed"]),
        ("VLLM", ["mixed"]),
        ("yi-34b", ["mixed"]),
        ("comp", ["code"]),
        ("ompute", []),
        ("straße", ["en"]),
        ("ÜBER", ["code"]),
        ('"is NOT', ["en"]),
        ("snake AND word", ["en"]),
        ("snake OR missing", []),
        ("a+b)*", ["code"]),
        ("NEAR(x", []),
        ("content:x", []),
        ("🎉", ["code"]),
        ("カナ", ["kana"]),
        ("한국", ["kana"]),
        ("inner", ["file"]),
        ("notes.md", ["file"]),
        ("kite", [""]),
        ("", []),
        ('"" * - ()', []),
        ("\0", []),
        ("\ud800", []),
    ],
)
def test_words_are_found_wherever_they_are(store: Store, text: str, names: list[str]) -> None:
    assert found(store, text) == names


def test_the_newest_comes_first_and_no_more_than_asked_for(store: Store) -> None:
    for number in range(9):
        store.add(said(f"n{number}", "the same words"))
        if number == 4:
            indexed(store)
    assert [hit.message for hit in store.search("same words", 3)] == ["n8", "n7", "n6"]


def test_what_was_deleted_is_not_found_and_the_archive_is(store: Store) -> None:
    store.delete_messages(["zh"])
    store.save(replace(TALK, archived=True))
    assert found(store, "风筝") == [""]
    store.restore_messages(["zh"])
    assert found(store, "风筝") == ["", "zh"]
    store.delete("c")
    assert found(store, "风筝") == []


def test_a_changed_message_is_found_by_what_it_says_now(store: Store) -> None:
    indexed(store)
    store.update(said("zh", "雨伞"))
    for _ in range(2):
        assert found(store, "天气") == []
        assert found(store, "雨伞") == ["zh"]
        indexed(store)


def test_a_reply_is_found_while_it_streams_and_indexed_when_it_is_over(store: Store) -> None:
    streaming = said("r", "", role="assistant")
    store.add(streaming)
    store.keep([replace(streaming, content="growing slowly")])
    indexed(store)
    assert found(store, "slowly") == ["r"]
    store.update(replace(streaming, content="growing slowly up", outcome=Outcome("stop")))
    indexed(store)
    assert found(store, "slowly up") == ["r"]


def test_an_index_of_another_version_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "conversations.db"
    with closing(open_store(path)) as store:
        store.save(TALK)
        store.add(said("a", "some words"))
        indexed(store)
    monkeypatch.setattr(search, "_VERSION", "2")
    with closing(open_store(path)) as store:
        assert found(store, "words") == ["a"]
        assert store.index()
        assert found(store, "words") == ["a"]


def test_what_changed_while_there_was_no_index_is_found_right_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "conversations.db"
    with closing(open_store(path)) as store:
        store.save(TALK)
        store.add(said("a", "first words"))
        indexed(store)
    with monkeypatch.context() as without:
        without.setattr(search, "has_full_text", lambda _: False)
        with closing(open_store(path)) as store:
            store.update(said("a", "second thoughts"))
            assert found(store, "second") == ["a"]
    with closing(open_store(path)) as store:
        for _ in range(2):
            assert found(store, "second") == ["a"]
            assert found(store, "first") == []
            indexed(store)


def test_nothing_of_what_is_gone_for_good_is_left_in_the_index(tmp_path: Path) -> None:
    path = tmp_path / "conversations.db"
    with closing(open_store(path, clock=lambda: 0.0)) as store:
        store.save(TALK)
        store.add(said("a", "secret 秘密"))
        store.add(said("b", "changing"))
        indexed(store)
        store.update(said("b", "changed"))
        store.delete_messages(["a"])
    with closing(open_store(path, clock=lambda: 1e6)) as store:
        while store.purge():
            pass
        indexed(store)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE VIRTUAL TABLE temp.kept USING fts5vocab(main, found, row)")
        assert connection.execute("SELECT term FROM kept").fetchall() == [("changed",)]


def test_a_damaged_index_is_made_anew_at_the_next_start(tmp_path: Path) -> None:
    path = tmp_path / "conversations.db"
    with closing(open_store(path)) as store:
        store.save(TALK)
        store.add(said("a", "some words"))
        indexed(store)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("DELETE FROM found_data WHERE id > 10")
    with closing(open_store(path)) as store, pytest.raises(StorageError, match="storage-damaged"):
        store.search("words")
    with closing(open_store(path)) as store:
        indexed(store)
        assert store.remark is None
        assert found(store, "words") == ["a"]


def test_a_snippet_is_one_line_with_the_places_marked() -> None:
    text = "before\n" * 20 + "the kite's\nString holds the KITE" + " after" * 50
    snippet = query("kite string").snippet(text)
    assert snippet.text.startswith("…")
    assert snippet.text.endswith("…")
    assert "\n" not in snippet.text
    marked = [snippet.text[start:end] for start, end in snippet.marks]
    assert marked == ["kite", "String", "KITE"]


TEXTS = st.text(alphabet="ab_ é文字中。\n🎉0", max_size=30)


@given(TEXTS, st.data())
def test_any_piece_of_a_text_that_begins_at_a_word_finds_it(text: str, data: st.DataObject) -> None:
    begin = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(begin, len(text)))
    if begin and text[begin - 1].isalnum():
        return
    wanted = query(text[begin:end])
    assert wanted.fits(text)
    marks = wanted.snippet(text).marks
    assert bool(marks) == bool(wanted.words)


@given(st.text(max_size=40))
def test_terms_are_of_characters_that_the_index_keeps_together(text: str) -> None:
    for term in terms(text).split(" "):
        assert all(not character.isascii() or character.isalnum() for character in term)
