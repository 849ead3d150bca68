"""Whether a host forwards TCP is found out before anything is installed there: real sshds."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop.core.errors import ForwardFailed
from desktop.core.session.dial import dialler
from desktop.core.session.wishes import Wishes
from desktop.core.ssh.connection import connect
from desktop.core.ssh.forwarding import check_forwarding, forwarding_allowed
from tests.e2e.conftest import MakeBox
from tests.helpers.person import Person
from tests.helpers.sshd import Sshd


def allowed(sshd: Sshd) -> bool:
    with connect(sshd.destination, sshd.credentials, Person(), sshd.known_hosts()) as connection:
        return forwarding_allowed(connection)


def test_a_host_that_forwards(tmp_path: Path) -> None:
    with Sshd(tmp_path) as sshd:
        assert allowed(sshd)


@pytest.mark.parametrize(
    ("forwarding", "extra"), [(False, ""), (True, "PermitOpen none"), (True, "PermitOpen *:6006")]
)
def test_a_host_that_does_not(tmp_path: Path, forwarding: bool, extra: str) -> None:
    with Sshd(tmp_path, forwarding=forwarding, extra=extra) as sshd:
        assert not allowed(sshd)


def test_a_session_asks_once_and_other_commands_never(tmp_path: Path) -> None:
    with Sshd(tmp_path, extra="PermitOpen none") as sshd:
        wished = Wishes(
            sshd.destination, identity=sshd.credentials.identity, accept_new_host_key=True
        )
        known = sshd.known_hosts()
        with pytest.raises(ForwardFailed) as caught:
            dialler(wished, Person(), known, forwarding=True)()
        assert caught.value.code == "forward-prohibited"
        with dialler(wished, Person(), known)() as connection:
            assert connection.run("echo works").status == 0
            with pytest.raises(ForwardFailed):
                check_forwarding(connection)


def test_up_refuses_such_a_host_at_once_and_doctor_says_why(make_box: MakeBox) -> None:
    box = make_box(sshd_extra="PermitOpen none\n")
    outcome = box.up()
    assert (outcome.status, outcome.error) == (72, "forward-prohibited")
    assert not (box.home / ".paperkite").exists()
    facts = {line["name"]: line["value"] for line in box.run("doctor").of("fact")}
    assert facts["forwarding"] is False
