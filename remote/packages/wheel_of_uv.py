"""uv straight from the package index, for a host whose Pythons have no pip.

uv's wheel is a zip with one static program in it. The index of the pip settings lists it in its
simple API (PEP 503), with a SHA-256 that is checked before anything is unpacked.
"""

import base64
import hashlib
import html.parser
import http.client
import io
import platform
import re
import ssl
import stat
import urllib.error
import urllib.request
import zipfile
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Tuple
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

from remote.packages import proxies
from remote.packages.pip_settings import DEFAULT_INDEX, PipSettings

LARGEST_PAGE = 16 * 1024 * 1024
LARGEST_WHEEL = 128 * 1024 * 1024  # uv's is about 20 MB
SECONDS = 60.0
# An index that is out of reach, or no HTTP server at all.
FAILURES = (OSError, http.client.HTTPException, ValueError)

_WHEEL = re.compile(r"uv-(\d+(?:\.\d+)*)-py3-none-([A-Za-z0-9_.]+)\.whl$")


class Wheel(NamedTuple):
    """One wheel on an index page."""

    url: str
    sha256: str
    version: Tuple[int, ...]


class WheelRefused(Exception):
    """There is no wheel for this machine, or what came is not what the index promised."""


def install(settings: PipSettings, folder: Path) -> Path:
    """Fetch the newest uv for this machine into `folder`; returns the program's path.

    Raises:
        WheelRefused: no wheel fits, its hash is wrong, or no index is to be asked.
        OSError: the index is out of reach, or the disk refused the file.
    """
    if settings.no_index:
        raise WheelRefused("pip is told to use no package index")
    page_url = (settings.index_url or DEFAULT_INDEX).rstrip("/") + "/uv/"
    page = fetch(page_url, settings, LARGEST_PAGE).decode("utf-8", "replace")
    wheel = newest(links(page, page_url), platform.machine())
    if wheel is None:
        raise WheelRefused("no wheel of uv for %s" % platform.machine())
    data = fetch(wheel.url, settings, LARGEST_WHEEL, credentials_of=page_url)
    if hashlib.sha256(data).hexdigest() != wheel.sha256:
        raise WheelRefused("the wheel of uv has another hash than the index says")
    return unpack(data, folder)


def newest(found: List[Wheel], machine: str) -> Optional[Wheel]:
    """Return the newest wheel for a glibc Linux on this machine."""
    fitting = [
        wheel
        for wheel in found
        if re.search(r"manylinux\w*_%s\.whl" % re.escape(machine), wheel.url)
    ]
    return max(fitting, key=lambda wheel: wheel.version) if fitting else None


def links(page: str, page_url: str) -> List[Wheel]:
    """Return the wheels on an index page that carry a SHA-256; yanked ones are left out."""
    parser = _Links()
    parser.feed(page)
    wheels: List[Wheel] = []
    for href in parser.hrefs:
        url, _, fragment = urljoin(page_url, href).partition("#")
        named = _WHEEL.search(unquote(urlsplit(url).path))
        if named and re.fullmatch("sha256=[0-9a-f]{64}", fragment):
            version = tuple(int(part) for part in named.group(1).split("."))
            wheels.append(Wheel(url, fragment[len("sha256=") :], version))
    return wheels


def unpack(wheel: bytes, folder: Path) -> Path:
    """Write the program inside the wheel to FOLDER/bin/uv, in one step; returns its path."""
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        member = next((n for n in archive.namelist() if n.endswith(".data/scripts/uv")), None)
        if member is None:
            raise WheelRefused("the wheel of uv has no program in it")
        program = archive.read(member)
    target = folder / "bin" / "uv"
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(".part")
    part.write_bytes(program)
    part.chmod(stat.S_IRWXU)
    return part.replace(target)


class _Links(html.parser.HTMLParser):
    """Collects the targets of the links that are not yanked (PEP 592)."""

    def __init__(self) -> None:
        html.parser.HTMLParser.__init__(self)
        self.hrefs: List[str] = []

    def handle_starttag(self, tag: str, attrs: List[Tuple[str, Optional[str]]]) -> None:
        """Keep the href of an `a`."""
        named = dict(attrs)
        if tag == "a" and named.get("href") and "data-yanked" not in named:
            self.hrefs.append(named["href"] or "")


def fetch(
    url: str,
    settings: PipSettings,
    limit: int,
    credentials_of: str = "",
    seconds: float = SECONDS,
) -> bytes:
    """Return what is at a URL of the package index.

    Raises:
        WheelRefused: it is more than `limit` bytes.
        OSError: the index is out of reach.
    """
    plain, headers = _without_credentials(url)
    if credentials_of and urlsplit(credentials_of).hostname == urlsplit(url).hostname:
        headers = headers or _without_credentials(credentials_of)[1]
    headers["Accept"] = "text/html, */*;q=0.1"
    request = urllib.request.Request(plain, headers=headers)
    with _opener(settings, plain).open(request, timeout=seconds) as answer:
        data = answer.read(limit + 1)
    if len(data) > limit:
        raise WheelRefused("the package index sent more than %d bytes" % limit)
    return bytes(data)


def _without_credentials(url: str) -> Tuple[str, Dict[str, str]]:
    """Return the URL without `user:password@`, and the header that says it instead."""
    parts = urlsplit(url)
    if parts.username is None:
        return url, {}
    host = parts.netloc.rpartition("@")[2]
    pair = "%s:%s" % (unquote(parts.username), unquote(parts.password or ""))
    header = "Basic " + base64.b64encode(pair.encode()).decode("ascii")
    plain = urlunsplit((parts.scheme, host, parts.path, parts.query, parts.fragment))
    return plain, {"Authorization": header}


def _opener(settings: PipSettings, url: str) -> urllib.request.OpenerDirector:
    context = ssl.create_default_context(cafile=settings.cert or None)
    parts = urlsplit(url)
    if {parts.hostname, "%s:%s" % (parts.hostname, parts.port)} & set(settings.trusted_hosts):
        context.check_hostname = False  # the host's owner said so in the pip settings
        context.verify_mode = ssl.CERT_NONE
    told = {"http": settings.proxy, "https": settings.proxy} if settings.proxy else None
    return urllib.request.build_opener(
        urllib.request.HTTPSHandler(context=context),
        urllib.request.ProxyHandler(told or proxies.for_urllib()),
    )
