"""What the standard library makes of a hub and of a package index, whatever they answer."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from remote.hub import ledger, look, prospect
from remote.hub.files import HubFile
from remote.hub.ledger import Ledger
from remote.hub.look import Look
from remote.packages import pip_settings
from remote.packages.pip_settings import PipSettings
from remote.packages.places import Places
from remote.spec import Spec

CONFIG = b'{"architectures": ["LlamaForCausalLM"]}'
FILES = [
    {"Path": "config.json", "Type": "blob", "Size": len(CONFIG), "Sha256": ""},
    {"Path": "model.safetensors", "Type": "blob", "Size": 19 * 10**9, "Sha256": "AB" * 32},
    {"Path": "README.md", "Type": "blob", "Size": 5, "Sha256": ""},
    {"Path": "original", "Type": "tree", "Size": 0, "Sha256": ""},
    {"Path": "../../etc/passwd", "Type": "blob", "Size": 1, "Sha256": ""},
    {"Path": "tokenizer.json", "Type": "blob", "Size": True, "Sha256": ""},
]
LISTING = json.dumps({"Code": 200, "Data": {"Files": FILES}, "Success": True}).encode()
LISTED = (
    HubFile("config.json", len(CONFIG)),
    HubFile("model.safetensors", 19 * 10**9, "ab" * 32),
)
ALL_WELL = {"repo/files": (200, LISTING), "repo": (200, CONFIG)}


class Site(NamedTuple):
    """A server on loopback that says what it is told to, and keeps what it was asked."""

    url: str
    asked: list[tuple[str, dict[str, str]]]

    def spec(self, **fields: Any) -> Spec:
        return Spec(model="kite/tiny", api_key="k", hub=self.url, **fields)


@contextmanager
def site(answers: dict[str, tuple[int, bytes]]) -> Iterator[Site]:
    asked: list[tuple[str, dict[str, str]]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.path, dict(self.headers.items())))
            path = self.path.partition("?")[0]
            found = [answers[end] for end in answers if path.rstrip("/").endswith(end)]
            status, body = found[0] if found else (404, b"<html>")
            self.send_response(status)
            if status == 302:
                self.send_header("Location", body.decode())
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield Site(f"http://127.0.0.1:{server.server_address[1]}", asked)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_listing_is_read_and_only_what_would_be_downloaded_is_kept() -> None:
    with site(ALL_WELL) as hub:
        assert look.at_hub(hub.spec()) == Look(True, LISTED)
        assert hub.asked[0][0] == (
            "/api/v1/models/kite/tiny/repo/files?Revision=master&Recursive=True"
        )
        assert look.config_at_hub(hub.spec()) == {"architectures": ["LlamaForCausalLM"]}
        assert (
            hub.asked[1][0] == "/api/v1/models/kite/tiny/repo?Revision=master&FilePath=config.json"
        )


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ((404, b'{"Code": 10010205001, "Message": "record not found"}'), "not-found"),
        ((401, b'{"Code": 401, "Message": "not logged in"}'), "denied"),
        ((403, b'{"Code": 403}'), "denied"),
        ((404, b"<html>a login portal</html>"), ""),
        ((403, b"[1, 2]"), ""),
        ((500, b'{"Code": 500}'), ""),
        ((200, b"not JSON"), ""),
        ((200, b'{"Data": {"Files": "none"}}'), ""),
        ((200, b"\xff"), ""),
        ((200, b"[" * 100_000), ""),
    ],
)
def test_only_a_clear_no_of_the_hub_itself_counts(answer: tuple[int, bytes], problem: str) -> None:
    with site({"repo/files": answer}) as hub:
        assert look.at_hub(hub.spec()) == Look(True, problem=problem)


def test_an_answer_without_an_end_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(look, "LARGEST_LISTING", len(LISTING) - 1)
    with site(ALL_WELL) as hub:
        assert look.at_hub(hub.spec()) == Look(True)


def test_a_hub_out_of_reach_is_no_error() -> None:
    spec = Spec(model="kite/tiny", api_key="k", hub="http://127.0.0.1:1")
    assert look.at_hub(spec) == Look(False)
    assert look.config_at_hub(spec) is None


def test_the_token_goes_to_the_hub_and_to_nobody_that_it_names() -> None:
    with site({"repo": (200, CONFIG)}) as elsewhere:
        target = elsewhere.url.replace("127.0.0.1", "localhost") + "/cdn/repo"
        with site({"repo": (302, target.encode())}) as hub:
            assert look.config_at_hub(hub.spec(hub_token="ms-secret")) is not None
            assert hub.asked[0][1]["Authorization"] == "Bearer ms-secret"
            assert hub.asked[0][1]["Cookie"] == "m_session_id=ms-secret"
        assert "ms-secret" not in repr(elsewhere.asked)


def test_a_hub_on_loopback_is_asked_past_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    with site(ALL_WELL) as hub:
        assert look.at_hub(hub.spec()).reachable


# -- what is known of the model ------------------------------------------------------------


def test_a_model_is_known_from_the_hub_before_any_of_it_is_here(tmp_path: Path) -> None:
    with site(ALL_WELL) as hub:
        found = prospect.of(hub.spec(), Places(tmp_path))
    assert found.hub.reachable
    assert found.config == {"architectures": ["LlamaForCausalLM"]}
    assert found.weight_bytes == 19 * 10**9
    assert found.missing_bytes == 19 * 10**9 + len(CONFIG)
    assert not found.has_copy


def test_what_is_here_whole_or_half_is_not_missing(tmp_path: Path) -> None:
    folder = Places(tmp_path).model("kite/tiny", "master")
    folder.mkdir(parents=True)
    (folder / "config.json").write_bytes(CONFIG)
    (folder / "model.safetensors.incomplete").write_bytes(b"x" * 1000)
    with site(ALL_WELL) as hub:
        found = prospect.of(hub.spec(), Places(tmp_path))
        assert [path for path, _ in hub.asked if "FilePath" in path] == []
    assert found.missing_bytes == 19 * 10**9 - 1000
    assert (found.has_copy, found.config is None) == (True, False)


def test_a_complete_model_is_asked_of_nobody(tmp_path: Path) -> None:
    folder = Places(tmp_path).model("kite/tiny", "master")
    folder.mkdir(parents=True)
    (folder / "config.json").write_bytes(CONFIG)
    (folder / "model.safetensors").write_bytes(b"weights")
    files = (HubFile("config.json", len(CONFIG)), HubFile("model.safetensors", 7))
    known = Ledger().expecting(files)
    for file in files:
        known = known.with_verified(folder, file)
    ledger.write(folder, known)
    with site(ALL_WELL) as hub:
        found = prospect.of(hub.spec(), Places(tmp_path))
        assert hub.asked == []
    assert found.hub.reachable is None
    assert (found.weight_bytes, found.missing_bytes) == (7, 0)
    assert found.config == {"architectures": ["LlamaForCausalLM"]}


def test_a_config_that_is_no_object_is_none(tmp_path: Path) -> None:
    assert look.config_in(tmp_path) is None
    for data in (b"[1]", b"{", b"\xff\xfe", b"[" * 100_000):
        assert look.parsed(data) is None


def test_without_a_model_nobody_is_asked(tmp_path: Path) -> None:
    assert prospect.of(Spec(model="", api_key=""), Places(tmp_path)) == prospect.Prospect()


# -- the package index ---------------------------------------------------------------------


def reaches(monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], **fields: Any) -> bool:
    monkeypatch.setattr(pip_settings, "read", lambda *_: PipSettings(**fields))
    return look.reaches_index(environ)


@pytest.mark.parametrize(
    ("status", "reached"), [(200, True), (404, True), (401, True), (503, False)]
)
def test_an_index_that_answers_is_reached(
    monkeypatch: pytest.MonkeyPatch, status: int, reached: bool
) -> None:
    with site({"/uv": (status, b"<a href=x>" * 1000)}) as index:
        assert reaches(monkeypatch, {}, index_url=index.url + "/simple") is reached
        assert reaches(monkeypatch, {"UV_DEFAULT_INDEX": index.url}) is reached
        assert len(index.asked) == 2


def test_an_index_in_a_folder_is_reached_and_a_silent_one_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert reaches(monkeypatch, {}, index_url="file:///srv/wheels")
    assert reaches(monkeypatch, {}, find_links=("/srv/wheels",))
    assert not reaches(monkeypatch, {}, index_url="http://127.0.0.1:1/simple")
