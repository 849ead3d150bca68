"""Whose machine this is: what each provider's hosts are known by, and what follows from it.

Nothing here acts. Most rows were never tried on a live account: paths and variables are defaults
to probe. `power_off` is true only where `shutdown` from inside is documented to end the billing.
"""

import os
from pathlib import Path
from typing import Callable, Dict, Mapping, NamedTuple, Optional, Tuple

from remote.host import kernel_files

_FIRST_PROCESS = Path("/proc/1/environ")


class Provider(NamedTuple):
    """One provider's hosts.

    Attributes:
        name: as in assets/providers.toml.
        variables: environment variables; one of them is enough.
        files: paths; all of them must exist.
        data_dirs: the disks with room that outlive a restart, the best one first.
        power_off: whether powering off from inside is known to end the billing of the GPU.
        kept_days: after so many days powered off everything is deleted; 0 = not known.
    """

    name: str
    variables: Tuple[str, ...] = ()
    files: Tuple[str, ...] = ()
    data_dirs: Tuple[str, ...] = ()
    power_off: bool = False
    kept_days: int = 0


PROVIDERS: Tuple[Provider, ...] = (
    Provider(
        "autodl",
        variables=("AutoDLContainerUUID", "AutoDLRegion", "AutoDLService6006URL"),
        # Both: people make the folder by hand elsewhere, because every blog names it.
        files=("/etc/network_turbo", "/root/autodl-tmp"),
        data_dirs=("/root/autodl-tmp",),
        power_off=True,
        kept_days=15,
    ),
    Provider(
        "gpushare",
        files=("/hy-tmp",),
        data_dirs=("/hy-tmp",),
        power_off=True,
        kept_days=10,
    ),
    Provider("runpod", variables=("RUNPOD_POD_ID",), data_dirs=("/workspace",)),
    Provider(
        "vast",
        variables=("VAST_CONTAINERLABEL", "VAST_TCP_PORT_22"),
        data_dirs=("/workspace",),
    ),
    Provider("featurize", files=("/home/featurize/work",), data_dirs=("/home/featurize/work",)),
    # Its /mnt is a network disk of 5 GB.
    Provider("matpool", files=("/public/script/switch_pip_source.sh",)),
    Provider("lanrui", files=("/home/user/datadisk",), data_dirs=("/home/user/datadisk",)),
)
UNKNOWN = Provider("")


def look() -> Provider:
    """Return the provider of this host, or `UNKNOWN`."""
    return detect({**first_process_variables(), **os.environ}, os.path.exists)


def detect(environ: Mapping[str, str], exists: Callable[[str], bool]) -> Provider:
    """Return the provider that a host is marked by, or `UNKNOWN`.

    Variables are the stronger marks: files are only looked at where nobody's variable is set.
    """
    by_variable = (one for one in PROVIDERS if any(name in environ for name in one.variables))
    by_file = (one for one in PROVIDERS if one.files and all(map(exists, one.files)))
    return next(by_variable, None) or next(by_file, UNKNOWN)


def named(name: str) -> Provider:
    """Return the provider of this name, or `UNKNOWN`."""
    return next((one for one in PROVIDERS if one.name == name), UNKNOWN)


def first_process_variables(environ: Optional[Path] = None) -> Dict[str, str]:
    """Return the container's own variables, which a login over SSH does not hand on."""
    entries = kernel_files.text(environ or _FIRST_PROCESS).split("\0")
    pairs = (entry.partition("=") for entry in entries)
    return {name: value for name, equals, value in pairs if equals}
