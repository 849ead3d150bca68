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
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

from desktop.rehearsal.faults import Faults, Pace
from desktop.rehearsal.loopback_http import LoopbackHttpServer, cut
from desktop.rehearsal.repository import REVISION, Repository, RepositoryFile, listing

_CHUNK = 64 * 1024
_MODEL_PATH = re.compile(r"/api/v1/models/(?P<model>[^/]+/[^/]+)/repo(?P<files>/files)?")
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


@dataclass(frozen=True, slots=True)
class Fetch:
    """One file body that went out: the bytes `start` up to `end` were asked for, `sent` left."""

    model: str
    path: str
    start: int
    end: int
    sent: int


class Hub:
    """Serves `{owner/name: folder}` on 127.0.0.1 while it is entered."""

    def __init__(
        self, models: Mapping[str, Path], *, faults: Faults | None = None, port: int = 0
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

    def __init__(self, port: int, models: Mapping[str, Path], faults: Faults) -> None:
        self.repositories = {name: Repository(folder) for name, folder in models.items()}
        self.faults = faults
        self.stopped = threading.Event()
        self.pace = Pace(faults.bytes_per_s, self.stopped)
        self._fetches: list[Fetch] = []
        self._cut: set[str] = set()
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
        with self._record_lock:
            if path in self._cut and not self.faults.cut_always:
                return None
            if path in self.faults.cut_after:
                self._cut.add(path)
            return self.faults.cut_after.get(path)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _HubServer

    def do_GET(self) -> None:
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
        if self.server.faults.unauthorised:
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

    def _answer_file(self, model: str, file: RepositoryFile) -> None:
        start, end = _asked_range(self.headers.get("Range"), file.size)
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
        sent, cut_after = 0, self.server.cut_after(file.path)
        try:
            for chunk in _chunks(file.source, start, end):
                room = len(chunk) if cut_after is None else min(len(chunk), cut_after - sent)
                self.server.pace.wait_for(room)
                if self.server.stopped.is_set():
                    return
                self.wfile.write(self._spoilt(file.path, chunk[:room]))
                sent += room
                if sent == cut_after:
                    self.close_connection = True
                    cut(self.connection)
                    return
        finally:
            self.server.record(Fetch(model, file.path, start, end, sent))

    def _spoilt(self, path: str, chunk: bytes) -> bytes:
        if path not in self.server.faults.wrong_bytes:
            return chunk
        return bytes(byte ^ 0xFF for byte in chunk)

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


def _asked_range(header: str | None, size: int) -> tuple[int, int]:
    """Return the half-open range that was asked for; `start > end` when it lies outside."""
    match = _RANGE.fullmatch(header.strip()) if header else None
    if match is None:
        return 0, size
    start = int(match[1])
    end = min(int(match[2]) + 1, size) if match[2] else size
    return (start, end) if start < end else (1, 0)


def _chunks(source: Path, start: int, end: int) -> Iterator[bytes]:
    with source.open("rb") as file:
        file.seek(start)
        while start < end and (chunk := file.read(min(_CHUNK, end - start))):
            start += len(chunk)
            yield chunk
