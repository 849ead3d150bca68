"""A try to connect that is given up fails for that reason, and for no other."""

import threading

import pytest

from desktop.core.errors import Cancelled, HostUnreachable
from desktop.core.ssh.attempt import Abandon


def test_what_is_given_up_inside_is_cut_and_cancelled() -> None:
    abandon, cut = Abandon(), threading.Event()

    def fail() -> None:
        abandon.fire()
        raise HostUnreachable("host-silent")

    with pytest.raises(Cancelled), abandon.by(cut.set):
        fail()
    assert cut.is_set()


def test_what_was_given_up_before_does_not_begin() -> None:
    abandon, cut = Abandon(), threading.Event()
    abandon.fire()
    with pytest.raises(Cancelled), abandon.by(cut.set):
        pytest.fail("it began")
    assert not cut.is_set()


def test_what_fails_by_itself_keeps_its_reason() -> None:
    with pytest.raises(HostUnreachable), Abandon().by(lambda: None):
        raise HostUnreachable("host-silent")


def test_what_is_over_is_not_cut() -> None:
    abandon, cut = Abandon(), threading.Event()
    with abandon.by(cut.set):
        pass
    abandon.fire()
    assert not cut.is_set()
