"""What makes a box on loopback look like a rented one: a card, a provider's marks, its name."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from tests.helpers import nvidia_smi
from tests.helpers.nvidia_smi import RTX_4090, GpuHost

AUTODL = "AutoDLContainerUUID=0000"
AUTODL_NAME = "connect.westb.seetacloud.com"
# Without a GPU a provider's host would have been booted without one, and would serve nothing.
GPU_HOST = GpuHost(driver="580.65.06", cuda="13.0", cards=(RTX_4090,))


def rent(home: Path, variable: str = "", gpus: GpuHost = GPU_HOST) -> Path:
    """Give a host a `shutdown` that harms nobody, a GPU, and a provider's mark.

    Args:
        home: HOME on the host.
        variable: `NAME=value` by which the provider's hosts are known, "" for nobody's.
        gpus: what its nvidia-smi says.

    Returns:
        The file in which the `shutdown` writes down that it was called.
    """
    programs = home / "programs"
    nvidia_smi.install(programs, gpus)
    record = home / "shutdowns"
    program = programs / "shutdown"
    program.write_text(f'#!/bin/sh\necho "called: $*" >> {record}\n', encoding="utf-8")
    program.chmod(0o755)
    lines = [f"export PATH={programs}:$PATH", f"export {variable}" if variable else ""]
    (home / ".bashrc").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return record


def name_this_computer(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Have the name service answer with this computer for a provider's name."""
    asked = socket.getaddrinfo

    def answer(host: Any, *args: Any, **named: Any) -> Any:
        return asked("127.0.0.1" if host == name else host, *args, **named)

    monkeypatch.setattr(socket, "getaddrinfo", answer)
