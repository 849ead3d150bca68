"""The string in use, against a real sshd: commands, files, tunnels, and every way to be cut."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path

import pytest

from desktop.core.errors import (
    ConnectionLost,
    DeployFailed,
    ForwardFailed,
)
from desktop.core.ssh.connection import Connection, connect
from desktop.core.ssh.liveness import Silence
from tests.helpers.person import Person
from tests.helpers.sshd import Sshd

pytestmark = pytest.mark.usefixtures("no_keys_of_this_machine")


# Commands and files


def test_a_command_returns_what_it_said_and_how_it_ended(connection: Connection) -> None:
    done = connection.run("cat; echo oops >&2; exit 3", stdin=b"hello")
    assert (done.status, done.stdout, done.stderr) == (3, b"hello", b"oops\n")


def test_lines_arrive_while_the_command_still_runs(connection: Connection) -> None:
    process = connection.exec("echo ready; while read -r line; do echo got $line; done; exit 4")
    lines = process.lines(timeout=10)
    assert next(lines) == "ready"
    status_so_far = process.exit_status
    assert status_so_far is None
    process.write(b"one\n")
    assert next(lines) == "got one"
    process.close_stdin()
    assert list(lines) == []
    assert process.exit_status == 4
    process.close()


def test_stderr_beyond_the_window_does_not_stop_stdout(connection: Connection) -> None:
    command = "head -c 5000000 /dev/zero | tr '\\0' x >&2; echo end >&2; echo done"
    done = connection.run(command, timeout=30)
    assert done.stdout == b"done\n"
    assert (len(done.stderr), done.stderr[-5:]) == (64 << 10, b"xend\n")


def test_a_command_that_reads_none_of_its_input_is_no_error(connection: Connection) -> None:
    assert connection.run("exit 5", stdin=b"x" * 5_000_000).status == 5


def test_a_command_killed_by_a_signal_has_ended_and_is_not_cut(connection: Connection) -> None:
    assert connection.run("kill -9 $$").status == 137


def test_a_command_that_takes_too_long_is_given_up(connection: Connection) -> None:
    with pytest.raises(ConnectionLost) as caught:
        connection.run("read -r _ < /dev/tty; sleep 100", timeout=0.3)
    assert caught.value.code == "host-stalled"
    assert connection.alive


def test_big_output_and_big_input_arrive_whole(connection: Connection) -> None:
    data = bytes(range(256)) * 30_000
    started = time.monotonic()
    assert connection.run("cat > /dev/null; head -c 7680000 /dev/zero", stdin=data).stdout == bytes(
        7_680_000
    )
    assert time.monotonic() - started < 20  # stock paramiko's sendall is quadratic


def test_of_endless_output_sixteen_mebibytes_are_kept(connection: Connection) -> None:
    done = connection.run("head -c 20000000 /dev/zero; echo ended >&2")
    assert (len(done.stdout), done.stderr) == (16 << 20, b"ended\n")


def test_a_file_is_put_whole_and_private(connection: Connection, tmp_path: Path) -> None:
    path = tmp_path / "it's a 'file'\"$HOME"
    connection.put(b"first", str(path))
    connection.put(b"\x00\xff" * 500_000, str(path))
    assert path.read_bytes() == b"\x00\xff" * 500_000
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in tmp_path.iterdir() if "part" in entry.name] == []


def test_a_folder_that_is_not_there_is_told_in_the_hosts_words(
    connection: Connection, tmp_path: Path
) -> None:
    with pytest.raises(DeployFailed) as caught:
        connection.put(b"x", str(tmp_path / "absent" / "file"))
    assert caught.value.code == "deploy-failed"
    assert "absent/file" in caught.value.facts["detail"]


def test_a_full_disk_is_told_apart_and_leaves_nothing(
    connection: Connection, tmp_path: Path
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "cat").write_text("#!/bin/sh\nexec /bin/cat > /dev/full\n")
    (tmp_path / "bin" / "cat").chmod(0o755)
    # The only sure way to a full disk without mounting one: /dev/full behind `cat`.
    from desktop.core.ssh import upload

    command = upload.command(1000, str(tmp_path / "file"))
    done = connection.run(f"PATH={tmp_path}/bin:$PATH; export PATH; {command}", stdin=b"x" * 1000)
    with pytest.raises(DeployFailed) as caught:
        upload.check(done, str(tmp_path / "file"))
    assert caught.value.code == "deploy-disk-full"
    assert [entry.name for entry in tmp_path.iterdir() if entry.name.startswith("file")] == []


def test_half_a_file_is_not_put_in_place(connection: Connection, tmp_path: Path) -> None:
    from desktop.core.ssh import upload

    path = tmp_path / "file"
    done = connection.run(upload.command(1000, str(path)), stdin=b"half")
    with pytest.raises(DeployFailed):
        upload.check(done, str(path))
    assert [entry.name for entry in tmp_path.iterdir() if entry.name.startswith("file")] == []


# Tunnels


def test_a_tunnel_carries_both_ways_and_half_closes(connection: Connection) -> None:
    with socket.create_server(("127.0.0.1", 0)) as service:
        channel = connection.open_tunnel("127.0.0.1", service.getsockname()[1])
        sock, _ = service.accept()
        with sock:
            channel.sendall(b"question")
            channel.shutdown_write()
            assert sock.recv(100) == b"question"
            assert sock.recv(100) == b""
            sock.sendall(b"answer")
        assert channel.recv(100) == b"answer"
        assert channel.recv(100) == b""
        channel.close()


def test_a_port_of_the_host_where_nobody_listens(connection: Connection) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        with pytest.raises(ForwardFailed) as caught:
            connection.open_tunnel("127.0.0.1", bound.getsockname()[1])
    assert caught.value.code == "forward-refused"
    assert connection.run("echo still here").stdout == b"still here\n"


def test_a_host_that_forbids_forwarding(tmp_path: Path) -> None:
    with (
        Sshd(tmp_path, forwarding=False) as sshd,
        connect(sshd.destination, sshd.credentials, Person(), sshd.known_hosts()) as connection,
    ):
        with pytest.raises(ForwardFailed) as caught:
            connection.open_tunnel("127.0.0.1", sshd.port)
        assert caught.value.code == "forward-prohibited"
        assert connection.run("echo works").status == 0


# Cuts


def test_a_cut_connection_is_noticed_by_all_who_use_it(sshd: Sshd, connection: Connection) -> None:
    told: list[ConnectionLost] = []
    telling = threading.Event()

    def tell(error: ConnectionLost) -> None:
        told.append(error)
        telling.set()

    connection.on_lost(tell)
    process = connection.exec("echo begun; cat")
    lines = process.lines()
    assert next(lines) == "begun"
    sshd.cut()
    with pytest.raises(ConnectionLost):
        next(lines)
    assert connection.wait_closed(5)
    assert telling.wait(5)
    assert not connection.alive
    assert [error.code for error in told] == ["connection-lost"]
    for use in (
        lambda: connection.run("true"),
        lambda: connection.open_tunnel("127.0.0.1", 1),
        lambda: process.write(b"x"),
    ):
        with pytest.raises(ConnectionLost):
            use()
    process.close()


def test_whoever_asks_late_is_told_at_once(sshd: Sshd, connection: Connection) -> None:
    sshd.cut()
    assert connection.wait_closed(5)
    told: list[ConnectionLost] = []
    connection.on_lost(told.append)
    assert len(told) == 1


def test_closing_is_no_loss_and_wakes_whoever_waits(connection: Connection) -> None:
    told: list[ConnectionLost] = []
    connection.on_lost(told.append)
    process = connection.exec("echo begun; cat")
    lines = process.lines()
    assert next(lines) == "begun"
    closer = threading.Thread(target=connection.close)
    closer.start()
    with pytest.raises(ConnectionLost):
        next(lines)
    closer.join()
    connection.close()
    assert told == []
    assert not connection.alive


def test_a_frozen_host_is_noticed_by_its_silence(sshd: Sshd) -> None:
    connection = connect(sshd.destination, sshd.credentials, Person(), sshd.known_hosts())
    watched = Connection(
        connection._transport, sshd.destination, silence=Silence(interval=0.2, count=3)
    )
    assert not watched.wait_closed(1.5)  # a living host answers the questions
    sshd.freeze()
    frozen_at = time.monotonic()
    try:
        assert watched.wait_closed(10)
        assert time.monotonic() - frozen_at < 5
        with pytest.raises(ConnectionLost):
            watched.run("true")
    finally:
        sshd.thaw()
    watched.close()
    connection.close()


def test_nothing_is_left_on_the_host_after_closing(sshd: Sshd, connection: Connection) -> None:
    connection.run("true")
    connection.close()
    sshd.wait_for_log("Close session")
    assert not [line for line in sshd.log if "nonexistent" in line]
