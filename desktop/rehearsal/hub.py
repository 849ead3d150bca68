"""A loopback hub that speaks ModelScope's API well enough for the real client.

The three requests of a download (measured with modelscope 1.40.2):

    GET /api/v1/models/OWNER/NAME/repo/files?Revision=&Recursive=&Root=   the listing
    GET /api/v1/models/OWNER/NAME/repo?Revision=&FilePath=                one file, Range honoured
    GET /api/v1/repos/internalAccelerationInfo                            a nearer source of bytes

The client sends HEAD for a file only when peer regions are configured; it is answered all the same.
"""

from __future__ import annotations

import json
import re
import select
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

from desktop.rehearsal.bodies import asked_range, chunks, spoilt
from desktop.rehearsal.faults import Faults, Pace
from desktop.rehearsal.loopback_http import LoopbackHttpServer, cut
from desktop.rehearsal.repository import REVISION, Repository, RepositoryFile, listing

_CHUNK = 64 * 1024
_LOOK_S = 0.05  # how soon a silent connection notices that its client has left
_MODEL_PATH = re.compile(r"/api/v1/models/(?P<model>[^/]+/[^/]+)/repo(?P<files>/files)?")


@dataclass(frozen=True, slots=True)
class Fetch:
    """One file body that went out: the bytes `start` up to `end` were asked for, `sent` left."""

    model: str
    path: str
    start: int
    end: int
    sent: int


class Hub:
    """Serves `{owner/name: folder or repository}` on 127.0.0.1 while it is entered."""

    def __init__(
        self,
        models: Mapping[str, Path | Repository],
        *,
        faults: Faults | None = None,
        port: int = 0,
    ) -> None:
        """Bind `port` (0 = any that is free); raises OSError when it is taken."""
        self._server = _HubServer(port, models, faults or Faults())

    @property
    def url(self) -> str:
        """The base URL, for MODELSCOPE_ENDPOINT."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._server.port

    def fetches(self) -> list[Fetch]:
        """Return what was fetched so far, in the order in which the bodies ended."""
        return self._server.recorded()

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.stopped.set()
        self._server.close()


class _HubServer(LoopbackHttpServer):
    """What all requests share: the repositories, the faults, and the record of what was sent."""

    def __init__(self, port: int, models: Mapping[str, Path | Repository], faults: Faults) -> None:
        self.repositories = {
            name: model if isinstance(model, Repository) else Repository(model)
            for name, model in models.items()
        }
        self.faults = faults
        self.stopped = threading.Event()
        self.pace = Pace(faults.bytes_per_s, self.stopped)
        self._fetches: list[Fetch] = []
        self._begun: set[tuple[str, str]] = set()
        self._record_lock = threading.Lock()
        super().__init__(port, _Handler)

    def record(self, fetch: Fetch) -> None:
        with self._record_lock:
            self._fetches.append(fetch)

    def recorded(self) -> list[Fetch]:
        with self._record_lock:
            return list(self._fetches)

    def cut_after(self, path: str) -> int | None:
        """Return after how many bytes this body is to be cut, or None."""
        again = self.faults.cut_always or self._is_first("cut", path)
        return self.faults.cut_after.get(path) if again else None

    def hang_after(self, path: str) -> int | None:
        """Return after how many bytes this body is to come to a standstill, or None."""
        return self.faults.hang_after.get(path) if self._is_first("hang", path) else None

    def is_wrong(self, path: str) -> bool:
        """Tell whether this body is to be damaged."""
        if path in self.faults.wrong_bytes:
            return True
        return path in self.faults.wrong_first and self._is_first("wrong", path)

    def _is_first(self, fault: str, path: str) -> bool:
        """Tell whether a file is asked about for this fault for the first time."""
        with self._record_lock:
            is_first = (fault, path) not in self._begun
            self._begun.add((fault, path))
            return is_first


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _HubServer

    def do_GET(self) -> None:
        if self.server.faults.mute:
            self._fall_silent()
            return
        url = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(url.query).items()}
        if url.path == "/api/v1/repos/internalAccelerationInfo":
            self._answer_json(200, {"InternalRegionQueryAddress": ""})
        elif match := _MODEL_PATH.fullmatch(url.path):
            self._answer_model(unquote(match["model"]), query, is_listing=bool(match["files"]))
        else:
            self._refuse(404, "no such address")

    def do_HEAD(self) -> None:
        self.do_GET()

    def _answer_model(self, model: str, query: dict[str, str], *, is_listing: bool) -> None:
        repository = self.server.repositories.get(model)
        if self.server.faults.unauthorised or not self._is_let_in():
            self._refuse(401, "user not logged in")
        elif repository is None:
            self._refuse(404, "模型不存在")
        elif query.get("Revision", REVISION) != REVISION:
            self._refuse(404, "revision not found")
        elif is_listing:
            recursive = query.get("Recursive", "").lower() == "true"
            files = listing(repository.files(), query.get("Root", ""), recursive)
            self._answer_json(200, {"Files": files})
        elif file := repository.file(query.get("FilePath", "")):
            self._answer_file(model, file)
        else:
            self._refuse(404, "file not found")

    def _is_let_in(self) -> bool:
        """Tell whether the request brings the token, as the client sends it: both ways at once."""
        token = self.server.faults.token
        cookies = SimpleCookie(self.headers.get("Cookie", ""))
        session = cookies["m_session_id"].value if "m_session_id" in cookies else ""
        return not token or token in (session, self.headers.get("Authorization", "")[7:])

    def _fall_silent(self) -> None:
        """Hold the connection and say nothing until the hub is closed or the client has left."""
        self.close_connection = True
        while not self.server.stopped.wait(_LOOK_S):
            readable, _, _ = select.select([self.connection], [], [], 0)
            if readable and not self.connection.recv(_CHUNK):
                return

    def _answer_file(self, model: str, file: RepositoryFile) -> None:
        if file.path in self.server.faults.empty:
            file = replace(file, size=0)
        start, end = asked_range(self.headers.get("Range"), file.size)
        if start > end:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{file.size}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if "Range" in self.headers else 200)
        if "Range" in self.headers:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{file.size}")
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(end - start))
        self.send_header("Accept-Ranges", "bytes")
        self.end_headers()
        if self.command != "HEAD":
            self._send_body(model, file, start, end)

    def _send_body(self, model: str, file: RepositoryFile, start: int, end: int) -> None:
        sent, is_wrong = 0, self.server.is_wrong(file.path)
        cut_after = self.server.cut_after(file.path)
        hang_after = self.server.hang_after(file.path)
        limits = [limit for limit in (cut_after, hang_after) if limit is not None]
        try:
            for chunk in chunks(file.source, start, end):
                room = (
                    min(len(chunk), *(limit - sent for limit in limits)) if limits else len(chunk)
                )
                self.server.pace.wait_for(room)
                if self.server.stopped.is_set():
                    return
                self.wfile.write(spoilt(chunk[:room]) if is_wrong else chunk[:room])
                sent += room
                if sent == hang_after:
                    self._fall_silent()
                    return
                if sent == cut_after:
                    self.close_connection = True
                    cut(self.connection)
                    return
        finally:
            self.server.record(Fetch(model, file.path, start, end, sent))

    def _refuse(self, status: int, message: str) -> None:
        self._answer_json(status, None, message=message)

    def _answer_json(self, status: int, data: Any, message: str = "success") -> None:
        body = json.dumps(
            {
                "Code": status,
                "Data": data,
                "Message": message,
                "RequestId": "loopback",
                "Success": status == 200,
            },
            ensure_ascii=False,
        ).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
        """Stay quiet: the record of fetches says more."""
