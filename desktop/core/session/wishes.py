"""What the user wants of one host: everything a session needs to know before it starts."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path

from desktop.core.catalogue import DEFAULT_MODEL
from desktop.core.proxy_setting import through
from desktop.core.saved import SavedHost
from desktop.core.settings import Settings
from desktop.core.spending import affordable_s
from desktop.core.ssh.destination import Destination

DEFAULT_HUB = "https://www.modelscope.cn"
HUB_TOKEN_VARIABLE = "PAPERKITE_HUB_TOKEN"  # noqa: S105 - the variable's name
LEASE_SECONDS = 30 * 60
_CHOICES = (
    "hub", "hub_token", "data_dir", "engine", "engine_env", "trust_remote_code", "local_port",
    "usual_ports",
)  # fmt: skip
_TERMS = ("lease_seconds", "idle_seconds", "limit_seconds", "spending_seconds", "power_off")


@dataclass(frozen=True, slots=True)
class Wishes:
    """One host and what is to run on it.

    Empty strings mean "decide for me" (on the host where possible).

    Attributes:
        destination: the host.
        name: under which it is saved, or "".
        model: `OWNER/NAME` at the hub.
        revision: branch, tag or commit at the hub.
        hub: base URL of a ModelScope-compatible hub.
        data_dir: folder on the host for environments, models and caches.
        engine: a requirement such as `vllm==0.32.0`.
        engine_env: an engine environment already on the host, adopted instead of installing one.
        engine_args: appended to the engine's command line.
        max_model_len: a number, "auto" or "".
        kv_cache_dtype: "auto" or "fp8", or "".
        trust_remote_code: models whose own Python code may run on the host.
        hub_token: for private models; a secret.
        lease_seconds: the host stops the model after so long without a laptop and a request;
            0 = never.
        idle_seconds: the same without a request, laptop or not; 0 = never.
        limit_seconds: the host stops the model after so long in any case; 0 = never.
        spending_seconds: the same, for so long as the spending limit pays for; 0 = never. Unlike
            the other it counts from when the host was first reached, over several runs.
        power_off: where the host stopped it for one of these, it powers itself off too.
        local_port: of the endpoint on this laptop; 0 = one of the usual ones.
        usual_ports: those to try then, in this order; none = 8000 and the next ones.
        node_count: hosts that serve the model together.
        node_rank: which of them this one is; 0 is the head.
        head_address: of the head on the hosts' private network.
        accept_new_host_key: trust an unknown host key without asking.
        host_key: the only fingerprint (`SHA256:…`) to accept, or "".
        identity: a private key file, or None for the usual ones.
    """

    destination: Destination
    name: str = ""
    model: str = DEFAULT_MODEL
    revision: str = "master"
    hub: str = DEFAULT_HUB
    data_dir: str = ""
    engine: str = ""
    engine_env: str = ""
    engine_args: tuple[str, ...] = ()
    max_model_len: str = ""
    kv_cache_dtype: str = ""
    trust_remote_code: tuple[str, ...] = ()
    hub_token: str = field(default="", repr=False)
    lease_seconds: int = LEASE_SECONDS
    idle_seconds: int = 0
    limit_seconds: int = 0
    spending_seconds: int = 0
    power_off: bool = False
    local_port: int = 0
    usual_ports: tuple[int, ...] = ()
    node_count: int = 1
    node_rank: int = 0
    head_address: str = ""
    accept_new_host_key: bool = False
    host_key: str = ""
    identity: Path | None = None


def from_settings(
    settings: Settings,
    destination: Destination,
    saved: SavedHost | None = None,
    hub_token: str = "",
) -> Wishes:
    """Return the wishes for a host with everything else as it was saved.

    Args:
        settings: for all hosts.
        destination: the host.
        saved: what is wished of this host, before the settings for all.
        hub_token: where the environment has none; it is in no settings.
    """
    chosen = settings if saved is None else _of_host(settings, saved)
    return Wishes(
        destination=through(destination, chosen.proxy),
        model=chosen.model or DEFAULT_MODEL,
        revision=chosen.revision or "master",
        hub=(chosen.hub or DEFAULT_HUB).rstrip("/"),
        data_dir=chosen.data_dir,
        engine=chosen.engine,
        engine_env=chosen.engine_env,
        max_model_len=chosen.max_model_len,
        kv_cache_dtype=chosen.kv_cache_dtype,
        trust_remote_code=chosen.trust_remote_code,
        hub_token=os.environ.get(HUB_TOKEN_VARIABLE, "").strip() or hub_token,
        lease_seconds=chosen.lease_minutes * 60,
        idle_seconds=chosen.idle_minutes * 60,
        limit_seconds=chosen.limit_minutes * 60,
        spending_seconds=affordable_s(saved.spending_limit, saved.rate) if saved else 0,
        power_off=chosen.power_off,
        local_port=saved.local_port if saved else 0,
        identity=Path(saved.identity).expanduser() if saved and saved.identity else None,
    )


def with_terms_of(wishes: Wishes, other: Wishes) -> Wishes:
    """Return wishes for the same run under the terms of other wishes."""
    return replace(wishes, **{name: getattr(other, name) for name in _TERMS})


def with_settings_of(wishes: Wishes, other: Wishes) -> Wishes:
    """Return wishes for the same host and model, with all that is set for every host as in others.

    The terms of a run are changed apart: see `with_terms_of`.
    """
    where = _with_proxy_of(wishes.destination, other.destination)
    changed = {name: getattr(other, name) for name in _CHOICES}
    return replace(wishes, destination=where, **changed)


def _with_proxy_of(where: Destination, other: Destination) -> Destination:
    """Return a destination, passwords and all, with its outermost hop through another's proxy."""
    if where.via is not None and other.via is not None:
        return replace(where, via=_with_proxy_of(where.via, other.via))
    return replace(where, proxy=other.proxy)


def _of_host(settings: Settings, saved: SavedHost) -> Settings:
    """Return the settings as they hold for one saved host.

    Revision and length belong to a model: a host with a model of its own takes none of another's.
    """
    if saved.model and saved.model != settings.model:
        settings = replace(settings, revision="", max_model_len="")
    return replace(
        settings,
        model=saved.model or settings.model,
        revision=saved.revision or settings.revision,
        max_model_len=saved.max_model_len or settings.max_model_len,
        kv_cache_dtype=saved.kv_cache_dtype or settings.kv_cache_dtype,
        data_dir=saved.data_dir or settings.data_dir,
        engine=saved.engine or settings.engine,
        proxy=saved.proxy or settings.proxy,
    )
