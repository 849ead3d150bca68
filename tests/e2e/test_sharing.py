"""A port of our own and one for other programs, through a real SSH server to an engine."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import cast
from urllib.parse import urlsplit

import pytest

from desktop.core.errors import ForwardFailed
from desktop.core.events import Endpoint, Ready
from desktop.core.phases import Phase
from desktop.core.session.dial import dialler
from desktop.core.session.session import Session
from tests.e2e.conftest import Box, MakeBox
from tests.helpers.person import Person
from tests.helpers.sessions import wishes_for
from tests.helpers.story import Heard
from tests.helpers.waiting import until

SECONDS = 60.0
SLOW_REPLY = ("--scripted-tokens-per-s", "20", "--scripted-reply-tokens", "60")


@contextmanager
def sharing(box: Box, *, is_shared: bool = True, port: int = 0) -> Iterator[tuple[Session, Heard]]:
    """Give a session with two ports whose model answers."""
    wishes, heard = wishes_for(box, local_port=port), Heard()
    dial = dialler(wishes, Person(), box.sshd.known_hosts())
    session = Session(wishes, heard, dial, is_shared=is_shared)
    try:
        session.start()
        until(lambda: heard.phases[-1:] == [Phase.READY] and bool(told(heard)), 120)
        yield session, heard
    finally:
        session.close()


def told(heard: Heard) -> list[Endpoint]:
    return [event.endpoint for event in heard.events if isinstance(event, Ready)]


def answers(url: str, endpoint: Endpoint) -> bool:
    """Tell whether a reply comes through a port."""
    with closing(asked(url, endpoint)) as connection:
        return "[DONE]" in connection.getresponse().read().decode()


def asked(url: str, endpoint: Endpoint) -> http.client.HTTPConnection:
    where = urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=SECONDS)
    message = {"role": "user", "content": "A story, please."}
    body = json.dumps({"model": endpoint.model, "messages": [message], "stream": True})
    headers = {
        "Authorization": f"Bearer {endpoint.api_key}",
        "Content-Type": "application/json",
    }
    connection.request("POST", f"{where.path}/chat/completions", body, headers)
    return connection


def is_open(url: str) -> bool:
    where = urlsplit(url)
    try:
        socket.create_connection((where.hostname or "", where.port or 0), 5).close()
    except ConnectionRefusedError:
        return False
    return True


def test_our_chat_goes_on_while_the_door_for_others_is_closed_and_opened(
    make_box: MakeBox,
) -> None:
    box = make_box(*SLOW_REPLY)
    with sharing(box) as (session, heard):
        (first,) = told(heard)
        assert first.shared_url != first.base_url
        with closing(asked(first.base_url, first)) as ours:
            reply = ours.getresponse()
            assert reply.readline().startswith(b"data:")
            with closing(asked(first.shared_url, first)) as theirs:
                assert theirs.getresponse().readline().startswith(b"data:")
                until(lambda: session.others == 1, SECONDS)
                began = time.monotonic()
                session.share(wanted=False)
                assert time.monotonic() - began < 1.0, "a window waits for it"
            assert told(heard)[-1].shared_url == ""
            assert not is_open(first.shared_url)
            assert session.others == 0
            session.share(wanted=True)
            assert told(heard)[-1].shared_url == first.shared_url
            assert "[DONE]" in reply.read().decode(), "our own reply came to its end meanwhile"
        assert answers(first.shared_url, first)


def test_both_ports_stay_what_they_are_when_the_connection_is_lost(make_box: MakeBox) -> None:
    box = make_box(*SLOW_REPLY)
    with sharing(box, is_shared=False) as (session, heard):
        box.sshd.cut()
        until(lambda: len(told(heard)) == 2, SECONDS)
        session.share(wanted=True)
        opened = told(heard)[-1]
        box.sshd.cut()
        until(lambda: len(told(heard)) == 4, SECONDS)
        again = told(heard)[-1]
        assert [each.shared_url for each in told(heard)][:2] == ["", ""]
        assert (again.base_url, again.shared_url) == (opened.base_url, opened.shared_url)
        assert answers(again.shared_url, again)
        assert answers(again.base_url, again)


def test_the_door_closes_at_once_though_the_host_does_not_answer(make_box: MakeBox) -> None:
    box = make_box(*SLOW_REPLY)
    with sharing(box) as (session, heard):
        (endpoint,) = told(heard)
        with closing(asked(endpoint.shared_url, endpoint)) as theirs:
            assert theirs.getresponse().readline().startswith(b"data:")
            box.sshd.freeze()
            try:
                began = time.monotonic()
                session.share(wanted=False)
                assert time.monotonic() - began < 1.0, "a window waits for it"
                assert not is_open(endpoint.shared_url)
            finally:
                box.sshd.thaw()


def test_a_port_that_somebody_has_is_said_and_our_chat_goes_on(box: Box) -> None:
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        port = somebody.getsockname()[1]
        with sharing(box, is_shared=False, port=port) as (session, heard):
            with pytest.raises(ForwardFailed) as refused:
                session.share(wanted=True)
            assert refused.value.code == "local-port-taken"
            (endpoint,) = told(heard)
            assert answers(endpoint.base_url, endpoint)
            somebody.close()
            session.share(wanted=True)
            assert answers(told(heard)[-1].shared_url, endpoint)


def test_two_sessions_of_one_process_do_not_fight_for_a_port(box: Box) -> None:
    with sharing(box) as (_, one), sharing(box) as (_, other):
        (here,), (there,) = told(one), told(other)
        urls = {here.base_url, here.shared_url, there.base_url, there.shared_url}
        assert len(urls) == 4
        assert all(answers(url, here) for url in urls)


def test_the_command_line_has_one_port_for_all(box: Box) -> None:
    wishes, heard = wishes_for(box), Heard()
    session = Session(wishes, heard, dialler(wishes, Person(), box.sshd.known_hosts()))
    try:
        session.start()
        ready = cast("Ready", heard.wait_for(lambda event: isinstance(event, Ready)))
        assert ready.endpoint.base_url == ready.endpoint.shared_url
        session.share(wanted=False)
        assert answers(ready.endpoint.base_url, replace(ready.endpoint))
    finally:
        session.close()
