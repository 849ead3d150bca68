"""A look at the hub and at the package index before anything is installed or downloaded.

The real client needs an environment of its own; its listing and one small file can be had with the
standard library, so that what does not fit is refused while nothing was paid for. What stays open
here (a network in between, an answer that nobody understands) is left to the client, which tells
it better.
"""

import http.client
import json
import os
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple
from urllib.parse import quote, urlencode, urlsplit

from remote.hub import client, files
from remote.hub.files import HubFile
from remote.packages import interpreters, pip_settings, proxies, wheel_of_uv
from remote.packages.pip_settings import DEFAULT_INDEX
from remote.spec import Spec

SECONDS = 5.0  # of silence, for each request
LARGEST_LISTING = 16 * 1024 * 1024
LARGEST_CONFIG = 1024 * 1024
_LARGEST_PAGE = 1024  # of the index: that it answers is enough

_FAILURES = (OSError, http.client.HTTPException, ValueError)


class Look(NamedTuple):
    """What the hub said.

    Attributes:
        reachable: whether it answered at all; None where it was not asked.
        files: those that would be downloaded, () where that is not known.
        problem: "not-found" or "denied" where it said so clearly, else "".
    """

    reachable: Optional[bool] = None
    files: Tuple[HubFile, ...] = ()
    problem: str = ""


class HubRefused(Exception):
    """The hub answered, with an error status; `clear` when the answer is its API's own."""

    def __init__(self, status: int, clear: bool) -> None:
        Exception.__init__(self, status)
        self.status = status
        self.clear = clear


def at_hub(spec: Spec, seconds: float = SECONDS) -> Look:
    """Return what the hub lists for the spec's model; never raises for what the hub does."""
    query = {"Revision": spec.revision, "Recursive": "True"}
    try:
        answer = _get(spec, "/repo/files", query, LARGEST_LISTING, seconds)
    except HubRefused as refused:
        return Look(True, problem=_problem(refused, spec))
    except _FAILURES:
        return Look(False)
    return Look(True, files.choose(_listed(parsed(answer)), spec.trust_remote_code))


def config_at_hub(spec: Spec, seconds: float = SECONDS) -> Optional[Dict[str, Any]]:
    """Return the model's config.json, or None where it cannot be had."""
    query = {"Revision": spec.revision, "FilePath": "config.json"}
    try:
        return parsed(_get(spec, "/repo", query, LARGEST_CONFIG, seconds))
    except (HubRefused, *_FAILURES):
        return None


def config_in(folder: Path) -> Optional[Dict[str, Any]]:
    """Return the config.json in a model's folder, or None where there is none to read."""
    try:
        with (folder / "config.json").open("rb") as file:
            return parsed(file.read(LARGEST_CONFIG))
    except OSError:
        return None


def parsed(data: bytes) -> Optional[Dict[str, Any]]:
    """Return the JSON object in the bytes, or None; a number with 10,000 digits is none either."""
    try:
        fields = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return fields if isinstance(fields, dict) else None


def reaches_index(environ: Mapping[str, str], seconds: float = SECONDS) -> bool:
    """Tell whether the host's package index answers; a folder of wheels in its place will do."""
    pythons = interpreters.candidates(environ, "")
    settings = pip_settings.read(pythons, environ)
    told = environ.get("UV_DEFAULT_INDEX") or environ.get("UV_INDEX_URL") or settings.index_url
    if settings.no_index or (settings.find_links and not told):
        return True
    index = told or DEFAULT_INDEX
    if urlsplit(index).scheme not in ("http", "https"):
        return True
    try:
        wheel_of_uv.fetch(index.rstrip("/") + "/uv/", settings, _LARGEST_PAGE, seconds=seconds)
    except wheel_of_uv.WheelRefused:
        return True  # the page is longer than what was read of it
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code < 500
    except _FAILURES:
        return False
    return True


def _get(spec: Spec, path: str, query: Dict[str, str], limit: int, seconds: float) -> bytes:
    """Return the body of one answer, b"" where it has no end.

    Raises:
        HubRefused: the answer was an error.
        OSError, HTTPException, ValueError: there was no answer.
    """
    model = quote(spec.model, safe="/")
    url = "%s/api/v1/models/%s%s?%s" % (spec.hub.rstrip("/"), model, path, urlencode(query))
    request = urllib.request.Request(url, headers={"Accept": "application/json, */*;q=0.1"})
    token = _token(spec, os.environ)
    if token:
        # As the client does: old endpoints read the cookie. Neither follows a redirect to a CDN.
        request.add_unredirected_header("Authorization", "Bearer " + token)
        request.add_unredirected_header("Cookie", "m_session_id=" + token)
    try:
        with _opener(spec.hub).open(request, timeout=seconds) as answer:
            data: bytes = answer.read(limit + 1)
    except urllib.error.HTTPError as error:
        with error:
            raise HubRefused(error.code, _is_of_api(error.read(64 * 1024))) from error
    return data if len(data) <= limit else b""


def _opener(hub: str) -> urllib.request.OpenerDirector:
    """A proxy never reaches a hub on this machine's own loopback."""
    told = {} if client.is_loopback(hub) else proxies.for_urllib()
    return urllib.request.build_opener(urllib.request.ProxyHandler(told))


def _is_of_api(body: bytes) -> bool:
    """Tell an answer of the hub's API from the page of a proxy or a login portal."""
    return "Code" in (parsed(body) or {})


def _problem(refused: HubRefused, spec: Spec) -> str:
    """A login that the host's user keeps for ModelScope is the client's: it may know better."""
    if not refused.clear or (_has_login(spec) and not spec.hub_token):
        return ""
    return {401: "denied", 403: "denied", 404: "not-found"}.get(refused.status, "")


def _token(spec: Spec, environ: Mapping[str, str]) -> str:
    if spec.hub_token or not client.is_modelscope(spec.hub):
        return spec.hub_token
    token = environ.get("MODELSCOPE_API_TOKEN", "")
    return token if token.isascii() and token.isprintable() else ""


def _has_login(spec: Spec) -> bool:
    return (
        client.is_modelscope(spec.hub)
        and Path.home().joinpath(".modelscope", "credentials").is_dir()
    )


def _listed(answer: Optional[Mapping[str, Any]]) -> List[HubFile]:
    """Return the files in a listing, whose entries are named {"Path", "Type", "Size", "Sha256"}."""
    data = (answer or {}).get("Data")
    entries = data.get("Files") if isinstance(data, dict) else None
    found: List[HubFile] = []
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, dict) and entry.get("Type") != "tree":
            lower = {key: entry.get(key.capitalize()) for key in ("path", "size", "sha256")}
            file = files.parse(lower)
            found.extend([file] if file else [])
    return found
