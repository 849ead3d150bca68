"""Whatever an engine sends and whatever a person does: each reply has exactly one end."""

from __future__ import annotations

import _thread
import asyncio
import gc
import json
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from desktop.core.chat.ask import Ask
from desktop.core.chat.conversation import Setup
from desktop.core.chat.failures import may_go_on
from desktop.core.chat.replies import Replies
from desktop.core.chat.turn import Turn
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

TOO_LONG = "This model's maximum context length is"
HELLO = Ask((Turn("user", "Hello?"),))


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
    with engine_that_answers(200, "text/event-stream", body + b"data: [DONE]\n\n") as endpoint:
        yield endpoint


@contextmanager
def engine_that_answers(status: int, kind: str, body: bytes) -> Iterator[Endpoint]:
    """An engine that has one answer to everything."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            """Say nothing."""

    with serving(Handler) as endpoint:
        yield endpoint


@contextmanager
def engine_that_hangs_after(*chunks: object) -> Iterator[Endpoint]:
    """An engine whose every reply begins with these chunks, a moment apart, and never ends."""
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            for each in chunks:
                self.wfile.write(b"data: " + json.dumps(each).encode() + b"\n\n")
                over.wait(0.01)
            over.wait(10)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            """Say nothing."""

    with serving(Handler) as endpoint:
        try:
            yield endpoint
        finally:
            over.set()


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[Endpoint]:
    """Serve on loopback, and say where."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        url = f"http://127.0.0.1:{server.server_address[1]}/v1"
        try:
            yield Endpoint(url, "pk-test", "a/b", 2048, "r1", "0.32.0")
        finally:
            server.shutdown()
            thread.join()


def chunk(**delta: object) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": None}], "usage": None}


STOP = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


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
        {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": -1}},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": 7}]},
    ],
)
def test_only_text_counts_and_what_says_nothing_is_passed_over(
    replies: Replies, heard: Heard, sent: object
) -> None:
    with engine_that_sends(chunk(content="so "), sent, chunk(content="on"), STOP) as endpoint:
        replies.send(endpoint, HELLO)
        end = one_end(heard)
    assert isinstance(end, ReplyDone)
    assert (end.finish_reason, end.usage) == ("stop", None)
    assert heard.text() == "so on"
    assert not [event for event in heard.events if isinstance(event, Reasoning)]


@pytest.mark.parametrize("reason", [None, "abort", "error"])
def test_a_stream_without_an_end_of_its_own_was_cut(
    replies: Replies, heard: Heard, reason: str | None
) -> None:
    last = {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}
    with engine_that_sends(chunk(content="so far"), last) as endpoint:
        replies.send(endpoint, HELLO)
        end = one_end(heard)
    assert isinstance(end, ReplyBroken)
    assert end.error.code == "reply-cut"
    assert may_go_on(end.error)


@pytest.mark.parametrize(
    ("body", "code", "detail"),
    [
        (
            {"message": "The decoder prompt cannot be empty", "code": 400},
            "reply-refused",
            "The decoder prompt cannot be empty",
        ),
        ({"message": f"{TOO_LONG} 9", "code": 400}, "reply-too-long", f"{TOO_LONG} 9"),
        ({"message": "EngineCore encountered an issue.", "code": 500}, "reply-cut", None),
        ("Unauthorized", "reply-cut", None),
    ],
)
def test_an_error_inside_the_stream_is_told_in_the_engines_words(
    replies: Replies, heard: Heard, body: object, code: str, detail: str | None
) -> None:
    with engine_that_sends({"error": body}) as endpoint:
        replies.send(endpoint, HELLO)
        end = one_end(heard)
    assert isinstance(end, ReplyBroken)
    assert end.error.code == code
    assert detail in (None, end.error.facts["detail"])
    assert may_go_on(end.error) == (code == "reply-cut")


@pytest.mark.parametrize(
    ("status", "body", "code", "detail"),
    [
        (400, {"error": {"message": "top_p must be in (0, 1]"}}, "reply-refused", "top_p must be"),
        (400, {"error": {"message": f"{TOO_LONG} 9"}}, "reply-too-long", TOO_LONG),
        (401, {"error": "Unauthorized"}, "reply-unauthorized", None),
        (400, {"error": "no"}, "reply-refused", "no"),
        (400, [7], "reply-refused", "Error code: 400"),
        (503, {"error": {"message": "EngineCore died"}}, "reply-refused", "EngineCore died"),
    ],
)
def test_a_refusal_is_told_in_the_engines_words_alone(
    replies: Replies, heard: Heard, status: int, body: object, code: str, detail: str | None
) -> None:
    answer = json.dumps(body).encode()
    with engine_that_answers(status, "application/json", answer) as endpoint:
        replies.send(endpoint, HELLO)
        end = one_end(heard)
    assert isinstance(end, ReplyBroken)
    assert end.error.code == code
    assert detail is None or str(end.error.facts["detail"]).startswith(detail)
    assert may_go_on(end.error) == (status >= 500)


def test_a_count_that_nobody_answers_is_not_told_and_hinders_nothing(
    replies: Replies, heard: Heard
) -> None:
    with engine_that_answers(200, "text/html", b"<html>a captive portal</html>") as endpoint:
        replies.count(endpoint, HELLO)
        until(lambda: not replies._counts and bool(replies._clients))
    assert heard.events == []


def test_a_reply_that_goes_on_has_its_reasoning_behind_it(replies: Replies, heard: Heard) -> None:
    begun = Ask((*HELLO.turns, Turn("assistant", "Hel")), continued=True)
    with engine_that_sends(chunk(reasoning="lo"), chunk(content="!"), STOP) as endpoint:
        replies.send(endpoint, begun)
        assert isinstance(one_end(heard), ReplyDone)
    assert heard.text() == "lo!"


def test_a_reply_that_is_stopped_has_the_counts_that_came(replies: Replies, heard: Heard) -> None:
    def sent(text: str, tokens: int) -> dict[str, Any]:
        usage = {"prompt_tokens": 3, "completion_tokens": tokens, "total_tokens": tokens + 3}
        return {**chunk(content=text), "usage": usage}

    pieces = [sent("", 0), sent("one ", 1), sent("two ", 2), sent("three", 3)]
    with engine_that_hangs_after(*pieces) as endpoint:
        number = replies.send(endpoint, HELLO)
        until(lambda: heard.text().endswith("three"))
        replies.cancel(number)
        end = one_end(heard)
    assert isinstance(end, ReplyDone)
    assert (end.finish_reason, end.usage) == ("cancelled", Usage(3, 3))
    assert end.tokens_per_s is not None


def thoughts(heard: Heard) -> str:
    return "".join(event.text for event in heard.events if isinstance(event, Reasoning))


def test_thinking_inside_the_reply_is_told_as_reasoning(replies: Replies, heard: Heard) -> None:
    pieces = ("<th", "ink>\nhm", "\n</think", ">\n\n", "lo", " <think>")
    with engine_that_sends(*[chunk(content=piece) for piece in pieces], STOP) as endpoint:
        replies.send(endpoint, HELLO)
        end = one_end(heard)
    assert (thoughts(heard), heard.text()) == ("hm\n", "lo <think>")
    assert isinstance(end, ReplyDone)
    assert None not in (end.ttft_s, end.reasoning_s)


def test_a_reply_cut_in_its_thinking_has_said_nothing(replies: Replies, heard: Heard) -> None:
    with engine_that_sends(chunk(content="<think>\nhm</"), chunk(content="th")) as endpoint:
        replies.send(endpoint, HELLO)
        assert isinstance(one_end(heard), ReplyBroken)
    assert (thoughts(heard), heard.text()) == ("hm</th", "")


def test_what_was_held_back_is_told_in_the_end(replies: Replies, heard: Heard) -> None:
    with engine_that_sends(chunk(content="1 <"), chunk(content=" 2"), STOP) as endpoint:
        replies.send(endpoint, HELLO)
        one_end(heard)
    with engine_that_sends(chunk(content="<"), STOP) as endpoint:
        replies.send(endpoint, HELLO)
        until(lambda: len(heard.ends()) == 2)
    assert heard.text() == "1 < 2<"


@pytest.mark.parametrize("kind", ["completion", "continued"])
def test_marks_of_thinking_are_text_where_no_turn_begins(
    replies: Replies, heard: Heard, kind: str
) -> None:
    ask = Ask((*HELLO.turns, Turn("assistant", "Hel")), continued=True)
    sent = chunk(content="<think>lo")
    if kind == "completion":
        ask = Ask(HELLO.turns, Setup(kind="completion"))
        sent = {"choices": [{"index": 0, "text": "<think>lo", "finish_reason": None}]}
    with engine_that_sends(sent, STOP) as endpoint:
        replies.send(endpoint, ask)
        assert isinstance(one_end(heard), ReplyDone)
    assert (thoughts(heard), heard.text()) == ("", "<think>lo")


def test_what_asks_nothing_is_not_sent(replies: Replies, heard: Heard) -> None:
    with engine_that_sends(STOP) as endpoint:
        replies.send(endpoint, Ask((Turn("system", "Be brief."),)))
        end = one_end(heard)
    assert isinstance(end, ReplyBroken)
    assert end.error.code == "nothing-asked"


def test_a_reply_without_an_end_is_given_up(
    replies: Replies, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desktop.core.chat.replies._LONGEST", 5)
    with engine_that_sends(*[chunk(content="word ")] * 9, STOP) as endpoint:
        replies.send(endpoint, HELLO)
        assert isinstance(one_end(heard), ReplyBroken)
    assert heard.text() == "word word "


def test_another_run_at_the_same_address_gets_one_client_of_its_own(
    replies: Replies, heard: Heard
) -> None:
    with engine_that_sends(chunk(content="hi"), STOP) as endpoint:
        replies.send(endpoint, HELLO)
        until(lambda: len(heard.ends()) == 1)
        newer = replace(endpoint, run="r2")
        for _ in range(3):
            replies.send(newer, HELLO)
        until(lambda: len(heard.ends()) == 4)
    assert all(isinstance(end, ReplyDone) for end in heard.ends())
    assert list(replies._clients) == [newer]


def test_closing_ends_the_replies_that_run(heard: Heard) -> None:
    replies = Replies(heard.events.append)
    number = replies.send(Endpoint("http://127.0.0.1:9/v1", "k", "a/b", 1, "r", "0"), HELLO)
    replies.close()
    assert one_end(heard).reply == number  # type: ignore[union-attr]
    replies.close()


def test_what_the_client_leaves_behind_is_ended_with_the_loop(
    heard: Heard, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    replies = Replies(heard.events.append)
    stop = replies._loop.stop

    def leave_and_stop() -> None:  # as a stream's generator is closed, by a task of its own
        replies._loop.create_task(asyncio.sleep(60))
        monkeypatch.setattr(replies._loop, "stop", stop)
        stop()

    monkeypatch.setattr(replies._loop, "stop", leave_and_stop)
    replies.close()
    gc.collect()
    assert [record.message for record in caplog.records] == []


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
