"""A saved host as the terminal shows it: its name and line, and under them what is wished there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.cells import cell_len

from desktop.cli.plain import plain
from desktop.core.amounts import joined
from desktop.core.bill import money
from desktop.core.texts import Texts

_NAME = 24  # columns


def host_text(fields: Mapping[str, Any], texts: Texts) -> str:
    """Return one host's lines, with their ends."""
    name = plain(fields["name"])
    padding = " " * max(_NAME - cell_len(name), 2)
    port, rate = fields["local_port"], fields["rate"]
    wished = joined(
        texts["cli.host-default"] if fields["default"] else "",
        plain(fields["model"]),
        texts("cli.host-port", port=port) if port else "",
        texts("cli.host-proxy", proxy=plain(fields["proxy"])) if fields["proxy"] else "",
        texts("amount.per-hour", money=money(rate, fields["currency"])) if rate else "",
    )
    under = f"{' ' * _NAME}{wished}\n" if wished else ""
    return f"{name}{padding}{plain(fields['line'])}\n{under}"
