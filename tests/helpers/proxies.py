"""A proxy on loopback that speaks SOCKS5 and HTTP CONNECT on one port, and tells what it was asked.

Written from RFC 1928, 1929 and 9110, apart from the code that it tests.
"""

from __future__ import annotations

import base64
import socket
import struct
import threading
from contextlib import suppress


class Proxy:
    """Serves until it is closed.

    Attributes:
        asked: each `host:port` that somebody wanted, as it was written.
    """

    def __init__(self, login: str = "") -> None:
        self._login = login
        self.asked: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._port: int = self._listener.getsockname()[1]
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        self._listener.close()
        for sock in self._sockets:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    def url(self, kind: str, login: str = "") -> str:
        return f"{kind}://{login}127.0.0.1:{self._port}"

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self._sockets.append(sock)
            self._start(self._serve, sock)

    def _start(self, target: object, *args: object) -> threading.Thread:
        assert callable(target)
        thread = threading.Thread(target=target, args=args)
        self._threads.append(thread)
        thread.start()
        return thread

    def _serve(self, sock: socket.socket) -> None:
        with sock, suppress(OSError, EOFError):
            there = self._socks(sock) if _exactly(sock, 1) == b"\x05" else self._http(sock)
            if there is None:
                return
            self._sockets.append(there)
            with there:
                down = self._start(_copy, there, sock)
                _copy(sock, there)
                down.join()

    def _socks(self, sock: socket.socket) -> socket.socket | None:
        methods = _exactly(sock, _exactly(sock, 1)[0])
        wanted = 2 if self._login else 0
        if wanted not in methods:
            sock.sendall(b"\x05\xff")
            return None
        sock.sendall(bytes((5, wanted)))
        if self._login:
            assert _exactly(sock, 1) == b"\x01"
            both = [_exactly(sock, _exactly(sock, 1)[0]).decode() for _ in range(2)]
            right = ":".join(both) == self._login
            sock.sendall(b"\x01\x00" if right else b"\x01\x01")
            if not right:
                return None
        assert _exactly(sock, 3) == b"\x05\x01\x00"
        kind = _exactly(sock, 1)[0]
        name = _exactly(sock, 4 if kind == 1 else _exactly(sock, 1)[0])
        host = socket.inet_ntoa(name) if kind == 1 else name.decode()
        (port,) = struct.unpack("!H", _exactly(sock, 2))
        there = self._connect(host, port)
        sock.sendall(bytes((5, 5 if there is None else 0, 0, 3, 1)) + b"x" + b"\x00\x00")
        return there

    def _http(self, sock: socket.socket) -> socket.socket | None:
        head = b"C"
        while not head.endswith(b"\r\n\r\n"):
            head += _exactly(sock, 1)
        request, *headers = head.decode().split("\r\n")
        word = base64.b64encode(self._login.encode()).decode()
        if self._login and f"Proxy-Authorization: Basic {word}" not in headers:
            sock.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
            return None
        host, _, port = request.split()[1].rpartition(":")
        there = self._connect(host, int(port))
        words = b"502 Bad Gateway" if there is None else b"200 Connection established"
        sock.sendall(b"HTTP/1.1 " + words + b"\r\nX-Header: yes\r\n\r\n")
        return there

    def _connect(self, host: str, port: int) -> socket.socket | None:
        self.asked.append(f"{host}:{port}")
        try:
            return socket.create_connection((host, port), 5)
        except OSError:
            return None


def _exactly(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = sock.recv(size - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for sock in (source, target):
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
