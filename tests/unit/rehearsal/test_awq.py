"""AWQ's layout, bit by bit, and how close a weight comes back."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from desktop.rehearsal import awq


def test_eight_values_share_an_integer_in_the_order_of_the_gemm_kernels() -> None:
    """A column's value is its number: 0,2,4,6 in the low half of the integer, 1,3,5,7 above."""
    steps = np.arange(8, dtype=np.float32)[:, None]  # [output, input]: output n holds n times 0.5
    weight = np.repeat(steps * np.float32(0.5), awq.GROUP, axis=1)
    weight[:, 0] = 7.5  # so that all outputs have the scale 0.5 and the zero point 0
    tensors = awq.quantise(weight)
    assert tensors.scales.tolist() == [[0.5] * 8]
    assert tensors.qzeros.tolist() == [[0]]
    assert tensors.qweight[1].tolist() == [0x75316420]
    assert tensors.qweight[0].view(np.uint32).tolist() == [0xFFFFFFFF]


def test_shapes_and_types_are_those_of_an_awq_checkpoint() -> None:
    weight = np.random.default_rng(1).standard_normal((24, 3 * awq.GROUP), dtype=np.float32)
    tensors = awq.quantise(weight)
    assert (tensors.qweight.shape, tensors.qweight.dtype) == ((3 * awq.GROUP, 3), np.int32)
    assert (tensors.qzeros.shape, tensors.qzeros.dtype) == ((3, 3), np.int32)
    assert (tensors.scales.shape, tensors.scales.dtype) == ((3, 24), np.float16)


@pytest.mark.parametrize("shift", [0.0, 3.0, -3.0], ids=["around zero", "positive", "negative"])
def test_no_value_is_further_off_than_one_step(shift: float) -> None:
    weight = np.random.default_rng(2).standard_normal((16, 4 * awq.GROUP), dtype=np.float32)
    weight += np.float32(shift)
    tensors = awq.quantise(weight)
    step = np.repeat(tensors.scales.T.astype(np.float32), awq.GROUP, axis=1)
    assert np.all(np.abs(awq.dequantise(tensors) - weight) <= step)


def test_values_on_the_grid_come_back_exactly() -> None:
    levels = np.random.default_rng(3).integers(0, 16, (8, 2 * awq.GROUP)).astype(np.float32)
    levels[:, :: awq.GROUP], levels[:, 1 :: awq.GROUP] = 0, 15
    weight = (levels - 6) * np.float32(0.25)
    assert np.array_equal(awq.dequantise(awq.quantise(weight)), weight)


def test_a_group_of_zeros_stays_zero() -> None:
    weight = np.zeros((8, awq.GROUP), dtype=np.float32)
    assert not awq.dequantise(awq.quantise(weight)).any()


def test_the_same_weight_gives_the_same_bytes_everywhere() -> None:
    """The digests of the converted model rest on this; the weight needs no random numbers."""
    whole = np.arange(16 * 4 * awq.GROUP, dtype=np.int64) * 2654435761 % 65521
    weight = (whole.astype(np.float32) / np.float32(65521) - np.float32(0.45)).reshape(16, -1)
    tensors = awq.quantise(weight)
    digest = hashlib.sha256(
        tensors.qweight.tobytes() + tensors.qzeros.tobytes() + tensors.scales.tobytes()
    )
    assert digest.hexdigest() == "5cdc7472bf6e14171a238fb3159a4a96100eea45e53a38ed654f235dfab7477d"
