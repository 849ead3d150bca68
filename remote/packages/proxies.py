"""AutoDL's "academic acceleration" is taken off our way: a proxy for GitHub and the like.

People put `source /etc/network_turbo` into their shell's profile, and then everything goes through
that proxy, the domestic hub and package mirrors too, which it makes slow or breaks (`ProxyError`,
downloads that crawl). All that we fetch is domestic on such a host, so its proxy is never used,
and any other proxy always: somebody who set one needs it.
"""

import re
import urllib.request
from pathlib import Path
from typing import Dict, Mapping, Set

TURBO = Path("/etc/network_turbo")
NAMES = ("http_proxy", "https_proxy", "all_proxy")
_LARGEST = 64 * 1024


def without_turbo(environ: Mapping[str, str], turbo: Path = TURBO) -> Dict[str, str]:
    """Return the variables, each empty, that switch off the turbo's proxy where it is in use.

    Args:
        environ: what a child would inherit.
        turbo: the script that sets the proxy; a host that is not AutoDL's has none.
    """
    addresses = _addresses(turbo)
    names = [name for known in NAMES for name in (known, known.upper())]
    return {name: "" for name in names if _host(environ.get(name, "")) in addresses}


def for_urllib(turbo: Path = TURBO) -> Dict[str, str]:
    """Return the proxies of our own environment, by scheme, without the turbo's."""
    addresses = _addresses(turbo)
    found = urllib.request.getproxies().items()
    return {scheme: url for scheme, url in found if _host(url) not in addresses}


def _addresses(turbo: Path) -> Set[str]:
    try:
        with turbo.open(encoding="utf-8", errors="replace") as script:
            text = script.read(_LARGEST)
    except OSError:
        return set()
    return {_host(url) for url in re.findall(r"\w+://[\w.:@-]+", text)}


def _host(url: str) -> str:
    """Return "host:port" of a proxy's URL, "" where there is none."""
    return url.rpartition("//")[2].partition("/")[0].rpartition("@")[2]
