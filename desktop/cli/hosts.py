"""`hosts`: the saved ones listed, one saved, one forgotten."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from desktop.cli.invocation import Invocation
from desktop.cli.output import Output
from desktop.core import settings as settings_file
from desktop.core.api_keys import ApiKeys
from desktop.core.errors import DestinationError
from desktop.core.forgetting import forget_secrets
from desktop.core.last_checks import LastChecks
from desktop.core.local_ports import LocalPorts
from desktop.core.proxy_setting import check_proxy
from desktop.core.saved import SavedHost, check_name
from desktop.core.settings import Settings, without_host
from desktop.core.ssh.typed import parse
from desktop.system.keyring import Keyring


@dataclass(frozen=True, slots=True)
class Entry:
    """What `hosts save` was given beside the options that all commands know."""

    name: str
    line: str
    rate: float | None = None
    currency: str | None = None
    default: bool = False


def list_hosts(call: Invocation, output: Output) -> int:
    """Show every saved host."""
    ports = LocalPorts(call.paths.local_ports, call.settings.local_port)
    for name, saved in call.settings.hosts.items():
        output.record(
            "host",
            name=name,
            line=saved.line,
            model=saved.model,
            local_port=saved.local_port or ports.of(name),
            proxy=saved.proxy,
            rate=saved.rate,
            currency=saved.currency,
            default=name == call.settings.host,
        )
    if not call.settings.hosts:
        output.say("no-hosts")
    return 0


def save_host(call: Invocation, output: Output, entry: Entry) -> int:
    """Save a host under a name; of one that is there, what was typed is changed.

    Raises:
        DestinationError: the name, the line or the proxy is no good.
        StorageError: the settings cannot be written.
    """
    check_name(entry.name, call.settings.groups)
    typed = parse(entry.line)
    chosen = _chosen(call, entry)

    def changed(settings: Settings) -> Settings:
        before = settings.hosts.get(entry.name, SavedHost(""))
        hosts = {**settings.hosts, entry.name: replace(before, line=typed.text, **chosen)}
        default = entry.name if entry.default or not settings.host else settings.host
        return replace(settings, hosts=hosts, host=default)

    settings_file.change(call.paths.settings, changed)
    output.say("host-saved", name=entry.name)
    if typed.password:
        output.say("password-not-saved")
    return 0


def _chosen(call: Invocation, entry: Entry) -> dict[str, Any]:
    typed = call.options
    values = {
        "model": typed.model,
        "revision": typed.revision,
        "max_model_len": typed.max_model_len,
        "kv_cache_dtype": typed.kv_cache_dtype,
        "data_dir": typed.data_dir,
        "engine": typed.engine,
        "local_port": typed.local_port,
        "proxy": None if typed.proxy is None else check_proxy(typed.proxy),
        "identity": None if typed.identity is None else str(typed.identity),
        "rate": entry.rate,
        "currency": entry.currency,
    }
    return {name: value for name, value in values.items() if value is not None}


def forget_host(call: Invocation, output: Output, name: str) -> int:
    """Forget a saved host and its secrets; what runs on it goes on, and costs.

    Raises:
        DestinationError: `host-not-saved`.
        StorageError: the settings cannot be written.
    """
    if name not in call.settings.hosts:
        raise DestinationError("host-not-saved", name=name[:80])
    settings_file.change(call.paths.settings, lambda settings: without_host(settings, name))
    LocalPorts(call.paths.local_ports, call.settings.local_port).forget(name)
    LastChecks(call.paths.last_checks).forget(name)
    kept = Keyring()
    forget_secrets(kept, ApiKeys(kept), name, call.settings.hosts[name].line)
    output.say("host-forgotten", name=name)
    return 0
