"""Which host keys are trusted: every form of line that OpenSSH writes, and odd ones between."""

import base64
import stat
import subprocess
from pathlib import Path

import pytest

from desktop.core.errors import StorageError
from desktop.core.ssh.known_hosts import HostKey, KnownHosts, Trust, judge, lookup_name, parse


def _key(kind: str, content: bytes) -> HostKey:
    name = kind.encode()
    return HostKey(kind, len(name).to_bytes(4, "big") + name + content)


OLD = _key("ssh-ed25519", b"old")
NEW = _key("ssh-ed25519", b"new")
RSA = _key("ssh-rsa", b"rsa")


def _line(hosts: str, key: HostKey) -> str:
    return f"{hosts} {key.kind} {base64.b64encode(key.blob).decode()}"


def _trust(text: str, name: str, key: HostKey) -> Trust:
    return judge(parse(text, "known_hosts"), name, key).trust


@pytest.mark.parametrize(
    ("hosts", "name", "matches"),
    [
        ("gpu", "gpu", True),
        ("GPU", "gpu", True),
        ("other,gpu", "gpu", True),
        ("[gpu]:2222", "[gpu]:2222", True),
        ("[gpu]:2222", "[gpu]:2223", False),
        ("gpu", "[gpu]:2222", False),
        ("*.example.com", "a.example.com", True),
        ("*.example.com", "example.com", False),
        ("gpu?", "gpu1", True),
        ("*.example.com,!bad.example.com", "bad.example.com", False),
        ("[*]:2222", "[gpu]:2222", True),
        ("!gpu", "gpu", False),
    ],
)
def test_a_pattern_matches_as_in_openssh(hosts: str, name: str, matches: bool) -> None:
    assert _trust(_line(hosts, OLD), name, OLD) is (Trust.KNOWN if matches else Trust.UNKNOWN)


@pytest.mark.parametrize(("host", "port"), [("gpu.example.com", 22), ("gpu.example.com", 12345)])
def test_a_line_that_ssh_keygen_hashed_matches(tmp_path: Path, host: str, port: int) -> None:
    path = tmp_path / "known_hosts"
    path.write_text(_real_line(tmp_path, lookup_name(host, port)))
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(path)], check=True, capture_output=True)
    assert host not in path.read_text()
    entries = list(parse(path.read_text(), "known_hosts"))
    assert judge(entries, lookup_name(host, port), entries[0].key).trust is Trust.KNOWN
    assert judge(entries, lookup_name(host, port + 1), entries[0].key).trust is Trust.UNKNOWN


def test_the_fingerprint_is_the_one_that_ssh_keygen_shows(tmp_path: Path) -> None:
    line = _real_line(tmp_path, "gpu")
    shown = subprocess.check_output(["ssh-keygen", "-lf", str(tmp_path / "key.pub")], text=True)
    assert next(parse(line, "")).key.fingerprint == shown.split()[1]


def _real_line(folder: Path, name: str) -> str:
    key = folder / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    kind, blob, *_ = key.with_suffix(".pub").read_text().split()
    return f"{name} {kind} {blob}\n"


def test_another_key_of_the_same_type_is_a_change_and_the_source_is_named() -> None:
    text = f"# a comment\n{_line('gpu', OLD)}\n"
    verdict = judge(parse(text, "~/.ssh/known_hosts"), "gpu", NEW)
    assert verdict.trust is Trust.CHANGED
    assert verdict.expected == OLD.fingerprint
    assert verdict.source == "~/.ssh/known_hosts:2"


def test_a_host_pinned_with_another_type_only_has_changed_too() -> None:
    assert _trust(_line("gpu", RSA), "gpu", NEW) is Trust.CHANGED


def test_one_matching_line_among_several_is_enough() -> None:
    text = "\n".join([_line("gpu", RSA), _line("gpu", OLD), _line("gpu", NEW)])
    assert _trust(text, "gpu", NEW) is Trust.KNOWN


def test_a_revoked_key_stops_hard_even_where_it_is_also_trusted() -> None:
    text = f"{_line('gpu', OLD)}\n@revoked {_line('*', OLD)}"
    assert _trust(text, "gpu", OLD) is Trust.REVOKED


def test_a_revoked_line_says_nothing_about_other_keys() -> None:
    assert _trust(f"@revoked {_line('*', OLD)}", "gpu", NEW) is Trust.UNKNOWN


@pytest.mark.parametrize(
    "odd",
    [
        "",
        "# comment",
        "gpu",
        "gpu ssh-ed25519",
        "gpu ssh-ed25519 !!!not-base64!!!",
        f"gpu ssh-rsa {base64.b64encode(OLD.blob).decode()}",
        f"@cert-authority {_line('*', NEW)}",
        f"@made-up {_line('*', NEW)}",
        "|1|bad|hash ssh-ed25519 AAAA",
        "|2|a|b ssh-ed25519 AAAA",
        "gpu 2048 35 1234567890",
        "\x00\x01\xff",
    ],
)
def test_an_odd_line_is_skipped_and_hides_no_other(odd: str) -> None:
    text = f"{odd}\ngpu   {OLD.kind}\t{base64.b64encode(OLD.blob).decode()} a comment\n{odd}"
    assert _trust(text, "gpu", OLD) is Trust.KNOWN
    assert _trust(text, "gpu", NEW) is Trust.CHANGED


def test_an_alias_is_filed_without_a_port() -> None:
    assert lookup_name("gpu", 2222, "Rented") == "Rented"
    assert lookup_name("GPU", 22) == "gpu"
    assert lookup_name("GPU", 2222) == "[gpu]:2222"


def test_a_key_that_is_remembered_is_known_and_the_file_is_private(tmp_path: Path) -> None:
    hosts = KnownHosts(tmp_path / "new" / "known_hosts", ())
    hosts.remember("[gpu]:2222", OLD)
    assert hosts.judge("[gpu]:2222", OLD).trust is Trust.KNOWN
    assert hosts.kinds("[gpu]:2222") == ("ssh-ed25519",)
    assert stat.S_IMODE(hosts.own_file.stat().st_mode) == 0o600
    assert [path.name for path in hosts.own_file.parent.iterdir()] == ["known_hosts"]


def test_remembering_replaces_the_hosts_line_and_leaves_the_others(tmp_path: Path) -> None:
    own = tmp_path / "known_hosts"
    own.write_text(f"# mine\n{_line('gpu', OLD)}\n{_line('other', RSA)}\n")
    KnownHosts(own, ()).remember("gpu", NEW)
    assert own.read_text() == f"# mine\n{_line('other', RSA)}\n{_line('gpu', NEW)}\n"


def test_a_forgotten_host_is_unknown(tmp_path: Path) -> None:
    hosts = KnownHosts(tmp_path / "known_hosts", ())
    hosts.remember("gpu", OLD)
    hosts.forget("gpu")
    assert hosts.judge("gpu", OLD).trust is Trust.UNKNOWN


def test_openssh_files_are_read_and_never_written(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.write_text(_line("gpu", OLD) + "\n")
    hosts = KnownHosts(tmp_path / "ours", [theirs, tmp_path / "absent"])
    hosts.remember("gpu", NEW)
    hosts.forget("gpu")
    assert theirs.read_text() == _line("gpu", OLD) + "\n"
    assert hosts.judge("gpu", OLD).trust is Trust.KNOWN


def test_a_file_that_cannot_be_written_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    hosts = KnownHosts(tmp_path / "file" / "known_hosts", ())
    with pytest.raises(StorageError) as caught:
        hosts.remember("gpu", OLD)
    assert caught.value.code == "storage-not-writable"


def test_files_that_the_ssh_config_names_are_read_as_well_and_can_revoke(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.write_text(f"@revoked {_line('*', OLD)}\n")
    hosts = KnownHosts(tmp_path / "ours", ())
    hosts.remember("gpu", OLD)
    more = hosts.with_files([theirs])
    assert more.judge("gpu", OLD).trust is Trust.REVOKED
    more.remember("gpu", NEW)
    assert hosts.judge("gpu", NEW).trust is Trust.KNOWN
    assert theirs.read_text() == f"@revoked {_line('*', OLD)}\n"


def test_hosts_that_are_trusted_at_the_same_time_are_all_kept(tmp_path: Path) -> None:
    import threading

    own = tmp_path / "known_hosts"
    threads = [
        threading.Thread(target=KnownHosts(own, ()).remember, args=(f"gpu{number}", OLD))
        for number in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(own.read_text().splitlines()) == 20


@pytest.mark.parametrize("end", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028"])
def test_what_is_a_comment_to_openssh_is_no_line_here(end: str) -> None:
    text = f"{_line('gpu', OLD)} me{end}{_line('gpu', NEW)}\n"
    assert _trust(text, "gpu", NEW) is Trust.CHANGED


@pytest.mark.parametrize(
    "hosts", ["gpu", "g*", "[gpu]:2222", "[*]:2222", "a,[GPU]:2222", "|hashed", "|hashed bare"]
)
def test_a_revoked_key_stops_in_every_form_and_from_the_other_file(
    tmp_path: Path, hosts: str
) -> None:
    import hashlib
    import hmac

    name = "gpu" if "bare" in hosts else "[gpu]:2222"
    digest = hmac.digest(b"salt", name.encode(), hashlib.sha1)
    if hosts.startswith("|"):
        hosts = f"|1|{base64.b64encode(b'salt').decode()}|{base64.b64encode(digest).decode()}"
    theirs = tmp_path / "theirs"
    theirs.write_text(f"@revoked {_line(hosts, OLD)}\n")
    known = KnownHosts(tmp_path / "ours", [theirs])
    known.remember("[gpu]:2222", OLD)
    assert known.judge("[gpu]:2222", OLD).trust is Trust.REVOKED
    assert known.judge("[gpu]:2222", NEW).trust is Trust.CHANGED


@pytest.mark.parametrize("alias", ["*", "a b", "!gpu", "|1|", "#me", "@revoked", "a,b", "ü\u0307"])
def test_an_alias_is_pinned_as_one_name_whatever_it_holds(tmp_path: Path, alias: str) -> None:
    hosts = KnownHosts(tmp_path / "known_hosts", ())
    hosts.remember(alias, OLD)
    hosts.remember(alias, NEW)
    assert hosts.judge(alias, NEW).trust is Trust.KNOWN
    assert hosts.judge(alias, OLD).trust is Trust.CHANGED
    assert hosts.judge("gpu", NEW).trust is Trust.UNKNOWN
    hosts.forget(alias)
    assert hosts.judge(alias, NEW).trust is Trust.UNKNOWN


def test_a_key_that_is_no_line_is_not_written(tmp_path: Path) -> None:
    hosts = KnownHosts(tmp_path / "known_hosts", ())
    kind = f"ssh-ed25519 x\n{_line('*', NEW)}"
    with pytest.raises(StorageError):
        hosts.remember("gpu", HostKey(kind, b"x"))
    assert not hosts.own_file.exists()


def test_a_line_that_is_too_long_a_list_is_about_no_host() -> None:
    assert _trust(_line(f"gpu,{'x' * 2000}", OLD), "gpu", OLD) is Trust.UNKNOWN


def test_a_list_of_stars_costs_no_time() -> None:
    import time

    text = "".join(f"{_line('*a' * 400 + 'b', OLD)}\n" for _ in range(10))
    begun = time.process_time()
    assert _trust(text, "a" * 200, OLD) is Trust.UNKNOWN
    assert time.process_time() - begun < 5


def test_a_name_hashed_as_it_is_written_is_found(tmp_path: Path) -> None:
    path = tmp_path / "known_hosts"
    path.write_text(_real_line(tmp_path, "Rented"))
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(path)], check=True, capture_output=True)
    entry = next(parse(path.read_text(), "known_hosts"))
    assert judge([entry], lookup_name("gpu", 22, "Rented"), entry.key).trust is Trust.KNOWN
