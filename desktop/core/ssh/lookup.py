"""The addresses of a name, asked on a thread of its own: getaddrinfo knows no deadline and no end.

Whoever asks for a name that is being asked for waits for the same answer, so that a name service
which hangs holds one thread and not one for each try. A name that has had an answer keeps it: when
the service is slow to come back after an outage, a redial goes where the last one went.
"""

from __future__ import annotations

import socket
import threading
from concurrent.futures import Future, InvalidStateError
from concurrent.futures import TimeoutError as NoAnswer
from contextlib import suppress
from typing import Any

from desktop.core.errors import Cancelled
from desktop.core.ssh.attempt import Abandon

Address = tuple[int, tuple[Any, ...]]
Name = tuple[str, int]

_MOST_NAMES = 64
_KNOWN_AFTER = 1.0  # seconds without an answer after which the last one is good enough


class Lookups:
    """Names that are being asked for, and what was answered last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: dict[Name, Future[list[Address]]] = {}
        self._known: dict[Name, list[Address]] = {}

    def addresses(
        self, host: str, port: int, timeout: float, abandon: Abandon | None = None
    ) -> list[Address]:
        """Return the addresses of a name, each once.

        Raises:
            socket.gaierror: no such name.
            TimeoutError: no answer within `timeout` seconds, and none before.
            Cancelled: it was given up.
        """
        abandon = abandon or Abandon()
        answer: Future[list[Address]] = Future()
        self._ask((host, port)).add_done_callback(lambda asked: _pass_on(asked, answer))
        known = self._known.get((host, port))
        with abandon.by(lambda: _give_up(answer)):
            try:
                return answer.result(min(timeout, _KNOWN_AFTER) if known else timeout)
            except NoAnswer as error:
                if known:
                    return known
                raise TimeoutError("no answer to the name lookup") from error
            except socket.gaierror as error:
                if known and error.errno == socket.EAI_AGAIN:  # no service to ask, so far
                    return known
                raise

    def _ask(self, name: Name) -> Future[list[Address]]:
        with self._lock:
            asked = self._asked.get(name)
            if asked is not None:
                return asked
            asked = self._asked[name] = Future()
        threading.Thread(
            target=self._answer, args=(name, asked), name="name-lookup", daemon=True
        ).start()
        return asked

    def _answer(self, name: Name, asked: Future[list[Address]]) -> None:
        try:
            found = _found(*name)
        except OSError as error:
            self._end(name, None)
            asked.set_exception(error)
        else:
            self._end(name, found)
            asked.set_result(found)

    def _end(self, name: Name, found: list[Address] | None) -> None:
        with self._lock:
            del self._asked[name]
            if found and (name in self._known or len(self._known) < _MOST_NAMES):
                self._known[name] = found


def _found(host: str, port: int) -> list[Address]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:  # a label longer than DNS allows
        raise socket.gaierror(socket.EAI_NONAME, "not a host name") from None
    return list(dict.fromkeys((family, address) for family, _, _, _, address in found))


def _pass_on(asked: Future[list[Address]], answer: Future[list[Address]]) -> None:
    error = asked.exception()
    with suppress(InvalidStateError):  # given up
        if error is None:
            answer.set_result(asked.result())
        else:
            answer.set_exception(error)


def _give_up(answer: Future[list[Address]]) -> None:
    with suppress(InvalidStateError):
        answer.set_exception(Cancelled())


LOOKUPS = Lookups()
