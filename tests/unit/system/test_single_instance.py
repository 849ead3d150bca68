"""One app for each home; the second start is a real second process where it matters."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from queue import Queue

import pytest

from desktop.system.single_instance import ACTIVATION_TOKEN, SingleInstance

Make = Callable[..., SingleInstance]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made: list[SingleInstance] = []

    def start(
        on_raised: Callable[[str], object] = lambda _token: None, *, comes: bool = True
    ) -> SingleInstance:
        def call(token: str) -> bool:
            on_raised(token)
            return comes

        made.append(SingleInstance(tmp_path))
        made[-1].when_raised(call)
        return made[-1]

    yield start
    for each in made:
        each.close()


def test_a_second_start_raises_the_first_and_is_told_to_end(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    raised: list[str] = []
    assert make(raised.append).claim()
    monkeypatch.setenv(ACTIVATION_TOKEN, "token-of-the-click")
    assert not make().claim()
    assert raised == ["token-of-the-click"]


def test_a_start_while_the_first_one_is_still_starting_is_not_forgotten(tmp_path: Path) -> None:
    first, second = SingleInstance(tmp_path), SingleInstance(tmp_path)
    raised: Queue[str] = Queue()
    try:
        assert first.claim()
        assert not second.claim()

        def comes(token: str) -> bool:
            raised.put(f"{token}{threading.current_thread() is threading.main_thread()}")
            return True

        first.when_raised(comes)  # a hidden start that somebody clicked for: its window has to come
        assert raised.get(timeout=10) == "False", "the thread that waits for windows must not wait"
    finally:
        first.close()


def test_a_start_while_the_first_one_is_ending_waits_for_its_end(make: Make) -> None:
    is_asked = threading.Event()
    first = make(lambda _token: is_asked.set(), comes=False)
    assert first.claim()
    claimed: Queue[bool] = Queue()
    second = make()
    thread = threading.Thread(target=lambda: claimed.put(second.claim()))
    thread.start()
    assert is_asked.wait(10)
    first.close()
    assert claimed.get(timeout=10)
    thread.join()


def test_of_starts_at_the_same_instant_exactly_one_is_the_app(tmp_path: Path) -> None:
    count = 6
    with ExitStack() as running:
        others = [
            running.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", HOLD, str(tmp_path)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for _ in range(count)
        ]
        told = [other.stdout.readline().strip() for other in others if other.stdout]
        for other in others:
            assert other.stdin is not None
            other.stdin.close()
    assert sorted(told) == ["False"] * (count - 1) + ["True"]


def test_after_the_first_has_ended_the_next_is_the_one(make: Make, tmp_path: Path) -> None:
    first = make()
    assert first.claim()
    first.close()
    assert list(tmp_path.iterdir()) == []
    assert make().claim()


HOLD = """
import sys, time
from pathlib import Path
from desktop.system.single_instance import SingleInstance
one = SingleInstance(Path(sys.argv[1]))
print(one.claim(), flush=True)
sys.stdin.read()
"""


def test_one_that_was_killed_blocks_nobody(make: Make, tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "True\n"
        assert not make().claim()
        other.kill()
    assert make().claim()


def test_a_stranger_without_the_token_raises_nothing(make: Make, tmp_path: Path) -> None:
    raised: list[str] = []
    first = make(raised.append)
    assert first.claim()
    port = json.loads((tmp_path / "app.json").read_text())["port"]
    with socket.create_connection(("127.0.0.1", port), timeout=5) as stranger:
        stranger.sendall(b"guess \xff\n")
        assert stranger.recv(100) == b""
    assert raised == []
    assert not make().claim()  # and it still answers


def test_the_token_can_be_read_by_this_user_alone(make: Make, tmp_path: Path) -> None:
    assert make().claim()
    assert (tmp_path / "app.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.name == "nt", reason="a file is no folder there either, but by other means")
def test_a_folder_that_cannot_be_made_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    one = SingleInstance(tmp_path / "file" / "folder")
    assert one.claim()
    one.close()


def test_closing_twice_and_without_a_claim_is_safe_and_ends_the_thread(make: Make) -> None:
    one = make()
    one.close()
    assert one.claim()
    one.close()
    one.close()
    assert "single-instance" not in {thread.name for thread in threading.enumerate()}
