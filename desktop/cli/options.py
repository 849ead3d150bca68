"""The options that most commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


def _length(_context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    if value is not None and value != "auto" and not (value.isdigit() and int(value) > 0):
        raise click.BadParameter("a number of tokens, or auto")
    return value


_proxy_option = click.option(
    "--proxy",
    metavar="URL",
    help="SSH goes through socks5://[user@]host:port or http://…; none: directly. A password for "
    "it is taken from PAPERKITE_PROXY_PASSWORD.",
)
_identity_option = click.option(
    "--identity", type=click.Path(path_type=Path), metavar="FILE", help="Private SSH key."
)
_port_option = click.option(
    "--local-port", type=click.IntRange(1, 65535), metavar="N", help="Of the local endpoint."
)
# What a saved host may have of its own, among the model's options.
_MODEL_OF_HOST = [
    click.option("-m", "--model", metavar="OWNER/NAME", help="Model at the hub."),
    click.option("--revision", metavar="REV", help="Branch, tag or commit at the hub."),
    click.option(
        "--max-model-len", metavar="N|auto", callback=_length, help="Context length in tokens."
    ),
    click.option(
        "--kv-cache-dtype",
        type=click.Choice(["auto", "fp8"]),
        help="Of the cache that holds the context; fp8 has room for twice as much.",
    ),
    click.option("--data-dir", metavar="DIR", help="Folder on the host for everything big."),
    click.option("--engine", metavar="REQUIREMENT", help="For example vllm==0.32.0."),
]
_SHARED = [
    *_MODEL_OF_HOST,
    click.option("--hub", metavar="URL", help="A ModelScope-compatible hub."),
    click.option("--engine-env", metavar="DIR", help="Adopt an engine environment on the host."),
    click.option("--engine-arg", metavar="ARG", multiple=True, help="For the engine; repeatable."),
    click.option(
        "--trust-remote-code",
        is_flag=True,
        help="Let Python code that comes with the model run on the host.",
    ),
    click.option(
        "--hub-token-stdin",
        is_flag=True,
        help="Read the hub's token for a private model from stdin, after the password if that is "
        "read too. Without it: PAPERKITE_HUB_TOKEN.",
    ),
]
_MINUTES = click.IntRange(0, 366 * 24 * 60)
_TERMS = [
    click.option(
        "--lease",
        type=_MINUTES,
        metavar="MIN",
        help="Stop after so long without this laptop and without a request; 0: never. Default 30.",
    ),
    click.option(
        "--idle-stop",
        type=_MINUTES,
        metavar="MIN",
        help="Stop after so long without a request; 0: never, the default.",
    ),
    click.option(
        "--limit",
        type=_MINUTES,
        metavar="MIN",
        help="Stop after so long in any case; 0: never, the default.",
    ),
    click.option(
        "--then-power-off",
        is_flag=True,
        help="Where the host stops by itself, power it off too, if that is known to be safe there.",
    ),
]
_CONNECTION = [
    _identity_option,
    click.option("--password-stdin", is_flag=True, help="Read the SSH password from stdin."),
    click.option("--accept-new-host-key", is_flag=True, help="Trust an unknown host key."),
    click.option("--host-key", metavar="SHA256:…", help="Trust this host key and no other."),
    _proxy_option,
]
_OUTPUT = [
    click.option("--lang", type=click.Choice(["zh", "en"]), help="Language of the messages."),
    click.option("--json", is_flag=True, help="JSON Lines on stdout, and nothing else."),
]
_ENDPOINT = [_port_option]
_SAVED = [*_MODEL_OF_HOST, _identity_option, _proxy_option, _port_option]


def _with(options: list[Callable[[Any], Any]]) -> Callable[[Command], Command]:
    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


model_options = _with(_SHARED)
terms_options = _with(_TERMS)
connection_options = _with(_CONNECTION)
output_options = _with(_OUTPUT)
endpoint_options = _with(_ENDPOINT)
saved_options = _with(_SAVED)
