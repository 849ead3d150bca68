"""What is kept, in which order, and what becomes of it when it is taken away."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.core.chat.conversation import (
    Attachment,
    Conversation,
    Message,
    Outcome,
    Sampling,
    Setup,
    Unsent,
)
from desktop.core.chat.store.store import Store, open_store
from desktop.core.events import Usage

RICH = Conversation(
    "c",
    "标题",
    1.5,
    2.5,
    leaf="a",
    setup=Setup("01ai/Yi-34B-Chat-4bits", "completion", "Be 好", True, Sampling(0.7, stop=("a",))),
    draft="half a thou",
    pinned=True,
)
SAID = Message(
    "q", "c", "", "user", "Hello 你好\0\n", 3.0, attachments=(Attachment("a.txt", "text"),)
)
REPLY = Message(
    "a",
    "c",
    "q",
    "assistant",
    "Hi",
    4.0,
    reasoning="hm",
    reasoning_s=0.5,
    model="m",
    outcome=Outcome(
        "stop", usage=Usage(3, 4), ttft_s=0.1, tokens_per_s=9.0, cost=0.01, currency="CNY"
    ),
    left_out=7,
)
UNSENT = Unsent((Attachment("b.txt", "half 😀\ud83d"),), "q", "Hello anew?")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "conversations.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with closing(open_store(path)) as store:
        yield store


def reopened(path: Path, now: float = 1000.0) -> Store:
    return open_store(path, clock=lambda: now)


def test_what_was_kept_comes_back_as_it_was(store: Store, path: Path) -> None:
    store.save(RICH)
    store.add(SAID)
    store.add(REPLY)
    store.close()
    with closing(open_store(path)) as again:
        assert again.remark is None
        assert again.conversation("c") == RICH
        assert again.messages("c") == [SAID, REPLY]


def test_what_lies_beside_a_draft_comes_back_until_it_is_sent(store: Store, path: Path) -> None:
    store.save(RICH)
    assert store.unsent("c") == Unsent()
    store.take(RICH, unsent=UNSENT)
    store.close()
    with closing(open_store(path)) as again:
        file = Attachment("b.txt", "half 😀\ufffd")
        assert again.unsent("c") == replace(UNSENT, attachments=(file,))
        again.take(RICH, [SAID], Unsent())
        assert again.unsent("c") == Unsent()


def test_what_lies_beside_a_draft_goes_with_its_conversation(path: Path) -> None:
    clock = Clock()
    with closing(open_store(path, clock=clock)) as store:
        for name in ("c", "d"):
            store.take(replace(RICH, id=name), unsent=UNSENT)
        store.delete("c")
    with closing(reopened(path, clock.now + 3601)) as store:
        while store.purge():
            pass
        assert store.unsent("c") == Unsent()
        assert store.unsent("d") != Unsent()


def test_the_list_has_the_pinned_ones_first_then_the_newest(store: Store) -> None:
    for name, updated, pinned, archived in (
        ("old", 1.0, False, False),
        ("new", 3.0, False, False),
        ("pinned", 2.0, True, False),
        ("away", 9.0, False, True),
    ):
        store.save(Conversation(name, "", 0.0, updated, pinned=pinned, archived=archived))
    assert [each.id for each in store.conversations()] == ["pinned", "new", "old"]
    assert [each.id for each in store.conversations(archived=True)] == ["away"]


def test_saving_again_changes_the_one_that_is_there(store: Store) -> None:
    store.save(RICH)
    store.save(replace(RICH, title="another", pinned=False))
    assert store.conversations() == [replace(RICH, title="another", pinned=False)]


def test_a_reply_grows_and_is_finished(store: Store) -> None:
    growing = replace(REPLY, content="", outcome=None)
    store.add(growing)
    store.keep([replace(growing, content="Hi th", reasoning="hm hm")])
    assert store.messages("c") == [replace(growing, content="Hi th", reasoning="hm hm")]
    store.update(REPLY)
    assert store.messages("c") == [REPLY]


def test_a_reply_that_streamed_when_the_app_died_is_cut_and_keeps_its_measurements(
    store: Store, path: Path
) -> None:
    store.add(SAID)
    store.add(replace(REPLY, outcome=None))
    store.close()
    with closing(open_store(path)) as again:
        assert again.messages("c") == [SAID, replace(REPLY, outcome=Outcome("cut"))]


def test_what_was_deleted_can_be_taken_back_for_an_hour_of_restarts(path: Path) -> None:
    clock = Clock()
    with closing(open_store(path, clock=clock)) as store:
        store.save(RICH)
        store.add(SAID)
        store.add(REPLY)
        store.delete_messages(["a"])
        assert store.messages("c") == [SAID]
        store.restore_messages(["a"])
        store.delete("c")
        assert store.conversation("c") is None
        assert store.conversations() == []
    with closing(reopened(path, clock.now + 3599)) as store:
        assert not store.purge()
        store.restore("c")
        assert store.conversation("c") == RICH
        assert store.messages("c") == [SAID, REPLY]


def test_what_was_deleted_long_ago_is_gone_after_the_next_start(path: Path) -> None:
    clock = Clock()
    with closing(open_store(path, clock=clock)) as store:
        store.save(RICH)
        store.save(replace(RICH, id="d"))
        store.add(SAID)
        store.add(replace(SAID, id="single", conversation="d"))
        store.add(replace(SAID, id="stays", conversation="d"))
        while store.index():
            pass
        store.delete("c")
        store.delete_messages(["single"])
    with closing(reopened(path, clock.now + 3601)) as store:
        while store.purge():
            pass
        store.restore("c")
        store.restore_messages(["single", "q"])
        assert [each.id for each in store.conversations()] == ["d"]
        assert store.messages("c") == []
        assert [each.id for each in store.messages("d")] == ["stays"]
        assert store.known(["c", "d"], ["q", "stays"]) == {"d", "stays"}


def test_half_of_a_surrogate_pair_is_kept_as_a_replacement_character(store: Store) -> None:
    store.save(replace(RICH, title="\ud83d", setup=Setup(system="\ud83d\ude00")))
    store.add(replace(SAID, content="a\udc00b", attachments=(Attachment("\ud800", "x"),)))
    conversation = store.conversation("c")
    assert conversation is not None
    assert (conversation.title, conversation.setup.system) == ("\ufffd", "\N{GRINNING FACE}")
    message = store.messages("c")[0]
    assert (message.content, message.attachments) == ("a\ufffdb", (Attachment("\ufffd", "x"),))


def test_system_prompts_are_kept_by_name(store: Store) -> None:
    store.save_prompt("b", "Be brief.")
    store.save_prompt("a", "1")
    store.save_prompt("a", "2")
    assert list(store.prompts().items()) == [("a", "2"), ("b", "Be brief.")]
    store.delete_prompt("a")
    store.delete_prompt("nobody's")
    assert store.prompts() == {"b": "Be brief."}


def test_a_conversation_from_elsewhere_is_taken_whole_or_not_at_all(store: Store) -> None:
    store.add(SAID)
    with pytest.raises(Exception, match="UNIQUE"):
        store.take(replace(RICH, id="d"), [replace(REPLY, conversation="d"), SAID])
    assert store.conversation("d") is None
    assert store.messages("d") == []


def test_threads_read_and_write_at_once(store: Store) -> None:
    store.save(RICH)
    failures: list[BaseException] = []

    def use(number: int) -> None:
        try:
            for step in range(30):
                store.add(replace(SAID, id=f"{number}-{step}"))
                assert f"{number}-{step}" in {each.id for each in store.messages("c")}
        except BaseException as error:  # noqa: BLE001 - shown below
            failures.append(error)

    threads = [threading.Thread(target=use, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert len(store.messages("c")) == 120
