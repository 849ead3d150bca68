"""The options that most commands share, and what one command line amounts to."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from desktop.cli.plain import plain
from desktop.core.explain import Language
from desktop.core.language import system_language
from desktop.core.paths import Paths, paths
from desktop.core.settings import Settings, load
from desktop.core.texts import Texts

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Options:
    """What was typed; None and empty where nothing was."""

    host: str | None = None
    model: str | None = None
    revision: str | None = None
    max_model_len: str | None = None
    hub: str | None = None
    data_dir: str | None = None
    engine: str | None = None
    engine_env: str | None = None
    engine_arg: tuple[str, ...] = ()
    kv_cache_dtype: str | None = None
    trust_remote_code: bool = False
    hub_token_stdin: bool = False
    lease: int | None = None
    idle_stop: int | None = None
    limit: int | None = None
    then_power_off: bool = False
    identity: Path | None = None
    password_stdin: bool = False
    accept_new_host_key: bool = False
    host_key: str | None = None
    proxy: str | None = None
    local_port: int | None = None
    lang: str | None = None
    json: bool = False


@dataclass(frozen=True, slots=True)
class Invocation:
    """One command line, ready to be carried out. The secrets have no repr."""

    options: Options
    paths: Paths
    settings: Settings
    language: Language
    password: str | None
    hub_token: str = ""

    def __repr__(self) -> str:
        """Return a text without the secrets."""
        return f"Invocation({self.options!r})"


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


def invocation(**typed: Any) -> Invocation:
    """Return what one command line amounts to; reads settings and, if asked, the secrets."""
    options = Options(**typed)
    where = paths().ensure()
    settings, problems = load(where.settings)
    chosen = options.lang or settings.language
    language: Language = "zh" if chosen == "zh" else "en" if chosen == "en" else system_language()
    for problem in problems:
        text = Texts(language)("cli.settings-problem", problem=plain(problem))
        click.echo(text, err=True)
    password = _line_of_stdin() if options.password_stdin else None
    hub_token = _line_of_stdin().strip() if options.hub_token_stdin else ""
    return Invocation(options, where, settings, language, password, hub_token)


def _line_of_stdin() -> str:
    return sys.stdin.readline().rstrip("\r\n")
