"""The diary of the app: hears what sessions say, and keeps it, in a thread of its own.

    hear → the thread: fold the event into the host's entry → every 15 s, and whenever something
    begins or ends, the file

Nobody waits for the disk: `hear` puts into a queue, `entry` reads what the thread left last.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from queue import Empty, SimpleQueue

from desktop.core.diary import fold, store
from desktop.core.diary.entry import LEFT, LOST, About, Entry
from desktop.core.diary.store import Store
from desktop.core.errors import StorageError
from desktop.core.events import Event, Fact, Ready, Surveying
from desktop.core.session.reading import RUN
from desktop.core.steady_clock import SteadyClock

_LOG = logging.getLogger(__name__)

INTERVAL_S = 15.0
_CLOSING_S = 5.0

Tell = Callable[[StorageError], None]
_Task = Callable[[], None]


class Diary:
    """What each session costs, as it happens and afterwards."""

    def __init__(
        self,
        path: Path,
        clock: Callable[[], float] | None = None,
        tell: Tell = lambda _: None,
        interval_s: float = INTERVAL_S,
        on_changed: Callable[[], None] = lambda: None,
    ) -> None:
        """Take the parts; the file is opened by `begin`.

        Args:
            path: of the file.
            clock: a steady time of day, the same as the window's.
            tell: hears once what is wrong with the file, in the diary's thread.
            interval_s: between two writings of a session that goes on.
            on_changed: called in the diary's thread once the file is open, and whenever a session
                began, ended or got another rate: `entry` and `left` tell of it by then.
        """
        self.clock = clock or SteadyClock()
        self._path, self._tell, self._interval_s = path, tell, interval_s
        self._on_changed = on_changed
        self._tasks: SimpleQueue[_Task | None] = SimpleQueue()
        self._entries: dict[str, Entry] = {}  # by host: the newest; replaced, never changed
        # By host: the one before that has reached it, of this start of the app.
        self._before: dict[str, Entry] = {}
        self._earlier: dict[str, Entry] = {}  # by host: what an earlier start left at work
        self._looks: dict[str, fold.Look] = {}  # by host: since its last session
        self._unwritten: dict[str, Entry] = {}
        self._gone: set[str] = set()
        self._due = 0.0
        self._urgent = False
        self._store: Store | None = None
        self._told: str = ""
        self._thread: threading.Thread | None = None

    # -- from any thread ---------------------------------------------------------------------------

    def begin(self) -> None:
        """Start the thread; what was heard before is kept."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="diary", daemon=True)
            self._thread.start()

    def hear(self, host: str, about: About, events: Iterable[Event]) -> None:
        """Take what the session of a host says; returns at once."""
        at = self.clock()
        for event in events:
            self._tasks.put(lambda event=event: self._hear(host, about, event, at))  # type: ignore[misc]

    def price(self, host: str, about: About) -> None:
        """Take a rate that was typed while the session goes on; returns at once."""
        self._tasks.put(lambda: self._price(host, about))

    def leave(self, host: str) -> None:
        """Close the entry of a host that the app lets go of; returns at once."""
        at = self.clock()
        self._tasks.put(lambda: self._leave(host, at))

    def powered_off(self, host: str) -> None:
        """Note that a host was seen to be off: its bill ends here; returns at once."""
        at = self.clock()
        self._tasks.put(lambda: self._powered_off(host, at))

    def settle(self, host: str, because: str) -> None:
        """Note why what an earlier start left at work there is at work no more; returns at once."""
        self._tasks.put(lambda: self._settle(host, because))

    def entry(self, host: str) -> Entry | None:
        """Return the session that a host's bill is about, or None.

        It is the newest since the app was started; while that has not reached its host, the one
        before; and before there is one, what an earlier start of the app left at work.
        """
        newest = self._entries.get(host)
        if newest is not None and newest.reached is not None:
            return newest
        return self._before.get(host) or self.left(host) or newest

    def left(self, host: str) -> Entry | None:
        """Return the session whose run an earlier start of the app left at work, or None.

        None too before the file is open, and once a session has told what became of that run.
        """
        since = (self._entries.get(host), self._before.get(host))
        told = any(each is not None and each.tells_of_run for each in since)
        return None if told else self._earlier.get(host)

    def entries(self) -> list[Entry]:
        """Return all sessions that reached their host, the newest first.

        Raises:
            StorageError: the file cannot be read.
        """
        fresh = dict(self._unwritten) | {each.id: each for each in self._entries.values()}
        gone = set(self._gone)
        kept = {each.id: each for each in store.read(self._path) if each.id not in gone}
        reached = {name: each for name, each in fresh.items() if each.reached is not None}
        return sorted((kept | reached).values(), key=lambda each: each.began, reverse=True)

    def close(self) -> None:
        """Close what is open, write it, and end the thread. The hosts work on."""
        if self._thread is None and self._tasks.empty():
            return
        self.begin()
        self._tasks.put(None)
        assert self._thread is not None
        self._thread.join(_CLOSING_S)

    # -- the diary's thread ------------------------------------------------------------------------

    def _run(self) -> None:
        self._write()  # opens the file
        while True:
            wait = max(self._due - time.monotonic(), 0.0) if self._unwritten else None
            try:
                task = self._tasks.get(timeout=wait)
            except Empty:
                self._write()
                continue
            if task is None:
                break
            self._do(task)
            if self._urgent:
                self._on_changed()
            if self._urgent or (self._unwritten and time.monotonic() >= self._due):
                self._write()
        for entry in [each for each in self._entries.values() if each.is_open]:
            self._keep(fold.closed(entry, LEFT, self.clock()))
        self._write()
        if self._store is not None:
            self._store.close()

    @staticmethod
    def _do(task: _Task) -> None:
        try:
            task()
        except Exception:  # noqa: BLE001 - a bug in one event is shown, and costs no other event
            _LOG.exception("an event is not in the diary")

    def _hear(self, host: str, about: About, event: Event, at: float) -> None:
        entry = self._entries.get(host)
        if fold.begins(event):
            entry = self._begun(host, about, at)
        elif entry is None or not entry.is_open:
            if host in self._looks:
                self._looks[host] = fold.looked(self._looks[host], event, at)
            return
        if isinstance(event, Surveying):
            self._forget(entry)
            self._looks.setdefault(host, fold.Look())
            return
        before = entry
        entry = self._with_run(fold.priced(entry, about), _run_of(event), about, at)
        entry = fold.after(entry, event, at)
        if before.reached is None and entry.reached is not None:
            entry = fold.paid_since_look(entry, self._looks.pop(host, fold.Look()))
            entry = self._tried_again(entry)
        if not entry.is_open and entry.bill_ended and not entry.run and host in self._before:
            self._extend(entry, at)
        else:
            self._keep(entry, before)

    def _begun(self, host: str, about: About, at: float) -> Entry:
        """Return a new entry; one that is open was left without a word: the host goes elsewhere."""
        self._leave(host, at)
        before = self._entries.get(host)
        if before is not None and before.reached is not None:
            self._before[host] = before
        return fold.begun(secrets.token_hex(16), host, about, at)

    def _tried_again(self, entry: Entry) -> Entry:
        """Return the session that failed before and goes on with this one, where it does."""
        failed = self._before.get(entry.host)
        whole = None if failed is None else fold.tried_again(failed, entry)
        if whole is None:
            return entry
        del self._before[entry.host]
        self._drop(entry)
        return whole

    def _extend(self, entry: Entry, at: float) -> None:
        """Have the session before reach until a power-off that only came after its end."""
        self._drop(entry)
        self._keep(fold.powered_off(self._before.pop(entry.host), at), urgent=True)

    def _forget(self, entry: Entry) -> None:
        """Take back an entry: what began is only a look at the host."""
        self._drop(entry)
        self._entries = {host: each for host, each in self._entries.items() if host != entry.host}
        if entry.host in self._before:
            self._entries[entry.host] = self._before.pop(entry.host)

    def _drop(self, entry: Entry) -> None:
        self._unwritten.pop(entry.id, None)
        self._gone.add(entry.id)

    def _with_run(self, entry: Entry, run: str, about: About, at: float) -> Entry:
        """Return the entry of this run: the one at hand, an earlier one that goes on, or a new."""
        if not run or run == entry.run:
            return entry
        if entry.run:  # the host tells of another one: the first is gone, nobody knows since when
            self._keep(replace(entry, ended=entry.seen, because=LOST))
            fresh = fold.begun(secrets.token_hex(16), entry.host, about, at)
            entry = replace(fresh, reached=at, card=entry.card)
        earlier = self._of_run(run)
        if earlier is None:
            return fold.named(entry, run)
        self._drop(entry)
        return fold.continued(earlier, entry)

    def _of_run(self, run: str) -> Entry | None:
        near = [*self._entries.values(), *self._before.values(), *self._unwritten.values()]
        found = next((each for each in near if each.run == run), None)
        if found is not None or self._store is None:
            return found
        try:
            return self._store.of_run(run)
        except StorageError as error:
            self._say(error)
            return None

    def _price(self, host: str, about: About) -> None:
        if entry := self._entries.get(host):
            self._keep(fold.priced(entry, about), urgent=True)
        if earlier := self._earlier.get(host):
            self._earlier[host] = self._unwritten[earlier.id] = fold.priced(earlier, about)
            self._urgent = True

    def _leave(self, host: str, at: float) -> None:
        entry = self._entries.get(host)
        if entry is not None and entry.is_open:
            self._keep(fold.closed(entry, LEFT, at), urgent=True)

    def _settle(self, host: str, because: str) -> None:
        if entry := self._earlier.pop(host, None):
            self._unwritten[entry.id] = replace(entry, because=because)
            self._urgent = True

    def _powered_off(self, host: str, at: float) -> None:
        self._looks.pop(host, None)
        entry = self._entries.get(host)
        if entry is not None and entry.reached is not None:
            self._keep(fold.powered_off(entry, at), urgent=True)

    def _keep(self, entry: Entry, before: Entry | None = None, *, urgent: bool = False) -> None:
        self._entries = {**self._entries, entry.host: entry}
        if entry.reached is None:
            return  # a host that was never reached has cost nothing
        if not self._unwritten and entry != before:
            self._due = time.monotonic() + self._interval_s
        if entry != before:
            self._unwritten[entry.id] = entry
        self._urgent |= urgent or before is None or _stands(entry) != _stands(before)

    def _write(self) -> None:
        """Write what is not written; what the disk refuses is tried again at the next time."""
        self._urgent = False
        self._due = time.monotonic() + self._interval_s
        batch, gone = dict(self._unwritten), set(self._gone)
        try:
            if self._store is None:
                self._store = Store(self._path)
                if self._store.remark is not None:
                    self._tell(self._store.remark)
                self._earlier = self._store.left()
                self._on_changed()
            if batch or gone:
                self._store.save(batch.values(), gone)
        except StorageError as error:
            self._say(error)
            return
        self._told = ""
        self._unwritten = {
            name: entry for name, entry in self._unwritten.items() if batch.get(name) is not entry
        }
        self._gone -= gone

    def _say(self, error: StorageError) -> None:
        if self._told != error.code:
            self._told = error.code
            self._tell(error)


def _run_of(event: Event) -> str:
    """Return the run that an event names, or ""."""
    match event:
        case Ready(endpoint=endpoint):
            return endpoint.run
        case Fact(name=name, value=str(run)) if name == RUN:
            return run
    return ""


def _stands(entry: Entry) -> tuple[object, ...]:
    """Return what is worth writing at once when it changes."""
    return (entry.id, entry.run, entry.reached is None, entry.ready is None, entry.ended)
