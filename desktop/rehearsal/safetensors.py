"""The safetensors file format, written by hand: the library would bring nothing else we need.

An 8-byte little-endian length, that many bytes of JSON (name → dtype, shape, offsets), then the
tensors' bytes one after another. Source: https://github.com/huggingface/safetensors, "Format".
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

_DTYPES = {"float16": "F16", "float32": "F32", "int32": "I32"}
_ALIGNMENT = 8  # the header is padded with spaces, so that the tensors start aligned


def write(path: Path, tensors: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write `tensors` (float16, float32, int32) in their own order; raises OSError."""
    with path.open("wb") as file:
        file.write(_header(tensors))
        for tensor in tensors.values():
            file.write(_little_endian(tensor).data)


def _header(tensors: Mapping[str, npt.NDArray[Any]]) -> bytes:
    entries: dict[str, object] = {"__metadata__": {"format": "pt"}}
    start = 0
    for name, tensor in tensors.items():
        end = start + tensor.nbytes
        entries[name] = {
            "dtype": _DTYPES[tensor.dtype.name],
            "shape": list(tensor.shape),
            "data_offsets": [start, end],
        }
        start = end
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    return struct.pack("<Q", len(text)) + text


def _little_endian(tensor: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.ascontiguousarray(tensor, dtype=tensor.dtype.newbyteorder("<"))
