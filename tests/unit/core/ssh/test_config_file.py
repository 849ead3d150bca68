"""Our own reading of an SSH config says what ssh's does, and names what it cannot follow."""

from __future__ import annotations

import getpass
import random
import subprocess
from pathlib import Path

import pytest

from desktop.core.ssh.config import parse_answer
from desktop.core.ssh.config_file import Reading

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
    reading.read(path)
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
    reading.read(path)
    assert reading.found == {"user": "me"}
    assert reading.notes == [f"{path}:1: Match {criteria}"]


def test_a_file_that_includes_itself_ends(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(f"Include {path}\nPort 18\n")
    reading = Reading("gpu")
    reading.read(path)
    assert reading.found == {"port": "18"}
    assert reading.notes


def test_whatever_is_in_the_file_it_is_read(tmp_path: Path) -> None:
    chance = random.Random(4)
    words = ["Host", "Match", "Include", "Port", "=", "gpu", "*", "!", '"', "#", "\n", " ", "host"]
    words += ["all", "user", "\x00", "[", "]", "%h", ",", "ProxyJump", "é", "\\", "?", "(", "{"]
    path = tmp_path / "config"
    for _ in range(3000):
        path.write_text(" ".join(chance.choices(words, k=20)).replace("Include", "Inc"))
        reading = Reading("gpu")
        reading.read(path)
        assert len(reading.notes) <= 20
