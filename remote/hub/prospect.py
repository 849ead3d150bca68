"""What is known of a model before it is downloaded: from the disk where it is, or from the hub."""

import os
from pathlib import Path
from typing import Any, Iterable, Mapping, NamedTuple, Optional, Sequence, Tuple

from remote.host.disks import is_folder
from remote.hub import copies, ledger, look
from remote.hub.files import HubFile, total
from remote.hub.look import Look
from remote.packages.places import Places, folders_with_models
from remote.spec import Spec


class Prospect(NamedTuple):
    """A model as it will be.

    Attributes:
        hub: what the hub said; not asked where the model is complete on the disk.
        config: its config.json, None where it could not be had.
        weight_bytes: of its files with weights, 0 where they are not known.
        missing_bytes: still to be downloaded, 0 where that is not known.
        has_copy: whether some of it is on the disk already.
    """

    hub: Look = Look()
    config: Optional[Mapping[str, Any]] = None
    weight_bytes: int = 0
    missing_bytes: int = 0
    has_copy: bool = False


def of(spec: Spec, places: Places) -> Prospect:
    """Return what is known; asks the hub only where the model is not complete on the disk."""
    folder = places.model(spec.model, spec.revision)
    known = ledger.read(folder)
    if known.complete(folder, spec.trust_remote_code):
        return Prospect(Look(), look.config_in(folder), weights(known.files), has_copy=True)
    if not spec.model:
        return Prospect()
    hub = look.at_hub(spec)
    roots = folders_with_models(places.data_dir, Path.home(), os.environ)
    here = (folder, *copies.candidates(spec.model, spec.revision, roots))
    files = hub.files or known.files
    return Prospect(
        hub=hub,
        config=_config(spec, files, here) if files else None,
        weight_bytes=weights(files),
        missing_bytes=_missing(files, here),
        has_copy=any(map(is_folder, here)),
    )


def weights(files: Iterable[HubFile]) -> int:
    """Return the bytes of the files that hold weights."""
    return total(file for file in files if file.path.endswith((".safetensors", ".bin")))


def _config(
    spec: Spec, files: Sequence[HubFile], here: Sequence[Path]
) -> Optional[Mapping[str, Any]]:
    """Return the right config.json: a copy of the listed size, else the hub's."""
    listed = next((file for file in files if file.path == "config.json"), None)
    if listed is None:
        return None
    found = (look.config_in(folder) for folder in here if copies.of_right_size(folder, listed))
    return next(found, None) or look.config_at_hub(spec)


def _missing(files: Sequence[HubFile], here: Tuple[Path, ...]) -> int:
    """Return the bytes that are neither in our folder, whole or half, nor in a copy to adopt."""
    lacking = [
        file for file in files if not any(copies.of_right_size(folder, file) for folder in here)
    ]
    halves = (ledger.stamp(here[0] / (file.path + ".incomplete")) for file in lacking)
    return max(total(lacking) - sum(half[0] for half in halves if half), 0)
