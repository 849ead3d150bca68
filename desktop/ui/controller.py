"""The hosts of the app, and what they share: settings, replies, the bridge to the window.

No widgets: the window only knows the intents, and the core only knows `emit` and `prompts`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from desktop.core import settings as settings_file
from desktop.core.api_keys import ApiKeys, Secrets
from desktop.core.bill import cost
from desktop.core.catalogue import DEFAULT_MODEL
from desktop.core.errors import AppError, StorageError
from desktop.core.events import Emit, Endpoint, Event
from desktop.core.forgetting import forget_secrets
from desktop.core.last_checks import LastChecks
from desktop.core.local_ports import LocalPorts
from desktop.core.paths import Paths
from desktop.core.rental import Rental
from desktop.core.saved import SavedHost, propose_name
from desktop.core.session.retrying import BOOT_SECONDS
from desktop.core.session.wishes import Wishes, from_settings
from desktop.core.settings import Settings, without_host
from desktop.core.ssh.destination import Destination, parse, resolve
from desktop.core.ssh.known_hosts import KnownHosts
from desktop.ui.bridge import Bridge, Item
from desktop.ui.host import Host, Questions, Works
from desktop.ui.intents import Chosen, FromHost, HostKey, Target

if TYPE_CHECKING:
    from desktop.core.chat.replies import Replies
    from desktop.core.session.dial import Dial
    from desktop.core.session.session import Session
    from desktop.core.session.survey import Survey


class Controller:
    """Implements `Intents`.

    Attributes:
        hosts: those that are listed, in the order in which they came.
        settings: the user's choices as they are now.
    """

    def __init__(
        self,
        wishes: Wishes | None,
        settings: Settings,
        paths: Paths,
        bridge: Bridge,
        questions: Callable[[], Questions],
        secrets: Secrets,
        hub_token: Callable[[], str] = str,
        *,
        on_target: Callable[[HostKey, Target], None],
        on_removed: Callable[[HostKey], None],
        on_quit: Callable[[], None],
    ) -> None:
        """Take the parts.

        Args:
            wishes: from the command line: a host that is listed first, and not saved.
            settings: the user's choices, with the saved hosts.
            paths: our own files.
            bridge: carries events to the window.
            questions: makes what asks the person about one host.
            secrets: where those of the hosts are kept.
            hub_token: returns the hub's token, a secret, or "".
            on_target: told of a host that is new, or goes elsewhere now.
            on_removed: told of a host that is forgotten.
            on_quit: ends the app.
        """
        self.hosts: dict[HostKey, Host] = {}
        self.settings, self._paths = settings, paths
        self._bridge, self._questions, self._hub_token = bridge, questions, hub_token
        self._on_target, self._on_removed, self._on_quit = on_target, on_removed, on_quit
        self._replies: Replies | None = None
        self._checks = LastChecks(paths.last_checks)
        self._secrets, self._api_keys = secrets, ApiKeys(secrets)
        self._forgetting: list[threading.Thread] = []
        if wishes is not None:
            where = wishes.destination
            saved = SavedHost(where.text or str(where), model=wishes.model)
            self._list(HostKey(wishes.name or self._name_of(where.host, where.port)), saved, wishes)
        for name, saved in _saved_hosts(settings).items():
            if name not in self.hosts:
                self._list(HostKey(name), saved)

    # -- Intents -----------------------------------------------------------------------------------

    def host(self, key: HostKey) -> Host:
        """Return what can be asked of one host."""
        return self.hosts[key]

    def add(self, host: str, chosen: Chosen, *, survey: bool = False) -> HostKey | AppError:
        """Save a host and bring it to ready, or only look at it; one that is there stays one."""
        try:
            there = self._with_line(parse(host).text)
            key = self._new(resolve(host)) if there is None else there
        except AppError as error:
            return error
        begin = self.hosts[key].survey if survey else self.hosts[key].start
        return begin(host, chosen) or key

    def remove(self, key: HostKey) -> None:
        """Forget a host and its secrets; what runs there goes on."""
        host = self.hosts.pop(key)
        host.close()
        self._ports.forget(key)
        self._checks.forget(key)
        self._begin_forgetting(key, host.saved.line)
        self.change(lambda settings: without_host(settings, key))
        self._on_removed(key)

    def quit(self) -> None:
        """Leave the app; the hosts work on."""
        self._on_quit()

    # -- for the app -------------------------------------------------------------------------------

    def first(self) -> HostKey | None:
        """Return the host to show first: the command line's, or the one that was used last."""
        given = (key for key, host in self.hosts.items() if host.wishes is not None)
        name = HostKey(self.settings.host)
        used = name if name in self.hosts else self._with_line(name)
        return next(given, None) or used or next(iter(self.hosts), None)

    def by_host(self, batch: list[Item]) -> dict[HostKey, list[Event]]:
        """Return what hosts say, by host, in order; what comes of a removed one is left out."""
        taken: dict[HostKey, list[Event]] = {}
        for item in batch:
            if isinstance(item, FromHost) and item.host in self.hosts:
                taken.setdefault(item.host, []).append(item.event)
        return taken

    def price(self, endpoint: Endpoint, seconds: float) -> tuple[float, str] | None:
        """Return what so many seconds of the host at this endpoint cost, where it is known."""
        for host in self.hosts.values():
            if host.endpoint == endpoint and host.saved.rate:
                return cost(host.saved.rate, seconds), host.saved.currency
        return None

    def replies(self) -> Replies:
        """Return what asks the models; made when it is first needed."""
        if self._replies is None:
            from desktop.core.chat.replies import Replies  # noqa: PLC0415 - asyncio: not at start

            self._replies = Replies(self._bridge.post)
        return self._replies

    def warm_up(self) -> None:
        """Load what the first reply needs, in its own thread."""
        self.replies().warm_up()

    def look_again(self) -> None:
        """Find out now whether the hosts are there: the laptop woke up, or has another network.

        From any thread; returns at once.
        """
        for host in tuple(self.hosts.values()):
            host.look_again()

    def change(self, how: Callable[[Settings], Settings]) -> None:
        """Change the settings; that they cannot be saved stops nobody from going on."""
        before, self.settings = self.settings, how(self.settings)
        if self.settings != before:
            with suppress(StorageError):
                settings_file.change(self._paths.settings, how)

    def share(self, *, wanted: bool) -> AppError | None:
        """Let other programs use the endpoints, or no more; returns what stands against it."""
        problem = None
        for host in self.hosts.values():
            problem = host.share(wanted=wanted) or problem
        return problem

    def take_settings(self) -> None:
        """Have the settings, and the hub's token, hold for every host from its next start on."""
        for host in self.hosts.values():
            host.take_settings()

    def change_terms(self) -> None:
        """Put every run under the terms of the settings as they are now."""
        for host in self.hosts.values():
            if host.wishes is not None:
                where = host.wishes.destination
                host.change_terms(from_settings(self.settings, where, host.saved))

    def close(self) -> None:
        """End all threads; the hosts work on."""
        self._bridge.close()
        if self._replies is not None:
            self._replies.close()
        # Side by side: a connection that hangs takes seconds to end.
        closing = [threading.Thread(target=host.leave) for host in self.hosts.values()]
        for host in self.hosts.values():
            host.questions.dismiss()
        for thread in closing:
            thread.start()
        for thread in (*closing, *self._forgetting):
            thread.join()

    # -- parts -------------------------------------------------------------------------------------

    @property
    def _ports(self) -> LocalPorts:
        return LocalPorts(self._paths.local_ports, self.settings.local_port)

    def _begin_forgetting(self, key: HostKey, line: str) -> None:
        """Have its secrets dropped; the keyring may take its time."""
        what = (self._secrets, self._api_keys, key, line)
        thread = threading.Thread(target=forget_secrets, args=what, name="forgetting")
        self._forgetting.append(thread)
        thread.start()

    def _list(self, key: HostKey, saved: SavedHost, wishes: Wishes | None = None) -> None:
        rental = Rental()
        works = Works(
            questions=self._questions(),
            wished=partial(self._wished, key),
            dial=lambda wished: self._dial(key, wished),
            session=partial(self._session, key, rental),
            survey=partial(self._survey, key, rental),
            last_check=lambda: self._checks.of(key),
            chosen=partial(self._chosen, key),
        )
        saved = replace(saved, model=saved.model or self.settings.model or DEFAULT_MODEL)
        self.hosts[key] = Host(key, saved, works, wishes)

    def _new(self, where: Destination) -> HostKey:
        key = HostKey(self._name_of(where.host, where.port))
        self._list(key, SavedHost(where.text))
        return key

    def _name_of(self, host: str, port: int) -> str:
        taken = {*self.hosts, *self.settings.hosts, *self.settings.groups}
        return propose_name(host, port, taken)

    def _with_line(self, line: str) -> HostKey | None:
        there = (key for key, host in self.hosts.items() if host.target().host_text == line)
        return next(there, None)

    def _wished(self, key: HostKey, line: str, model: str) -> Wishes:
        """Return the wishes in what was typed for a host; raises DestinationError."""
        saved, token = self.hosts[key].saved, self._hub_token()
        wishes = from_settings(self.settings, resolve(line), saved, token)
        ports = self._ports.to_try(key, self.settings)
        return replace(wishes, name=key, usual_ports=ports, model=model or wishes.model)

    def _dial(self, key: HostKey, wishes: Wishes) -> Dial:
        from desktop.core.session.dial import dialler  # noqa: PLC0415 - sockets: not at start

        known_hosts = KnownHosts(self._paths.known_hosts)
        questions = self.hosts[key].questions
        return dialler(wishes, questions, known_hosts, forwarding=True, until_pinned=True)

    def _session(self, key: HostKey, rental: Rental, wishes: Wishes, dial: Dial) -> Session:
        from desktop.core.session.session import Session  # noqa: PLC0415 - as above

        name = "" if wishes.local_port else wishes.name
        emit = self._ports.keeping(name, self._emit(key))
        return Session(
            wishes,
            emit,
            dial,
            patience_s=BOOT_SECONDS,
            is_shared=self.settings.share_endpoint,
            rental=rental,
            api_key=lambda: self._api_keys.of(wishes.name),
        )

    def _survey(self, key: HostKey, rental: Rental, wishes: Wishes, dial: Dial) -> Survey:
        from desktop.core.session.survey import Survey  # noqa: PLC0415 - as above

        return Survey(wishes, self._emit(key), dial, patience_s=BOOT_SECONDS, rental=rental)

    def _emit(self, key: HostKey) -> Emit:
        """Return what hears a host: it goes to the window, and what is found out is remembered."""

        def post(event: Event) -> None:
            self._bridge.post(FromHost(key, event))

        def asked() -> str:
            host = self.hosts.get(key)
            return "" if host is None else host.target().model

        return self._checks.keeping(key, post, asked)

    def _chosen(self, key: HostKey, saved: SavedHost | None) -> None:
        """Show where a host goes now, and save it as the default one if it is to be saved."""
        if saved is not None:
            self.change(
                lambda settings: replace(
                    settings, host=key, model=saved.model, hosts={**settings.hosts, key: saved}
                )
            )
        self._on_target(key, self.hosts[key].target())


def _saved_hosts(settings: Settings) -> dict[str, SavedHost]:
    """Return the saved hosts, and the default one where it was never given a name."""
    line = settings.host
    known = settings.hosts.keys() | settings.groups.keys()
    if not line or line in known or any(each.line == line for each in settings.hosts.values()):
        return settings.hosts
    try:
        typed = parse(line)
    except AppError:
        return settings.hosts
    name = propose_name(typed.host, typed.port or 22, known)
    return {name: SavedHost(line, model=settings.model), **settings.hosts}
