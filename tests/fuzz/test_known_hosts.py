"""No file of host keys makes a wrong key a known one, and no odd line hides another."""

from __future__ import annotations

import base64
import hashlib
import hmac
import subprocess
from pathlib import Path

from hypothesis import assume, given
from hypothesis import strategies as st

from desktop.core.errors import StorageError
from desktop.core.ssh.known_hosts import (
    HostKey,
    KnownHosts,
    Trust,
    judge,
    lookup_name,
    parse,
)
from tests.fuzz.strategies import any_sign, mutated, odd, safe_word, share


def key_of(kind: str, content: bytes) -> HostKey:
    name = kind.encode()
    return HostKey(kind, len(name).to_bytes(4, "big") + name + content)


PINNED = key_of("ssh-ed25519", b"pinned")
OTHER = key_of("ssh-rsa", b"other")
WRONG = key_of("ssh-ed25519", b"wrong!")
NAME = "[gpu.example.com]:2222"


def hashed(name: str, salt: bytes) -> str:
    digest = hmac.digest(salt, name.encode(), hashlib.sha1)
    return f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()}"


def line_of(hosts: str, key: HostKey) -> str:
    return f"{hosts} {key.kind} {base64.b64encode(key.blob).decode()}"


salts = st.binary(min_size=1, max_size=20)
# Every form in which a line can be about NAME ...
meant = st.one_of(
    st.sampled_from([NAME, NAME.upper(), f"a,{NAME}", "*", "[*]:2222", "[gpu?example.*]:2222"]),
    st.builds(hashed, st.just(NAME), salts),
    st.builds("{}*{}".format, st.just("["), st.sampled_from(["]:2222", "2", "m]:*2"])),
)
# ... and some in which it is not.
_FOREIGN = ("gpu.example.com", "[gpu.example.com]:22", "[gpu.example.com]:22222", "[pu.example.com")
foreign = st.one_of(
    st.sampled_from([*_FOREIGN, f"*,!{NAME}", f"!{NAME}", f"x{NAME}", "|1|||", "*.example.com"]),
    st.builds(hashed, st.sampled_from(_FOREIGN), salts),
    st.builds(lambda long: f"{NAME},{'x' * long}", st.integers(1024, 3000)),
)
_keys = st.sampled_from([PINNED, OTHER])
_MARKS = ("", "", "", "@revoked ", "@cert-authority ", "@unknown ", "# ")
lines = mutated(st.builds("{}{}".format, st.sampled_from(_MARKS), st.builds(line_of, meant, _keys)))
# Lines that hold the wrong key and give it no trust; whole, so that no cut makes them others.
harmless = st.one_of(
    st.builds(line_of, foreign, st.just(WRONG)),
    st.builds(
        "{}{}".format, st.sampled_from(_MARKS[3:]), st.builds(line_of, meant, st.just(WRONG))
    ),
    st.builds("{} {}".format, st.builds(line_of, meant, _keys), st.just(line_of(NAME, WRONG))),
    st.builds(
        lambda end: f"{line_of(NAME, PINNED)} me{end}{line_of(NAME, WRONG)}",
        st.sampled_from(["\x0b", "\x0c", "\x1c", "\x1e", "\x85", "\u2028", "\u2029", "\r", "\t"]),
    ),
)
files = st.lists(st.one_of(lines, harmless, odd), max_size=8).map("\n".join)


@given(files)
def test_a_key_that_no_line_gives_to_the_host_is_never_known(text: str) -> None:
    verdict = judge(parse(text, "known_hosts"), NAME, WRONG)
    assert verdict.trust is not Trust.KNOWN
    assert len(verdict.expected) <= 60


@given(files, files)
def test_no_odd_line_hides_another(before: str, after: str) -> None:
    text = f"{before}\n{line_of(NAME, PINNED)}\r\n{after}"
    verdict = judge(parse(text, "known_hosts"), NAME, PINNED)
    marked = "@revoked" in text
    assert verdict.trust is Trust.KNOWN or (marked and verdict.trust is Trust.REVOKED)


@given(files, files, meant, st.booleans())
def test_a_revoked_key_stops_in_whichever_file_and_form(
    own: str, theirs: str, hosts: str, bare: bool
) -> None:
    revoked = f"@revoked\t{line_of('gpu.example.com' if bare else hosts, PINNED)}"
    entries = [
        *parse(f"{own}\n{line_of(NAME, PINNED)}", "own"),
        *parse(f"{theirs}\n{revoked}\n{own}", "theirs"),
    ]
    assert judge(entries, NAME, PINNED).trust is Trust.REVOKED


host_names = st.one_of(
    st.builds(lookup_name, safe_word, st.integers(1, 65535)),
    st.builds(
        lookup_name, safe_word, st.just(22), st.one_of(mutated(safe_word), st.text(any_sign))
    ),
).filter(bool)
_BLOBS = st.builds(
    key_of, st.sampled_from(["ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256"]), st.binary()
)


@share(10)
@given(st.lists(odd, max_size=5).map("".join), host_names, host_names, _BLOBS, _BLOBS)
def test_ours_reads_back_what_it_wrote_and_nothing_else(
    folder: Path, there: str, name: str, other: str, key: HostKey, newer: HostKey
) -> None:
    own = folder / "known_hosts"
    before = there.replace("\x00", "").encode("utf-8", "surrogatepass")
    own.write_bytes(before)
    hosts = KnownHosts(own, ())
    kept = [line for line in before.split(b"\n") if b"*" not in line and line]
    hosts.remember(name, key)
    hosts.remember(name, newer)
    assert hosts.judge(name, newer).trust is Trust.KNOWN
    assert key == newer or hosts.judge(name, key).trust is Trust.CHANGED
    if other.lower() != name.lower():
        assert hosts.judge(other, newer).trust is Trust.UNKNOWN
    hosts.forget(name)
    assert hosts.judge(name, newer).trust is Trust.UNKNOWN
    assert set(kept) <= set(own.read_bytes().split(b"\n"))


@share(10)
@given(host_names, mutated(st.just("ssh-ed25519")), st.binary(max_size=40))
def test_a_key_that_cannot_be_one_line_is_refused(
    folder: Path, name: str, kind: str, content: bytes
) -> None:
    key = HostKey(kind, content)
    hosts = KnownHosts(folder / "odd", ())
    try:
        hosts.remember(name, key)
    except StorageError:
        assert hosts.judge(name, key).trust is not Trust.KNOWN
        return
    assert hosts.judge(name, key).trust is Trust.KNOWN
    hosts.forget(name)


_PATTERNS = st.lists(
    st.sampled_from(["gpu", "GPU", "*", "?", "!", ",", "[", "]", ":", "22", "a", ".", "-", "g*u"]),
    min_size=1,
    max_size=8,
).map("".join)
_NAMES = ("gpu", "[gpu]:2222", "a.gpu", "g-u")


@share(100)
@given(st.lists(_PATTERNS, min_size=1, max_size=40))
def test_a_line_is_about_the_hosts_that_ssh_keygen_finds_there(
    folder: Path, patterns: list[str]
) -> None:
    assume(not any(pattern.startswith("#") for pattern in patterns))
    path = folder / "theirs"
    blob = key_of("ssh-ed25519", (32).to_bytes(4, "big") + bytes(range(32)))
    path.write_text("".join(f"{line_of(hosts, blob)}\n" for hosts in patterns))
    entries = list(parse(path.read_text(), "theirs"))
    assert len(entries) == len(patterns)
    for name in _NAMES:
        argv = ["ssh-keygen", "-F", name, "-f", str(path)]
        said = subprocess.run(argv, capture_output=True, text=True, check=False).stdout
        found = [line.split()[-1] for line in said.splitlines() if line.startswith("# Host ")]
        ours = [str(n) for n, entry in enumerate(entries, 1) if entry.matches(name)]
        assert ours == found
