"""Other programs that can use the endpoint, and what each has to be told: `assets/clients.toml`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from desktop.core.assets import asset
from desktop.core.events import Endpoint

HIDDEN = "••••••••"  # in place of the key, where it is only shown
_PATH = "/v1"
_NOT_IN_A_NAME = re.compile(r"[^\w./:@+=-]|^[^\w/.]")


@dataclass(frozen=True, slots=True)
class Client:
    """One program.

    Attributes:
        id: of the entry.
        name: as it calls itself.
        where: where the text goes, by language.
        template: the text, with `{base_url}`, `{host_url}`, `{api_key}` and `{model}`.
    """

    id: str
    name: str
    where: Mapping[str, str]
    template: str

    def text(self, endpoint: Endpoint, *, show_key: bool) -> str:
        """Return what to paste for this endpoint; the key as dots unless it is to be shown."""
        return self.template.format(
            base_url=endpoint.shared_url,
            host_url=endpoint.shared_url.removesuffix(_PATH),
            api_key=_harmless(endpoint.api_key) if show_key else HIDDEN,
            model=_harmless(endpoint.model),
        )


def _harmless(name: str) -> str:
    """Return a name of the host's without what a shell, Python or YAML would read as their own."""
    return _NOT_IN_A_NAME.sub("_", name)


@cache
def clients() -> tuple[Client, ...]:
    """Return all known programs, in the order of the file."""
    table = tomllib.loads(asset("clients.toml").read_text(encoding="utf-8"))
    return tuple(
        Client(entry["id"], entry["name"], entry["where"], entry["text"].strip("\n"))
        for entry in table["client"]
    )
