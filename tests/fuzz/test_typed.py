"""Whatever is typed as a host is understood or refused; nothing of it reaches a shell or argv."""

from __future__ import annotations

import re
import string

from hypothesis import given
from hypothesis import strategies as st

from desktop.core.errors import DestinationError
from desktop.core.ssh import typed
from desktop.core.ssh.destination import Destination, Typed, parse
from tests.fuzz.strategies import any_sign, mutated, odd

_LINES = (
    "gpu",
    "root@gpu.example.com:2222",
    "root@[fe80::1%eth0]:22",
    "::1",
    "ssh://root@gpu:2222/",
    "主机.example",
    "me@corp.example@10.0.0.1",
    "ssh -p 12345 root@connect.westb.seetacloud.com",
    "ssh -p53372 -l root -i ~/.ssh/key -J a,me@b:33 gpu",
    "ssh -o Port=53372 -oUser=root -o 'ProxyJump jump' -o IdentityFile=/k gpu",
    "ssh -CNg -L 6006:127.0.0.1:6006 root@gpu -p 42151",
    "ssh -- gpu nvidia-smi -l 1",
)
_WORDS = ("ssh", " ", " -p ", " -l ", " -J ", "-i", " -o", "Port=", "User ", "root@", "gpu", ":22")
lines = st.one_of(
    mutated(st.sampled_from(_LINES)),
    st.lists(st.one_of(st.sampled_from(_WORDS), odd), max_size=12).map("".join),
    st.builds(
        "ssh -J '{}' gpu".format, mutated(st.sampled_from(["a,me@b:33", "[::1]:22", "none"]))
    ),
    st.text(any_sign, max_size=60),
)
# No sign that a shell or ssh_config would read as more than a part of a word.
_NO_HARM = re.compile(r"[\w.:%@+-]*")


def understood(text: str) -> Typed | DestinationError:
    """Return what the text says, or the one error that it may be refused with."""
    try:
        return parse(text)
    except DestinationError as error:
        return error


def check_harmless(found: Typed) -> None:
    assert found.host
    jumps = [jump.strip() for jump in found.proxy_jump.split(",")]
    for word in (found.host, found.user, *(re.sub(r"ssh://|[\[\]/]", "", jump) for jump in jumps)):
        assert _NO_HARM.fullmatch(word), word
        assert not word.startswith("-")
    assert found.port is None or 1 <= found.port <= 65535


@given(lines)
def test_a_line_is_understood_or_refused_and_holds_no_option_and_no_shell_word(text: str) -> None:
    found = understood(text)
    if isinstance(found, DestinationError):
        assert len(str(found.facts.get("text", ""))) <= 80
        return
    check_harmless(found)
    assert found.text.isprintable()
    again = parse(found.text)
    assert (again.host, again.port, again.user) == (found.host, found.port, found.user)


names = st.from_regex(r"\A[^\W_]([\w.-]{0,60}[\w.])?\Z")
addresses = st.one_of(
    st.ip_addresses().map(str),
    st.builds("{}%{}".format, st.ip_addresses(v=6), st.sampled_from(["eth0", "en0.100", "12"])),
)
users = st.from_regex(r"\A\w[\w.@+-]{0,30}\Z")


@given(st.one_of(names, addresses), st.integers(1, 65535), users)
def test_the_words_for_a_destination_lead_back_to_it(host: str, port: int, user: str) -> None:
    assert parse(str(Destination(host, port, user))) == Typed(host, port, user)
    assert typed.host_name(host) == host


@given(st.text(string.printable + "：２²٣\u3000\x00", max_size=12))
def test_a_port_is_a_number_in_plain_digits_or_refused(text: str) -> None:
    try:
        port = typed.port_number(text)
    except DestinationError:
        return
    assert 1 <= port <= 65535
    assert text.lstrip("0") == str(port)
