"""The options that most commands share, and how they become wishes.

What is typed wins over `settings.toml`, which wins over the defaults.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import click

from desktop.cli.plain import plain
from desktop.core.errors import DestinationError
from desktop.core.explain import Language
from desktop.core.language import system_language
from desktop.core.paths import Paths, paths
from desktop.core.session.wishes import Wishes, from_settings
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
    identity: Path | None = None
    password_stdin: bool = False
    accept_new_host_key: bool = False
    host_key: str | None = None
    local_port: int | None = None
    lang: str | None = None
    json: bool = False


@dataclass(frozen=True, slots=True)
class Invocation:
    """One command line, ready to be carried out. `password` is a secret and has no repr."""

    options: Options
    paths: Paths
    settings: Settings
    language: Language
    password: str | None

    def __repr__(self) -> str:
        """Return a text without the password."""
        return f"Invocation({self.options!r})"


def _length(_context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    if value is not None and value != "auto" and not (value.isdigit() and int(value) > 0):
        raise click.BadParameter("a number of tokens, or auto")
    return value


_SHARED = [
    click.option("-m", "--model", metavar="OWNER/NAME", help="Model at the hub."),
    click.option("--revision", metavar="REV", help="Branch, tag or commit at the hub."),
    click.option(
        "--max-model-len", metavar="N|auto", callback=_length, help="Context length in tokens."
    ),
    click.option("--hub", metavar="URL", help="A ModelScope-compatible hub."),
    click.option("--data-dir", metavar="DIR", help="Folder on the host for everything big."),
    click.option("--engine", metavar="REQUIREMENT", help="For example vllm==0.32.0."),
    click.option("--engine-env", metavar="DIR", help="Adopt an engine environment on the host."),
    click.option("--engine-arg", metavar="ARG", multiple=True, help="For the engine; repeatable."),
]
_CONNECTION = [
    click.option(
        "--identity", type=click.Path(path_type=Path), metavar="FILE", help="Private SSH key."
    ),
    click.option("--password-stdin", is_flag=True, help="Read the SSH password from stdin."),
    click.option("--accept-new-host-key", is_flag=True, help="Trust an unknown host key."),
    click.option("--host-key", metavar="SHA256:…", help="Trust this host key and no other."),
]
_OUTPUT = [
    click.option("--lang", type=click.Choice(["zh", "en"]), help="Language of the messages."),
    click.option("--json", is_flag=True, help="JSON Lines on stdout, and nothing else."),
]
_ENDPOINT = [
    click.option(
        "--local-port", type=click.IntRange(1, 65535), metavar="N", help="Of the local endpoint."
    ),
]


def _with(options: list[Callable[[Any], Any]]) -> Callable[[Command], Command]:
    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


model_options = _with(_SHARED)
connection_options = _with(_CONNECTION)
output_options = _with(_OUTPUT)
endpoint_options = _with(_ENDPOINT)


def invocation(**typed: Any) -> Invocation:
    """Return what one command line amounts to; reads settings and, if asked, the password."""
    options = Options(**typed)
    where = paths().ensure()
    settings, problems = load(where.settings)
    chosen = options.lang or settings.language
    language: Language = "zh" if chosen == "zh" else "en" if chosen == "en" else system_language()
    for problem in problems:
        text = Texts(language)("cli.settings-problem", problem=plain(problem))
        click.echo(text, err=True)
    password = sys.stdin.readline().rstrip("\r\n") if options.password_stdin else None
    return Invocation(options, where, settings, language, password)


def wishes(call: Invocation) -> Wishes:
    """Return what the user wants; raises DestinationError where no host is known."""
    from desktop.core.ssh.destination import resolve  # noqa: PLC0415 - may ask ssh: not for --help

    typed, saved = call.options, call.settings
    host = typed.host or saved.host
    if not host:
        raise DestinationError("no-host")
    given = {
        "model": typed.model,
        "revision": typed.revision,
        "hub": typed.hub and typed.hub.rstrip("/"),
        "data_dir": typed.data_dir,
        "engine": typed.engine,
        "engine_env": typed.engine_env,
        "engine_args": typed.engine_arg,
        "max_model_len": typed.max_model_len,
        "local_port": typed.local_port,
        "accept_new_host_key": typed.accept_new_host_key,
        "host_key": typed.host_key,
        "identity": typed.identity,
    }
    changes: dict[str, Any] = {name: value for name, value in given.items() if value}
    return replace(from_settings(saved, resolve(host)), **changes)
