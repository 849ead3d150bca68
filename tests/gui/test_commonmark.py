"""CommonMark's own examples: the text that a reader sees is the specification's.

The specification comes from the npm package `commonmark-spec`, fetched once per run; nothing of
it is in this repository. Compared is what is read, with white space collapsed. HTML is shown as
text here by design, so an example that holds raw HTML counts as right when every tag of it can be
read, apart from characters that are Markdown in text.
"""

import re
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from desktop.ui.transcript.lines import defines
from desktop.ui.transcript.machine import Segment
from desktop.ui.transcript.markdown import parse, visible
from desktop.ui.transcript.segments import split

PACKAGE = "commonmark-spec@0.31.2"
SECONDS = 60
EXAMPLE = re.compile(r"^`{32} example\n(.*?)^\.\n(.*?)^`{32}$|^#{1,6} *([^\n]*)$", re.S | re.M)
TAG = re.compile(r"</?[A-Za-z][^>]*>|<!--.*?-->|<\?.*?\?>|<![A-Z].*?>|<!\[CDATA\[.*?\]\]>", re.S)
# Where we differ, by number of the example.
REASONS = {
    12: r"`\[` .. `\]` is displayed maths, which models write far more often than escaped brackets",
    31: "a tag is text, and an entity in text is its character",
    156: "the same: HTML that never closes is text, with Markdown in it",
    158: "the same",
    524: "the same: brackets in a tag's attribute are a link's",
    536: "the same",
    626: "a comment is text, letter for letter",
    630: "an entity in a tag is its character",
}


@dataclass(frozen=True)
class Example:
    number: int
    section: str
    markdown: str
    html: str


class Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.parts.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":  # shown as its description, like a link
            known = dict(attrs)
            self.parts.append(f"[{known.get('alt') or known.get('src') or ''}]")


def read(html: str) -> str:
    parser = Text()
    parser.feed(html)
    parser.close()
    return "".join(parser.parts)


def collapsed(text: str) -> str:
    return " ".join(text.split())


def shown(markdown: str) -> str:
    """Return what the transcript shows of a document."""
    references: dict[str, Any] = {}
    segments = split(markdown)
    for segment in segments:
        if segment.kind not in ("code", "maths") and defines(segment.source):
            parse(segment.source, references)
    return "\n".join(text_of(segment, references) for segment in segments)


def text_of(segment: Segment, references: dict[str, Any]) -> str:
    if segment.kind in ("code", "maths"):
        return segment.source
    whole = f"{segment.head}\n{segment.source}" if segment.kind == "table" else segment.markdown()
    return visible(parse(whole, references))


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> list[Example]:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm, which fetches the specification, is not installed")
    folder = tmp_path_factory.mktemp("commonmark")
    got = subprocess.run(
        [npm, "pack", "--silent", PACKAGE],
        cwd=folder,
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    archives = list(Path(folder).glob("*.tgz"))
    if got.returncode or not archives:
        pytest.skip("the registry did not give the specification")
    with tarfile.open(archives[0]) as archive:
        member = archive.extractfile("package/spec.txt")
        assert member is not None
        return parsed(member.read().decode().replace("\r\n", "\n").replace("→", "\t"))


def parsed(specification: str) -> list[Example]:
    found: list[Example] = []
    section = ""
    for match in EXAMPLE.finditer(specification):
        if match[3] is not None:
            section = match[3]
        else:
            found.append(Example(len(found) + 1, section, match[1], match[2]))
    return found


def raw_tags(example: Example) -> list[str]:
    """Return the tags of the result that are raw HTML of the source."""
    return [tag for tag in TAG.findall(example.html) if tag in example.markdown]


def bare(text: str) -> str:
    """Return a text without white space and what may be markup where HTML is text."""
    return re.sub(r"[\s*_`\\]", "", text)


def is_right(example: Example) -> bool:
    text = collapsed(shown(example.markdown))
    if tags := raw_tags(example):
        letters = bare(text)
        return all(bare(tag) in letters for tag in tags)
    return text == collapsed(read(example.html))


def test_the_visible_text_of_the_specification_is_right(examples: list[Example]) -> None:
    assert len(examples) == 652
    wrong = [example for example in examples if not is_right(example)]
    assert {example.number for example in wrong} == set(REASONS), [
        (e.number, e.section, e.markdown, shown(e.markdown)) for e in wrong
    ]
    assert len(wrong) <= 0.02 * len(examples)
