"""Our list of host keys is never half, and no writer loses what another one wrote."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from desktop.core.errors import StorageError
from desktop.core.exclusive import exclusive
from desktop.core.ssh.own_file import MAX_BYTES, rewrite

_PIN = """
import sys
from pathlib import Path
from desktop.core.ssh.known_hosts import HostKey, KnownHosts

kind = b"ssh-ed25519"
key = HostKey(kind.decode(), len(kind).to_bytes(4, "big") + kind + b"key")
hosts = KnownHosts(Path(sys.argv[1]), ())
print("ready", flush=True)
sys.stdin.read()
for number in range(10):
    hosts.remember(f"{sys.argv[2]}-{number}", key)
"""
_HOLD = """
import sys
from pathlib import Path
from desktop.core.exclusive import exclusive

with exclusive(Path(sys.argv[1]), 5):
    print("held", flush=True)
    sys.stdin.read()
"""


def _start(script: str, *args: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *args],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_processes_that_pin_at_the_same_time_lose_no_pin(tmp_path: Path) -> None:
    own = tmp_path / "known_hosts"
    processes = [_start(_PIN, str(own), f"host{number}") for number in range(6)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:  # all of them begin now
        assert process.stdin is not None
        process.stdin.close()
    for process in processes:
        with process:
            assert process.wait(30) == 0
    names = {line.split()[0] for line in own.read_text().splitlines()}
    assert names == {f"host{process}-{number}" for process in range(6) for number in range(10)}
    assert [path.name for path in tmp_path.iterdir()] == ["known_hosts"]


def test_a_writer_that_was_killed_holds_up_nobody(tmp_path: Path) -> None:
    own = tmp_path / "known_hosts"
    with _start(_HOLD, str(tmp_path / ".known_hosts.lock")) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        process.kill()
    rewrite(own, lambda lines: [*lines, "one"])
    assert own.read_text() == "one\n"
    assert [path.name for path in tmp_path.iterdir()] == ["known_hosts"]


def test_a_writer_that_never_ends_is_an_error_after_a_bounded_wait(tmp_path: Path) -> None:
    own = tmp_path / "known_hosts"
    own.write_text("one\n")
    with (
        exclusive(tmp_path / ".known_hosts.lock", 1),
        pytest.raises(StorageError) as caught,
    ):
        rewrite(own, lambda lines: [*lines, "two"], patience=0.05)
    assert caught.value.code == "storage-busy"
    assert own.read_text() == "one\n"
    rewrite(own, lambda lines: [*lines, "two"])
    assert own.read_text() == "one\ntwo\n"


def test_bytes_that_are_no_text_and_odd_line_ends_stay(tmp_path: Path) -> None:
    own = tmp_path / "known_hosts"
    own.write_bytes(b"# \xff\xfe\r\nb\x0cc\xe2\x80\xa8d\n\nlast")
    rewrite(own, lambda lines: [*lines, "new"])
    assert own.read_bytes() == b"# \xff\xfe\r\nb\x0cc\xe2\x80\xa8d\n\nlast\nnew\n"


@pytest.mark.parametrize("make", [Path.mkdir, lambda path: path.write_bytes(b"x" * MAX_BYTES * 2)])
def test_a_file_that_cannot_be_read_is_not_replaced(tmp_path: Path, make: object) -> None:
    own = tmp_path / "known_hosts"
    assert callable(make)
    make(own)
    before = own.stat().st_size
    with pytest.raises(StorageError) as caught:
        rewrite(own, lambda lines: [*lines, "new"])
    assert caught.value.code == "storage-not-writable"
    assert (own.stat().st_size, len(list(tmp_path.iterdir()))) == (before, 1)


def test_a_change_that_fails_leaves_the_file_and_nothing_else(tmp_path: Path) -> None:
    own = tmp_path / "known_hosts"
    own.write_text("one\n")

    def fail(lines: list[str]) -> list[str]:
        raise RuntimeError(lines[0])

    with pytest.raises(RuntimeError, match="one"):
        rewrite(own, fail)
    assert own.read_text() == "one\n"
    assert [path.name for path in tmp_path.iterdir()] == ["known_hosts"]
