"""Our own reading of an SSH config: never a crash, never endless, and as ssh itself reads it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from desktop.core.errors import DestinationError
from desktop.core.ssh import config
from desktop.core.ssh.config import parse_answer
from desktop.core.ssh.config_file import Reading
from desktop.core.ssh.destination import Destination, parse, resolve
from desktop.core.ssh.typed import Typed
from tests.fuzz.strategies import mutated, odd, share
from tests.fuzz.test_typed import check_harmless

_SETTINGS = (
    "HostName %h.example.com",
    "HostName [::1]",
    "Port 2222",
    "User root",
    "User -oProxyCommand=id",
    "IdentityFile ~/.ssh/%r@%h",
    "IdentityFile ~nobody-here/key",
    "CertificateFile=/a/b.pub",
    "IdentityAgent ~/agent",
    'HostKeyAlias "a b"',
    "HostKeyAlias *",
    "UserKnownHostsFile ~/a /b",
    "ProxyJump me@a:22,b",
    "ProxyCommand nc %h %p # %r",
    "Include ~nobody-here/*",
    "Include part-*",
    "Include [",
    "Include /proc/self/fd/*",
    "Nonsense yes",
)
_BLOCKS = ("Host gpu", "Host *", "Host !gpu *", "Match all", "Match host gpu", "Match exec true")
_ENDS = st.sampled_from(["\n", "\n", "\r\n", "\n\n", "\n  ", "\n\t", "\u2028", "\r", "\x0c"])
line = mutated(st.sampled_from([*_SETTINGS, *_BLOCKS]))
files = st.lists(st.builds("{}{}".format, st.one_of(line, odd), _ENDS), max_size=12).map("".join)


def write(path: Path, text: str) -> None:
    path.write_bytes(text.encode("utf-8", "surrogatepass"))


@share(5)
@given(files, files)
def test_any_file_is_read_and_what_is_not_followed_is_named(
    folder: Path, text: str, included: str
) -> None:
    write(folder / "config", text)
    write(folder / "part-1", included)
    reading = Reading("gpu")
    reading.read(folder / "config", folder)
    assert len(reading.notes) <= 20
    assert all(note.isprintable() for note in reading.notes)
    assert all(key.isascii() and key.isalnum() for key in reading.found)
    assert sum(map(len, reading.found.values())) <= 2 * len(text + included) + 200


@share(5)
@given(files)
def test_no_config_makes_a_host_an_option_or_a_shell_word(folder: Path, text: str) -> None:
    path = folder / "hostile"
    write(path, text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shutil, "which", lambda _: None)
        try:
            where = resolve("me@gpu", path)
        except DestinationError:
            return
    hop: Destination | None = where
    while hop is not None:
        check_harmless(Typed(hop.host, hop.port, hop.user))
        assert hop.host_key_alias.isprintable()
        again = parse(str(hop))
        assert (again.host, again.port, again.user) == (hop.host, hop.port, hop.user)
        hop = hop.via


@given(st.lists(st.one_of(line, odd, st.just("\n"))).map("\n".join))
def test_any_answer_of_ssh_is_read(text: str) -> None:
    found = parse_answer(text)
    assert sum(map(len, found.values())) <= 2 * len(text)


# The part of ssh_config(5) that both follow, as people write it and a little worse.
_hosts = st.sampled_from(
    ["gpu", "GPU", "g?u", "*", "!gpu", "*.example.com", "a.example.com", "!b*"]
)
_quoted = st.sampled_from(["{}", '"{}"', "'{}'", "{} # {}", ' "{}" '])
_values = st.sampled_from(["me", "a.example.com", "x-1", "a\\b", "a=b", "ü"])
_between = st.sampled_from([" ", "  ", "\t", "=", " = ", "= "])


def _setting(key: str, values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds(
        lambda between, quoted, value: f"{key}{between}{quoted.format(value, value)}",
        _between,
        _quoted,
        values,
    )


_setting_line = st.one_of(
    _setting("HostName", st.sampled_from(["real", "%h.example.com", "10.0.0.1", "a%%b", "::1"])),
    _setting("port", st.sampled_from(["22", "2222", "65535"])),
    _setting("User", _values),
    _setting("HostKeyAlias", _values),
    _setting("IdentityFile", st.sampled_from(["/a", "/b/%r", "~/c", "none"])),
    _setting("CertificateFile", st.sampled_from(["/a.pub", "~/b.pub"])),
    _setting("IdentityAgent", st.sampled_from(["/agent", "none", "SSH_AUTH_SOCK"])),
    _setting("IdentitiesOnly", st.sampled_from(["yes", "no"])),
    st.sampled_from(["ProxyJump a,me@b:33", "ProxyJump none", "ProxyCommand nc %h %p # x"]),
    st.sampled_from(["ProxyCommand=none", "UserKnownHostsFile /a /b", "# Port 1", "", "PORT 7"]),
    st.sampled_from(["Include one", "Include two", "Include on*", "Include one two", "Include no"]),
)
_match = st.lists(
    st.builds(
        lambda negated, name, between, value: f"{negated}{name}{between}{value}",
        st.sampled_from(["", "!"]),
        st.sampled_from(["host", "originalhost", "user", "localuser", "HOST"]),
        st.sampled_from([" ", "="]),
        st.sampled_from(["gpu", "me,root", "*,!a.example.com", "r??t", "real", "*.example.com"]),
    ),
    min_size=1,
    max_size=2,
)
_block_line = st.one_of(
    st.lists(_hosts, min_size=1, max_size=3).map(lambda names: "Host " + " ".join(names)),
    _match.map(lambda criteria: "Match " + " ".join(criteria)),
    st.just("Match all"),
)
_indented = st.builds(
    "{}{}{}".format,
    st.sampled_from(["", "  ", "\t"]),
    _setting_line,
    st.sampled_from(["\n", " \n", "\r\n", "\t\r\n"]),
)
well_formed = st.lists(
    st.one_of(_indented, _indented, st.builds("{}\n".format, _block_line)), max_size=10
).map("".join)
_KEYS = ("hostname", "port", "user", "hostkeyalias", "identityfile", "certificatefile")
_MORE = ("identityagent", "proxyjump", "proxycommand", "userknownhostsfile")
_MEANS_NOTHING = ("", "none", "22")


@share(4)
@given(well_formed, well_formed, well_formed, st.sampled_from(["gpu", "a.example.com", "b"]))
def test_our_reading_is_the_one_of_ssh(
    folder: Path, text: str, one: str, two: str, host: str
) -> None:
    for name, content in (("one", one), ("two", two)):
        write(folder / name, content.replace("Include", "User"))
    text = text.replace("Include ", f"Include {folder}/").replace(" two", f" {folder}/two")
    path = folder / "both"
    write(path, text)
    typed = Typed(host, user="root")
    try:
        ssh = config.look_up(typed, path)
    except DestinationError:
        assume(False)  # it refuses the file; we only name the line
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shutil, "which", lambda _: None)
        ours = config.look_up(typed, path)
    usual = "\n".join(str(Path.home() / ".ssh" / f"known_hosts{more}") for more in ("", "2"))
    defaults = {"hostname": host, "port": "22", "userknownhostsfile": usual}
    for key in (*_KEYS, *_MORE):
        theirs = ssh.get(key, defaults.get(key, ""))
        mine = ours.get(key, defaults.get(key, ""))
        if theirs != mine:
            assert theirs in _MEANS_NOTHING, (key, theirs, mine)
            assert mine in _MEANS_NOTHING, (key, theirs, mine)
