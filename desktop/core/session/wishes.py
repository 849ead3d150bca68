"""What the user wants of one host: everything a session needs to know before it starts."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from desktop.core.catalogue import DEFAULT_MODEL
from desktop.core.settings import Settings
from desktop.core.ssh.destination import Destination

DEFAULT_HUB = "https://www.modelscope.cn"
HUB_TOKEN_VARIABLE = "PAPERKITE_HUB_TOKEN"  # noqa: S105 - the variable's name
LEASE_SECONDS = 30 * 60


@dataclass(frozen=True, slots=True)
class Wishes:
    """One host and what is to run on it.

    Empty strings mean "decide for me" (on the host where possible).

    Attributes:
        destination: the host.
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
        power_off: where the host stopped it for one of these, it powers itself off too.
        local_port: of the endpoint on this laptop; 0 = the usual one, or the next free.
        node_count: hosts that serve the model together.
        node_rank: which of them this one is; 0 is the head.
        head_address: of the head on the hosts' private network.
        accept_new_host_key: trust an unknown host key without asking.
        host_key: the only fingerprint (`SHA256:…`) to accept, or "".
        identity: a private key file, or None for the usual ones.
    """

    destination: Destination
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
    power_off: bool = False
    local_port: int = 0
    node_count: int = 1
    node_rank: int = 0
    head_address: str = ""
    accept_new_host_key: bool = False
    host_key: str = ""
    identity: Path | None = None


def from_settings(settings: Settings, destination: Destination) -> Wishes:
    """Return the wishes for a host with everything else as it was saved.

    The hub's token is never saved: it comes from the environment, where there is one.
    """
    return Wishes(
        destination=destination,
        model=settings.model or DEFAULT_MODEL,
        revision=settings.revision or "master",
        hub=(settings.hub or DEFAULT_HUB).rstrip("/"),
        data_dir=settings.data_dir,
        engine=settings.engine,
        engine_env=settings.engine_env,
        max_model_len=settings.max_model_len,
        kv_cache_dtype=settings.kv_cache_dtype,
        trust_remote_code=settings.trust_remote_code,
        hub_token=os.environ.get(HUB_TOKEN_VARIABLE, "").strip(),
        lease_seconds=settings.lease_minutes * 60,
        idle_seconds=settings.idle_minutes * 60,
        limit_seconds=settings.limit_minutes * 60,
        power_off=settings.power_off,
        local_port=settings.local_port,
    )
