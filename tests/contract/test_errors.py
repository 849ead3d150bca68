"""Every code that the core raises or the host sends has its texts in both languages."""

import re
import string

import pytest

from desktop.core.explain import catalogue
from tests.helpers.command import ROOT

_RAISED = re.compile(
    r"""(?:AppError|DestinationError|HostUnreachable|ConnectionLost|AuthenticationFailed|
        HostKeyUnknown|HostKeyChanged|PythonMissing|DeployFailed|ProtocolMismatch|AgentRefused|
        ForwardFailed|NothingRunning|ReplyFailed|StorageError)\(\s*"([a-z.-]+)\"""",
    re.VERBOSE,
)


def raised_codes() -> set[str]:
    sources = (ROOT / "desktop").rglob("*.py")
    return {code for path in sources for code in _RAISED.findall(path.read_text(encoding="utf-8"))}


def host_codes() -> set[str]:
    protocol = (ROOT / "remote" / "PROTOCOL.md").read_text(encoding="utf-8")
    table = protocol.split("### Codes")[1].split("\n## ")[0]
    return set(re.findall(r"^\| `([a-z.-]+)` ", table, re.MULTILINE))


def test_the_search_finds_codes() -> None:
    assert {"no-host", "python-missing", "connection-lost"} <= raised_codes()
    assert {"model.not-found", "engine.exited", "nothing-running"} <= host_codes()


@pytest.mark.parametrize("code", sorted(raised_codes() | host_codes()))
def test_every_code_has_texts(code: str) -> None:
    assert code in catalogue()


@pytest.mark.parametrize("code", sorted(catalogue()))
def test_every_text_is_whole(code: str) -> None:
    entry = catalogue()[code]
    assert set(entry) == {"en", "zh"}
    assert entry["en"].keys() == entry["zh"].keys()
    for texts in entry.values():
        assert set(texts) - {"terminal-hint"} == {"title", "detail", "hint"}
        assert all(text.strip() for text in texts.values())
    assert len(entry["en"]["title"].split()) <= 6
    assert len(entry["zh"]["title"]) <= 16


@pytest.mark.parametrize("code", sorted(code for code in catalogue() if "+" in code))
def test_texts_for_when_more_is_known_name_what_that_is(code: str) -> None:
    base, _, fact = code.partition("+")
    assert base in catalogue()
    assert all(f"{{{fact}}}" in "".join(texts.values()) for texts in catalogue()[code].values())


@pytest.mark.parametrize("code", sorted(catalogue()))
def test_both_languages_name_the_same_facts(code: str) -> None:
    entry = catalogue()[code]

    def facts(language: str) -> set[str]:
        parsed = (string.Formatter().parse(text) for text in entry[language].values())
        return {name for parts in parsed for _, name, _, _ in parts if name}

    assert facts("en") == facts("zh")
