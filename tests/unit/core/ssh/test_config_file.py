"""Our own reading of an SSH config says what ssh's does, and names what it cannot follow."""

from __future__ import annotations

import getpass
import subprocess
from pathlib import Path

import pytest

from desktop.core.ssh.config import parse_answer
from desktop.core.ssh.config_file import Reading
from desktop.core.ssh.words import split_words

_CONFIGS = {
    "patterns": "Host g?u !gpu\n  Port 1\nHost *.example.com gpu\n  Port 2\n",
    "the first value": "Port 3\nHost gpu\n  Port 4\n",
    "equals and quotes": 'Host gpu\n  User = "me"\n  port=5\n\tHostKeyAlias "a b"\n',
    "comments": "# Host gpu\nHost gpu # me\n  Port 6 # here\n",
    "match all": "Match all\n  Port 7\n",
    "match host": "Host gpu\n  HostName real\nMatch host real\n  Port 8\n",
    "match originalhost": "Match originalhost x,gpu user me\n  Port 9\nMatch all\n  Port 10\n",
    "match negated": "Match !originalhost gpu\n  Port 11\nMatch !localuser nobody\n  Port 12\n",
    "identity files": "IdentityFile /a\nHost gpu\n  IdentityFile /b\n",
    "upper case": "HOST GPU\n  PORT 13\n",
    "include": "Include one\nHost gpu\n  Include two\nPort 15\n",
    "include elsewhere": "Host other\n  Include one\nHost gpu\n  Port 16\n",
    "include many": "Include part-*\n",
}
_INCLUDED = {
    "one": "Host other\n  Port 100\n",
    "two": "Port 14\nHost other\n  User nobody\n",
    "part-1": "Host gpu\n  User first\n",
    "part-2": "Host gpu\n  User second\n  Port 17\n",
}


@pytest.mark.parametrize("text", _CONFIGS.values(), ids=_CONFIGS)
def test_it_says_what_ssh_says(tmp_path: Path, text: str) -> None:
    for name, content in _INCLUDED.items():
        (tmp_path / name).write_text(content)
        text = text.replace(f"Include {name}", f"Include {tmp_path / name}")
    text = text.replace("Include part", f"Include {tmp_path}/part")
    path = tmp_path / "config"
    path.write_text(text)
    reading = Reading("gpu")
    reading.read(path, tmp_path)
    answer = subprocess.check_output(["ssh", "-G", "-F", str(path), "gpu"], text=True)
    ssh = parse_answer(answer)
    ours = {"hostname": "gpu", "port": "22", "user": getpass.getuser()} | reading.found
    for key in ("hostname", "port", "user", "hostkeyalias", "identityfile"):
        assert ours.get(key) == ssh.get(key), key
    assert reading.notes == []


@pytest.mark.parametrize(
    "criteria", ["exec true", "final all", "canonical", "tagged x", "localnetwork 10.0.0.0/8"]
)
def test_a_match_that_we_do_not_know_applies_never_and_is_named(
    tmp_path: Path, criteria: str
) -> None:
    path = tmp_path / "config"
    path.write_text(f"Match {criteria}\n  Port 99\nMatch all\n  User me\n")
    reading = Reading("gpu")
    reading.read(path, tmp_path)
    assert reading.found == {"user": "me"}
    assert reading.notes == [f"{path}:1: Match {criteria}"]


def test_a_file_that_includes_itself_ends(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(f"Include {path}\nPort 18\n")
    reading = Reading("gpu")
    reading.read(path, tmp_path)
    assert reading.found == {"port": "18"}
    assert reading.notes


def _read(path: Path, host: str = "gpu") -> Reading:
    reading = Reading(host)
    reading.read(path, path.parent)
    return reading


@pytest.mark.parametrize("line", ["Include ~nobody-here/config", "Include a\0b", "Include ["])
def test_an_include_that_leads_nowhere_hides_nothing(tmp_path: Path, line: str) -> None:
    path = tmp_path / "config"
    path.write_text(f"{line}\nPort 19\n")
    assert _read(path).found == {"port": "19"}


def test_relative_names_in_an_included_file_are_of_the_same_folder(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "one").write_text("Include two\n")
    (tmp_path / "more" / "two").write_text("Port 1\n")
    (tmp_path / "two").write_text("Port 2\n")
    path = tmp_path / "config"
    path.write_text("Include more/one\n")
    assert _read(path).found == {"port": "2"}


def test_files_that_include_each_other_many_times_are_read_so_often_and_no_more(
    tmp_path: Path,
) -> None:
    path = tmp_path / "config"
    path.write_text(f"Include {path} {path} {path}\n" * 3)
    reading = _read(path)
    assert len(reading.notes) == 20


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "pipe")
    path = tmp_path / "config"
    path.write_text(f"Include {tmp_path}/pipe\nPort 20\n")
    assert _read(path).found == {"port": "20"}


def test_a_byte_order_mark_hides_no_host_line(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_bytes(b"\xef\xbb\xbfHost other\r\n  Port 21\r\n")
    assert _read(path).found == {}


@pytest.mark.parametrize("line", ["Host", "Host 'open", "Match", "Host a\0b"])
def test_a_block_whose_hosts_cannot_be_read_is_for_none_and_is_named(
    tmp_path: Path, line: str
) -> None:
    path = tmp_path / "config"
    path.write_text(f"{line}\n  Port 22\n")
    reading = _read(path)
    assert reading.found == {}
    assert len(reading.notes) == 1
    assert reading.notes[0].isprintable()


def test_a_comment_ends_at_its_line_feed_only(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_bytes("# a\u2028Port 23\x0cPort 24\x85Port 25\n".encode())
    assert _read(path).found == {}


def test_a_file_that_is_too_long_is_cut_at_a_line_and_named(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text("Port 26\n" + "IdentityFile /a\n" * 70_000 + "User me\n")
    reading = _read(path)
    assert reading.found == {"port": "26", "identityfile": "/a"}
    assert reading.notes == [f"{path}: too long"]


def test_no_more_identity_files_are_named_than_ssh_takes(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text("".join(f"IdentityFile /key{number}\n" for number in range(1000)))
    assert len(_read(path).found["identityfile"].splitlines()) == 100


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("a 'b c' \"d e\"", ["a", "b c", "d e"]),
        ('a"b c"d', ["ab cd"]),
        (r"a\ b C:\Users \"x\" \\", ["a b", r"C:\Users", '"x"', "\\"]),
        ("a # b", ["a"]),
        ("a#b", ["a#b"]),
        ("", []),
    ],
)
def test_words_are_split_as_ssh_splits_them(line: str, words: list[str]) -> None:
    assert split_words(line) == words


def test_an_open_quote_is_no_word() -> None:
    with pytest.raises(ValueError, match="quote"):
        split_words("a 'b")
