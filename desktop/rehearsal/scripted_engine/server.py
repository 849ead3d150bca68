"""The HTTP side: vLLM's endpoints, its key, its server-sent events, and its ear for a hang-up."""

from __future__ import annotations

import json
import os
import select
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from desktop.rehearsal.scripted_engine import VERSION
from desktop.rehearsal.scripted_engine.options import Options
from desktop.rehearsal.scripted_engine.replies import Reply, Script
from desktop.rehearsal.scripted_engine.requests import Refused
from desktop.rehearsal.scripted_engine.start_up import ROOM_IN_LENGTHS, bar
from desktop.rehearsal.scripted_engine.traffic import Request, Traffic, as_prometheus

_LARGEST_BODY = 16 * 1024 * 1024
_COMPLETIONS = ("/v1/chat/completions", "/v1/completions")
_SECONDS_BETWEEN_TURNS = 0.02  # a request that waits for its turn looks so often


class _Gone(Exception):
    """The client closed its connection."""


class EngineServer(ThreadingHTTPServer):
    """The served model: its options and its requests.

    It binds its port when it is made and refuses connections until `server_activate`, as vLLM does.
    """

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, options: Options, length: int) -> None:
        self.options = options
        self.script = Script(
            model=options.served_model_name,
            max_model_len=length,
            reply_tokens=options.scripted_reply_tokens,
            reasoning_tokens=options.scripted_reasoning_tokens,
        )
        room = options.scripted_room or length * ROOM_IN_LENGTHS
        self.traffic = Traffic(seats=options.max_num_seqs, room=room)
        self._started = time.time()
        super().__init__((options.host, options.port), _Handler, bind_and_activate=False)
        self.server_bind()

    def server_bind(self) -> None:
        """Bind without http.server's look-up of a host name, which may take seconds."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that went away."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    def metrics(self) -> str:
        """Return what /metrics answers."""
        return as_prometheus(self.traffic.figures(), self.script.model, self._started)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: EngineServer

    def do_GET(self) -> None:
        if self.path in ("/health", "/ping"):
            self._send(200, "")
        elif self.path == "/version":
            self._send_json(200, {"version": VERSION})
        elif self.path == "/metrics":
            self._send(200, self.server.metrics())
        elif self.path != "/v1/models":
            self._send_json(404, {"detail": "Not Found"})
        elif self._is_authorised():
            self._send_json(200, {"object": "list", "data": [self._model()]})

    def do_POST(self) -> None:
        try:
            fields = self._read_fields()
            if self.path in _COMPLETIONS:
                if self._is_authorised():
                    self._complete(fields)
            elif self.path == "/tokenize":
                tokens = list(range(self.server.script.count(fields)))
                length = self.server.script.max_model_len
                answer = {"count": len(tokens), "max_model_len": length, "tokens": tokens}
                self._send_json(200, {**answer, "token_strs": None})
            elif self.path == "/scripted/exit":
                _die()
            else:
                self._send_json(404, {"detail": "Not Found"})
        except Refused as refusal:
            self._send_json(refusal.status, refusal.body)
        except _Gone:
            self.close_connection = True

    def _model(self) -> dict[str, Any]:
        script = self.server.script
        return {
            "id": script.model,
            "object": "model",
            "owned_by": "vllm",
            "root": self.server.options.model,
            "parent": None,
            "max_model_len": script.max_model_len,
        }

    def _is_authorised(self) -> bool:
        """Tell whether the key is right; answers 401, in vLLM's words, when it is not."""
        key = self.server.options.api_key
        scheme, _, given = self.headers.get("Authorization", "").partition(" ")
        if not key or (scheme.lower() == "bearer" and given == key):
            return True
        self._send_json(401, {"error": "Unauthorized"})
        return False

    def _read_fields(self) -> dict[str, Any]:
        size = int(self.headers.get("Content-Length") or 0)
        if not 0 <= size <= _LARGEST_BODY:
            self.close_connection = True
            raise Refused(413, "the body is too large")
        try:
            fields = json.loads(self.rfile.read(size) or b"{}")
        except ValueError:
            raise Refused(400, "[{'type': 'json_invalid', 'loc': ('body', 0)}]") from None
        if not isinstance(fields, dict):
            raise Refused(400, "[{'type': 'model_attributes_type', 'loc': ('body',)}]")
        return fields

    def _complete(self, fields: Mapping[str, Any]) -> None:
        try:
            reply = self.server.script.reply(fields, is_chat="chat" in self.path)
        except Refused as refusal:
            if not (refusal.is_late and fields.get("stream")):
                raise
            return self._refuse_in_stream(refusal)
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise Refused(400, f"1 validation error: {error!r}") from None
        traffic, whole = self.server.traffic, False
        request = traffic.arrive(reply.prompt_tokens)
        try:
            while not traffic.may_run(request):
                self._wait(_SECONDS_BETWEEN_TURNS)
            self._wait(self.server.options.scripted_prefill_s)
            answer = self._stream if reply.is_stream else self._answer_whole
            answer(reply, request)
            whole = True
        finally:
            traffic.leave(request, whole=whole)

    def _refuse_in_stream(self, refusal: Refused) -> None:
        self._begin_stream()
        self._send_event(json.dumps(refusal.body))
        self._end_stream()

    def _paced(self, tokens: list[str], request: Request) -> Iterator[str]:
        """Yield each token when its time has come; raises _Gone when nobody listens any more."""
        due = time.monotonic()
        for token in tokens:
            due += 1.0 / self.server.options.scripted_tokens_per_s
            self._wait(due - time.monotonic())
            self.server.traffic.generated(request)
            yield token

    def _wait(self, seconds: float) -> None:
        readable, _, _ = select.select([self.connection], [], [], max(0.0, seconds))
        if readable and self.connection.recv(1, socket.MSG_PEEK) == b"":
            raise _Gone
        if readable:
            time.sleep(max(0.0, seconds))  # the next request is here already; it has to wait

    def _answer_whole(self, reply: Reply, request: Request) -> None:
        thought = "".join(self._paced(reply.reasoning, request))
        text = "".join(self._paced(reply.tokens, request))
        message = {"role": "assistant", "content": text, "reasoning": thought or None}
        choice: dict[str, Any] = {"message": message} if reply.is_chat else {"text": text}
        choice.update(index=0, finish_reason=reply.finish_reason, stop_reason=None)
        answer = self._envelope(reply, "chat.completion")
        answer["choices"] = [choice]
        answer["usage"] = reply.usage(reply.size)
        self._send_json(200, answer)

    def _stream(self, reply: Reply, request: Request) -> None:
        self._begin_stream()
        envelope = self._envelope(reply, "chat.completion.chunk")
        for sent, piece in self._pieces(reply, request):
            usage = {"usage": reply.usage(sent)} if reply.with_every_usage else {}
            reason = reply.finish_reason if sent == reply.size else None
            self._send_piece({**envelope, **usage}, piece, reason)
        if reply.with_usage:
            usage = {"usage": reply.usage(reply.size)}
            self._send_event(json.dumps({**envelope, "choices": [], **usage}))
        self._end_stream()

    def _pieces(self, reply: Reply, request: Request) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield what is streamed, each with how many tokens it came to by then."""
        if reply.is_chat:
            yield 0, {"delta": {"role": "assistant", "content": ""}}
        for sent, token in enumerate(self._paced(reply.reasoning, request), start=1):
            yield sent, {"delta": {"reasoning": token}}
        first = len(reply.reasoning) + 1
        for sent, token in enumerate(self._paced(reply.tokens, request), start=first):
            yield sent, {"delta": {"content": token}} if reply.is_chat else {"text": token}

    def _begin_stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def _end_stream(self) -> None:
        self._send_event("[DONE]")
        self._write(b"0\r\n\r\n")

    def _envelope(self, reply: Reply, chat_kind: str) -> dict[str, Any]:
        """Return what all pieces of a reply have in common."""
        return {
            "id": ("chatcmpl-" if reply.is_chat else "cmpl-") + os.urandom(8).hex(),
            "object": chat_kind if reply.is_chat else "text_completion",
            "created": int(time.time()),
            "model": self.server.script.model,
        }

    def _send_piece(
        self, envelope: Mapping[str, Any], piece: Mapping[str, Any], finish_reason: str | None
    ) -> None:
        choice = {"index": 0, "logprobs": None, "finish_reason": finish_reason, **piece}
        self._send_event(json.dumps({**envelope, "choices": [choice]}))

    def _send_event(self, text: str) -> None:
        data = f"data: {text}\n\n".encode()
        self._write(b"%x\r\n%s\r\n" % (len(data), data))

    def _send_json(self, status: int, fields: Mapping[str, Any]) -> None:
        self._send(status, json.dumps(fields), "application/json")

    def _send(self, status: int, text: str, kind: str = "text/plain; charset=utf-8") -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self._write(data)

    def _write(self, data: bytes) -> None:
        try:
            self.wfile.write(data)
        except OSError:
            raise _Gone from None

    def log_request(self, code: Any = "-", size: Any = "-") -> None:
        """Log an access as uvicorn does, but for the two that are asked all the time."""
        if self.path not in ("/health", "/metrics"):
            bar(f'INFO:     127.0.0.1:0 - "{self.command} {self.path.split("?")[0]}" {code}')


def _die() -> None:
    """End as an engine does whose core process is gone."""
    bar("Traceback (most recent call last):")
    bar("vllm.v1.engine.exceptions.EngineDeadError: EngineCore encountered an issue.")
    os._exit(1)
