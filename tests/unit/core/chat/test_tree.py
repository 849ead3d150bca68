"""The path that is read, and the branches beside it."""

from __future__ import annotations

from desktop.core.chat import tree
from desktop.core.chat.conversation import Message, Role


def message(name: str, parent: str = "", role: Role = "user", at: float = 0.0) -> Message:
    return Message(name, "c", parent, role, name, at)


TREE = {
    each.id: each
    for each in (
        message("q1", at=1),
        message("a1", "q1", "assistant", 2),
        message("a2", "q1", "assistant", 5),
        message("q2", "a1", at=3),
        message("a3", "q2", "assistant", 4),
        message("q2b", "a1", at=6),
    )
}


def names(messages: list[Message]) -> list[str]:
    return [each.id for each in messages]


def test_the_path_leads_from_the_first_message_to_the_leaf() -> None:
    assert names(tree.path(TREE, "a3")) == ["q1", "a1", "q2", "a3"]
    assert tree.path(TREE, "") == []


def test_a_chain_that_is_broken_or_bites_its_tail_still_has_an_end() -> None:
    assert names(tree.path({"x": message("x", "gone")}, "x")) == ["x"]
    bitten = {"x": message("x", "y"), "y": message("y", "x")}
    assert names(tree.path(bitten, "x")) == ["y", "x"]
    assert tree.leaf_below(bitten, "x") == "y"
    assert names(tree.below(bitten, "x")) == ["x", "y"]


def test_branches_are_in_the_order_in_which_they_were_made() -> None:
    assert names(tree.siblings(TREE, TREE["a2"])) == ["a1", "a2"]
    assert names(tree.siblings(TREE, TREE["q1"])) == ["q1"]


def test_a_branch_is_read_down_to_its_youngest_end() -> None:
    assert tree.leaf_below(TREE, "q1") == "a2"
    assert tree.leaf_below(TREE, "a1") == "q2b"
    assert tree.leaf_below(TREE, "q2") == "a3"


def test_all_that_hangs_on_a_message_comes_parents_first() -> None:
    assert names(tree.below(TREE, "a1")) == ["a1", "q2", "q2b", "a3"]
    assert tree.below(TREE, "nobody") == []


def test_where_a_leaf_is_lost_the_youngest_message_stands_for_it() -> None:
    assert tree.standing(TREE, "a1") == "a1"
    assert tree.standing({}, "") == ""
    assert tree.standing(TREE, "") in TREE
    assert tree.standing({}, "lost") == "lost"
    assert tree.standing({name: TREE[name] for name in ("q1", "a1")}, "lost") == "a1"
