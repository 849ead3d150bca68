"""The host's own package mirrors: uv does not read pip's configuration, so it is translated.

Every Chinese cloud sits behind a mirror that is written into pip.conf or `PIP_*`. The URLs may hold
credentials: they reach uv through its environment variables, never through argv (`ps` shows it),
and are written nowhere.
"""

import ast
import configparser
import contextlib
import os
import re
from typing import Dict, Iterable, List, Mapping, NamedTuple, Tuple
from urllib.parse import unquote, urlsplit

from remote.packages.programs import PLAIN_PYTHON, ask

DEFAULT_INDEX = "https://pypi.org/simple"
# pip waits 15 s by default, uv 30 s: too short for wheels of 700 MB from a busy mirror.
SHORTEST_TIMEOUT_SECONDS = 120

# Later sources win, as in pip: a command's own section over [global], the environment over files.
_SOURCES = ("global", "install", ":env:")
_FILES = ("/etc/pip.conf", "~/.pip/pip.conf", "~/.config/pip/pip.conf")

_SECONDS = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,6})?")
_YES = ("1", "true", "t", "yes", "y", "on")  # what pip takes for a switch that is on

Pairs = List[Tuple[str, str]]  # ("global.index-url", "https://…"), as `pip config list` names them


class PipSettings(NamedTuple):
    """What pip would use; empty where nothing is set."""

    index_url: str = ""
    extra_index_urls: Tuple[str, ...] = ()
    find_links: Tuple[str, ...] = ()
    trusted_hosts: Tuple[str, ...] = ()
    cert: str = ""
    proxy: str = ""
    timeout: int = 0
    no_index: bool = False


def read(pythons: Iterable[str], environ: Mapping[str, str]) -> PipSettings:
    """Return pip's settings as the first Python with a pip tells them, else as its files do."""
    for python in pythons:
        listing = ask([python, "-m", "pip", "config", "list"], 30.0, PLAIN_PYTHON)
        if listing is not None:
            return from_pairs(parse_listing(listing))
    return from_pairs(_pairs_of_files(environ) + _pairs_of_environment(environ))


def parse_listing(listing: str) -> Pairs:
    """Return the pairs in `pip config list`'s output, whose values are Python string literals."""
    pairs: Pairs = []
    for line in listing.splitlines():
        name, equals, literal = line.partition("=")
        if not equals:
            continue
        try:
            value = ast.literal_eval(literal.strip())
        except (ValueError, SyntaxError):
            continue
        if isinstance(value, str):
            pairs.append((name.strip(), value))
    return pairs


def from_pairs(pairs: Pairs) -> PipSettings:
    """Return the settings that the pairs add up to."""
    values: Dict[str, str] = {}
    for source in _SOURCES:
        for name, value in pairs:
            section, _, option = name.rpartition(".")
            if section == source:
                values[option.replace("_", "-")] = value.strip()
    timeout = values.get("timeout", values.get("default-timeout", ""))
    return PipSettings(
        index_url=values.get("index-url", ""),
        extra_index_urls=tuple(values.get("extra-index-url", "").split()),
        find_links=tuple(values.get("find-links", "").split()),
        trusted_hosts=tuple(values.get("trusted-host", "").split()),
        cert=values.get("cert", ""),
        proxy=values.get("proxy", ""),
        timeout=int(float(timeout)) if _SECONDS.fullmatch(timeout) else 0,
        no_index=values.get("no-index", "").lower() in _YES,
    )


def uv_variables(settings: PipSettings, environ: Mapping[str, str]) -> Dict[str, str]:
    """Return the environment that makes uv see what pip sees; what uv was told itself stays."""
    extra = [url for url in settings.extra_index_urls if _is_there(url)]
    variables = {
        "UV_DEFAULT_INDEX": settings.index_url,
        "UV_INDEX": " ".join(extra),
        # pip takes the best version of all indexes, uv the first index that knows the name.
        "UV_INDEX_STRATEGY": "unsafe-best-match" if extra else "",
        "UV_FIND_LINKS": ",".join(link for link in settings.find_links if _is_there(link)),
        "UV_INSECURE_HOST": " ".join(settings.trusted_hosts),
        "SSL_CERT_FILE": settings.cert if _is_there(settings.cert) else "",
        "UV_HTTP_TIMEOUT": str(max(settings.timeout, SHORTEST_TIMEOUT_SECONDS)),
    }
    if settings.proxy:
        variables["HTTPS_PROXY"] = variables["HTTP_PROXY"] = settings.proxy
    return {name: value for name, value in variables.items() if value and name not in environ}


def _is_there(url: str) -> bool:
    """Tell whether a local folder exists: pip warns about a missing one, uv refuses to work.

    Not with pathlib, which raises PermissionError below a folder that is closed to us.
    """
    parts = urlsplit(url)
    if parts.scheme == "file":
        return os.path.exists(unquote(parts.path))  # noqa: PTH110 - see above
    return bool(parts.scheme) or os.path.exists(url)  # noqa: PTH110 - see above


def _pairs_of_files(environ: Mapping[str, str]) -> Pairs:
    home = environ.get("HOME", "/")
    names = [name.replace("~", home, 1) for name in _FILES] + [environ.get("PIP_CONFIG_FILE", "")]
    parser = configparser.RawConfigParser()
    for name in names:
        with contextlib.suppress(configparser.Error, UnicodeDecodeError):
            parser.read(name, encoding="utf-8")
    return [
        ("%s.%s" % (section, option), value)
        for section in parser.sections()
        for option, value in parser.items(section)
    ]


def _pairs_of_environment(environ: Mapping[str, str]) -> Pairs:
    return [
        (":env:." + name[len("PIP_") :].lower(), value)
        for name, value in environ.items()
        if name.startswith("PIP_")
    ]
