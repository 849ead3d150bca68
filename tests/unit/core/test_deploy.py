"""The agent is put on a host, here on this machine: the real script, run by the real sh."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import cast

import pytest

from desktop.core.agent import deploy as deploying
from desktop.core.agent.archive import build_archive
from desktop.core.agent.deploy import deploy, hello_command
from desktop.core.errors import DeployFailed, PythonMissing
from desktop.core.ssh import upload
from desktop.core.ssh.connection import Completed, Connection

_BROKEN = {"an empty file": b"", "half a zip": build_archive().content[:5000], "words": b"x = \n"}


class Host:
    """A connection whose commands run here, in a home of their own, after a banner."""

    def __init__(self, home: Path, banner: str = "") -> None:
        self.home = home
        self._banner = banner
        self.uploads = 0

    @property
    def archive(self) -> Path:
        return self.home / ".paperkite/agent" / f"{build_archive().digest}.pyz"

    def run(self, command: str, stdin: bytes = b"", timeout: float = 60) -> Completed:
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            input=stdin,
            capture_output=True,
            env={"HOME": str(self.home), "PATH": os.environ["PATH"]},
            timeout=timeout,
            check=False,
        )
        return Completed(done.returncode, self._banner.encode() + done.stdout, done.stderr)

    def put(self, data: bytes, path: str) -> None:
        self.uploads += 1
        upload.check(self.run(upload.command(len(data), path), data), path)


def on(host: Host) -> Connection:
    return cast("Connection", host)


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_an_agent_is_sent_once_and_found_the_next_time(host: Host) -> None:
    assert deploy(on(host)).hello.home == str(host.home)
    assert deploy(on(host)).hello.home == str(host.home)
    assert host.uploads == 1
    assert [path.name for path in host.archive.parent.iterdir()] == [host.archive.name]


@pytest.mark.parametrize("banner", ["welcome", "welcome\n", "\x1b[H\x1b[2J", "a\r\nb"])
def test_a_banner_may_end_anywhere(tmp_path: Path, banner: str) -> None:
    assert deploy(on(Host(tmp_path, banner))).hello.home == str(tmp_path)


@pytest.mark.parametrize("content", _BROKEN.values(), ids=_BROKEN.keys())
def test_a_damaged_archive_is_sent_again(host: Host, content: bytes) -> None:
    host.archive.parent.mkdir(parents=True)
    host.archive.write_bytes(content)
    assert deploy(on(host)).hello.home == str(host.home)
    assert host.archive.read_bytes() == build_archive().content


def test_an_archive_that_never_says_hello_is_sent_once_and_then_given_up(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = host.put
    monkeypatch.setattr(host, "put", lambda _, path: put(b"raise SystemExit('no luck')\n", path))
    with pytest.raises(DeployFailed) as caught:
        deploy(on(host))
    assert caught.value.facts["detail"] == "no luck"
    assert host.uploads == 1


def test_a_home_with_odd_letters_is_no_obstacle(tmp_path: Path) -> None:
    home = tmp_path / "it's a ho$me"
    home.mkdir()
    assert deploy(on(Host(home))).hello.home == str(home)


def test_a_host_without_python_is_told(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deploying, "_CANDIDATES", ("/nowhere/python3",))
    with pytest.raises(PythonMissing):
        deploy(on(host))


@pytest.mark.parametrize("command", [hello_command("d" * 64), upload.command(3, "/a b/c.pyz")])
def test_any_login_shell_can_pass_a_command_on(command: str) -> None:
    # csh: no line end within quotes, and `!` is history even there; fish: `\` escapes in quotes.
    assert not re.search(r"[\n!\\]", command)


def test_an_upload_does_without_sync(tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("sh", "cat", "wc", "mv", "rm"):
        (tools / name).symlink_to(Path("/bin") / name)
    target = tmp_path / "there"
    done = subprocess.run(
        ["/bin/sh", "-c", upload.command(3, str(target))],
        input=b"abc",
        capture_output=True,
        env={"PATH": str(tools)},
        check=False,
    )
    assert (done.returncode, done.stderr, target.read_bytes()) == (0, b"", b"abc")


def test_an_upload_syncs_the_bytes_before_the_name_is_there(tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    sync = tools / "sync"
    sync.write_text(f'#!/bin/sh\n[ -e {tmp_path}/there ] || cat "$1" > {tmp_path}/synced\nexit 1\n')
    sync.chmod(0o700)
    subprocess.run(
        ["/bin/sh", "-c", upload.command(3, str(tmp_path / "there"))],
        input=b"abc",
        env={"PATH": f"{tools}:{os.environ['PATH']}"},
        check=True,
    )
    assert (tmp_path / "synced").read_bytes() == b"abc"
    assert (tmp_path / "there").read_bytes() == b"abc"
