"""Whatever an engine sends and whatever a person does: each reply has exactly one end."""

from __future__ import annotations

import _thread
import json
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from desktop.core.chat.message import Message
from desktop.core.chat.replies import Replies, request
from desktop.core.events import (
    Delta,
    Endpoint,
    Event,
    Reasoning,
    ReplyBroken,
    ReplyDone,
    ReplyStarted,
    Usage,
)
from tests.helpers.waiting import until

HELLO = [Message("user", "Hello?")]


class Heard:
    """Collects events from the loop's thread."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def ends(self) -> list[Event]:
        return [event for event in self.events if isinstance(event, ReplyDone | ReplyBroken)]

    def text(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, Delta))


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def replies(heard: Heard) -> Iterator[Replies]:
    with closing(Replies(heard.events.append)) as replies:
        yield replies


@contextmanager
def engine_that_sends(*chunks: object) -> Iterator[Endpoint]:
    """An engine whose every reply is these chunks, whatever they are."""
    body = b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            self.wfile.write(body + b"data: [DONE]\n\n")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.server_address[1]}/v1"
        try:
            yield Endpoint(url, "pk-test", "a/b", 2048, "r1", "0.32.0")
        finally:
            server.shutdown()
            thread.join()


def chunk(**delta: object) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": None}], "usage": None}


def one_end(heard: Heard) -> Event:
    until(lambda: bool(heard.ends()))
    assert len(heard.ends()) == 1
    assert isinstance(heard.events[0], ReplyStarted)
    return heard.ends()[0]


def test_what_the_engine_streams_is_told_and_ends_with_its_numbers(
    replies: Replies, heard: Heard
) -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    chunks = [
        chunk(reasoning="hm"),
        chunk(content="你"),
        chunk(content="好"),
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "length"}]},
        {"choices": [], "usage": usage},
    ]
    with engine_that_sends(*chunks) as endpoint:
        number = replies.send(endpoint, HELLO)
        end = one_end(heard)
    assert isinstance(end, ReplyDone)
    assert (end.reply, end.finish_reason, end.usage) == (number, "length", Usage(3, 2))
    assert heard.text() == "你好"
    assert Reasoning(number, "hm") in heard.events


def test_a_reply_cancelled_before_it_could_begin_ends_all_the_same(
    replies: Replies, heard: Heard
) -> None:
    busy = threading.Event()
    replies._loop.call_soon_threadsafe(busy.wait, 10)  # as an import on a slow disk
    number = replies.send(Endpoint("http://127.0.0.1:9/v1", "k", "a/b", 1, "r", "0"), HELLO)
    replies.cancel(number)
    busy.set()
    end = one_end(heard)
    assert isinstance(end, ReplyDone)
    assert end.finish_reason == "cancelled"


@pytest.mark.parametrize("sent", ["text", [1], {"choices": 7}, {"choices": [7]}])
def test_a_stream_of_something_else_breaks_the_reply(
    replies: Replies, heard: Heard, sent: object
) -> None:
    with engine_that_sends(chunk(content="so far"), sent) as endpoint:
        replies.send(endpoint, HELLO)
        end = one_end(heard)
    assert isinstance(end, ReplyBroken)
    assert end.error.code == "reply-cut"
    assert heard.text() == "so far"


@pytest.mark.parametrize(
    "sent",
    [
        {"choices": None},
        {"choices": [{"index": 0, "delta": None}]},
        chunk(content=["not", "text"]),
        chunk(content=7, reasoning={"not": "text"}),
        {"choices": [], "usage": {}},
        {"choices": [], "usage": {"prompt_tokens": "3", "completion_tokens": None}},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": 7}]},
    ],
)
def test_only_text_counts_and_what_says_nothing_is_passed_over(
    replies: Replies, heard: Heard, sent: object
) -> None:
    with engine_that_sends(chunk(content="so "), sent, chunk(content="on")) as endpoint:
        replies.send(endpoint, HELLO)
        end = one_end(heard)
    assert isinstance(end, ReplyDone)
    assert (end.finish_reason, end.usage) == ("stop", None)
    assert heard.text() == "so on"
    assert not [event for event in heard.events if isinstance(event, Reasoning)]


def test_half_an_emoji_in_a_prompt_is_replaced_and_sent() -> None:
    endpoint = Endpoint("http://127.0.0.1:9/v1", "k", "a/b", 1, "r", "0")
    body = request(endpoint, [Message("user", "half \ud83d of it")])
    assert body["messages"] == [{"role": "user", "content": "half ? of it"}]


def test_closing_ends_the_replies_that_run(heard: Heard) -> None:
    replies = Replies(heard.events.append)
    number = replies.send(Endpoint("http://127.0.0.1:9/v1", "k", "a/b", 1, "r", "0"), HELLO)
    replies.close()
    assert one_end(heard).reply == number  # type: ignore[union-attr]
    replies.close()


def test_an_interrupt_while_closing_gets_through_and_the_loop_ends_by_itself(
    heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    replies = Replies(heard.events.append)
    assert replies._thread.daemon  # it may never come back: the process must end without it
    busy, shut = threading.Event(), replies._shut

    async def interrupt_first() -> None:  # it runs once `close` has asked for it
        _thread.interrupt_main()
        busy.wait(10)
        await shut()

    monkeypatch.setattr(replies, "_shut", interrupt_first)
    with pytest.raises(KeyboardInterrupt):
        replies.close()
    busy.set()
    replies._thread.join(10)
    assert not replies._thread.is_alive()
