"""What is said, and what becomes of the replies: told with replies that a test speaks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import pytest

from desktop.core.chat.ask import Ask
from desktop.core.chat.conversation import (
    Attachment,
    Conversation,
    Message,
    Outcome,
    Sampling,
    Setup,
    Unsent,
)
from desktop.core.chat.conversations import Conversations
from desktop.core.chat.failures import failure_of
from desktop.core.chat.loaded import _MOST
from desktop.core.chat.store.store import open_store
from desktop.core.chat.store.writer import Writer
from desktop.core.chat.turn import Turn
from desktop.core.errors import ReplyFailed
from desktop.core.events import (
    Delta,
    Endpoint,
    Event,
    Reasoning,
    ReplyBroken,
    ReplyDone,
    Usage,
)
from desktop.core.explain import explain

EAST = Endpoint("http://127.0.0.1:8000/v1", "k", "a/b", 2048, "run-1", "0.32.0")
WEST = replace(EAST, base_url="http://127.0.0.1:8001/v1", run="run-2")
BACK = replace(EAST, run="run-1-again")  # the same host, its engine started anew


class Memory:
    """A store and its writer that keep everything in dictionaries."""

    def __init__(self) -> None:
        self.talks: dict[str, Conversation] = {}
        self.said: dict[str, Message] = {}
        self.waiting: dict[str, Message] = {}
        self.beside: dict[str, Unsent] = {}
        self.gone: set[str] = set()
        self.reads = 0

    def conversation(self, conversation: str) -> Conversation | None:
        return None if conversation in self.gone else self.talks.get(conversation)

    def messages(self, conversation: str) -> list[Message]:
        self.reads += 1
        mine = (each for each in self.said.values() if each.conversation == conversation)
        return [each for each in mine if each.id not in self.gone]

    def save(self, conversation: Conversation) -> None:
        self.talks[conversation.id] = conversation

    def add(self, message: Message) -> None:
        assert message.id not in self.said
        self.said[message.id] = message

    def update(self, message: Message) -> None:
        self.said[message.id] = message

    def delete(self, conversation: str) -> None:
        self.gone.add(conversation)

    def delete_messages(self, messages: Any, then: Conversation) -> None:
        self.gone |= set(messages)
        self.save(then)

    def restore_messages(self, messages: Any, then: Conversation) -> None:
        self.gone -= set(messages)
        self.save(then)

    def take(
        self, conversation: Conversation, messages: Any = (), unsent: Unsent | None = None
    ) -> None:
        for each in messages:
            self.add(each)
        self.save(conversation)
        if unsent is not None:
            self.beside[conversation.id] = unsent

    def unsent(self, conversation: str) -> Unsent:
        return self.beside.get(conversation, Unsent())

    def put(self, message: Message) -> None:
        self.waiting[message.id] = message

    def flush(self) -> bool:
        for name, message in self.waiting.items():
            was = self.said[name]
            grown = replace(
                was,
                content=message.content,
                reasoning=message.reasoning,
                left_out=message.left_out,
            )
            self.said[name] = grown if message.outcome is None else message
        self.waiting.clear()
        return True


@dataclass
class Script:
    """Replies that say what a test has them say."""

    asked: dict[int, tuple[Endpoint, Ask]] = field(default_factory=dict)
    cancelled: list[int] = field(default_factory=list)

    def send(self, endpoint: Endpoint, ask: Ask) -> int:
        number = len(self.asked) + 1
        self.asked[number] = (endpoint, ask)
        return number

    def cancel(self, number: int) -> None:
        self.cancelled.append(number)

    def ask(self, number: int) -> Ask:
        return self.asked[number][1]


class Talk:
    """Conversations, and the acts of a test on them."""

    def __init__(self, store: Any, writer: Any) -> None:
        self.store, self.writer, self.script = store, writer, Script()
        self.prices: list[tuple[float, str]] = []
        self.now = 0.0
        self.it = Conversations(
            store,
            writer,
            cast("Any", lambda: self.script),
            lambda _endpoint, seconds: self.prices.pop(0) if self.prices else None,
            self.tick,
        )
        self.id = self.it.begin(Setup()).id

    def tick(self) -> float:
        self.now += 1.0
        return self.now

    def hear(self, *events: Event) -> None:
        for event in events:
            self.it.apply(event)

    def reply(self, number: int, text: str, finish: str = "stop") -> Message:
        """Let a whole reply come."""
        message = self.it.message_of(number)
        assert message is not None
        self.hear(Delta(number, text), done(number, finish))
        return self.found(message)

    def exchange(self, question: str, answer: str) -> Message:
        return self.reply(self.it.send(self.id, question, EAST), answer)

    def found(self, message: Message) -> Message:
        (found,) = [
            each for each in self.store.messages(message.conversation) if each.id == message.id
        ]
        return cast("Message", found)

    def texts(self) -> list[str]:
        return [each.content for each in self.it.path(self.id)]

    @property
    def title(self) -> str:
        return self.it.conversation(self.id).title


def in_memory(_: Path) -> Iterator[Talk]:
    memory = Memory()
    yield Talk(memory, memory)


def in_a_file(folder: Path) -> Iterator[Talk]:
    store = open_store(folder / "chats.sqlite")
    writer = Writer(store)
    yield Talk(store, writer)
    writer.close()
    store.close()


@pytest.fixture(params=[in_memory, in_a_file], ids=["memory", "file"])
def talk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Talk]:
    """The same acts on a fake and on the real store: the fake is held to what the real one does."""
    make: Callable[[Path], Iterator[Talk]] = request.param
    yield from make(tmp_path)


def done(number: int, finish: str = "stop", usage: Usage | None = None) -> ReplyDone:
    return ReplyDone(number, finish, usage or Usage(21, 5), 0.3, 40.0)


def cut(number: int, code: str = "reply-cut", **facts: Any) -> ReplyBroken:
    return ReplyBroken(number, ReplyFailed(code, **facts))


def outcome(message: Message) -> Outcome:
    assert message.outcome is not None
    return message.outcome


# -- saying something ------------------------------------------------------------------------------


def test_a_reply_grows_and_is_kept_with_how_it_ended(talk: Talk) -> None:
    number = talk.it.send(talk.id, "Hello?", EAST)
    assert talk.it.reply_in(talk.id) == number
    talk.hear(Reasoning(number, "hm"), Delta(number, "Hel"), Delta(number, "lo!"))
    assert talk.texts() == ["Hello?", "Hello!"], "while it streams too"
    talk.hear(replace(done(number), reasoning_s=1.5))
    reply = talk.found(talk.it.path(talk.id)[-1])
    assert (reply.content, reply.reasoning, reply.reasoning_s) == ("Hello!", "hm", 1.5)
    assert outcome(reply) == Outcome("stop", usage=Usage(21, 5), ttft_s=0.3, tokens_per_s=40.0)
    assert reply.model == EAST.model
    assert talk.it.reply_in(talk.id) is None


def test_how_long_it_thought_is_known_once_it_answers(talk: Talk) -> None:
    number = talk.it.send(talk.id, "Hello?", EAST)
    talk.hear(Reasoning(number, "hm"))
    assert talk.it.path(talk.id)[-1].reasoning_s is None
    talk.hear(Delta(number, "Hel"))
    thought = talk.it.path(talk.id)[-1].reasoning_s
    assert thought is not None
    talk.hear(Delta(number, "lo!"))
    assert talk.it.path(talk.id)[-1].reasoning_s == thought
    talk.it.close()
    assert talk.found(talk.it.path(talk.id)[-1]).reasoning_s == thought


def test_the_model_gets_the_path_the_system_prompt_and_the_settings(talk: Talk) -> None:
    setup = Setup(system="Be brief.", sampling=Sampling(temperature=0.0))
    talk.id = talk.it.begin(setup).id
    talk.exchange("one", "1")
    number = talk.it.send(talk.id, "two", EAST, [Attachment("a.txt", "file")])
    ask = talk.script.ask(number)
    assert [turn.role for turn in ask.turns] == ["system", "user", "assistant", "user"]
    assert "file" in ask.turns[-1].content
    assert (ask.setup, ask.continued) == (setup, False)


def test_what_is_said_empties_the_draft_and_brings_the_conversation_up(talk: Talk) -> None:
    talk.store.save(replace(talk.it.conversation(talk.id), draft="Hel"))
    talk.it.send(talk.id, "Hello?", EAST)
    now = talk.it.conversation(talk.id)
    assert now.draft == ""
    assert now.updated == talk.now


def test_a_conversation_that_is_gone_takes_nothing(talk: Talk) -> None:
    talk.store.delete(talk.id)
    with pytest.raises(KeyError):
        talk.it.send(talk.id, "Hello?", EAST)


# -- branches --------------------------------------------------------------------------------------


def test_another_reply_stands_beside_the_first_and_both_can_be_read(talk: Talk) -> None:
    first = talk.exchange("Hello?", "first")
    second = talk.reply(talk.it.regenerate(first, EAST), "second")
    assert talk.texts() == ["Hello?", "second"]
    assert (talk.it.branch(first), talk.it.branch(second)) == ((1, 2), (2, 2))
    talk.it.step(second, -1)
    assert talk.texts() == ["Hello?", "first"]
    talk.it.step(first, -1)
    talk.it.step(first, 7)
    assert talk.texts() == ["Hello?", "first"], "there is nothing further"


def test_an_edited_question_keeps_the_old_one_and_its_files(talk: Talk) -> None:
    file = Attachment("a.txt", "x")
    number = talk.it.send(talk.id, "what?", EAST, [file])
    talk.reply(number, "that")
    asked = talk.it.path(talk.id)[0]
    talk.reply(talk.it.edit(asked, "why?", EAST), "because")
    assert talk.texts() == ["why?", "because"]
    assert talk.it.path(talk.id)[0].attachments == (file,)
    talk.it.step(talk.it.path(talk.id)[0], -1)
    assert talk.texts() == ["what?", "that"]


def test_a_reply_streams_on_while_another_branch_is_read(talk: Talk) -> None:
    first = talk.exchange("Hello?", "first")
    number = talk.it.regenerate(first, EAST)
    growing = talk.it.message_of(number)
    assert growing is not None
    talk.it.read(talk.id, first.id)
    talk.reply(number, "second")
    assert talk.texts() == ["Hello?", "first"]
    talk.it.step(first, 1)
    assert talk.texts() == ["Hello?", "second"]


def test_of_two_replies_in_one_conversation_the_one_that_is_read_counts(talk: Talk) -> None:
    first = talk.exchange("Hello?", "first")
    one, two = talk.it.regenerate(first, EAST), talk.it.regenerate(first, EAST)
    assert talk.it.reply_in(talk.id) == two
    growing = talk.it.message_of(one)
    assert growing is not None
    talk.it.read(talk.id, growing.id)
    assert talk.it.reply_in(talk.id) == one
    talk.it.stop(talk.id)
    assert sorted(talk.script.cancelled) == [one, two]


def test_a_reply_that_answers_nothing_can_be_asked_for_again(talk: Talk) -> None:
    """An imported conversation may begin with one."""
    orphan = Message("m", talk.id, "", "assistant", "Welcome!", 0.0, outcome=Outcome("stop"))
    talk.store.add(orphan)
    talk.it.read(talk.id, "m")
    assert talk.script.ask(talk.it.regenerate(orphan, EAST)).turns == ()


# -- going on --------------------------------------------------------------------------------------


def test_a_reply_that_hit_its_length_goes_on_where_it_stopped(talk: Talk) -> None:
    talk.prices = [(0.5, "CNY"), (0.25, "CNY")]
    number = talk.it.send(talk.id, "Hello?", EAST)
    talk.hear(Reasoning(number, "hm"), Delta(number, "Hel"))
    talk.hear(replace(done(number, "length", Usage(9, 3)), reasoning_s=2.0))
    again = talk.it.go_on(talk.it.path(talk.id)[-1], EAST)
    ask = talk.script.ask(again)
    assert ask.continued
    assert ask.turns[-1] == Turn("assistant", "Hel")
    assert talk.found(talk.it.path(talk.id)[-1]).outcome is None, "on disk too: it may be cut again"
    talk.hear(Delta(again, "lo!"), replace(done(again, "stop", Usage(12, 2)), ttft_s=0.1))
    reply = talk.it.path(talk.id)[-1]
    assert (reply.content, reply.reasoning, reply.reasoning_s) == ("Hello!", "hm", 2.0)
    assert outcome(reply).usage == Usage(9, 5)
    assert (outcome(reply).ttft_s, outcome(reply).cost) == (0.3, 0.75)
    assert outcome(reply).finish_reason == "stop"


def test_what_is_under_way_is_not_asked_for_twice(talk: Talk) -> None:
    number = talk.it.send(talk.id, "Hello?", EAST)
    assert talk.it.go_on(talk.it.path(talk.id)[-1], EAST) == number


def test_blanks_at_its_end_are_said_again_and_not_doubled(talk: Talk) -> None:
    number = talk.it.send(talk.id, "Hello?", EAST)
    talk.hear(Delta(number, "One.\n\n"), cut(number))
    (again,) = talk.it.go_on_with_cut(EAST)
    assert talk.script.ask(again).turns[-1].content == "One."
    talk.reply(again, "\n\nTwo.")
    assert talk.texts()[-1] == "One.\n\nTwo."


def test_a_completion_goes_on_behind_its_last_blank(talk: Talk) -> None:
    talk.id = talk.it.begin(Setup(kind="completion")).id
    talk.reply(talk.it.send(talk.id, "San Francisco is a", EAST), " city\n", "length")
    again = talk.it.go_on(talk.it.path(talk.id)[-1], EAST)
    assert talk.script.ask(again).prompt == "San Francisco is a city\n"


def test_what_the_connection_cut_goes_on_once_its_host_is_back(talk: Talk) -> None:
    number = talk.it.send(talk.id, "Hello?", EAST)
    talk.hear(Delta(number, "Hel"), cut(number))
    assert outcome(talk.it.path(talk.id)[-1]).finish_reason == "cut"
    assert talk.it.go_on_with_cut(WEST) == [], "that is another host"
    (again,) = talk.it.go_on_with_cut(BACK)
    talk.reply(again, "lo!")
    assert talk.texts() == ["Hello?", "Hello!"]
    assert outcome(talk.it.path(talk.id)[-1]).usage is None, "nobody counted the first part"
    assert talk.it.go_on_with_cut(BACK) == []


def test_a_reply_that_breaks_after_its_host_is_back_goes_on_at_once_and_only_once(
    talk: Talk,
) -> None:
    """A connection that stalls is given up when another one stands: its replies break last."""
    number = talk.it.send(talk.id, "Hello?", EAST)
    talk.hear(Delta(number, "Hel"))
    assert talk.it.go_on_with_cut(WEST) == []
    assert talk.it.go_on_with_cut(BACK) == []
    talk.hear(cut(number))
    again = talk.it.reply_in(talk.id)
    assert again is not None
    assert talk.script.asked[again][0] == BACK
    talk.hear(cut(again))
    assert talk.it.reply_in(talk.id) is None, "it waits until the host is ready once more"
    assert len(talk.it.go_on_with_cut(BACK)) == 1


@pytest.mark.parametrize("thought", ["", "I was about to"])
def test_what_was_cut_before_it_said_anything_is_asked_for_again(talk: Talk, thought: str) -> None:
    number = talk.it.send(talk.id, "Hello?", EAST)
    if thought:
        talk.hear(Reasoning(number, thought))
    talk.hear(cut(number, "reply-unreachable", base_url="http://x"))
    broken = talk.it.path(talk.id)[-1]
    assert outcome(broken).finish_reason == ("cut" if thought else "failed")
    assert (broken.reasoning_s is not None) == bool(thought)
    (again,) = talk.it.go_on_with_cut(EAST)
    assert not talk.script.ask(again).continued
    talk.hear(Reasoning(again, "anew"))
    talk.reply(again, "Hello!")
    assert talk.it.path(talk.id)[-1].reasoning == "anew"


def test_an_engine_that_broke_down_is_asked_again_and_one_that_refused_is_not(talk: Talk) -> None:
    talk.hear(cut(talk.it.send(talk.id, "one", EAST), "reply-refused", status=400, detail="no"))
    assert talk.it.go_on_with_cut(EAST) == []
    talk.hear(cut(talk.it.send(talk.id, "two", EAST), "reply-refused", status=500, detail="died"))
    assert len(talk.it.go_on_with_cut(EAST)) == 1


def test_nothing_goes_on_where_somebody_went_another_way(talk: Talk) -> None:
    number = talk.it.send(talk.id, "Hello?", EAST)
    talk.hear(Delta(number, "Hel"), cut(number))
    talk.reply(talk.it.send(talk.id, "never mind", WEST), "fine")
    assert talk.it.go_on_with_cut(EAST) == [], "something was said after it"


def test_nothing_goes_on_beside_another_reply(talk: Talk) -> None:
    number = talk.it.send(talk.id, "Hello?", EAST)
    talk.hear(Delta(number, "Hel"), cut(number))
    other = talk.it.regenerate(talk.it.path(talk.id)[-1], WEST)
    assert talk.it.go_on_with_cut(EAST) == []
    assert talk.it.reply_in(talk.id) == other


def test_what_a_person_went_on_with_does_not_go_on_twice(talk: Talk) -> None:
    number = talk.it.send(talk.id, "Hello?", EAST)
    talk.hear(Delta(number, "Hel"), cut(number))
    talk.reply(talk.it.go_on(talk.it.path(talk.id)[-1], EAST), "lo!")
    assert talk.it.go_on_with_cut(EAST) == []
    assert talk.texts() == ["Hello?", "Hello!"]


def test_what_was_deleted_and_taken_back_goes_on_only_when_a_person_says_so(talk: Talk) -> None:
    number = talk.it.send(talk.id, "Hello?", EAST)
    talk.hear(Delta(number, "Hel"), cut(number))
    leaf = talk.it.path(talk.id)[-1]
    talk.it.restore(talk.id, talk.it.delete(leaf), leaf.id)
    assert talk.it.go_on_with_cut(EAST) == []


def test_nothing_goes_on_in_a_conversation_that_is_gone(talk: Talk) -> None:
    number = talk.it.send(talk.id, "Hello?", EAST)
    talk.hear(Delta(number, "Hel"), cut(number))
    talk.store.delete(talk.id)
    assert talk.it.go_on_with_cut(EAST) == []


def test_why_a_reply_failed_can_be_explained_later(talk: Talk) -> None:
    error = ReplyFailed("prompt-too-long", tokens=3000, limit=2048)
    talk.hear(ReplyBroken(talk.it.send(talk.id, "long", EAST), error))
    kept = talk.found(talk.it.path(talk.id)[-1])
    failure = failure_of(outcome(kept))
    assert failure is not None
    assert explain(failure, "en") == explain(error, "en")
    assert failure_of(Outcome("stop")) is None
    odd = Outcome("cut", error="reply-cut", facts=(("code", "x"), ("half",)))  # type: ignore[arg-type]
    assert failure_of(odd) is not None


# -- away and back ---------------------------------------------------------------------------------


def test_a_deleted_message_takes_what_hangs_on_it_along_and_comes_back(talk: Talk) -> None:
    talk.exchange("one", "1")
    talk.exchange("two", "2")
    *_, second, leaf = talk.it.path(talk.id)
    gone = talk.it.delete(second)
    assert talk.texts() == ["one", "1"]
    talk.it.restore(talk.id, gone, leaf.id)
    assert talk.texts() == ["one", "1", "two", "2"]


def test_a_deleted_branch_leaves_the_one_beside_it(talk: Talk) -> None:
    first = talk.exchange("Hello?", "first")
    second = talk.reply(talk.it.regenerate(first, EAST), "second")
    talk.it.delete(second)
    assert talk.texts() == ["Hello?", "first"]


def test_a_reply_that_is_deleted_while_it_streams_stops_and_stays_away(talk: Talk) -> None:
    number = talk.it.send(talk.id, "Hello?", EAST)
    talk.hear(Delta(number, "Hel"))
    question, leaf = talk.it.path(talk.id)
    gone = talk.it.delete(question)
    assert talk.script.cancelled == [number]
    talk.hear(Delta(number, "lo!"), done(number, "cancelled"))
    assert talk.texts() == []
    talk.it.restore(talk.id, gone, leaf.id)
    assert talk.texts() == ["Hello?", "Hel"]
    assert outcome(talk.it.path(talk.id)[-1]).finish_reason == "cancelled"


def test_a_reply_into_a_conversation_that_is_deleted_ends_and_asks_for_no_title(talk: Talk) -> None:
    number = talk.it.send(talk.id, "Hello?", EAST)
    talk.it.stop(talk.id)
    talk.store.delete(talk.id)
    talk.hear(Delta(number, "Hello!"), done(number))
    assert len(talk.script.asked) == 1
    assert talk.it.reply_in(talk.id) is None


def test_closing_keeps_what_came_as_cut(talk: Talk) -> None:
    other = talk.it.begin(Setup()).id
    numbers = [talk.it.send(name, "Hello?", EAST) for name in (talk.id, other)]
    talk.hear(*[Delta(number, "Hel") for number in numbers])
    talk.it.close()
    for name in (talk.id, other):
        kept = talk.found(talk.it.path(name)[-1])
        assert (kept.content, outcome(kept).finish_reason) == ("Hel", "cut")
    talk.hear(Delta(numbers[0], "lo!"), done(numbers[0]))
    assert talk.texts() == ["Hello?", "Hel"], "what comes after it is not told any more"


# -- stopping, many at once, odd events ------------------------------------------------------------


def test_a_stop_before_the_first_token_leaves_an_empty_reply(talk: Talk) -> None:
    number = talk.it.send(talk.id, "Hello?", EAST)
    talk.it.stop(talk.id)
    assert talk.script.cancelled == [number]
    talk.hear(done(number, "cancelled"))
    assert outcome(talk.it.path(talk.id)[-1]).finish_reason == "cancelled"
    assert talk.it.go_on_with_cut(EAST) == []


def test_replies_of_several_hosts_come_into_their_own_conversations(talk: Talk) -> None:
    other = talk.it.begin(Setup()).id
    one, two = talk.it.send(talk.id, "one", EAST), talk.it.send(other, "two", WEST)
    talk.hear(Delta(one, "1"), Delta(two, "2"), cut(two), done(one))
    assert talk.texts() == ["one", "1"]
    assert [each.content for each in talk.it.path(other)] == ["two", "2"]
    (again,) = talk.it.go_on_with_cut(WEST)
    assert talk.it.reply_in(other) == again


def test_events_of_unknown_replies_are_passed_over(talk: Talk) -> None:
    talk.hear(Delta(99, "x"), Reasoning(99, "x"), done(99), cut(99))
    assert talk.texts() == []


def test_few_conversations_are_held_in_memory() -> None:
    memory = Memory()
    talk = Talk(memory, memory)
    number = talk.it.send(talk.id, "Hello?", EAST)
    memory.reads = 0
    for _ in range(3 * _MOST):
        talk.it.path(talk.it.begin(Setup()).id)
        talk.hear(Delta(number, "."))
    assert len(talk.it._loaded._found) == _MOST
    assert talk.texts()[-1] == "." * 3 * _MOST
    assert memory.reads == 3 * _MOST, "one that streams stays"


# -- titles ----------------------------------------------------------------------------------------


def test_the_first_line_stands_for_a_title_until_the_model_proposes_one(talk: Talk) -> None:
    talk.exchange("How do kites\nfly?", "With wind.")
    assert talk.title == "How do kites"
    (titling,) = set(talk.script.asked) - {1}
    talk.hear(Delta(titling, "Title: Kites"), Delta(titling, " and wind\n"), done(titling))
    assert talk.title == "Kites and wind"
    talk.exchange("And in rain?", "Badly.")
    assert len(talk.script.asked) == 3, "it is asked for once"


def test_a_title_that_somebody_gave_meanwhile_stays(talk: Talk) -> None:
    talk.exchange("Hello?", "Hello!")
    talk.store.save(replace(talk.it.conversation(talk.id), title="Mine"))
    talk.hear(Delta(2, "Greetings"), done(2))
    assert talk.title == "Mine"


def test_a_reply_that_was_cut_is_titled_once_it_is_whole(talk: Talk) -> None:
    number = talk.it.send(talk.id, "Hello?", EAST)
    talk.hear(Delta(number, "Hel"), cut(number))
    assert len(talk.script.asked) == 1
    (again,) = talk.it.go_on_with_cut(EAST)
    talk.reply(again, "lo!")
    assert "Hello!" in talk.script.ask(3).turns[0].content


def test_a_reply_that_was_stopped_says_too_little_for_a_title(talk: Talk) -> None:
    talk.reply(talk.it.send(talk.id, "Hello?", EAST), "Hel", "cancelled")
    assert len(talk.script.asked) == 1


def test_a_title_that_broke_or_said_a_story_is_none(talk: Talk) -> None:
    talk.exchange("Hello?", "Hello!")
    talk.hear(Delta(2, "Once upon\na time"), done(2))
    assert talk.title == "Hello?"
    talk.id = talk.it.begin(Setup()).id
    talk.exchange("Again?", "Hello!")
    talk.hear(Delta(4, "Greet"), cut(4), done(4))
    assert talk.title == "Again?"
