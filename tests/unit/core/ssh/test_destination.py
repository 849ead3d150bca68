"""What people paste as a host is understood, and nothing else reaches ssh."""

from pathlib import Path

import pytest

from desktop.core.errors import DestinationError
from desktop.core.ssh.config import parse_answer
from desktop.core.ssh.destination import Destination, Typed, parse, resolve


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gpu", Typed("gpu")),
        (" gpu ", Typed("gpu")),
        ("root@gpu", Typed("gpu", user="root")),
        ("root@gpu:2222", Typed("gpu", 2222, "root")),
        ("gpu:2222", Typed("gpu", 2222)),
        ("[::1]:2222", Typed("::1", 2222)),
        ("[fe80::1%eth0]", Typed("fe80::1%eth0")),
        ("[fe80::1%en0.100]:22", Typed("fe80::1%en0.100", 22)),
        ("root@[::1]:22", Typed("::1", 22, "root")),
        ("::1", Typed("::1")),
        ("ssh://root@gpu:2222/", Typed("gpu", 2222, "root")),
        ("主机.example", Typed("主机.example")),
        ("me@corp.example@gpu", Typed("gpu", user="me@corp.example")),
    ],
)
def test_an_address_is_read(text: str, expected: Typed) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "ssh -p 12345 root@connect.westb.seetacloud.com",
            Typed("connect.westb.seetacloud.com", 12345, "root"),
        ),
        ("ssh root@gpu -p 53372", Typed("gpu", 53372, "root")),
        ("ssh -p53372 -l root gpu", Typed("gpu", 53372, "root")),
        ("ssh -o Port=53372 -oUser=root gpu", Typed("gpu", 53372, "root")),
        ("ssh -o 'Port 53372' gpu", Typed("gpu", 53372)),
        ("ssh -i ~/.ssh/key -J jump gpu", Typed("gpu", identity="~/.ssh/key", proxy_jump="jump")),
        ("ssh -p 1 -p 2 gpu", Typed("gpu", 1)),
        (
            "ssh -CNg -L 6006:127.0.0.1:6006 root@gpu -p 42151",
            Typed("gpu", 42151, "root", ignored=("-C", "-N", "-g", "-L 6006:127.0.0.1:6006")),
        ),
        ("ssh -CNgp 22 gpu", Typed("gpu", 22, ignored=("-C", "-N", "-g"))),
        (
            "ssh -o StrictHostKeyChecking=no gpu",
            Typed("gpu", ignored=("-o StrictHostKeyChecking=no",)),
        ),
        ("ssh gpu nvidia-smi", Typed("gpu", ignored=("nvidia-smi",))),
    ],
)
def test_a_providers_line_is_read_as_ssh_would(text: str, expected: Typed) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "destination-empty"),
        ("   ", "destination-empty"),
        ("ssh -p 22", "destination-unclear"),
        ("ssh gpu -p", "destination-unclear"),
        ("two words", "destination-unclear"),
        ("'open quote", "destination-unclear"),
        ("a\nb", "destination-unclear"),
        ("ssh -p 1 a\nssh -p 2 b", "destination-unclear"),
        ("ssh -p 1 a\none\ntwo", "destination-unclear"),
        ("x" * 2000, "destination-unclear"),
        ("gpu:", "destination-bad-port"),
        ("gpu:0", "destination-bad-port"),
        ("gpu:65536", "destination-bad-port"),
        ("gpu:²", "destination-bad-port"),
        ("ssh -p many gpu", "destination-bad-port"),
        ("-oProxyCommand=id", "destination-bad-host"),
        ("ssh -- -oProxyCommand=id", "destination-bad-host"),
        ("gpu;id", "destination-bad-host"),
        ("$(id)", "destination-bad-host"),
        ("`id`", "destination-bad-host"),
        ("[gpu]:22", "destination-bad-host"),
        ("[::1", "destination-bad-host"),
        ("gpu:1:2", "destination-bad-host"),
        ("[.:.]:22", "destination-bad-host"),
        ("...", "destination-bad-host"),
        ("a%hb", "destination-bad-host"),
        ("ssh -J '$(id)' gpu", "destination-bad-host"),
        ("ssh -J a,-oProxyCommand=id gpu", "destination-bad-host"),
        ("ssh -o 'ProxyJump a;id' gpu", "destination-bad-host"),
        ("@gpu", "destination-bad-user"),
        ("-l@gpu", "destination-bad-user"),
        ("$(id)@gpu", "destination-bad-user"),
        ("ssh -l '`id`' gpu", "destination-bad-user"),
    ],
)
def test_what_is_no_host_is_refused_with_a_reason(text: str, code: str) -> None:
    with pytest.raises(DestinationError) as caught:
        parse(text)
    assert caught.value.code == code


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config"
    path.write_text(
        "Host gpu\n  HostName connect.example.com\n  Port 2222\n  User root\n"
        f"  IdentityFile {tmp_path}/key\n  IdentitiesOnly yes\n  HostKeyAlias rented\n"
        "Host behind\n  ProxyJump jump.example.com\n"
        "Host none\n  ProxyCommand none\n"
    )
    return path


@pytest.fixture(params=["with ssh", "without ssh"])
def ssh(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "without ssh":
        monkeypatch.setattr("desktop.core.ssh.config.shutil.which", lambda _: None)


@pytest.mark.usefixtures("ssh")
def test_an_alias_of_the_ssh_config_is_resolved(config: Path) -> None:
    assert resolve("gpu", config) == Destination(
        host="connect.example.com",
        port=2222,
        user="root",
        text="gpu",
        identity_files=(config.parent / "key",),
        identities_only=True,
        host_key_alias="rented",
    )


@pytest.mark.usefixtures("ssh")
def test_what_is_typed_wins_over_the_ssh_config(config: Path) -> None:
    found = resolve("ssh -p 99 -i /typed/key me@gpu", config)
    assert (found.port, found.user) == (99, "me")
    assert found.identity_files == (Path("/typed/key"), config.parent / "key")


@pytest.mark.usefixtures("ssh")
def test_a_jump_host_is_kept_for_whoever_can_use_it(config: Path) -> None:
    via = resolve("behind", config).via
    assert via is not None
    assert (via.host, via.port, via.via) == ("jump.example.com", 22, None)
    assert resolve("none", config).proxy_command == ""


@pytest.mark.usefixtures("ssh")
def test_each_jump_host_is_resolved_as_a_host_of_its_own(config: Path) -> None:
    found = resolve("ssh -J first,me@second:33,gpu far", config)
    assert found.via is not None
    assert (found.via.host, found.via.port, found.via.user) == ("connect.example.com", 2222, "root")
    second = found.via.via
    assert second is not None
    assert (second.host, second.port, second.user) == ("second", 33, "me")
    assert second.via is not None
    assert (second.via.host, second.via.via) == ("first", None)


@pytest.mark.usefixtures("ssh")
def test_jump_hosts_that_lead_back_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text("Host a\n  ProxyJump b\nHost b\n  ProxyJump a\n")
    with pytest.raises(DestinationError) as caught:
        resolve("a", path)
    assert caught.value.code == "destination-jumps"


@pytest.mark.usefixtures("ssh")
def test_of_proxy_jump_and_proxy_command_the_first_one_counts(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(
        "Host a\n  ProxyCommand nc %h %p\n  ProxyJump b\n"
        "Host c\n  ProxyJump b\n  ProxyCommand nc %h %p\n"
    )
    assert (resolve("a", path).via, resolve("a", path).proxy_command) == (None, "nc a 22")
    assert resolve("c", path).via is not None
    assert resolve("c", path).proxy_command == ""


@pytest.mark.usefixtures("ssh")
def test_tokens_stand_for_what_they_do_in_ssh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    path = tmp_path / "config"
    path.write_text(
        "Host gpu\n  HostName %h.example.com\n  Port 33\n  User me\n"
        "  ProxyCommand nc %h %p --as %r --for %n 100%%\n"
        "  IdentityFile %d/keys/%r-%h\n  CertificateFile ~/keys/%n.pub\n"
        f"  UserKnownHostsFile {tmp_path}/one {tmp_path}/two\n  IdentityAgent {tmp_path}/agent\n"
    )
    found = resolve("gpu", path)
    assert found.host == "gpu.example.com"
    assert found.proxy_command == "nc gpu.example.com 33 --as me --for gpu 100%"
    assert found.identity_files == (tmp_path / "keys" / "me-gpu.example.com",)
    assert found.certificate_files == (tmp_path / "keys" / "gpu.pub",)
    assert found.known_hosts_files == (tmp_path / "one", tmp_path / "two")
    assert found.agent == str(tmp_path / "agent")


@pytest.mark.usefixtures("ssh")
def test_what_is_not_supported_is_named(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text("Host gpu\n  ProxyUseFdpass yes\n  RevokedHostKeys /etc/revoked\n")
    assert {line.lower() for line in resolve("gpu", path).unsupported} == {
        "proxyusefdpass yes",
        "revokedhostkeys /etc/revoked",
    }


@pytest.mark.usefixtures("ssh")
def test_without_a_user_the_local_one_is_meant(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import getpass

    assert resolve("example.com", config).user == getpass.getuser()


@pytest.mark.usefixtures("ssh")
def test_an_ipv6_address_survives(config: Path) -> None:
    found = resolve("root@[::1]:2222", config)
    assert (found.host, str(found)) == ("::1", "root@[::1]:2222")


def test_an_error_in_the_ssh_config_is_told_in_its_own_words(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text("Nonsense yes\n")
    with pytest.raises(DestinationError) as caught:
        resolve("gpu", path)
    assert caught.value.code == "destination-config"
    assert "nonsense" in caught.value.facts["detail"]


def test_a_config_cannot_smuggle_a_shell_word_in_as_a_host(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text("Host gpu\n  User -oProxyCommand=id\n")
    with pytest.raises(DestinationError):
        resolve("gpu", path)


def test_the_keys_that_ssh_would_try_anyway_are_not_named_ones() -> None:
    answer = "hostname gpu\nidentityfile ~/.ssh/id_rsa\nidentityfile ~/.ssh/id_ed25519\n"
    assert parse_answer(answer) == {"hostname": "gpu"}


def test_this_half_of_the_layer_does_not_import_paramiko() -> None:
    import subprocess
    import sys

    script = (
        "import sys; import desktop.core.ssh.destination, desktop.core.ssh.config; "
        "import desktop.core.ssh.known_hosts, desktop.core.ssh.credentials; "
        "import desktop.core.ssh.forward, desktop.core.ssh.prompts; "
        "sys.exit('paramiko' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_a_key_file_of_nobody_is_a_name_like_others(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text("Host gpu\n  IdentityAgent none\n")
    found = resolve("ssh -i ~nobody-here/key gpu", path)
    assert found.identity_files == (Path("~nobody-here/key"),)


@pytest.mark.parametrize("alias", ["x" * 256, "a\x07b"])
def test_an_alias_that_cannot_be_a_name_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, alias: str
) -> None:
    monkeypatch.setattr("desktop.core.ssh.config.shutil.which", lambda _: None)
    path = tmp_path / "config"
    path.write_text(f"HostKeyAlias {alias}\n")
    with pytest.raises(DestinationError) as caught:
        resolve("gpu", path)
    assert caught.value.code == "destination-bad-host"
