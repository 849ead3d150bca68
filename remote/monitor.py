"""What cards and engine do just now, for whoever watches: told every two seconds, kept nowhere.

A thread of its own looks, because a driver may take seconds to answer and no event may wait for it.
"""

import contextlib
import os
import shutil
import subprocess
import threading
import time
from typing import Any, Dict, List, NamedTuple, Optional

from remote import metrics
from remote.host.gpus import MIB, WELL_KNOWN
from remote.lines import LineSplitter
from remote.metrics import Metrics

SECONDS = 2.0
_QUERY = "--query-gpu=index,utilization.gpu,memory.used,memory.total"
_FORMAT = "--format=csv,noheader,nounits"
_READ_BYTES = 65536
_MOST_CARDS = 64
_END_SECONDS = 5.0


class Look(NamedTuple):
    """The engine's figures at one moment (monotonic seconds)."""

    time: float
    metrics: Metrics


def card(line: str) -> Optional[Dict[str, Any]]:
    """Return one card in a line of nvidia-smi: `index`, `utilization` (%) and bytes of memory.

    What the driver does not tell ("[N/A]") is None; a line that is no card's is None as a whole.
    """
    fields = [field.strip() for field in line.split(",")]
    if len(fields) != 4 or not _number(fields[0]):
        return None
    utilization, used, total = (int(one) if _number(one) else None for one in fields[1:])
    return {
        "index": int(fields[0]),
        "utilization": utilization,
        "memory_used": None if used is None else used * MIB,
        "memory_total": None if total is None else total * MIB,
    }


def sample(cards: List[Dict[str, Any]], before: Optional[Look], now: Look) -> Dict[str, Any]:
    """Return the fields of `sample`; rates are None where nothing came before.

    Counters that went back belong to another engine: there is no rate then either. The totals are
    the engine's own since it began: whoever was away counts right by them.
    """
    figures = now.metrics
    return {
        "gpus": cards,
        "kv_use": round(figures.kv_use, 4),
        "running": int(figures.running),
        "waiting": int(figures.waiting),
        "tokens_per_s": _rate(before, now, "generation_tokens"),
        "prompt_tokens_per_s": _rate(before, now, "prompt_tokens"),
        "generation_tokens": _whole(figures.generation_tokens),
        "prompt_tokens": _whole(figures.prompt_tokens),
        "requests_done": _whole(figures.requests_done),
        "ttft_s": _first_token_s(before, now),
    }


def _first_token_s(before: Optional[Look], now: Look) -> Optional[float]:
    """Return the mean wait for the first token of those that got it since the look before."""
    count, seconds = _more(before, now, "first_tokens"), _more(before, now, "first_token_seconds")
    return round(seconds / count, 3) if count and seconds is not None else None


def _rate(before: Optional[Look], now: Look, name: str) -> Optional[float]:
    more = _more(before, now, name)
    return None if before is None or more is None else round(more / (now.time - before.time), 1)


def _more(before: Optional[Look], now: Look, name: str) -> Optional[float]:
    """Return by how much a counter grew; None where nothing came before, or it went back."""
    if before is None or now.time <= before.time:
        return None
    earlier: Optional[float] = getattr(before.metrics, name)
    newest: Optional[float] = getattr(now.metrics, name)
    if earlier is None or newest is None or newest < earlier:
        return None
    return newest - earlier


def _whole(figure: Optional[float]) -> Optional[int]:
    return None if figure is None else int(figure)


def _number(field: str) -> bool:
    return field.isascii() and field.isdigit() and len(field) <= 9


class Monitor:
    """Takes samples of the engine on one port, until it is closed."""

    def __init__(self, port: int, seconds: float) -> None:
        self._port = port
        self._seconds = seconds
        self._cards = Cards(seconds)
        self._newest: Optional[Dict[str, Any]] = None
        self._closed = threading.Event()
        # A daemon: one that hangs in the driver must not keep the verb from ending.
        self._thread = threading.Thread(target=self._look, name="monitor", daemon=True)
        self._thread.start()

    def take(self) -> Optional[Dict[str, Any]]:
        """Return the newest sample, once; None where there is no new one."""
        found, self._newest = self._newest, None
        return found

    def close(self) -> None:
        """Look no more, and end the child."""
        self._closed.set()
        self._cards.close()

    def _look(self) -> None:
        before: Optional[Look] = None
        while not self._closed.wait(self._seconds):
            figures = metrics.fetch(self._port)
            if figures is None:
                continue
            now = Look(time.monotonic(), figures)
            self._newest = sample(self._cards.read(), before, now)
            before = now


class Cards:
    """What nvidia-smi says again and again: one child of it, as long as somebody watches."""

    def __init__(self, seconds: float) -> None:
        well_known = os.pathsep.join(WELL_KNOWN)
        self._program = shutil.which("nvidia-smi") or shutil.which("nvidia-smi", path=well_known)
        self._every = str(max(1, int(seconds)))
        self._child: Optional["subprocess.Popen[bytes]"] = None
        self._found: Dict[int, Dict[str, Any]] = {}
        self._has_spoken = False
        self._splitter = LineSplitter()
        self._closed = False
        self._lock = threading.Lock()

    def read(self) -> List[Dict[str, Any]]:
        """Return the cards as they were told last; none where there is no nvidia-smi."""
        with self._lock:
            if self._program is None or self._closed:
                return []
            if self._child is None:
                self._child = self._start(self._program)
            for line in self._new_lines():
                found = card(line)
                if found is not None and found["index"] < _MOST_CARDS:
                    self._found[found["index"]] = found
            return [self._found[index] for index in sorted(self._found)]

    def close(self) -> None:
        """End the child."""
        with self._lock:
            self._closed = True
            if self._child is not None:
                self._child.kill()
                self._end_child()

    def _start(self, program: str) -> Optional["subprocess.Popen[bytes]"]:
        try:
            child = subprocess.Popen(
                [program, _QUERY, _FORMAT, "-l", self._every],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError:
            self._program = None
            return None
        assert child.stdout is not None
        os.set_blocking(child.stdout.fileno(), False)
        return child

    def _new_lines(self) -> List[str]:
        if self._child is None or self._child.stdout is None:
            return []
        try:
            data = os.read(self._child.stdout.fileno(), _READ_BYTES)
        except OSError:  # BlockingIOError: nothing new
            return []
        if not data:  # it ended, and is started anew; what it said counts until then
            self._end_child()
            if not self._has_spoken:
                self._found.clear()
        self._has_spoken = bool(data)
        return self._splitter.feed(data)

    def _end_child(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(_END_SECONDS)
            if child.stdout is not None:
                child.stdout.close()
