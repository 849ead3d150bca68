"""What goes to the model: the conversation as it was really said."""

from collections.abc import Iterator

import pytest

from desktop.core.chat.message import Message
from desktop.core.errors import ReplyFailed
from desktop.core.events import Delta, Endpoint, PhaseChanged, Ready, ReplyBroken, ReplyDone
from desktop.core.paths import paths
from desktop.core.phases import Phase
from desktop.core.session.wishes import Wishes, from_settings
from desktop.core.settings import Settings
from desktop.core.ssh.destination import resolve
from desktop.core.texts import Texts
from desktop.system.keyring import Keyring
from desktop.ui.bridge import Bridge
from desktop.ui.controller import Controller
from desktop.ui.prompts import WindowPrompts
from tests.helpers.screens import ENDPOINT, Stage, set_stage


class FakeReplies:
    """Replies that never come by themselves."""

    def __init__(self) -> None:
        self.asked: list[list[Message]] = []
        self.cancelled: list[int] = []

    def send(self, endpoint: Endpoint, messages: list[Message]) -> int:
        self.asked.append(messages)
        return len(self.asked)

    def cancel(self, number: int) -> None:
        self.cancelled.append(number)

    def close(self) -> None:
        return


@pytest.fixture
def controller(qapp: object) -> Iterator[Controller]:
    stage: Stage = set_stage("en", "light")
    bridge = Bridge(lambda _: None)
    prompts = WindowPrompts(bridge, lambda: stage.window, Texts("en"), Keyring())
    made = Controller(
        None,
        Settings(),
        paths(),
        bridge,
        prompts,
        on_target=lambda _: None,
        on_quit=lambda: None,
    )
    made._replies = FakeReplies()  # type: ignore[assignment]
    made.apply([PhaseChanged(Phase.READY), Ready(ENDPOINT)])
    yield made
    made.close()
    stage.window.deleteLater()


def asked(controller: Controller) -> list[list[Message]]:
    return controller._replies.asked  # type: ignore[union-attr]


def test_the_conversation_goes_along(controller: Controller) -> None:
    assert controller.send("one")
    controller.apply([Delta(1, "a"), Delta(1, "b"), ReplyDone(1, "stop", None, None, None)])
    controller.send("two")
    assert asked(controller)[-1] == [
        Message("user", "one"),
        Message("assistant", "ab"),
        Message("user", "two"),
    ]


def test_what_came_of_a_broken_reply_stays_and_an_unanswered_question_does_not(
    controller: Controller,
) -> None:
    controller.send("one")
    controller.apply([Delta(1, "half"), ReplyBroken(1, ReplyFailed("reply-interrupted"))])
    controller.send("two")
    controller.apply([ReplyBroken(2, ReplyFailed("reply-interrupted"))])
    controller.send("three")
    assert [m.content for m in asked(controller)[-1]] == ["one", "half", "three"]


def test_one_reply_at_a_time_and_none_without_a_model(controller: Controller) -> None:
    assert controller.send("one")
    assert not controller.send("two")
    controller.cancel()
    assert controller._replies.cancelled == [1]  # type: ignore[union-attr]
    controller.apply([ReplyDone(1, "cancelled", None, None, None), PhaseChanged(Phase.OFF)])
    assert not controller.send("three")


def test_a_password_that_was_pasted_under_the_line_is_saved_nowhere(
    controller: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    class FakeSession:
        def start(self) -> None:
            pass

        def close(self) -> None:
            pass

    given: list[Wishes] = []

    def new_session(wishes: Wishes) -> FakeSession:
        given.append(wishes)
        return FakeSession()

    monkeypatch.setattr(controller, "_new_session", new_session)
    assert controller.start("ssh -p 2201 root@kite.example.com\ns3cret-0f-mine", "a/b") is None
    assert given[0].destination.password == "s3cret-0f-mine"
    saved = paths().settings.read_text(encoding="utf-8")
    assert "ssh -p 2201 root@kite.example.com" in saved
    assert "s3cret" not in saved
    assert "s3cret" not in repr(controller.target())


def test_saved_settings_become_wishes() -> None:
    wishes = from_settings(
        Settings(hub="https://hub.example/", local_port=8100), resolve("root@host:2222")
    )
    assert (wishes.destination.host, wishes.destination.port) == ("host", 2222)
    assert (wishes.hub, wishes.local_port) == ("https://hub.example", 8100)


class FakeString:
    """A session, of which only the news of a changed network is looked at."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def look_again(self) -> None:
        self.told.append("look again")

    def close(self) -> None:
        self.told.append("close")


def test_after_a_sleep_the_session_looks_again_while_there_is_one(controller: Controller) -> None:
    controller.look_again()  # before the first start: nobody to ask
    string = FakeString()
    controller._session = string  # type: ignore[assignment]
    controller.look_again()
    assert string.told == ["look again"]
    controller.close()
    controller.look_again()
    assert string.told == ["look again", "close"]
