"""The local end of the string: its ports, and the proof that the model answers through them."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from desktop.core.agent.answers import HostEndpoint
from desktop.core.errors import ForwardFailed
from desktop.core.events import Endpoint
from desktop.core.local_ports import first_free
from desktop.core.session.wishes import Wishes
from desktop.core.ssh.forward import LocalForward

if TYPE_CHECKING:
    from desktop.core.ssh.connection import Connection

_Way = tuple["Connection", int, "Callable[[], Connection]"]

ANSWER_SECONDS = 20.0
_BETWEEN_TRIES_S = 0.1
_ONE_TRY_S = 5.0  # three round trips of a bad line, and TCP's first repetitions


class LocalEnd:
    """The ports on this laptop that lead to the engine: the same ones for a whole session.

    One is at the usual port, for whoever was told of it. With `has_own` there is another one, of
    which nobody is told: our own requests go there, so that the first can be closed to other
    programs, and what comes through it is theirs.
    """

    def __init__(self, *, has_own: bool = False, is_shared: bool = True) -> None:
        """Open nothing yet; without a port of our own it is always shared."""
        self._has_own = has_own
        self._is_shared = is_shared or not has_own
        self._own: LocalForward | None = None
        self._shared: LocalForward | None = None
        self._port = 0  # of the last shared one
        self._refused: ForwardFailed | None = None  # why nobody is let in although it is shared
        self._way: _Way | None = None
        self._lock = threading.Lock()

    @property
    def others(self) -> int:
        """Connections of other programs that are open now."""
        shared = self._shared
        return shared.open_count if shared is not None and self._has_own else 0

    @property
    def shared_url(self) -> str:
        """Where other programs are let in just now, "" where they are not."""
        return _url(self._shared)

    @property
    def not_shared(self) -> ForwardFailed | None:
        """Why other programs are not let in although they may, None where that is not so."""
        return self._refused

    def attach(
        self,
        found: HostEndpoint,
        connection: Connection,
        more: Callable[[], Connection],
        wishes: Wishes,
    ) -> Endpoint:
        """Lead the ports to the engine over this connection, and return where it answers now.

        A wished port that is taken costs no conversation that has a port of our own: other programs
        are not let in then, until it is free at the next `attach` or `share`.

        Args:
            found: where the engine listens on the host.
            connection: to the host.
            more: makes another one, for bulk.
            wishes: which port, at first.

        Raises:
            ForwardFailed: `local-port-taken`, where it would be the only one.
        """
        with self._lock:
            self._way = way = (connection, found.port, more)
            if self._has_own and self._own is None:
                self._own = LocalForward(0)
            if self._is_shared and self._shared is None:
                self._let_in(wishes)
            for forward in self._open_ones():
                forward.attach(*way)
            ours = self._own or self._shared
            assert ours is not None  # there is one or the other
            return Endpoint(
                base_url=_url(ours),
                api_key=found.api_key,
                model=found.model,
                max_model_len=found.max_model_len,
                run=found.run,
                engine_version=found.engine_version,
                shared_url=_url(self._shared),
                not_shared=self._refused,
            )

    def share(self, wishes: Wishes, *, wanted: bool) -> None:
        """Let other programs in, or no more; what comes while there is no connection waits.

        Raises:
            ForwardFailed: `local-port-taken`; all is as it was.
        """
        wanted = wanted or not self._has_own
        with self._lock:
            if not wanted:
                self._refused = None
            if wanted and self._shared is None and self._own is not None:
                self._shared = self._open(wishes)
                self._refused = None
                if self._way is not None:
                    self._shared.attach(*self._way)
            elif not wanted and self._shared is not None:
                self._shared.close()
                self._shared = None
            self._is_shared = wanted

    def detach(self) -> None:
        """Hold what comes until it is attached again."""
        with self._lock:
            self._way = None
            for forward in self._open_ones():
                forward.detach()

    def close(self) -> None:
        """Give the ports back; the next ones are the same where they are free."""
        with self._lock:
            self._way = None
            for forward in self._open_ones():
                forward.close()
            self._own = self._shared = None

    def _let_in(self, wishes: Wishes) -> None:
        try:
            self._shared, self._refused = self._open(wishes), None
        except ForwardFailed as error:
            if not self._has_own:
                raise
            self._refused = error

    def _open_ones(self) -> list[LocalForward]:
        return [forward for forward in (self._own, self._shared) if forward is not None]

    def _open(self, wishes: Wishes) -> LocalForward:
        usual = wishes.usual_ports
        if self._port:
            usual = (self._port, *usual) if usual else first_free(self._port, ())
        forward = open_forward(wishes.local_port, usual)
        self._port = forward.port
        return forward


def _url(forward: LocalForward | None) -> str:
    return "" if forward is None else f"http://127.0.0.1:{forward.port}/v1"


def open_forward(wished_port: int, usual_ports: Sequence[int] = ()) -> LocalForward:
    """Return a listening forward.

    A port that was wished for must be free (ForwardFailed `local-port-taken` otherwise); without a
    wish it is the first of the usual ones that is free, so that it is mostly the same each day.
    """
    if wished_port:
        return LocalForward(wished_port)
    for port in usual_ports or first_free(0, ()):
        with contextlib.suppress(ForwardFailed):
            return LocalForward(port)
    return LocalForward(0)


def await_answer(
    endpoint: Endpoint, is_moot: Callable[[], bool], seconds: float = ANSWER_SECONDS
) -> bool:
    """Return True once `/v1/models` answers through the forward, with our key.

    `http.client` knows no proxies, so a system proxy cannot catch our own loopback.

    Args:
        endpoint: where it should answer.
        is_moot: tells between two tries that nobody waits any more: the result is False then.
        seconds: how long to try.

    Raises:
        ForwardFailed: `forward-no-answer`, with the last reason seen.
    """
    deadline = time.monotonic() + seconds
    while not is_moot():
        reason = _try_once(endpoint)
        if reason is None:
            return True
        if time.monotonic() > deadline:
            raise ForwardFailed("forward-no-answer", base_url=endpoint.base_url, reason=reason)
        time.sleep(_BETWEEN_TRIES_S)
    return False


def _try_once(endpoint: Endpoint) -> str | None:
    """Return None when the model is listed, else what was wrong."""
    url = urlsplit(endpoint.base_url)
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=_ONE_TRY_S)
    try:
        headers = {"Authorization": f"Bearer {endpoint.api_key}"}
        connection.request("GET", f"{url.path}/models", headers=headers)
        response = connection.getresponse()
        body = response.read(1_000_000)
        if response.status != http.HTTPStatus.OK:
            return f"HTTP {response.status}"
        names = [entry.get("id") for entry in json.loads(body)["data"]]
        return None if endpoint.model in names else f"models: {names[:5]}"
    except (OSError, http.client.HTTPException, ValueError, KeyError, AttributeError) as error:
        return repr(error)[:200]
    finally:
        connection.close()
