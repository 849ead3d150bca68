"""Replies that stream from the forwarded endpoint: many at once, each cancelled in milliseconds.

One asyncio loop in one thread carries all of them: cancelling a task there closes its socket at
once, in prefill too, which a blocking client cannot (facts on the chat window, §4.3). The openai
package is imported in that thread, so a window is on screen before it costs anything.

Whatever becomes of a reply, its last event is one ReplyDone or one ReplyBroken.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from desktop.core.catalogue import stop_token_ids
from desktop.core.chat.failures import converted
from desktop.core.chat.message import Message
from desktop.core.errors import AppError, ReplyFailed
from desktop.core.events import (
    Delta,
    Emit,
    Endpoint,
    Reasoning,
    ReplyBroken,
    ReplyDone,
    ReplyStarted,
    Usage,
)

if TYPE_CHECKING:
    from openai import AsyncOpenAI

CONNECT_SECONDS = 10.0
FIRST_TOKEN_SECONDS = 300.0  # a long prompt on a slow card; the user has a Stop button
_WAIT_S = 0.5  # a wait without a limit cannot be interrupted by Ctrl-C on Windows


class Replies:
    """The replies of one endpoint at a time; events come from the loop's thread."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._numbers = itertools.count(1)
        self._tasks: dict[int, asyncio.Task[str]] = {}
        self._client: tuple[Endpoint, AsyncOpenAI] | None = None
        self._loop = asyncio.new_event_loop()
        # A daemon: a Ctrl-C in `close` must end the process, whatever the loop is busy with.
        self._thread = threading.Thread(target=self._run_loop, name="replies", daemon=True)
        self._thread.start()

    def warm_up(self) -> None:
        """Import the client in the background, so that the first reply need not wait for it."""
        self._loop.call_soon_threadsafe(_import_client)

    def send(self, endpoint: Endpoint, messages: Sequence[Message]) -> int:
        """Ask for a reply and return its number at once; what comes is told in events."""
        number = next(self._numbers)
        self._loop.call_soon_threadsafe(self._begin, number, endpoint, tuple(messages))
        return number

    def cancel(self, number: int) -> None:
        """Stop a reply: it ends with finish reason "cancelled". Unknown numbers are fine."""
        self._loop.call_soon_threadsafe(self._cancel, number)

    def close(self) -> None:
        """End all replies, the loop and its thread."""
        if not self._thread.is_alive():
            return
        asyncio.run_coroutine_threadsafe(self._shut(), self._loop)
        while self._thread.is_alive():
            self._thread.join(_WAIT_S)

    def _run_loop(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        self._loop.close()

    def _begin(self, number: int, endpoint: Endpoint, messages: tuple[Message, ...]) -> None:
        clock = _Clock()
        self._emit(ReplyStarted(number))
        task = self._loop.create_task(self._stream(number, endpoint, messages, clock))
        self._tasks[number] = task
        task.add_done_callback(partial(self._end, number, clock))

    def _end(self, number: int, clock: _Clock, task: asyncio.Task[str]) -> None:
        """Say how a reply ended; here, and not in its task, which may never take a step."""
        self._tasks.pop(number, None)
        if task.cancelled():
            self._emit(clock.done(number, "cancelled"))
        elif (error := task.exception()) is None:
            self._emit(clock.done(number, task.result()))
        elif isinstance(error, AppError):
            self._emit(ReplyBroken(number, error))
        else:  # what came is no stream of chat completion chunks
            self._emit(ReplyBroken(number, ReplyFailed("reply-cut", detail=repr(error)[:300])))

    def _cancel(self, number: int) -> None:
        task = self._tasks.get(number)
        if task is not None:
            task.cancel()

    async def _shut(self) -> None:
        try:
            tasks = list(self._tasks.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if self._client is not None:
                await self._client[1].close()
        finally:
            self._loop.stop()

    async def _stream(
        self, number: int, endpoint: Endpoint, messages: tuple[Message, ...], clock: _Clock
    ) -> str:
        """Emit what arrives and return the finish reason."""
        finish = ""
        with converted(endpoint):
            client = await self._client_for(endpoint)
            stream = await client.chat.completions.create(**request(endpoint, messages))
            async with stream:
                async for chunk in stream:
                    clock.usage = usage_of(chunk.usage) or clock.usage
                    for choice in chunk.choices or ():
                        finish = _text(choice.finish_reason) or finish
                        self._say(number, choice.delta, clock)
        return finish or "stop"

    def _say(self, number: int, delta: Any, clock: _Clock) -> None:
        # `reasoning` from vLLM 0.19 on, `reasoning_content` up to 0.11 (facts on vLLM, §5.3).
        thought = _field(delta, "reasoning") or _field(delta, "reasoning_content")
        if thought:
            clock.token()
            self._emit(Reasoning(number, thought))
        if content := _field(delta, "content"):
            clock.token()
            self._emit(Delta(number, content))

    async def _client_for(self, endpoint: Endpoint) -> AsyncOpenAI:
        if self._client is not None and self._client[0] == endpoint:
            return self._client[1]
        if self._client is not None:
            await self._client[1].close()
        self._client = (endpoint, _open_client(endpoint))
        return self._client[1]


def request(endpoint: Endpoint, messages: Sequence[Message]) -> dict[str, Any]:
    """Return the body of a streaming chat completion.

    Without `max_tokens`: every vLLM then takes what is left of the context (facts on vLLM, §5.4).
    """
    return {
        "model": endpoint.model,
        "messages": [{"role": each.role, "content": _sendable(each.content)} for each in messages],
        "stream": True,
        "stream_options": {"include_usage": True},
        "extra_body": {"stop_token_ids": stops}
        if (stops := stop_token_ids(endpoint.model))
        else {},
    }


def usage_of(usage: Any) -> Usage | None:
    """Return the engine's token counts, or None where it did not say two numbers."""
    prompt = getattr(usage, "prompt_tokens", None)
    completion = getattr(usage, "completion_tokens", None)
    if isinstance(prompt, int) and isinstance(completion, int):
        return Usage(prompt, completion)
    return None


def _field(delta: Any, name: str) -> str:
    return _text(getattr(delta, name, None))


def _text(value: object) -> str:
    """Return what came as text; the client does not check what an engine sends."""
    return value if isinstance(value, str) else ""


def _sendable(text: str) -> str:
    """Return the text without lone surrogates (a terminal, half an emoji): JSON has none."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _import_client() -> None:
    import openai  # noqa: F401, PLC0415 - half a second: only in this thread, only when needed


def _open_client(endpoint: Endpoint) -> AsyncOpenAI:
    from httpx2 import Timeout  # noqa: PLC0415
    from openai import AsyncOpenAI, DefaultAsyncHttpxClient  # noqa: PLC0415

    timeout = Timeout(FIRST_TOKEN_SECONDS, connect=CONNECT_SECONDS)
    # trust_env=False: a system proxy (Clash) that catches 127.0.0.1 answers 502.
    http_client = DefaultAsyncHttpxClient(trust_env=False, timeout=timeout)
    return AsyncOpenAI(
        base_url=endpoint.base_url,
        api_key=endpoint.api_key,
        http_client=http_client,
        timeout=timeout,
        max_retries=0,  # a reply that broke is shown, never asked for twice
    )


class _Clock:
    """The times of one reply. `usage` is set when the engine has said it."""

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self._began = time.monotonic()
        self._first: float | None = None
        self._last = self._began

    def token(self) -> None:
        self._last = time.monotonic()
        if self._first is None:
            self._first = self._last

    def done(self, number: int, finish: str) -> ReplyDone:
        """Return the closing event, with what could be measured."""
        ttft = None if self._first is None else self._first - self._began
        speed = None
        if self._first is not None and self.usage is not None and self._last > self._first:
            speed = (self.usage.completion_tokens - 1) / (self._last - self._first)
        return ReplyDone(number, finish, self.usage, ttft, speed)
