"""The hub's token: what its owner gave last counts, and nothing shows it."""

from __future__ import annotations

import threading
from typing import cast

import pytest

from desktop.core.events import PhaseChanged
from desktop.core.phases import Phase
from desktop.core.report import Story, report
from desktop.core.session.spec import spec_fields
from desktop.core.session.wishes import from_settings
from desktop.core.settings import Settings
from desktop.core.ssh.destination import Destination
from desktop.system.hub_token import HubToken
from desktop.system.keyring import Keyring

TOKEN = "ms-0f2d6c1e-not-a-real-one"


class FakeKeyring:
    """A keyring that answers when it is let."""

    def __init__(self, kept: str | None = None) -> None:
        self.kept = kept
        self.is_asked, self.may_answer = threading.Event(), threading.Event()
        self.may_answer.set()

    def secret(self, _name: str) -> str | None:
        before = self.kept
        self.is_asked.set()
        assert self.may_answer.wait(10)
        return before

    def keep(self, _name: str, secret: str) -> bool:
        assert self.may_answer.wait(10)
        self.kept = secret
        return True

    def forget(self, _name: str) -> None:
        assert self.may_answer.wait(10)
        self.kept = None


def token(keyring: FakeKeyring) -> HubToken:
    return HubToken(cast("Keyring", keyring))


def test_what_is_kept_is_read() -> None:
    made = token(FakeKeyring(TOKEN))
    made.read()
    assert made.value == TOKEN


@pytest.mark.parametrize("given", ["", "ms-another-one"])
def test_what_its_owner_says_while_the_keyring_is_asked_counts(given: str) -> None:
    keyring = FakeKeyring(TOKEN)
    keyring.may_answer.clear()
    made = token(keyring)
    reading = threading.Thread(target=made.read)
    reading.start()
    assert keyring.is_asked.wait(10)
    made.change(given)
    keyring.may_answer.set()
    reading.join(10)
    made.join()
    assert made.value == given
    assert (keyring.kept or "") == given


def test_several_changes_return_at_once_and_the_last_one_is_kept() -> None:
    keyring = FakeKeyring()
    keyring.may_answer.clear()  # its owner is asked to unlock it
    made = token(keyring)
    for each in ("ms-one", "", TOKEN):
        made.change(each)
    assert made.value == TOKEN
    keyring.may_answer.set()
    made.join()
    assert keyring.kept == TOKEN


def test_nothing_shows_it() -> None:
    made = token(FakeKeyring(TOKEN))
    made.read()
    wishes = from_settings(Settings(), Destination("gpu"), None, hub_token=made.value)
    assert spec_fields(wishes)["hub_token"] == TOKEN
    story = Story("failed", lines=[f"GET /x?Token={TOKEN}", TOKEN], facts={"detail": TOKEN})
    for shown in (repr(made), repr(wishes), str(wishes), report(story, wishes)):
        assert TOKEN not in shown
    assert TOKEN not in repr(PhaseChanged(Phase.OFF))
