"""Both languages say everything, with the same facts, and no view says anything else."""

import ast
import re
import string
from pathlib import Path

import pytest

from desktop.core.phases import Phase
from desktop.core.texts import Texts, catalogue
from remote import wire

UI = Path(__file__).parents[2] / "desktop" / "ui"
CHINESE = re.compile(r"[\u4e00-\u9fff]")
# Calls that put their text arguments in front of a person.
SHOWING = {
    "setText", "setToolTip", "setPlaceholderText", "setWindowTitle", "setAccessibleName",
    "setAccessibleDescription", "setTitle", "addAction", "addMenu", "drawText", "showMessage",
    "QLabel", "QPushButton", "QAction", "QCheckBox", "label", "button", "say",
}  # fmt: skip


def facts(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_have_the_same_keys() -> None:
    assert catalogue("zh").keys() == catalogue("en").keys()


@pytest.mark.parametrize("key", sorted(catalogue("en")))
def test_both_languages_name_the_same_facts(key: str) -> None:
    assert facts(catalogue("zh")[key]) == facts(catalogue("en")[key])
    assert catalogue("zh")[key].strip()
    assert catalogue("en")[key].strip()


def test_every_phase_and_task_has_its_words() -> None:
    texts = Texts("en")
    for phase in Phase:
        assert texts[f"phase.{phase.value}"]
        assert texts[f"now.{phase.value}"]
    for task in (*wire.TASKS, "connect", "deploy"):
        assert texts[f"task.{task}"]
    for state in (wire.WAITING, wire.RUNNING, wire.DONE, wire.SKIPPED, wire.FAILED, wire.CANCELLED):
        assert texts[f"row.{state}"]


def test_every_step_of_the_protocol_has_its_word() -> None:
    protocol = (UI.parents[1] / "remote" / "PROTOCOL.md").read_text(encoding="utf-8")
    sentence = protocol.split("Steps of `progress`:")[1].split("\n\n")[0]
    for step in re.findall(r"`([a-z-]+)`", sentence):
        assert Texts("zh").word("step", step), step


def test_a_word_that_nobody_knows_is_empty_and_a_missing_text_is_a_bug() -> None:
    assert Texts("en").word("step", "of-a-newer-agent") == ""
    with pytest.raises(KeyError):
        Texts("en")["no.such.text"]


def sources() -> list[Path]:
    return sorted(UI.rglob("*.py"))


def docstrings(tree: ast.AST) -> set[int]:
    owners = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
    ]
    return {
        id(node.body[0].value)
        for node in owners
        if node.body and isinstance(node.body[0], ast.Expr)
    }


def shown_literals(tree: ast.AST) -> list[str]:
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        first = node.args[:1] if name in ("label", "button") else node.args
        if name in SHOWING:
            found += [
                arg.value
                for arg in first
                if isinstance(arg, ast.Constant)
                and isinstance(arg.value, str)
                and re.search(r"[^\W\d_]", arg.value)
            ]
    return found


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.stem)
def test_no_view_holds_a_text_of_its_own(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert shown_literals(tree) == []
    inside = docstrings(tree)
    chinese = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in inside
        and CHINESE.search(node.value)
    ]
    assert chinese == []


def test_the_search_for_literals_finds_one() -> None:
    assert shown_literals(ast.parse('window.setWindowTitle("Hello")')) == ["Hello"]


def test_every_key_that_a_view_names_exists() -> None:
    named = set()
    for path in sources():
        named |= set(re.findall(r"texts(?:\[|\()\"([a-z.-]+)\"", path.read_text(encoding="utf-8")))
    assert len(named) > 30
    assert named <= catalogue("en").keys()
