"""What goes wrong on a rented box: its sentence, its exit status, and nothing left behind."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from desktop.core.explain import catalogue
from desktop.rehearsal.faults import Faults
from desktop.rehearsal.hub import Hub
from tests.e2e.conftest import MODEL, WEIGHTS, WEIGHTS_BYTES, Box, MakeBox
from tests.helpers.command import Outcome, paperkite


def refused(outcome: Outcome, status: int, code: str) -> dict[str, object]:
    """Assert that a command ended with this status and code, and with words for a person."""
    error = outcome.only("error")
    assert (outcome.status, error["code"]) == (status, code), error
    assert error["title"] == catalogue()[code]["en"]["title"]
    assert error["hint"]
    assert "Traceback" not in outcome.stderr
    return error


def test_a_host_that_is_not_there() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
    refused(paperkite("up", f"root@127.0.0.1:{port}", "--json"), 65, "host-refused")


def test_a_host_name_that_does_not_exist() -> None:
    refused(paperkite("up", "root@no-such-host.invalid", "--json"), 65, "host-not-found")


@contextmanager
def http_server() -> Iterator[int]:
    """A port on which something answers that is no SSH."""
    listener = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with peer:
                peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def test_a_port_that_speaks_no_ssh() -> None:
    with http_server() as port:
        refused(paperkite("up", f"root@127.0.0.1:{port}", "--json"), 65, "not-ssh")


def test_a_wrong_password(make_box: MakeBox) -> None:
    box = make_box(sshd_extra="PasswordAuthentication yes\nPubkeyAuthentication no")
    host, key = box.host[0], box.sshd.host_fingerprint
    outcome = paperkite(
        "up", host, "--host-key", key, "--password-stdin", "--json", stdin="not-the-password\n"
    )
    refused(outcome, 66, "authentication-failed")
    assert "not-the-password" not in outcome.stdout + outcome.stderr


def test_an_unknown_host_key_is_not_trusted_unasked(box: Box) -> None:
    host, *identity, _, key = box.host
    outcome = paperkite("up", host, *identity[:2], "--json")
    refused(outcome, 67, "host-key-unknown")
    accepted = paperkite("status", host, *identity[:2], "--json", "--accept-new-host-key")
    assert accepted.error == "nothing-running"
    pinned = paperkite("status", host, *identity[:2], "--json")
    assert pinned.error == "nothing-running"
    assert key.startswith("SHA256:")


def test_a_changed_host_key_stops_even_when_new_ones_are_accepted(box: Box) -> None:
    host, *identity = box.host
    argv = (host, *identity[:2], "--accept-new-host-key", "--json")
    assert paperkite("status", *argv).error == "nothing-running"
    before = box.sshd.host_fingerprint
    box.sshd.rotate_host_key()
    box.sshd.stop()
    box.sshd.start()
    error = refused(paperkite("status", *argv), 67, "host-key-changed")
    assert before in str(error["detail"]) + str(error["hint"])


def test_a_host_without_any_python(make_box: MakeBox, tmp_path: Path) -> None:
    root = tmp_path / "root"
    for program in ("/bin/sh", "/bin/mkdir"):
        _copy_into(root, program)
    shell = f'chroot {root} /bin/sh -c "$SSH_ORIGINAL_COMMAND"'
    box = make_box(sshd_extra=f"ForceCommand {shell}")
    refused(box.up(), 68, "python-missing")


def _copy_into(root: Path, program: str) -> None:
    """Copy a program and the libraries it needs to a root of its own."""
    listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    libraries = [word for word in listed.split() if word.startswith("/")]
    for path in (program, *libraries):
        target = root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(Path(path).resolve(), target)


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A disk of its own with little room."""
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_full_disk_at_home(box: Box) -> None:
    with small_disk(box.home, "32k") as home:
        (home / "somebody-elses").write_bytes(b"x" * 24_000)
        refused(box.up(), 68, "deploy-disk-full")
        assert not list((home / ".paperkite/agent").glob("*.pyz"))


def test_a_full_data_disk_is_seen_before_anything_is_installed(box: Box, tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", "40m") as folder:
        outcome = paperkite(
            "up",
            *box.host,
            *("--model", MODEL, "--hub", box.hub.url, "--data-dir", str(folder), "--json"),
        )
        error = refused(outcome, 68, "preflight.disk-full")
        assert str(folder) in str(error["detail"])
        assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) == 0


def test_a_disk_that_is_too_small_for_the_model(box: Box) -> None:
    assert box.up().status == 0  # the environments are there from now on
    box.down()
    shutil.rmtree(box.data / "paperkite/models")
    with small_disk(box.data / "paperkite/models", "4m"):
        refused(box.up(), 70, "model.disk-full")
    (box.data / "paperkite/models").rmdir()
    assert box.up().status == 0


def test_a_model_that_does_not_exist(box: Box) -> None:
    outcome = paperkite("up", *box.host, *box.work, "--model", "nobody/nothing", "--json")
    error = refused(outcome, 70, "model.not-found")
    assert "nobody/nothing" in str(error["detail"])
    assert box.processes == []


def test_a_hub_that_is_not_there(box: Box) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
    outcome = paperkite("up", *box.host, *box.work, "--hub", f"http://127.0.0.1:{port}", "--json")
    refused(outcome, 70, "model.hub-unreachable")


def test_a_hub_that_cuts_at_half_is_resumed_and_the_half_not_fetched_again(
    make_box: MakeBox,
) -> None:
    half = WEIGHTS_BYTES // 2
    box = make_box(faults=Faults(cut_after={WEIGHTS: half}))
    assert box.up().status == 0
    fetches = [fetch for fetch in box.hub.fetches() if fetch.path == WEIGHTS]
    assert len(fetches) >= 2
    assert sum(fetch.sent for fetch in fetches) < WEIGHTS_BYTES * 1.05


def test_a_file_whose_hash_does_not_match_is_removed_and_fetched_alone(
    make_box: MakeBox, tiny_model: Path
) -> None:
    box = make_box(faults=Faults(wrong_bytes=frozenset({WEIGHTS})))
    error = refused(box.up(), 70, "model.hash-mismatch")
    assert WEIGHTS in str(error["detail"])
    assert not list(box.data.glob(f"paperkite/models/**/{WEIGHTS}"))
    with Hub({MODEL: tiny_model}) as healthy:
        outcome = paperkite("up", *box.host, *box.work, "--hub", healthy.url, "--json")
        assert outcome.status == 0
        assert {fetch.path for fetch in healthy.fetches()} == {WEIGHTS}


def test_port_8000_taken_on_both_sides(box: Box) -> None:
    try:
        taken = socket.create_server(("127.0.0.1", 8000))
    except OSError:
        taken = socket.socket()  # somebody else has it: as good
    with closing(taken):
        outcome = box.up()
        assert outcome.status == 0
        assert ":8000/" not in outcome.only("ready")["base_url"]
        facts = {line["name"]: line["value"] for line in box.run("status").of("fact")}
        assert facts["port"] != 8000


def test_a_local_port_that_was_wished_for_must_be_free(box: Box) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        error = refused(box.up("--local-port", str(port)), 72, "local-port-taken")
    assert str(port) in str(error["detail"])


def test_an_engine_that_exits_at_once(make_box: MakeBox) -> None:
    box = make_box("--scripted-fail", "traceback")
    refused(box.up(), 71, "engine.exited")
    assert box.processes == []


def test_an_engine_without_memory(make_box: MakeBox) -> None:
    refused(make_box("--scripted-fail", "oom").up(), 71, "engine.out-of-memory")


def test_an_engine_argument_that_does_not_exist(make_box: MakeBox) -> None:
    box = make_box("--scripted-refuse=--no-such-flag")
    outcome = box.up("--engine-arg=--no-such-flag")
    error = refused(outcome, 71, "engine.bad-argument")
    assert "--no-such-flag" in str(error["detail"])


def test_a_dead_proxy_on_the_laptop_is_not_asked(box: Box) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        dead = f"http://127.0.0.1:{listener.getsockname()[1]}"
    names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
    proxied = dict.fromkeys(names, dead)
    up = paperkite("up", *box.host, *box.work, "--json", env=proxied)
    assert up.status == 0
    chat = paperkite("chat", *box.host, "Hi", "--json", env=proxied)
    assert chat.status == 0
    assert chat.of("delta")


def test_a_laptop_folder_that_cannot_be_written(tmp_path: Path, box: Box) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("x", encoding="utf-8")
    home = {"PAPERKITE_HOME": str(in_the_way / "below")}
    outcome = paperkite("status", *box.host, "--json", env=home)
    refused(outcome, 74, "storage-not-writable")


@pytest.mark.parametrize("host", ["", "-oProxyCommand=evil", "a b c", "root@:22", "h:99999"])
def test_a_host_that_cannot_be_understood(host: str) -> None:
    outcome = paperkite("up", "--json", "--", host)
    assert outcome.status == 2
    assert outcome.of("error") or outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert not os.path.lexists("evil")
