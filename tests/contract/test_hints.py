"""A hint calls what can be chosen as it is where it is read: in a terminal, or in the window."""

import ast
import re

import click
import pytest

from desktop.cli.commands import main
from desktop.core.explain import Language, catalogue
from desktop.core.remedies import REMEDIES, Remedy
from desktop.core.spellings import SPELLINGS, spelled
from desktop.core.texts import Texts
from desktop.ui.start.wording import NAMED_ELSEWHERE
from remote import wire
from tests.helpers.command import ROOT

_NAMED = re.compile(r"<([^>]*)>")
_OPTION = re.compile(r"(?<![\w-])--?[a-z][a-z-]*")
_COMMAND = re.compile(r"paperkite (\w+)")
LANGUAGES: tuple[Language, ...] = ("en", "zh")
# They come of a command, before there is a window or where there will be none.
OF_A_COMMAND = {"no-host", "no-screen", "host-not-saved"}
# What a window's hint may say all the same, and why.
DELIBERATE = {
    "engine.shared-memory": "docker's options, for who starts the container",
}
# Options in hints that are not Paperkite's.
FOREIGN = {
    *("-p", "-y", "-m", "-rf", "-h", "-n"),  # of ssh, apt-get, python, rm, df and conda
    *("--shm-size", "--ipc"),  # docker's
    *("--enforce-eager", "--tensor-parallel-size", "--pipeline-parallel-size"),  # vLLM's
}


def hint(code: str, language: Language, *, in_terminal: bool) -> str:
    texts = catalogue()[code][language]
    said = texts.get("terminal-hint", texts["hint"]) if in_terminal else texts["hint"]
    return spelled(said, language, in_terminal=in_terminal)


def hints() -> list[str]:
    kinds = ("hint", "terminal-hint")
    entries = [texts for entry in catalogue().values() for texts in entry.values()]
    return [texts[kind] for texts in entries for kind in kinds if kind in texts]


def button(remedy: Remedy) -> str:
    """Return the key of what its button says."""
    return NAMED_ELSEWHERE.get(remedy, f"remedy.{remedy.value}")


def options_of(command: click.Command) -> set[str]:
    named = {option for each in command.params for option in each.opts}
    below = command.commands.values() if isinstance(command, click.Group) else ()
    return named.union(*map(options_of, below))


def test_a_choice_that_a_hint_names_is_known_and_each_one_is_named() -> None:
    named = {found.partition(" ")[0] for each in hints() for found in _NAMED.findall(each)}
    assert named == SPELLINGS.keys()


@pytest.mark.parametrize("code", sorted(catalogue()))
def test_both_languages_name_the_same_choices(code: str) -> None:
    entry = catalogue()[code]
    for kind in entry["en"]:
        named = [
            {found.partition(" ")[0] for found in _NAMED.findall(entry[each][kind])}
            for each in LANGUAGES
        ]
        assert named[0] == named[1]
        assert kind.endswith("hint") or not named[0], "only hints name what can be chosen"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", sorted(catalogue().keys() - OF_A_COMMAND - DELIBERATE.keys()))
def test_nobody_is_told_to_type_an_option_into_a_window(code: str, language: Language) -> None:
    said = hint(code, language, in_terminal=False)
    assert "--" not in said
    assert "paperkite " not in said
    assert "-m {" not in said, "the model"


@pytest.mark.parametrize("code", sorted(OF_A_COMMAND | DELIBERATE.keys()))
def test_each_exception_is_one(code: str) -> None:
    assert re.search("--|paperkite ", hint(code, "en", in_terminal=False))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", sorted(catalogue()))
def test_what_a_terminals_hint_says_can_be_typed(code: str, language: Language) -> None:
    said = hint(code, language, in_terminal=True)
    assert set(_OPTION.findall(said)) <= options_of(main) | FOREIGN
    assert set(_COMMAND.findall(said)) <= main.commands.keys()
    assert set(re.findall(r"--task (\S+?)\b", said)) <= {"engine", "supervisor", *wire.TASKS}


def test_the_search_for_options_finds_them() -> None:
    assert _OPTION.findall("(-m a/b), --engine x--y a-b：--engine-arg=--z") == [
        "-m", "--engine", "--engine-arg", "--z",
    ]  # fmt: skip
    assert {"--data-dir", "-m", "--task"} <= options_of(main)


@pytest.mark.parametrize("name", sorted(SPELLINGS))
def test_a_terminal_reads_a_real_option_or_command(name: str) -> None:
    first, *others = SPELLINGS[name].terminal.split()
    if first == "paperkite":
        command = main.commands[others[0]]
        assert options_of(command) >= {each for each in others if each.startswith("-")}
    else:
        assert first in options_of(main)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", sorted(SPELLINGS))
def test_the_window_reads_what_its_controls_are_called(name: str, language: Language) -> None:
    shown = spelled(f"<{name}>", language, in_terminal=False)
    words = [Texts(language)[key].rstrip("…") for key in SPELLINGS[name].window]
    assert shown == f"“{' → '.join(words)}”"
    assert not re.search("[{}<>]", shown), "facts are filled in after it"


@pytest.mark.parametrize("code", sorted(REMEDIES))
def test_a_button_that_a_hint_names_is_there(code: str) -> None:
    always = (Remedy.LOG, Remedy.OTHER_HOST, Remedy.REPORT)
    offered = {button(each) for each in (*REMEDIES[code], *always)}
    buttons = {button(each) for each in Remedy}
    for key in (code, *(each for each in catalogue() if each.startswith(f"{code}+"))):
        for name in _NAMED.findall(catalogue()[key]["en"]["hint"]):
            first = SPELLINGS[name.partition(" ")[0]].window[0]
            assert first in offered or first not in buttons, name


@pytest.mark.parametrize(("folder", "in_terminal"), [("cli", True), ("ui", False)])
def test_who_asks_for_a_hint_says_where_it_is_read(folder: str, in_terminal: bool) -> None:
    calls = [
        node
        for path in (ROOT / "desktop" / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "explain"
    ]
    assert len(calls) > 3
    for call in calls:
        said = {each.arg for each in call.keywords}
        assert said == ({"in_terminal"} if in_terminal else set())
