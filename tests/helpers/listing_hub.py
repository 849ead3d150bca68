"""A hub that lists files of any size and serves none but config.json: nothing is downloaded.

The rehearsal's hub serves a folder, and hashes what it lists; a model of 19 GB cannot lie there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from desktop.rehearsal.loopback_http import LoopbackHttpServer


@dataclass(frozen=True)
class ListedModel:
    """A model's config.json, and the sizes of its weights as the listing declares them."""

    config: Mapping[str, Any]
    weights: tuple[int, ...]

    @property
    def sizes(self) -> dict[str, int]:
        """The bytes of every file by its path."""
        count = len(self.weights)
        shards = {
            f"model-{number:05}-of-{count:05}.safetensors": size
            for number, size in enumerate(self.weights, 1)
        }
        return {
            "config.json": len(self.config_bytes),
            "tokenizer.json": 2_000_000,
            "tokenizer_config.json": 1_000,
            **shards,
        }

    @property
    def config_bytes(self) -> bytes:
        return json.dumps(self.config).encode()


class ListingHub:
    """Serves `{owner/name: model}` on 127.0.0.1 while it is entered; other models are unknown."""

    def __init__(self, models: Mapping[str, ListedModel]) -> None:
        self._server = _Server(models)

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self._server.port}"

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()


class _Server(LoopbackHttpServer):
    def __init__(self, models: Mapping[str, ListedModel]) -> None:
        self.models = models
        super().__init__(0, _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        model_id, _, action = url.path.removeprefix("/api/v1/models/").partition("/repo")
        model = self.server.models.get(model_id)
        if model is None:
            self._answer(404, json.dumps({"Code": 404, "Data": None, "Success": False}).encode())
        elif action == "/files":
            files = [_entry(path, size) for path, size in model.sizes.items()]
            listing = {"Code": 200, "Data": {"Files": files}, "Success": True}
            self._answer(200, json.dumps(listing).encode())
        elif parse_qs(url.query).get("FilePath") == ["config.json"]:
            self._answer(200, model.config_bytes)
        else:
            self._answer(404, b"{}")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
        pass


def _entry(path: str, size: int) -> dict[str, Any]:
    return {"Name": path, "Path": path, "Type": "blob", "Size": size, "Sha256": "ab" * 32}
