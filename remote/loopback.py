"""One GET on our own loopback: past any proxy, and over in time."""

import http.client
import time
from typing import NamedTuple, Optional

_PIECE = 65536


class Answer(NamedTuple):
    """What came back; `body` is cut to what was asked for."""

    status: int
    body: bytes


def get(port: int, path: str, seconds: float, largest: int = _PIECE) -> Optional[Answer]:
    """Return the answer of whoever listens on 127.0.0.1, or None where there is none in time.

    Args:
        port: on loopback; `http.client` knows no proxies.
        path: of the request.
        seconds: for each step of it, and for the whole body.
        largest: bytes of the body that are read at most.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    deadline = time.monotonic() + seconds
    try:
        connection.request("GET", path)
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
