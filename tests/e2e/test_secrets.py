"""No password or key where others can read it; the engine on loopback only."""

from __future__ import annotations

import socket
import stat
import struct
import threading
from pathlib import Path

from tests.e2e.conftest import Box, MakeBox
from tests.helpers.command import paperkite
from tests.helpers.processes import command_lines


class CommandLineRecorder:
    """Looks at every process's argv, over and over, while it is entered."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> CommandLineRecorder:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stopped.wait(0.02):
            self.seen.update(command_lines())


def test_the_api_key_is_nowhere_but_in_ready(make_box: MakeBox) -> None:
    box = make_box("--scripted-startup-s", "1")
    with CommandLineRecorder() as recorder:
        up = box.up()
        chat = box.ask("Hello")
        others = [box.run("status"), box.run("logs")]
    key = up.only("ready")["api_key"]
    assert any(b"agent" in line for line in recorder.seen), "the recorder sees our processes"
    assert not [line for line in recorder.seen if key.encode() in line]
    for line in up.lines:
        assert line["kind"] == "ready" or key not in str(line)
    for line in chat.lines:
        assert line["kind"] == "ready" or key not in str(line)
    for outcome in (up, chat, *others):
        assert key not in outcome.stderr
    assert not [outcome for outcome in others if key in outcome.stdout]


def test_on_the_host_only_private_files_hold_the_key(box: Box) -> None:
    key = box.up().only("ready")["api_key"].encode()
    holding = {
        path.name
        for folder in (box.home, box.data)
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink() and key in path.read_bytes()
    }
    assert holding == {"spec.json", "endpoint.json"}
    runs = box.home / ".paperkite" / "runs"
    for path in [runs, *runs.rglob("*")]:
        assert not path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO), path


def test_the_engine_listens_on_loopback_only(box: Box) -> None:
    box.up()
    facts = {line["name"]: line["value"] for line in box.run("status").of("fact")}
    listening = _listening_addresses(int(facts["port"]))
    assert listening == {"127.0.0.1"}


def _listening_addresses(port: int) -> set[str]:
    """Return the IPv4 addresses on which somebody listens at this port (proc(5), net/tcp)."""
    addresses = set()
    for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
        fields = line.split()
        address, hex_port = fields[1].split(":")
        if fields[3] == "0A" and int(hex_port, 16) == port:
            addresses.add(socket.inet_ntoa(struct.pack("=I", int(address, 16))))
    return addresses


def test_the_laptops_own_files_are_private(box: Box, tmp_path: Path) -> None:
    home = tmp_path / "laptop"
    host, *identity = box.host
    argv = (host, *identity[:2], "--accept-new-host-key", "--json")
    paperkite("status", *argv, env={"PAPERKITE_HOME": str(home)})
    assert (home / "known_hosts").exists()
    for path in [home, *home.rglob("*")]:
        assert not path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO), path
