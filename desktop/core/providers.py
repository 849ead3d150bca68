"""Who rents a host out, as far as its address tells: `assets/providers.toml`.

The host's own marks are the better witness (the fact `provider`); this is for before there are any.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from desktop.core.assets import asset


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider of GPU hosts.

    Attributes:
        id: as in the fact `provider`.
        name: for people, by language.
        domains: what its hosts' names end in.
        console: where a rental is ended, as a URL.
        trap: what people lose money or data by, in one sentence, by language.
        power_off: whether powering off from inside the host is known to end the billing.
        kept_days: after so many days powered off everything is deleted; 0 = not known.
        currency: in which it bills.
        rates: what an hour usually costs, by the card's name as people say it.
    """

    id: str
    name: Mapping[str, str]
    domains: tuple[str, ...]
    console: str
    trap: Mapping[str, str]
    power_off: bool
    kept_days: int
    currency: str
    rates: Mapping[str, float]


@cache
def providers() -> dict[str, Provider]:
    """Return all known providers by id."""
    table = tomllib.loads(asset("providers.toml").read_text(encoding="utf-8"))
    return {
        name: Provider(id=name, **{"rates": {}, **entry, "domains": tuple(entry["domains"])})
        for name, entry in table.items()
    }


def find(provider: object) -> Provider | None:
    """Return the provider of this id, or None; the id may be anything that a host said."""
    return providers().get(provider) if isinstance(provider, str) else None


def of_host(host: str) -> Provider | None:
    """Return the provider of a host by its name, or None (an address, an alias, somebody else)."""
    name = host.lower().rstrip(".")
    for provider in providers().values():
        if any(name == domain or name.endswith(f".{domain}") for domain in provider.domains):
            return provider
    return None
