"""One-time codes and other questions of a host's: a real sshd with PAM, and one that records."""

from __future__ import annotations

import logging
import os
import subprocess
import threading
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.core.errors import AuthenticationFailed
from desktop.core.session.dial import dialler
from desktop.core.session.wishes import Wishes
from desktop.core.ssh.connection import Credentials, connect
from desktop.core.ssh.identities import read_file
from desktop.core.ssh.known_hosts import KnownHosts
from desktop.core.ssh.prompts import ChallengePrompt, ChallengeQuestion, SecretQuestion
from tests.helpers.cable import is_possible
from tests.helpers.person import Person
from tests.helpers.recording_server import RecordingServer, Round, password_round
from tests.helpers.shadow import Shadow
from tests.helpers.sshd import Sshd

pytestmark = pytest.mark.usefixtures("no_keys_of_this_machine")

_TRUSTING = Credentials(accept_new_host_key=True)
_GIVEN = replace(_TRUSTING, password="right")
_KEYBOARD = "keyboard-interactive"
CODE = Round([("Verification code: ", False)], ["123456"])


@pytest.fixture
def hosts(tmp_path: Path) -> KnownHosts:
    return KnownHosts(tmp_path / "hosts", ())


def _question(server: RecordingServer, *prompts: ChallengePrompt, **other: object) -> object:
    where = server.destination
    facts = {"name": "", "instruction": "", "wrong": False} | other
    return ChallengeQuestion(where.user, where.host, where.port, prompts=prompts, **facts)  # type: ignore[arg-type]


# The password, asked for in the host's words


@pytest.mark.parametrize("prompt", ["Password: ", "root@host's password:", "密码："])
def test_the_password_is_given_where_it_is_plainly_asked_for(
    hosts: KnownHosts, prompt: str
) -> None:
    with RecordingServer(methods=_KEYBOARD, rounds=[Round([(prompt, False)], ["right"])]) as server:
        person = Person()
        connect(server.destination, _GIVEN, person, hosts).close()
        assert server.attempts == [("none", ""), (_KEYBOARD, ""), (_KEYBOARD, "right")]
        assert person.asked == []


def test_a_person_is_asked_for_the_password_as_ever_and_may_mistype_it(hosts: KnownHosts) -> None:
    with RecordingServer(methods=_KEYBOARD) as server:
        person = Person("wrong", "right")
        connect(server.destination, _TRUSTING, person, hosts).close()
        where = ("password", "root", "127.0.0.1", server.port)
        assert person.asked == [SecretQuestion(*where), SecretQuestion(*where, wrong=True)]


def test_a_person_is_told_that_the_pasted_password_was_refused(hosts: KnownHosts) -> None:
    with RecordingServer(methods=_KEYBOARD) as server:
        person = Person("wrong too", "right")
        connect(replace(server.destination, password="wrong"), _TRUSTING, person, hosts).close()
        where = ("password", "root", "127.0.0.1", server.port)
        assert person.asked == [
            SecretQuestion(*where, paste_refused=True),
            SecretQuestion(*where, wrong=True),
        ]


@pytest.mark.parametrize(
    "prompts",
    [
        [("Token: ", True)],
        [("Token: ", False)],
        [("Password: ", True)],
        [("Password: ", False), ("Token: ", False)],
    ],
)
def test_no_other_question_gets_the_password(
    hosts: KnownHosts, prompts: list[tuple[str, bool]]
) -> None:
    with RecordingServer(methods=_KEYBOARD, rounds=[Round(prompts, ["x"])]) as server:
        with pytest.raises(AuthenticationFailed) as caught:
            connect(server.destination, _GIVEN, Person(), hosts)
        assert caught.value.code == "code-needed"
        assert server.attempts == [("none", ""), (_KEYBOARD, "")]


def test_only_the_first_question_gets_the_password(hosts: KnownHosts) -> None:
    with RecordingServer(methods=_KEYBOARD, rounds=[CODE, password_round()]) as server:
        person = Person(codes=[["123456"], ["typed"]])
        with pytest.raises(AuthenticationFailed):
            connect(server.destination, _GIVEN, person, hosts)
        assert (_KEYBOARD, "right") not in server.attempts


def test_a_given_password_is_sent_plainly_where_nobody_answers_the_questions(
    hosts: KnownHosts,
) -> None:
    with RecordingServer(methods=f"{_KEYBOARD},password", rounds=[CODE]) as server:
        connect(server.destination, _GIVEN, Person(), hosts).close()
        assert server.attempts[-1] == ("password", "right")


def test_a_host_that_offers_to_ask_and_never_does_gets_the_password(hosts: KnownHosts) -> None:
    with RecordingServer(methods=f"{_KEYBOARD},password", rounds=[]) as server:
        connect(server.destination, _TRUSTING, Person("wrong", "right"), hosts).close()
        assert [method for method, _ in server.attempts] == ["none", _KEYBOARD, *["password"] * 2]


# Codes


def test_a_person_is_asked_in_the_hosts_words(hosts: KnownHosts) -> None:
    asked = Round(
        [("\x1b[1mUser: ", True), ("Token: ", False)], ["me", "42"], "Two\x07\nlines\n", "Bastion"
    )
    with RecordingServer(methods=_KEYBOARD, rounds=[asked]) as server:
        person = Person(codes=[["me", "42"]])
        connect(server.destination, _GIVEN, person, hosts).close()
        prompts = (ChallengePrompt("[1mUser:", echo=True), ChallengePrompt("Token:", echo=False))
        assert person.asked == [
            _question(server, *prompts, name="Bastion", instruction="Two\nlines")
        ]


def test_what_the_host_says_before_its_question_is_shown_with_it(hosts: KnownHosts) -> None:
    rounds = [Round(instruction="Visit https://login.example"), CODE]
    with RecordingServer(methods=_KEYBOARD, rounds=rounds) as server:
        person = Person(codes=[["123456"]])
        connect(server.destination, _TRUSTING, person, hosts).close()
        code = ChallengePrompt("Verification code:", echo=False)
        assert person.asked == [_question(server, code, instruction="Visit https://login.example")]


def test_password_and_code_in_one_conversation(hosts: KnownHosts) -> None:
    with RecordingServer(methods=_KEYBOARD, rounds=[password_round(), CODE]) as server:
        person = Person(codes=[["123456"]])
        connect(server.destination, _GIVEN, person, hosts).close()
        assert server.attempts[2:] == [(_KEYBOARD, "right"), (_KEYBOARD, "123456")]


def test_a_code_that_was_wrong_is_asked_for_again_and_the_password_is_not(
    hosts: KnownHosts,
) -> None:
    with RecordingServer(methods=_KEYBOARD, rounds=[password_round(), CODE]) as server:
        person = Person("right", codes=[["000000"], ["123456"]])
        connect(server.destination, _TRUSTING, person, hosts).close()
        code = ChallengePrompt("Verification code:", echo=False)
        assert person.asked[1:] == [_question(server, code), _question(server, code, wrong=True)]


def test_a_password_that_may_be_wrong_is_doubted_once_and_then_asked_for(
    hosts: KnownHosts,
) -> None:
    with RecordingServer(methods=_KEYBOARD, rounds=[password_round(), CODE]) as server:
        person = Person("old", "right", codes=[["123456"]] * 3)
        connect(server.destination, _TRUSTING, person, hosts).close()
        secrets = [each for each in person.asked if isinstance(each, SecretQuestion)]
        assert [each.wrong for each in secrets] == [False, True]


@pytest.mark.parametrize(
    "steps",
    [
        ("password", _KEYBOARD),
        ("publickey", _KEYBOARD),
        (_KEYBOARD, "publickey"),
        ("publickey", "password", _KEYBOARD),
        ("publickey", "password"),
    ],
)
def test_several_factors_one_after_the_other(
    tmp_path: Path, hosts: KnownHosts, steps: tuple[str, ...]
) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    with RecordingServer(steps=steps, rounds=[CODE]) as server:
        server.welcome_keys.add(read_file(key).blob)
        person = Person(codes=[["123456"]])
        connect(server.destination, replace(_GIVEN, identity=key), person, hosts).close()
        assert len(person.asked) == (_KEYBOARD in steps)


@pytest.mark.parametrize("steps", [("password", _KEYBOARD), (_KEYBOARD, "password")])
def test_a_step_that_asks_for_the_password_again_gets_it_again(
    hosts: KnownHosts, steps: tuple[str, ...]
) -> None:
    with RecordingServer(steps=steps, rounds=[password_round(), CODE]) as server:
        person = Person("right", codes=[["123456"]])
        connect(server.destination, _TRUSTING, person, hosts).close()
        assert len(person.asked) == 2


def test_a_person_who_gives_up_ends_it(hosts: KnownHosts) -> None:
    with RecordingServer(methods=_KEYBOARD, rounds=[CODE]) as server:
        person = Person()
        with pytest.raises(AuthenticationFailed) as caught:
            connect(server.destination, _TRUSTING, person, hosts)
        assert caught.value.code == "code-needed"
        assert caught.value.facts["prompt"] == "Verification code:"
        assert len(person.asked) == 1


def test_a_code_is_asked_for_again_when_the_host_did_not_wait(hosts: KnownHosts) -> None:
    with RecordingServer(methods=_KEYBOARD, rounds=[password_round(), CODE]) as server:
        person = Person("right", codes=[["late"], ["123456"]])
        hang_up = [_hang_up_and_wait(server)]

        def at_the_first_code() -> None:
            if isinstance(person.asked[-1], ChallengeQuestion) and hang_up:
                hang_up.pop()()

        person._before_answer = at_the_first_code
        connect(server.destination, _TRUSTING, person, hosts).close()
        assert (_KEYBOARD, "late") not in server.attempts
        code = ChallengePrompt("Verification code:", echo=False)
        assert person.asked[1:] == [_question(server, code)] * 2


def _hang_up_and_wait(server: RecordingServer) -> Callable[[], None]:
    def hang_up() -> None:
        server.hang_up()
        for thread in threading.enumerate():
            if thread.name == "ssh-transport":
                thread.join(5)

    return hang_up


def test_a_code_is_not_remembered_for_the_next_connection(hosts: KnownHosts) -> None:
    with RecordingServer(methods=_KEYBOARD, rounds=[password_round(), CODE]) as server:
        person = Person("right", codes=[["123456"], ["123456"]])
        wishes = Wishes(server.destination, accept_new_host_key=True)
        dial = dialler(wishes, person, hosts)
        for _ in range(2):
            dial().close()
        kinds = [type(each) for each in person.asked]
        assert kinds == [SecretQuestion, ChallengeQuestion, ChallengeQuestion]


def test_no_answer_is_in_a_log_an_error_or_a_repr(
    hosts: KnownHosts, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with RecordingServer(methods=_KEYBOARD, rounds=[password_round(), CODE]) as server:
        where = replace(server.destination, password="pasted-secret")
        credentials = replace(_TRUSTING, password="given-secret")
        for given in (_TRUSTING, credentials):
            person = Person("typed-secret", codes=[["code-secret"]] * 3)
            with pytest.raises(AuthenticationFailed) as caught:
                connect(where, given, person, hosts)
            told = (
                *traceback.format_exception(caught.value),
                *map(repr, (caught.value, where, given, person.asked)),
                caplog.text,
            )
            assert "-secret" not in "".join(told)
        assert {"pasted-secret", "given-secret", "code-secret"} <= {
            secret for _, secret in server.attempts
        }


def test_the_server_of_these_tests_asks_ssh_the_same(tmp_path: Path) -> None:
    answers = tmp_path / "answers"
    answers.write_text('#!/bin/sh\ncase "$1" in *Verif*) echo 123456;; *) echo right;; esac\n')
    answers.chmod(0o700)
    environment = os.environ | {"SSH_ASKPASS": str(answers), "SSH_ASKPASS_REQUIRE": "force"}
    options = ["-F", "none", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"]
    with RecordingServer(methods=_KEYBOARD, rounds=[password_round(), CODE]) as server:
        command = ["ssh", *options, "-p", str(server.port), "root@127.0.0.1", "true"]
        with subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as ssh:
            ssh.wait(20)  # it fails: nothing runs there
        assert server.attempts[-2:] == [(_KEYBOARD, "right"), (_KEYBOARD, "123456")]


# A hostile host


def test_a_host_that_asks_for_ever_is_left(hosts: KnownHosts) -> None:
    with RecordingServer(methods=_KEYBOARD, rounds=[CODE]) as server:
        server.endless = True
        person = Person(codes=[["1"]] * 100)
        with pytest.raises(AuthenticationFailed):
            connect(server.destination, _TRUSTING, person, hosts)
        assert len(person.asked) == 10


def test_a_host_that_refuses_for_ever_is_left(hosts: KnownHosts) -> None:
    with RecordingServer(methods=_KEYBOARD, rounds=[CODE]) as server:
        person = Person(codes=[["1"]] * 100)
        with pytest.raises(AuthenticationFailed):
            connect(server.destination, _TRUSTING, person, hosts)
        assert len(person.asked) == 4


@pytest.mark.parametrize("step", [_KEYBOARD, "password"])
def test_a_host_that_always_wants_one_factor_more_is_left(hosts: KnownHosts, step: str) -> None:
    with RecordingServer(steps=(step,) * 100, rounds=[CODE]) as server:
        person = Person(*["right"] * 100, codes=[["123456"]] * 100)
        with pytest.raises(AuthenticationFailed):
            connect(server.destination, _TRUSTING, person, hosts)
        assert len(person.asked) <= 4


def test_messages_without_end_ask_nobody_and_are_left(hosts: KnownHosts) -> None:
    with RecordingServer(methods=_KEYBOARD, rounds=[Round(instruction="wait" * 9000)]) as server:
        server.endless = True
        person = Person()
        with pytest.raises(AuthenticationFailed):
            connect(server.destination, _TRUSTING, person, hosts)
        assert person.asked == []


@pytest.mark.parametrize(
    "odd",
    [
        Round([("x", True)] * 9, ["1"]),
        Round([("\udcff" * 20_000, True)], ["1"], "\x00" * 10_000, "\x1b" * 10_000),
    ],
)
def test_rounds_that_are_too_much_or_no_text_break_nothing(hosts: KnownHosts, odd: Round) -> None:
    with RecordingServer(methods=_KEYBOARD, rounds=[odd]) as server:
        person = Person(codes=[["1"]])
        if len(odd.prompts) == 1:
            connect(server.destination, _TRUSTING, person, hosts).close()
        else:
            with pytest.raises(AuthenticationFailed):
                connect(server.destination, _TRUSTING, person, hosts)
            assert person.asked == []


# A real sshd with PAM, in a mount namespace where its service is ours

_STACK = """\
auth required pam_unix.so
account required pam_unix.so
password required pam_unix.so
session required pam_permit.so
"""
_LAST_CHANGE = ":20000:"  # in days, in `Shadow`'s line; 0 is "at the next login"


@pytest.fixture
def pam(tmp_path: Path) -> Iterator[Sshd]:
    """An sshd that asks for root's password, which is "before", in PAM's words."""
    service = tmp_path / "service"
    service.write_text(_STACK)
    extra = f"UsePAM yes\nKbdInteractiveAuthentication yes\nAuthenticationMethods {_KEYBOARD}"
    with Shadow(tmp_path) as shadow:
        shadow.set_password("before")
        mount = ["mount", "--bind", str(service), "/etc/pam.d/sshd"]
        shadow.run(lambda: _run(mount))
        sshd = Sshd(tmp_path, extra=extra)
        shadow.run(sshd.start)
        try:
            yield sshd
        finally:
            sshd.stop()


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True)


@pytest.mark.skipif(not is_possible(), reason="needs root")
def test_the_password_goes_to_a_real_pam_and_may_be_mistyped(pam: Sshd) -> None:
    person = Person("wrong", "before")
    connect(pam.destination, _TRUSTING, person, pam.known_hosts()).close()
    assert [each.wrong for each in person.asked if isinstance(each, SecretQuestion)] == [
        False,
        True,
    ]
    pam.wait_for_log("Accepted keyboard-interactive/pam")


@pytest.mark.skipif(not is_possible(), reason="needs root")
def test_what_a_real_pam_asks_next_is_asked_of_the_person(pam: Sshd, tmp_path: Path) -> None:
    shadow = tmp_path / "shadow"
    shadow.write_text(shadow.read_text().replace(_LAST_CHANGE, ":0:"))
    person = Person()
    with pytest.raises(AuthenticationFailed) as caught:
        connect(pam.destination, replace(_GIVEN, password="before"), person, pam.known_hosts())
    (question,) = person.asked
    assert isinstance(question, ChallengeQuestion)
    (prompt,) = question.prompts
    first, *_, last = prompt.text.split("\n")  # sshd puts PAM's messages before its question
    assert "required to change your password" in first
    assert (last, prompt.echo) == ("Current password:", False)
    assert caught.value.code == "code-needed"
