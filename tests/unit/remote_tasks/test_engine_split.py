from __future__ import annotations

import pytest

from remote.engine.shape import Shape
from remote.engine.split import Split, divides, splits
from tests.unit.remote_tasks import shapes


@pytest.mark.parametrize(
    ("shape", "valid"),
    [
        (shapes.YI_34B, [1, 2, 4, 8]),  # 7 divides its 56 heads, not its 8 KV heads
        (shapes.QWEN25_32B, [1, 2, 4, 8]),
        (shapes.R1_32B, [1, 2, 4, 8]),
        (shapes.QWEN3_32B, [1, 2, 4, 8]),
        (shapes.QWEN25_14B, [1, 2, 4]),  # 13824 / 8 is no multiple of 128
        (shapes.QWEN3_14B, [1, 2, 4, 8]),
        (shapes.QWEN25_7B, [1, 2, 4]),
        (shapes.LLAMA_8B_FP16, [1, 2, 4, 8]),
    ],
)
def test_the_cards_that_can_share_a_layer(shape: Shape, valid: list[int]) -> None:
    assert [count for count in range(1, 9) if divides(shape, count)] == valid


def test_kv_heads_may_go_to_several_cards_each() -> None:
    few = shapes.LLAMA_8B_FP16._replace(kv_heads=4)
    assert divides(few, 8)
    assert not divides(few._replace(heads=24, cut=(24 * 128,), kv_heads=4), 6)


def test_a_group_of_weights_is_never_cut() -> None:
    assert divides(shapes.QWEN25_14B._replace(group_size=0), 8)
    assert divides(shapes.QWEN25_14B._replace(group_size=64), 8)
    assert not divides(shapes.LLAMA_8B_FP16._replace(cut=(4096, 14337)), 2)


@pytest.mark.parametrize(
    ("shape", "count", "expected"),
    [
        (shapes.YI_34B, 1, [Split(1, 1, 1)]),
        (shapes.YI_34B, 2, [Split(2, 1, 2)]),
        (shapes.YI_34B, 3, [Split(2, 1, 2), Split(1, 3, 3)]),
        (shapes.YI_34B, 4, [Split(4, 1, 4)]),
        (shapes.YI_34B, 6, [Split(4, 1, 4), Split(2, 3, 6)]),
        (shapes.YI_34B, 8, [Split(8, 1, 8)]),
        (shapes.QWEN25_14B, 8, [Split(4, 1, 4), Split(4, 2, 8)]),
        (shapes.YI_34B._replace(heads=55, kv_heads=5, cut=()), 2, [Split(1, 1, 1), Split(1, 2, 2)]),
        (shapes.YI_34B._replace(layers=2), 3, [Split(2, 1, 2)]),
    ],
)
def test_sharing_layers_goes_before_sharing_them_out(
    shape: Shape, count: int, expected: list[Split]
) -> None:
    assert splits(shape, count) == expected


def test_hosts_are_joined_by_sharing_the_layers_out() -> None:
    assert splits(shapes.YI_34B, 1, hosts=2) == [Split(1, 2, 1)]
    assert splits(shapes.YI_34B, 2, hosts=3) == [Split(2, 3, 2)]
    assert splits(shapes.YI_34B, 3, hosts=2) == [Split(2, 2, 2), Split(1, 6, 3)]
    assert splits(shapes.YI_34B, 1, hosts=64) == [Split(1, 64, 1)]  # refused by the engine


@pytest.mark.parametrize("shape", shapes.ALL)
@pytest.mark.parametrize("hosts", [1, 2, 3])
def test_every_split_keeps_the_rules(shape: Shape, hosts: int) -> None:
    for count in range(1, 17):
        found = splits(shape, count, hosts)
        assert found
        for one in found:
            assert divides(shape, one.tensor)
            assert one.cards * hosts == one.world
            assert one.cards <= count
            assert one.pipeline <= shape.layers
        used = [one.cards for one in found]
        assert used == sorted(set(used))
