"""Our own loopback: one GET past any proxy, over in time; and whether anybody is connected."""

import http.client
import time
from pathlib import Path
from typing import Mapping, NamedTuple, Optional

_PIECE = 65536
_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))  # proc(5)
_ESTABLISHED = "01"


class Answer(NamedTuple):
    """What came back; `body` is cut to what was asked for."""

    status: int
    body: bytes


def get(
    port: int,
    path: str,
    seconds: float,
    largest: int = _PIECE,
    headers: Optional[Mapping[str, str]] = None,
) -> Optional[Answer]:
    """Return the answer of whoever listens on 127.0.0.1, or None where there is none in time.

    Args:
        port: on loopback; `http.client` knows no proxies.
        path: of the request.
        seconds: for each step of it, and for the whole body.
        largest: bytes of the body that are read at most.
        headers: of the request.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    deadline = time.monotonic() + seconds
    try:
        connection.request("GET", path, headers=dict(headers or {}))
        response = connection.getresponse()
        body = bytearray()
        while len(body) < largest and time.monotonic() < deadline:
            piece = response.read1(min(_PIECE, largest - len(body)))
            if not piece:
                return Answer(response.status, bytes(body))
            body += piece
    except (OSError, http.client.HTTPException, ValueError):
        return None
    else:
        return Answer(response.status, bytes(body)) if len(body) >= largest else None
    finally:
        connection.close()


def connected(port: int) -> bool:
    """Tell whether anybody is connected to a port of this host; False where nobody can tell."""
    return any(_lists(table, port) for table in _TABLES)


def _lists(table: Path, port: int) -> bool:
    ending = ":%04X" % port
    try:
        with table.open(encoding="ascii", errors="replace") as rows:
            fields = (row.split() for row in rows)  # number, our end, their end, state, ...
            return any(
                len(row) > 3 and row[1].endswith(ending) and row[3] == _ESTABLISHED
                for row in fields
            )
    except OSError:
        return False
