"""What belongs together is kept together: no disk and no kill leaves half of it."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from desktop.core.chat.conversation import Attachment, Conversation, Setup, Unsent
from desktop.core.chat.conversations import Conversations
from desktop.core.chat.store.opening import connected
from desktop.core.chat.store.store import Store, open_store
from desktop.core.chat.store.writer import Writer
from desktop.core.events import Delta, ReplyDone, Trimmed
from tests.helpers import dying_sender
from tests.helpers.dying_sender import ENDPOINT

FILES = Unsent((Attachment("a.txt", "text"),))


class Numbers:
    """Replies of which only the numbers come."""

    def __init__(self) -> None:
        self.asked = 0

    def send(self, *_: object) -> int:
        self.asked += 1
        return self.asked

    def cancel(self, number: int) -> None:
        """Nothing comes anyway."""


class Talk:
    """A conversation of one question and its reply, in a file."""

    def __init__(self, path: Path) -> None:
        self.path, self.replies = path, Numbers()
        self.store = open_store(path)
        self.writer = Writer(self.store)
        self.kept = Conversations(self.store, self.writer, cast("Any", lambda: self.replies))
        self.id = self.kept.begin(Setup()).id
        number = self.kept.send(self.id, "Hello?", ENDPOINT)
        self.kept.apply(Delta(number, "Hello!"))
        self.kept.apply(ReplyDone(number, "cancelled", None, None, None))
        self.store.take(replace(self.now(), draft="and"), unsent=FILES)
        self.question, self.reply = self.kept.path(self.id)

    def now(self) -> Conversation:
        return self.kept.conversation(self.id)

    def state(self, store: Store) -> tuple[object, ...]:
        return store.conversation(self.id), store.messages(self.id), store.unsent(self.id)

    def refuse(self, *triggers: str) -> None:
        """Have SQLite refuse what these triggers are about."""
        with closing(connected(self.path)) as connection:
            for number, each in enumerate(triggers):
                connection.execute(
                    f"CREATE TRIGGER full_{number} {each} BEGIN SELECT RAISE(ABORT, 'full'); END"
                )

    def allow(self, *triggers: str) -> None:
        with closing(connected(self.path)) as connection:
            for number, _ in enumerate(triggers):
                connection.execute(f"DROP TRIGGER full_{number}")

    def close(self) -> None:
        self.writer.close()
        self.store.close()


@pytest.fixture
def talk(tmp_path: Path) -> Iterator[Talk]:
    made = Talk(tmp_path / "chats.db")
    yield made
    made.close()


def send(talk: Talk) -> None:
    talk.kept.send(talk.id, "And?", ENDPOINT, FILES.attachments)


def edit(talk: Talk) -> None:
    talk.kept.edit(talk.question, "Hello anew?", ENDPOINT)


def regenerate(talk: Talk) -> None:
    talk.kept.regenerate(talk.reply, ENDPOINT)


def delete(talk: Talk) -> None:
    talk.kept.delete(talk.reply)


OF_REPLY = "BEFORE INSERT ON messages WHEN new.role = 'assistant'"
OF_PLACE = "BEFORE UPDATE ON conversations"
OF_FILES = "BEFORE DELETE ON unsent"


@pytest.mark.parametrize(
    ("deed", "trigger"),
    [
        (send, OF_REPLY),
        (send, OF_PLACE),
        (send, OF_FILES),
        (edit, OF_REPLY),
        (edit, OF_PLACE),
        (regenerate, OF_REPLY),
        (regenerate, OF_PLACE),
        (delete, OF_PLACE),
    ],
)
def test_a_deed_that_the_disk_refuses_in_the_middle_leaves_everything_as_it_was(
    talk: Talk, deed: Callable[[Talk], None], trigger: str
) -> None:
    before = talk.state(talk.store)
    talk.refuse(trigger)
    with pytest.raises(sqlite3.IntegrityError):
        deed(talk)
    assert [each.content for each in talk.kept.path(talk.id)] == ["Hello?", "Hello!"]
    assert talk.kept.reply_in(talk.id) is None
    assert talk.state(talk.store) == before
    talk.allow(trigger)
    deed(talk)
    assert talk.state(talk.store) != before


def test_an_undo_that_the_disk_refuses_can_be_tried_again(talk: Talk) -> None:
    gone = talk.kept.delete(talk.reply)
    talk.refuse(OF_PLACE)
    with pytest.raises(sqlite3.IntegrityError):
        talk.kept.restore(talk.id, gone, talk.reply.id)
    assert [each.content for each in talk.kept.path(talk.id)] == ["Hello?"]
    talk.allow(OF_PLACE)
    talk.kept.restore(talk.id, gone, talk.reply.id)
    assert [each.content for each in talk.kept.path(talk.id)] == ["Hello?", "Hello!"]


def test_what_was_sent_lies_beside_the_draft_no_more(talk: Talk) -> None:
    send(talk)
    assert (talk.now().draft, talk.store.unsent(talk.id)) == ("", Unsent())


def test_a_new_wording_that_was_sent_leaves_the_files_of_the_draft(talk: Talk) -> None:
    edited = replace(FILES, edited=talk.question.id, wording="Hello anew?")
    talk.store.take(talk.now(), unsent=edited)
    edit(talk)
    assert (talk.now().draft, talk.store.unsent(talk.id)) == ("and", FILES)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_kill_between_a_message_and_its_reply_leaves_neither(tmp_path: Path) -> None:
    path = tmp_path / "chats.db"
    died = subprocess.run(
        [sys.executable, "-m", dying_sender.__name__, str(path)], check=False, timeout=60
    )
    assert died.returncode == -signal.SIGKILL
    with closing(open_store(path)) as store:
        (found,) = store.conversations()
        assert (found.leaf, found.title, store.messages(found.id)) == ("", "", [])


def test_where_the_last_message_was_lost_what_is_left_is_read_and_answered(talk: Talk) -> None:
    """A repair keeps what stands around a damaged page, and the end may have been on it."""
    talk.store.save(replace(talk.now(), leaf="lost"))
    assert [each.content for each in talk.kept.path(talk.id)] == ["Hello?", "Hello!"]
    send(talk)
    assert [each.content for each in talk.kept.path(talk.id)] == ["Hello?", "Hello!", "And?", ""]


def test_how_many_turns_were_left_out_is_on_disk_while_the_reply_streams(talk: Talk) -> None:
    number = talk.kept.send(talk.id, "And?", ENDPOINT)
    talk.kept.apply(Trimmed(number, 4))
    talk.kept.apply(Delta(number, "Well"))
    talk.writer.flush()
    with closing(open_store(talk.path)) as another:
        kept = another.messages(talk.id)[-1]
    assert (kept.content, kept.left_out) == ("Well", 4)
    talk.kept.apply(ReplyDone(number, "length", None, None, None))
    again = talk.kept.go_on(talk.kept.path(talk.id)[-1], ENDPOINT)
    talk.kept.apply(Delta(again, ", yes."))
    assert talk.kept.path(talk.id)[-1].left_out == 4, "as the first part was answered"


def test_a_reply_that_is_asked_for_anew_was_read_whole(talk: Talk) -> None:
    number = talk.kept.send(talk.id, "And?", ENDPOINT)
    talk.kept.apply(Trimmed(number, 4))
    talk.kept.apply(ReplyDone(number, "cancelled", None, None, None))
    talk.kept.go_on(talk.kept.path(talk.id)[-1], ENDPOINT)
    assert talk.kept.path(talk.id)[-1].left_out == 0
