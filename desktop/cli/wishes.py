"""From what was typed to wishes.

What is typed wins over what is saved of the host, which wins over the settings for all hosts,
which win over the defaults.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from desktop.cli.invocation import Invocation, Options
from desktop.core.errors import DestinationError
from desktop.core.local_ports import LocalPorts
from desktop.core.proxy_setting import check_proxy
from desktop.core.saved import Group, SavedHost
from desktop.core.session.wishes import Wishes, from_settings


def group_of(call: Invocation) -> Group | None:
    """Return the saved group of hosts that is meant, None where a single host is."""
    return call.settings.groups.get(call.options.host or call.settings.host)


def wishes(call: Invocation, host: str = "") -> Wishes:
    """Return what the user wants of one host; raises DestinationError where none is known.

    Args:
        call: the command line.
        host: one of a group's; else the host that was typed or saved, of a group its head.
    """
    from desktop.core.ssh.destination import resolve  # noqa: PLC0415 - may ask ssh: not for --help

    typed, settings = call.options, call.settings
    group = group_of(call)
    host = host or (group.hosts[0] if group else typed.host or settings.host)
    if not host:
        raise DestinationError("no-host")
    saved = settings.hosts.get(host)
    of_host = _with_proxy(saved or SavedHost(host), typed)
    wished = from_settings(settings, resolve(of_host.line), of_host)
    name = host if saved else ""
    ports = LocalPorts(call.paths.local_ports, call.settings.local_port).to_try(name, settings)
    wished = replace(wished, name=name, usual_ports=ports, **_typed(call))
    if typed.trust_remote_code:
        wished = replace(wished, trust_remote_code=(*wished.trust_remote_code, wished.model))
    return wished


def _with_proxy(saved: SavedHost, typed: Options) -> SavedHost:
    return replace(saved, proxy=check_proxy(typed.proxy)) if typed.proxy else saved


def _typed(call: Invocation) -> dict[str, Any]:
    """Return the wishes that were typed."""
    typed = call.options
    given = {
        "model": typed.model,
        "revision": typed.revision,
        "hub": typed.hub and typed.hub.rstrip("/"),
        "data_dir": typed.data_dir,
        "engine": typed.engine,
        "engine_env": typed.engine_env,
        "engine_args": typed.engine_arg,
        "max_model_len": typed.max_model_len,
        "kv_cache_dtype": typed.kv_cache_dtype,
        "hub_token": call.hub_token,
        "power_off": typed.then_power_off,
        "local_port": typed.local_port,
        "accept_new_host_key": typed.accept_new_host_key,
        "host_key": typed.host_key,
        "identity": typed.identity,
    }
    return {name: value for name, value in given.items() if value} | _seconds(typed)


def _seconds(typed: Options) -> dict[str, int]:
    """Return the terms that were typed; unlike elsewhere, 0 is a wish of its own."""
    minutes = {
        "lease_seconds": typed.lease,
        "idle_seconds": typed.idle_stop,
        "limit_seconds": typed.limit,
    }
    return {name: value * 60 for name, value in minutes.items() if value is not None}
