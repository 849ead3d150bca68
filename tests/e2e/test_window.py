"""What else happens in the window on a real sshd, beside the journeys, by clicks and keys."""

from __future__ import annotations

import socket

import pytest
from PySide6.QtCore import Qt

from desktop.core.paths import paths
from tests.e2e.conftest import Box, MakeBox
from tests.helpers.journey import User
from tests.helpers.laptop import Laptop


def sit_down(laptop: Laptop, box: Box) -> User:
    """Sit down in front of the app of a person whose usual key the box knows."""
    laptop.has_key_for(box)
    laptop.chooses(box)
    return laptop.opens_app()


@pytest.fixture
def user(laptop: Laptop, box: Box) -> User:
    return sit_down(laptop, box)


def test_a_refused_fingerprint_connects_nowhere(user: User, box: Box) -> None:
    user.pastes("hostField", box.line())
    user.clicks("checkButton")
    user.clicks("cancelButton", user.dialog("hostKeyDialog"))
    user.until(lambda: user.state in (user.word("off"), user.word("failed")))
    assert not paths().known_hosts.exists()
    assert not (box.home / ".paperkite").exists()


def test_a_cut_connection_comes_back_while_the_window_is_open(user: User, box: Box) -> None:
    user.first_run(box)
    user.until_state("ready")
    shared = user.shared()
    box.sshd.cut()
    user.until_state("reconnecting")
    user.until_state("ready")
    assert user.shared() == shared
    assert "You said: “Still there?”" in user.asks("Still there?")


def test_a_long_reply_is_stopped_by_the_button(laptop: Laptop, make_box: MakeBox) -> None:
    box = make_box("--scripted-reply-tokens", "5000", "--scripted-tokens-per-s", "50")
    user = sit_down(laptop, box)
    user.first_run(box)
    user.until_state("ready")
    user.says("Talk")
    user.until(lambda: "sentence 2" in user.conversation)
    user.clicks("sendButton")
    user.until(lambda: not user.replying, 2)
    assert "stopped by you" in user.figures


def test_an_engine_that_exits_is_explained_and_can_be_tried_again(
    laptop: Laptop, make_box: MakeBox
) -> None:
    box = make_box("--scripted-fail", "traceback")
    user = sit_down(laptop, box)
    user.first_run(box)
    user.until_state("failed")
    user.until_sees("The engine ended early", 5)
    user.clicks("retryButton")
    user.until(lambda: user.state != user.word("failed"))
    user.until_state("failed")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_host_with_a_new_port_is_found_again_by_its_new_line(user: User, box: Box) -> None:
    user.first_run(box)
    user.until_state("ready")
    shared = user.shared()
    box.sshd.stop()
    box.sshd.port = free_port()
    box.sshd.start()
    user.until_sees("Has it a new address or password?")
    user.types("addressField", box.line())
    user.clicks("addressButton")
    user.trusts(box)  # the port is a new one: asked once
    user.until_state("ready")
    assert user.shared() == shared
    assert "You said: “Here again”" in user.asks("Here again")


def test_what_is_said_while_it_starts_is_sent_when_it_is_ready_and_is_there_the_next_day(
    user: User, laptop: Laptop, box: Box
) -> None:
    user.first_run(box)
    user.types("composer", "Good morning")
    user.presses(Qt.Key.Key_Return)
    user.until_state("ready")
    user.until(lambda: user.conversation.startswith("Good morning\n\n"))
    user.until(lambda: user.replying)
    user.until(lambda: not user.replying)
    said = user.conversation
    user.app.close()

    again = laptop.opens_app()
    assert again.window.transcript_text == said
