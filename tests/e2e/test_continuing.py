"""Replies over a real sshd that is cut: they go on by themselves, with nothing doubled or lost.

What the app does is done here without a window: one thread takes all events in turn.
"""

from __future__ import annotations

import queue
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from desktop.core.agent.deploy import deploy
from desktop.core.chat.conversation import Message, Setup
from desktop.core.chat.conversations import Conversations
from desktop.core.chat.replies import Replies
from desktop.core.chat.store.store import open_store
from desktop.core.chat.store.writer import Writer
from desktop.core.events import Delta, Endpoint, Event, Ready, Reasoning, ReplyBroken, ReplyDone
from desktop.core.session.dial import dialler
from desktop.core.session.session import Session
from desktop.rehearsal.scripted_engine.replies import Script
from tests.e2e.conftest import Box, MakeBox
from tests.helpers.person import Person
from tests.helpers.sessions import wishes_for

_SECONDS = 90.0
_QUESTION = "What does the sea sound like?"
_TOKENS = 120
_THOUGHTS = 40
_PACE = ("--scripted-tokens-per-s", "40", "--scripted-reply-tokens", str(_TOKENS))


class Talker:
    """A person's laptop: a session to one box, and what is said through it."""

    def __init__(self, box: Box, folder: Path, stack: ExitStack) -> None:
        self.box = box
        self.events: list[Event] = []
        self.endpoint: Endpoint | None = None
        self._queue: queue.Queue[Event] = queue.Queue()
        store = stack.enter_context(closing(open_store(folder / "chats.sqlite")))
        writer = stack.enter_context(closing(Writer(store)))
        self.replies = stack.enter_context(closing(Replies(self._queue.put)))
        self.replies.warm_up()
        self.talks = Conversations(store, writer, lambda: self.replies)
        wishes = wishes_for(box)
        dial = dialler(wishes, Person(), box.sshd.known_hosts(), forwarding=True)
        self.session = stack.enter_context(closing(Session(wishes, self._queue.put, dial, deploy)))
        self.session.start()
        self.until(lambda: self.endpoint is not None)

    @property
    def where(self) -> Endpoint:
        assert self.endpoint is not None
        return self.endpoint

    def ask(self) -> str:
        """Say the question in a new conversation, and return the conversation."""
        name = self.talks.begin(Setup(), title="given").id
        self.talks.send(name, _QUESTION, self.where)
        return name

    def reply_of(self, conversation: str) -> Message:
        return self.talks.path(conversation)[-1]

    def is_over(self, conversation: str) -> bool:
        outcome = self.reply_of(conversation).outcome
        return outcome is not None and outcome.finish_reason == "stop"

    def until(self, condition: Callable[[], bool]) -> None:
        """Take events, as the window's thread does, until this is so."""
        deadline = time.monotonic() + _SECONDS
        while not condition():
            left = deadline - time.monotonic()
            assert left > 0, self.events[-20:]
            try:
                self._take(self._queue.get(timeout=min(left, 0.05)))
            except queue.Empty:
                continue

    def _take(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, Ready):
            self.endpoint = event.endpoint
            self.talks.go_on_with_cut(event.endpoint)
        else:
            self.talks.apply(event)

    def count(self, kind: type[Event]) -> int:
        return sum(isinstance(event, kind) for event in self.events)

    def requests(self) -> int:
        """Return how many requests the engine works on, asked beside the tunnel."""
        with _opener().open(f"{self._engine()}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return sum(
            round(float(line.split()[-1]))
            for line in lines
            if line.startswith(("vllm:num_requests_running", "vllm:num_requests_waiting"))
        )

    def _engine(self) -> str:
        ports = [event["port"] for event in self.box.journal if event["kind"] == "ready"]
        return f"http://127.0.0.1:{ports[-1]}"


def _opener() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))


@pytest.fixture
def talker(make_box: MakeBox, tmp_path: Path) -> Iterator[Callable[..., Talker]]:
    with ExitStack() as stack:
        yield lambda *engine: Talker(make_box(*_PACE, *engine), tmp_path, stack)


def whole(box: Box) -> str:
    asked = {"messages": [{"role": "user", "content": _QUESTION}]}
    return "".join(Script(box.model, 2048, _TOKENS, 0).reply(asked, is_chat=True).tokens)


def test_a_reply_that_is_cut_goes_on_from_where_it_stopped(
    talker: Callable[..., Talker],
) -> None:
    talk = talker()
    name = talk.ask()
    talk.until(lambda: talk.count(Delta) >= 20)
    talk.box.sshd.cut()
    talk.until(lambda: talk.is_over(name))
    assert talk.count(ReplyBroken) >= 1
    assert talk.reply_of(name).content == whole(talk.box)
    last = next(each for each in reversed(talk.events) if isinstance(each, ReplyDone))
    assert last.usage is not None
    assert last.usage.completion_tokens < _TOKENS - 10, "it was not begun anew"


def test_a_reply_that_is_cut_before_its_first_token_is_asked_for_again(
    talker: Callable[..., Talker],
) -> None:
    talk = talker("--scripted-prefill-s", "1.0")
    name = talk.ask()
    talk.until(lambda: talk.requests() == 1)
    talk.box.sshd.cut()
    talk.until(lambda: talk.is_over(name))
    assert talk.count(ReplyBroken) >= 1
    assert talk.reply_of(name).content == whole(talk.box)


def test_a_reply_that_is_cut_while_it_thinks_thinks_again(talker: Callable[..., Talker]) -> None:
    talk = talker("--scripted-reasoning-tokens", str(_THOUGHTS))
    name = talk.ask()
    talk.until(lambda: talk.count(Reasoning) >= 10)
    talk.box.sshd.cut()
    talk.until(lambda: talk.is_over(name))
    assert talk.count(ReplyBroken) >= 1
    reply = talk.reply_of(name)
    assert reply.content == whole(talk.box)
    assert reply.reasoning == "(thinking) " * _THOUGHTS
    assert reply.reasoning_s is not None


def test_several_conversations_stream_at_once_and_all_survive_a_cut(
    talker: Callable[..., Talker],
) -> None:
    talk = talker()
    names = [talk.ask() for _ in range(4)]
    talk.until(lambda: all(len(talk.reply_of(name).content) > 20 for name in names))
    assert talk.requests() == 4
    talk.box.sshd.cut()
    talk.until(lambda: all(talk.is_over(name) for name in names))
    assert {talk.reply_of(name).content for name in names} == {whole(talk.box)}


def test_a_stop_reaches_the_engine_at_once_in_prefill_too(talker: Callable[..., Talker]) -> None:
    talk = talker("--scripted-prefill-s", "2.0")
    took: dict[str, list[float]] = {"prefill": [], "stream": []}
    for when in [*took] * 3:
        name = talk.ask()
        talk.until(lambda: talk.requests() == 1)
        if when == "stream":
            talk.until(lambda: len(talk.reply_of(name).content) > 10)  # noqa: B023 - called here
        began = time.monotonic()
        talk.talks.stop(name)
        while talk.requests():
            assert time.monotonic() - began < _SECONDS
        took[when].append((time.monotonic() - began) * 1000)
        talk.until(lambda: talk.reply_of(name).outcome is not None)  # noqa: B023
        outcome = talk.reply_of(name).outcome
        assert outcome is not None
        assert outcome.finish_reason == "cancelled"
    figures = {when: f"{min(each):.0f} to {max(each):.0f} ms" for when, each in took.items()}
    print("from a stop until the engine has heard of it:", figures)
    assert max(took["prefill"]) < 1000
    assert max(took["stream"]) < 1000
