"""The proxy that the user wishes for SSH, as a setting: an address, and never its password.

Settings are plain text, and a command line can be read by every program of this computer. So a
proxy that wants a password gets it from the environment, and a URL that holds one is refused.
"""

from __future__ import annotations

import os
from dataclasses import replace
from urllib.parse import quote, urlsplit

from desktop.core.errors import DestinationError
from desktop.core.ssh.destination import Destination
from desktop.core.ssh.proxying import parse_proxy

DIRECT = "none"  # for one host, in place of the proxy of the others
PASSWORD_VARIABLE = "PAPERKITE_PROXY_PASSWORD"  # noqa: S105 - the variable's name


def check_proxy(text: str) -> str:
    """Return the address of a proxy as it may be saved and shown: `socks5://[user@]host:port`.

    Also "none", which means no proxy, and "".

    Raises:
        DestinationError: `destination-bad-proxy`, or `proxy-with-password`; neither repeats it.
    """
    text = text.strip()
    if text in ("", DIRECT):
        return text
    if parse_proxy(text).password:
        raise DestinationError("proxy-with-password", variable=PASSWORD_VARIABLE)
    return text


def through(where: Destination, proxy: str) -> Destination:
    """Return the destination with its outermost hop through this proxy.

    A ProxyCommand of the SSH config is a way of its own and stays.
    """
    if proxy in ("", DIRECT):
        return where
    if where.via is not None:
        return replace(where, via=through(where.via, proxy))
    return replace(where, proxy=_with_password(proxy))


def _with_password(proxy: str) -> str:
    """Return the URL with the password of the environment, where it names a user."""
    password = os.environ.get(PASSWORD_VARIABLE, "")
    parts = urlsplit(proxy)
    if not password or not parts.username:
        return proxy
    user, _, place = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user}:{quote(password, safe='')}@{place}").geturl()
