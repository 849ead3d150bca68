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
from functools import partial
from typing import TYPE_CHECKING, Any

from desktop.core.chat.ask import Ask, request
from desktop.core.chat.clock import Clock
from desktop.core.chat.counting import fitted, measured
from desktop.core.chat.failures import converted
from desktop.core.chat.on_demand import import_on_demand
from desktop.core.chat.thinking import Thinking
from desktop.core.errors import AppError, ReplyFailed
from desktop.core.events import (
    Counted,
    Delta,
    Emit,
    Endpoint,
    Reasoning,
    ReplyBroken,
    ReplyStarted,
    Trimmed,
    Usage,
)

if TYPE_CHECKING:
    from openai import AsyncOpenAI

CONNECT_SECONDS = 10.0
FIRST_TOKEN_SECONDS = 300.0  # a long prompt on a slow card; the user has a Stop button
_NO_END = ("", "abort", "error")  # what vLLM says, or leaves unsaid, where it was ended itself
_LONGEST = 32 << 20  # characters of a reply: ten times what the longest context holds
_WAIT_S = 0.5  # a wait without a limit cannot be interrupted by Ctrl-C on Windows


class Replies:
    """The replies of all endpoints; events come from the loop's thread."""

    def __init__(self, emit: Emit) -> None:
        import_on_demand("openai.types")
        self._emit = emit
        self._numbers = itertools.count(1)
        self._tasks: dict[int, asyncio.Task[str]] = {}
        self._counts: dict[int, asyncio.Task[None]] = {}
        self._clients: dict[Endpoint, AsyncOpenAI] = {}
        self._loop = asyncio.new_event_loop()
        # A daemon: a Ctrl-C in `close` must end the process, whatever the loop is busy with.
        self._thread = threading.Thread(target=self._run_loop, name="replies", daemon=True)
        self._thread.start()

    def warm_up(self) -> None:
        """Import the client in the background, so that the first reply need not wait for it."""
        self._loop.call_soon_threadsafe(_import_client)

    def send(self, endpoint: Endpoint, ask: Ask) -> int:
        """Ask for a reply and return its number at once; what comes is told in events."""
        number = next(self._numbers)
        self._loop.call_soon_threadsafe(self._begin, number, endpoint, ask)
        return number

    def count(self, endpoint: Endpoint, ask: Ask) -> int:
        """Have the tokens of this counted and return a number at once; Counted has the same.

        Nothing is told where the engine gives no answer.
        """
        number = next(self._numbers)
        self._loop.call_soon_threadsafe(self._begin_count, number, endpoint, ask)
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
        self._loop.run_until_complete(_ended())
        self._loop.close()

    def _begin(self, number: int, endpoint: Endpoint, ask: Ask) -> None:
        clock = Clock()
        self._emit(ReplyStarted(number))
        task = self._loop.create_task(self._stream(number, endpoint, ask, clock))
        self._tasks[number] = task
        task.add_done_callback(partial(self._end, number, clock))

    def _begin_count(self, number: int, endpoint: Endpoint, ask: Ask) -> None:
        task = self._loop.create_task(self._count(number, endpoint, ask))
        self._counts[number] = task
        task.add_done_callback(partial(self._end_count, number))

    def _end_count(self, number: int, task: asyncio.Task[None]) -> None:
        """Whatever hindered it: the meter shows what it showed before."""
        self._counts.pop(number, None)
        if not task.cancelled():
            task.exception()

    def _end(self, number: int, clock: Clock, task: asyncio.Task[str]) -> None:
        """Say how a reply ended; here, and not in its task, which may never take a step."""
        self._tasks.pop(number, None)
        if task.cancelled():
            self._emit(clock.done(number, "cancelled"))
        elif (error := task.exception()) is None:
            self._emit(clock.done(number, task.result()))
        elif isinstance(error, AppError):
            self._emit(ReplyBroken(number, error))
        else:  # what came is no stream of completion chunks
            self._emit(ReplyBroken(number, _cut(repr(error))))

    def _cancel(self, number: int) -> None:
        task = self._tasks.get(number)
        if task is not None:
            task.cancel()

    async def _shut(self) -> None:
        try:
            tasks = [*self._tasks.values(), *self._counts.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for client in self._clients.values():
                await client.close()
        finally:
            self._loop.stop()

    async def _count(self, number: int, endpoint: Endpoint, ask: Ask) -> None:
        client = await self._client_for(endpoint)
        tokens = await measured(client, endpoint, ask)
        if tokens is not None:
            self._emit(Counted(number, tokens, endpoint.max_model_len))

    async def _stream(self, number: int, endpoint: Endpoint, ask: Ask, clock: Clock) -> str:
        """Emit what arrives and return the finish reason."""
        finish, length = "", 0
        with converted(endpoint):
            client = await self._client_for(endpoint)
            fit = await fitted(client, endpoint, ask)
            if fit.left_out:
                self._emit(Trimmed(number, fit.left_out))
            body = request(endpoint, fit.ask, fit.room)
            is_chat = ask.setup.kind == "chat"
            thinking = Thinking(listens=is_chat and not ask.continued)
            create = client.chat.completions.create if is_chat else client.completions.create
            async with await create(**body) as stream:
                async for chunk in stream:
                    clock.usage = usage_of(chunk.usage) or clock.usage
                    for choice in chunk.choices or ():
                        finish = _text(choice.finish_reason) or finish
                        came = _piece(choice.delta if is_chat else choice, ask)
                        if any(came):
                            clock.token()
                        length += self._say(number, *thinking.hear(*came), clock)
                    if length > _LONGEST:
                        raise _cut("It had no end.")
            self._say(number, *thinking.rest(), clock)
        if finish in _NO_END:
            raise _cut(f"The engine ended it: {finish or 'it did not say why'}.")
        return finish

    def _say(self, number: int, thought: str, content: str, clock: Clock) -> int:
        """Tell what came, and return its length."""
        if thought:
            clock.thought()
            self._emit(Reasoning(number, thought))
        if content:
            clock.token()
            self._emit(Delta(number, content))
        return len(thought) + len(content)

    async def _client_for(self, endpoint: Endpoint) -> AsyncOpenAI:
        client = self._clients.get(endpoint)
        if client is None:
            client = self._clients[endpoint] = _open_client(endpoint)
            await self._leave_older_runs(endpoint)
        return client

    async def _leave_older_runs(self, endpoint: Endpoint) -> None:
        """Close the clients of what answered at this address before."""
        older = [
            each
            for each in self._clients
            if each.base_url == endpoint.base_url and each != endpoint
        ]
        for client in [self._clients.pop(each) for each in older]:
            await client.close()


def usage_of(usage: Any) -> Usage | None:
    """Return the engine's token counts, or None where it did not say two numbers."""
    prompt = getattr(usage, "prompt_tokens", None)
    completion = getattr(usage, "completion_tokens", None)
    if type(prompt) is int and type(completion) is int and min(prompt, completion) >= 0:
        return Usage(prompt, completion)
    return None


def _piece(piece: Any, ask: Ask) -> tuple[str, str]:
    """Return what came of the reasoning and of the reply.

    A reply that goes on has its reasoning behind it. An engine's parser may not know: it waits for
    the end mark, which came in the part before, and takes the rest of the reply for reasoning.
    """
    # `reasoning` from vLLM 0.19 on, `reasoning_content` up to 0.11 (facts on vLLM, §5.3).
    thought = _field(piece, "reasoning") or _field(piece, "reasoning_content")
    content = _field(piece, "content") or _field(piece, "text")
    return ("", thought + content) if ask.continued else (thought, content)


async def _ended() -> None:
    """End what the client leaves behind: tasks that close its streams' generators."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_asyncgens()


def _cut(detail: str) -> ReplyFailed:
    return ReplyFailed("reply-cut", detail=detail[:300])


def _field(piece: Any, name: str) -> str:
    return _text(getattr(piece, name, None))


def _text(value: object) -> str:
    """Return what came as text; the client does not check what an engine sends."""
    return value if isinstance(value, str) else ""


def _import_client() -> None:
    import openai  # noqa: F401, PLC0415 - half a second: only in this thread, only when needed


def _open_client(endpoint: Endpoint) -> AsyncOpenAI:
    import ssl  # noqa: PLC0415 - loaded with the client

    from httpx2 import Timeout  # noqa: PLC0415
    from openai import AsyncOpenAI, DefaultAsyncHttpxClient  # noqa: PLC0415

    timeout = Timeout(FIRST_TOKEN_SECONDS, connect=CONNECT_SECONDS)
    # trust_env=False: a system proxy (Clash) that catches 127.0.0.1 answers 502.
    # A context that trusts nobody: the endpoint is plain HTTP on this laptop, and reading whom all
    # the world trusts costs 1.3 MB.
    nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    http_client = DefaultAsyncHttpxClient(trust_env=False, timeout=timeout, verify=nobody)
    return AsyncOpenAI(
        base_url=endpoint.base_url,
        api_key=endpoint.api_key,
        http_client=http_client,
        timeout=timeout,
        max_retries=0,  # a reply that broke is shown, never asked for twice
    )
