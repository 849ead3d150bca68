"""What one command line amounts to. Nothing of what reads it is needed here."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from desktop.cli.plain import plain
from desktop.core.explain import Language
from desktop.core.language import system_language
from desktop.core.paths import Paths, paths
from desktop.core.settings import Settings, load
from desktop.core.texts import Texts


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


def invocation(**typed: Any) -> Invocation:
    """Return what one command line amounts to; reads settings and, if asked, the secrets."""
    options = Options(**typed)
    where = paths().ensure()
    settings, problems = load(where.settings)
    chosen = options.lang or settings.language
    language: Language = "zh" if chosen == "zh" else "en" if chosen == "en" else system_language()
    for problem in problems:
        text = Texts(language)("cli.settings-problem", problem=plain(problem))
        print(text, file=sys.stderr)
    password = _line_of_stdin() if options.password_stdin else None
    hub_token = _line_of_stdin().strip() if options.hub_token_stdin else ""
    return Invocation(options, where, settings, language, password, hub_token)


def _line_of_stdin() -> str:
    return sys.stdin.readline().rstrip("\r\n")
