"""What the user wants of one host: everything a session needs to know before it starts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from desktop.core.settings import Settings
from desktop.core.ssh.destination import Destination

DEFAULT_MODEL = "01ai/Yi-34B-Chat-4bits"
DEFAULT_HUB = "https://www.modelscope.cn"


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
        local_port: of the endpoint on this laptop; 0 = the usual one, or the next free.
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
    local_port: int = 0
    accept_new_host_key: bool = False
    host_key: str = ""
    identity: Path | None = None


def from_settings(settings: Settings, destination: Destination) -> Wishes:
    """Return the wishes for a host with everything else as it was saved."""
    return Wishes(
        destination=destination,
        model=settings.model or DEFAULT_MODEL,
        revision=settings.revision or "master",
        hub=(settings.hub or DEFAULT_HUB).rstrip("/"),
        data_dir=settings.data_dir,
        engine=settings.engine,
        engine_env=settings.engine_env,
        max_model_len=settings.max_model_len,
        local_port=settings.local_port,
    )
