"""What an SSH agent may do to us: nothing but hold keys, in bounded time and memory."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import paramiko
import pytest
from paramiko.message import Message

from desktop.core.ssh import agents
from desktop.core.ssh.agents import from_agent

_SECONDS = 5.0
KEY = b"\x00\x00\x00\x0bssh-ed25519\x00\x00\x00\x01k"

pytestmark = pytest.mark.skipif(os.name == "nt", reason="a socket in the file system")


def message(kind: int, *fields: bytes | int) -> bytes:
    """Return one message of an agent, with its length before it."""
    body = Message()
    body.add_byte(bytes((kind,)))
    for field in fields:
        if isinstance(field, int):
            body.add_int(field)
        else:
            body.add_string(field)
    return len(body.asbytes()).to_bytes(4, "big") + body.asbytes()


LISTED = message(12, 1, KEY, b"\xff no UTF-8")


@contextmanager
def agent(place: Path, *answers: bytes) -> Iterator[str]:
    """Be an agent for one client: say the next answer to whatever it says."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(place))
    listener.listen()
    listener.settimeout(_SECONDS)

    def serve() -> None:
        with listener, listener.accept()[0] as client:
            client.settimeout(_SECONDS)
            for answer in answers:
                assert client.recv(4096)
                client.sendall(answer)
            client.recv(4096)  # its end

    serving = threading.Thread(target=serve)
    serving.start()
    try:
        yield str(place)
    finally:
        serving.join()


def test_keys_are_listed_whatever_their_comments(tmp_path: Path) -> None:
    with agent(tmp_path / "a", LISTED) as place, from_agent(place) as keys:
        assert [key.blob for key in keys] == [KEY]


@pytest.mark.parametrize(
    "answer",
    [
        b"\xff\xff\xff\xff",
        (256 * 1024 + 1).to_bytes(4, "big"),
        message(5),
        b"\x00\x00\x00\x00",
        b"\x00\x00\x00\x09\x0c",
        message(12, 0xFFFFFFFF),
    ],
    ids=["4 GiB", "too long", "no", "nothing", "half an answer", "four billion keys"],
)
def test_an_agent_that_talks_nonsense_holds_no_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    monkeypatch.setattr(agents, "_SECONDS", 0.3)
    with agent(tmp_path / "a", answer) as place, from_agent(place) as keys:
        assert keys == []


def test_an_agent_that_does_not_answer_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agents, "_SECONDS", 0.1)
    before = threading.active_count(), len(list(Path("/dev/fd").iterdir()))
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(tmp_path / "mute"))
        mute.listen()
        for _ in range(3):
            with from_agent(str(tmp_path / "mute")) as keys:
                assert keys == []
    assert (threading.active_count(), len(list(Path("/dev/fd").iterdir()))) == before


def sign_with(*answers: bytes) -> Callable[[Path], bytes]:
    def sign(place: Path) -> bytes:
        with agent(place, LISTED, *answers) as where, from_agent(where) as keys:
            return keys[0].sign(b"data", "ssh-ed25519")

    return sign


def test_an_agent_signs(tmp_path: Path) -> None:
    assert sign_with(message(14, b"signature"))(tmp_path / "a") == b"signature"


@pytest.mark.parametrize("answer", [message(5), b"\xff\xff\xff\xff"], ids=["no", "4 GiB"])
def test_an_agent_that_does_not_sign_is_an_error_of_its_own(tmp_path: Path, answer: bytes) -> None:
    with pytest.raises(paramiko.SSHException):
        sign_with(answer)(tmp_path / "a")


def test_a_finger_is_not_waited_for_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agents, "_SIGN_SECONDS", 0.1)
    with pytest.raises(TimeoutError):
        sign_with(b"")(tmp_path / "a")
