"""What is asked of a host beside its start: room, its log, a report."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

from desktop.core.errors import AgentRefused
from desktop.core.report import Story
from desktop.core.saved import SavedHost
from desktop.core.session.wishes import Wishes
from desktop.core.ssh.destination import Destination
from desktop.ui.host import Host, Works
from desktop.ui.intents import HostKey

LINE = "lilei@box.example.com"
WISHES = Wishes(
    Destination("box.example.com", user="lilei", text=LINE, password="hunter2!"), hub_token="abcdef"
)


@dataclass
class FakeSession:
    """What was asked of it."""

    asked: list[object] = field(default_factory=list)

    def tidy(self) -> None:
        self.asked.append("tidy")

    def follow_log(self, *, wanted: bool) -> None:
        self.asked.append(wanted)

    def fetch_log(self) -> None:
        self.asked.append("fetch")

    def close(self) -> None:
        self.asked.append("close")

    def start(self) -> None:
        self.asked.append("start")


def host(session: FakeSession, wishes: Wishes | None = WISHES) -> Host:
    unused = cast("Any", None)
    works = Works(
        **{name: unused for name in Works.__dataclass_fields__ if name not in ("session", "dial")},
        session=lambda _wishes, _dial: cast("Any", session),
        dial=lambda _wishes: unused,
    )
    return Host(HostKey("westb"), SavedHost(LINE), works, wishes)


def test_a_host_that_was_not_started_can_be_tidied_and_read() -> None:
    session = FakeSession()
    found = host(session)
    found.tidy()
    found.follow_log(wanted=True)
    found.follow_log(wanted=False)
    found.begin()
    assert session.asked == ["tidy", True, "fetch", False, "start"], "by one session"


def test_the_log_is_followed_over_a_new_session_too() -> None:
    session = FakeSession()
    found = host(session)
    found.follow_log(wanted=True)
    found.leave()
    found.begin()
    assert session.asked == [True, "fetch", "close", True, "start"]
    found.leave()
    found.follow_log(wanted=False)
    assert session.asked[-1] == "close", "nothing is made anew to be told that"


def test_where_nothing_is_wished_there_is_nothing_to_ask() -> None:
    session = FakeSession()
    found = host(session, wishes=None)
    found.tidy()
    found.follow_log(wanted=True)
    assert session.asked == []


def test_its_report_names_neither_the_host_nor_its_user() -> None:
    error = AgentRefused(
        "deploy-failed", detail="lilei@box.example.com: hunter2! abcdef westb, /home/lilei"
    )
    told = host(FakeSession()).report(Story("failed", error))
    assert "deploy-failed" in told
    for private in ("lilei", "box.example", "hunter2", "abcdef", "westb"):
        assert private not in told, private
    assert host(FakeSession()).redacted("lilei at westb") == "<user> at <user>"
