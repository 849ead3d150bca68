"""A proxy is an address; its password comes from the environment and is shown nowhere."""

from __future__ import annotations

import pytest

from desktop.core.errors import DestinationError
from desktop.core.proxy_setting import check_proxy, through
from desktop.core.ssh.destination import Destination
from desktop.core.ssh.proxying import parse_proxy

HOST = Destination("h", 22, "root")
SOCKS = "socks5://127.0.0.1:1080"


@pytest.mark.parametrize("text", [SOCKS, "http://me@proxy.example:3128", "none", ""])
def test_an_address_is_taken(text: str) -> None:
    assert check_proxy(f" {text} ") == text


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("socks5://me:s3cret@h:1080", "proxy-with-password"),
        ("http://:s3cret@h", "proxy-with-password"),
        ("ftp://s3cret", "destination-bad-proxy"),
        ("127.0.0.1:1080", "destination-bad-proxy"),
    ],
)
def test_a_password_or_nonsense_is_refused_and_not_repeated(text: str, code: str) -> None:
    with pytest.raises(DestinationError) as caught:
        check_proxy(text)
    assert caught.value.code == code
    assert "s3cret" not in str(caught.value)


def test_it_leads_to_the_outermost_hop() -> None:
    behind = Destination("inner", 22, "root", via=HOST)
    found = through(behind, SOCKS)
    assert found.proxy == ""
    assert found.via is not None
    assert found.via.proxy == SOCKS


@pytest.mark.parametrize("proxy", ["", "none"])
def test_none_is_directly(proxy: str) -> None:
    assert through(HOST, proxy) == HOST


def test_the_password_of_the_environment_reaches_the_proxy_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PAPERKITE_PROXY_PASSWORD", "s3:cr@t/")
    found = through(HOST, "socks5://me@127.0.0.1:1080")
    assert parse_proxy(found.proxy).password == "s3:cr@t/"
    assert parse_proxy(found.proxy).user == "me"
    assert "cr@t" not in repr(found)
    assert through(HOST, SOCKS).proxy == SOCKS  # it asks for no user
