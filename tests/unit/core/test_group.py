"""Several hosts that serve one model together: what each is asked, and how one joins."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

import pytest

from desktop.core.agent.answers import Started
from desktop.core.agent.client import Agent
from desktop.core.errors import AppError, HostUnreachable
from desktop.core.session.group import Member, nodes
from desktop.core.session.spec import spec_fields
from desktop.core.session.wishes import Wishes
from desktop.core.ssh.attempt import ORDINARY, Attempt
from desktop.core.ssh.connection import Connection
from desktop.core.ssh.destination import Destination
from remote.spec import parse

SECONDS = 10.0


def host(name: str) -> Wishes:
    return Wishes(Destination(host=name, port=22, user="root"), idle_seconds=60, limit_seconds=90)


HEAD, OTHER = nodes([host("a"), host("b")], "10.0.0.1")


class FakeConnection:
    """A connection that can be closed, which ends the watch over it."""

    def __init__(self) -> None:
        self.closed = threading.Event()

    def close(self) -> None:
        self.closed.set()


class FakeAgent:
    """Starts a run and tells its journal; without an end it waits until the connection closes."""

    def __init__(self, connection: FakeConnection, journal: list[dict[str, Any]]) -> None:
        self.connection = connection
        self.journal = journal
        self.spec: dict[str, Any] = {}
        self.watched = threading.Event()

    def start(self, spec: dict[str, Any]) -> Started:
        self.spec = spec
        return Started(run="r", adopted=False)

    def watch(self, _run: str, _after: int) -> Iterator[dict[str, Any]]:
        self.watched.set()
        yield from self.journal
        assert self.connection.closed.wait(SECONDS)
        raise HostUnreachable("host-silent", host="b", port=22)


def member(*journal: dict[str, Any]) -> tuple[Member, FakeAgent]:
    connection = FakeConnection()
    agent = FakeAgent(connection, list(journal))
    found = Member(
        OTHER,
        lambda _attempt=ORDINARY: cast(Connection, connection),
        lambda _connection: cast(Agent, agent),
    )
    return found, agent


class Failures:
    """What a member says of its failure."""

    def __init__(self) -> None:
        self.errors: list[AppError] = []
        self.told = threading.Event()

    def __call__(self, error: AppError) -> None:
        self.errors.append(error)
        self.told.set()


def test_each_node_knows_its_place_and_the_head() -> None:
    specs = [parse(spec_fields(each)) for each in (HEAD, OTHER)]
    assert [spec.node_rank for spec in specs] == [0, 1]
    assert {(spec.node_count, spec.head_address) for spec in specs} == {(2, "10.0.0.1")}


def test_all_have_the_same_terms() -> None:
    assert (HEAD.lease_seconds, HEAD.idle_seconds, HEAD.limit_seconds) == (1800, 60, 90)
    assert (OTHER.lease_seconds, OTHER.idle_seconds, OTHER.limit_seconds) == (1800, 60, 90)
    assert nodes([host("a")], "x")[0] == replace(host("a"), head_address="x")


def test_a_member_is_done_when_it_has_joined() -> None:
    failures = Failures()
    found, agent = member({"kind": "task"}, {"kind": "ready", "port": 0})
    found.start(failures)
    assert agent.connection.closed.wait(SECONDS)
    found.close()
    assert agent.spec["node_rank"] == 1
    assert (found.error, failures.errors) == (None, [])


@pytest.mark.parametrize(
    ("journal", "code"),
    [
        ([{"kind": "failed", "code": "engine.exited", "exit_status": 1}], "engine.exited"),
        ([{"kind": "odd"}, {"kind": "failed", "code": "model.not-found"}], "model.not-found"),
    ],
)
def test_why_a_member_did_not_join_is_told(journal: list[dict[str, Any]], code: str) -> None:
    failures = Failures()
    found, _agent = member(*journal)
    found.start(failures)
    assert failures.told.wait(SECONDS)
    found.close()
    assert found.error is failures.errors[0]
    assert found.error.code == code


def test_a_bug_is_told_too() -> None:
    failures = Failures()

    def dial(_attempt: Attempt = ORDINARY) -> Connection:
        raise ZeroDivisionError

    found = Member(OTHER, dial)
    found.start(failures)
    assert failures.told.wait(SECONDS)
    assert failures.errors[0].code == "unexpected"


def test_a_member_that_is_closed_says_nothing() -> None:
    failures = Failures()
    found, agent = member({"kind": "task"})
    found.start(failures)
    assert agent.watched.wait(SECONDS)
    found.close()
    assert failures.errors == []
    assert not found._thread.is_alive()


def test_a_member_that_is_closed_while_it_is_dialled_is_given_up() -> None:
    failures = Failures()
    dialling, given_up = threading.Event(), threading.Event()

    def dial(attempt: Attempt = ORDINARY) -> Connection:
        with attempt.abandon.by(given_up.set):
            dialling.set()
            assert given_up.wait(SECONDS)
            raise HostUnreachable("host-silent")

    found = Member(OTHER, dial)
    found.start(failures)
    assert dialling.wait(SECONDS)
    found.close()
    assert failures.errors == []
    assert not found._thread.is_alive()
