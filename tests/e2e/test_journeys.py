"""The journeys that everybody makes, in a real window on a real sshd, by clicks and keys alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from desktop.core.catalogue import models
from tests.e2e.conftest import Box, MakeBox
from tests.helpers.journey import User
from tests.helpers.laptop import Laptop
from tests.helpers.rented import AUTODL, AUTODL_NAME, name_this_computer, rent
from tests.helpers.window import child

QUESTION = "What does a kite need?"
OTHER_MODEL = "paperkite/other"
SERVED_IN_S = 15  # a run that works is joined, and its model answers
WAS_LEFT = "It was left running when Paperkite was last open"


@pytest.fixture
def rented(make_box: MakeBox, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> Box:
    """A box at AutoDL with a 4090; its hub has every model of the catalogue, made small."""
    name_this_computer(monkeypatch, AUTODL_NAME)
    slow = ("--scripted-reply-tokens", "400", "--scripted-tokens-per-s", "100")
    box = make_box(*slow, models=dict.fromkeys(models(), tiny_model))
    rent(box.home, AUTODL)
    return box


@pytest.fixture
def user(laptop: Laptop, rented: Box) -> User:
    laptop.has_key_for(rented)
    laptop.chooses(rented)
    return laptop.opens_app()


def arrive(user: User, box: Box) -> str:
    """Go from the first page to a model that answers; return which one it is."""
    user.pastes("hostField", box.line(AUTODL_NAME))
    user.clicks("rateOffer")
    user.clicks("checkButton")
    user.trusts(box)
    user.until_planner()
    model = user.offer().partition(":")[0]
    user.starts()
    user.until_state("ready")
    return model


def has_ended(box: Box) -> bool:
    return box.processes == []


def test_first_run_to_first_reply(user: User, rented: Box) -> None:
    assert user.sees("Fly your own model")
    user.pastes("hostField", rented.line(AUTODL_NAME))
    assert user.sees("AutoDL")
    assert user.sees("Only powering off (关机) ends the bill of the GPU")
    user.clicks("rateOffer")
    user.clicks("checkButton")
    user.trusts(rented)

    user.until_planner()
    assert user.sees("RTX 4090")
    assert user.sees("checked just now")
    assert "fits" in user.offer(), "what fits is proposed"
    assert "Weights" in child(user.window, "memoryBar").accessibleName()
    name = user.offer().partition(":")[0].rpartition("/")[2]

    user.starts()
    assert user.sees(f"Getting {name} into the air")
    user.until_state("ready")
    reply = user.asks(QUESTION)
    assert reply == rented.written(QUESTION, 400)
    assert "¥" in user.bill
    assert f"Ready ⋅ {name}" in user.tray
    assert "¥" in user.tray
    assert {"Stop", "Copy endpoint"} <= set(user.tray_menu)


def test_stop_and_start_again(user: User, rented: Box) -> None:
    arrive(user, rented)
    told = user.shared()
    user.says(QUESTION)
    user.until(lambda: "sentence 5" in user.conversation)

    user.clicks("stopButton")
    ladder = user.dialog("stopDialog")
    assert user.sees("still billing ¥2.00/h", ladder)
    assert user.sees("You may not get this card back.", ladder)
    user.clicks("replyRung", ladder)
    user.until(lambda: not user.replying)
    assert user.state == user.word("ready"), "the model goes on serving"
    assert "stopped by you" in user.figures
    before = user.conversation

    user.clicks("stopButton")
    ladder = user.dialog("stopDialog")
    assert not user.sees("Stop the reply", ladder)
    user.presses(Qt.Key.Key_Return)  # stops the server: the card could not be got back
    user.until(lambda: user.sees("no process of it is left on the host", ladder))
    assert user.sees("Still billing ¥2.00/h until you power it off.", ladder)
    user.presses(Qt.Key.Key_Return)
    assert not user.shows("stopDialog")
    assert user.state == user.word("off")
    user.until(lambda: has_ended(rented), 5)  # the verbs' own, on their way out
    assert not (rented.home / "shutdowns").exists(), "nobody asked for that"
    assert user.conversation == before, "what was said stays"
    user.until(lambda: "may still be billing" in user.bill, 5)
    assert user.word("off") in user.tray

    user.clicks("headerStartButton")
    user.until_state("ready")
    assert "You said: “Once more?”" in user.asks("Once more?")
    assert user.conversation.startswith(before)
    assert user.shared() == told, "other programs were told once"


def test_quit_and_return_to_a_running_server(user: User, laptop: Laptop, rented: Box) -> None:
    model = arrive(user, rented)
    user.asks(QUESTION)
    said, shared = user.conversation, user.shared()

    user.chooses("moreButton", "moreMenu", "Quit")
    question = user.dialog("quitDialog")
    assert user.sees("This host goes on without Paperkite, and costs money:", question)
    assert user.sees("¥2.00/h", question)
    assert user.sees("Stops by itself after 30 min without you", question)
    assert user.leaves_by(lambda: user.clicks("leaveButton", question)) == 0
    assert rented.processes, "the server works on"

    back = laptop.opens_app()
    assert back.sees("Ready when you are")
    assert back.sees(model)
    assert back.state == back.word("off")
    back.until_sees(WAS_LEFT, 5)
    assert not back.sees("Nothing is running")
    assert "may still be billing" in back.bill
    assert "may still be billing" in back.tray
    back.chooses("moreButton", "moreMenu", "Quit")
    question = back.dialog("quitDialog")
    assert back.sees(WAS_LEFT, question), "it is asked again"
    assert back.sees("Billed until you power it off.", question)
    back.clicks("cancelButton", question)

    back.clicks("startButton")
    back.until_state("ready", SERVED_IN_S)
    assert back.conversation == said
    assert not back.sees(WAS_LEFT)
    back.until(lambda: "so far" in back.bill, 5)
    assert back.shared() == shared
    assert "You said: “And now?”" in back.asks("And now?")
    assert back.conversation.startswith(said)
    assert "¥" in back.bill
    assert len(list((rented.home / ".paperkite/runs").glob("*/journal.jsonl"))) == 1


def test_two_hosts(laptop: Laptop, make_box: MakeBox, tiny_model: Path) -> None:
    served = {OTHER_MODEL: tiny_model}
    short, long = ("--scripted-reply-tokens", "30"), ("--scripted-reply-tokens", "90")
    east = make_box(*short, name="east", models=served)
    west = replace(make_box(*long, name="west", models=served), model=OTHER_MODEL)
    for box in (east, west):
        laptop.has_key_for(box)
        (box.home / "engine").symlink_to(box.engine)
    laptop.chooses(east, engine_env="~/engine")
    user = laptop.opens_app()
    user.first_run(east)
    user.until_state("ready")

    user.chooses("hostButton", "hostMenu", "Add a host")
    user.first_run(west)
    user.until_state("ready")
    assert user.sees(OTHER_MODEL)
    second = user.shared()
    question = "Who is in the west?"
    assert user.asks(question) == west.written(question, 90)
    assert user.tray.count("Ready") == 2

    user.chooses("hostButton", "hostMenu", name_of(east))
    assert user.state == user.word("ready")
    assert user.sees(east.model)
    assert user.shared() != second
    assert user.asks("And who in the east?") == east.written("And who in the east?", 30)
    assert question in user.conversation, "a conversation is no host's"

    user.clicks("stopButton")
    user.until_state("off")
    user.until(lambda: has_ended(east), 5)
    assert user.tray.splitlines()[0].startswith(f"{name_of(east)} ⋅ Off")
    user.chooses("hostButton", "hostMenu", name_of(west))
    assert user.state == user.word("ready")
    assert user.shared() == second
    assert "still there" in user.asks("still there")


def name_of(box: Box) -> str:
    where = box.sshd.destination
    return f"{where.host}-{where.port}"
