"""`hosts`: list, save, forget; and a saved name wherever a HOST is taken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from desktop.cli import hosts
from desktop.cli.commands import run
from desktop.cli.invocation import invocation
from desktop.cli.session import opened_connection
from desktop.cli.wishes import wishes
from desktop.core.api_keys import ApiKeys
from desktop.core.errors import HostUnreachable
from desktop.core.local_ports import LocalPorts
from desktop.core.paths import paths
from desktop.core.saved import SavedHost
from desktop.core.session.wishes import Wishes
from desktop.core.settings import Settings, load, save
from desktop.core.ssh.destination import Destination
from desktop.system.keyring import Keyring
from tests.helpers.memory_keyring import MemoryKeyring

LINE = "ssh -p 12345 root@connect.westb.seetacloud.com"


def saved() -> Settings:
    return load(paths().settings)[0]


def wished(settings: Settings, host: str | None = None, **typed: Any) -> Wishes:
    save(settings, paths().ensure().settings)
    return wishes(invocation(host=host, **typed))


def code_of(argv: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert run([*argv, "--json"]) == 2
    return str(json.loads(capsys.readouterr().out)["code"])


def test_a_host_is_saved_with_what_is_wished_of_it() -> None:
    typed = ["-m", "a/b", "--max-model-len", "4096", "--local-port", "8100", "--rate", "1.98"]
    typed += ["--kv-cache-dtype", "fp8"]
    typed += ["--currency", "CNY", "--proxy", "socks5://127.0.0.1:1080", "--data-dir", "/disk"]
    assert run(["hosts", "save", "box", LINE, *typed]) == 0
    assert saved().hosts == {
        "box": SavedHost(
            LINE,
            model="a/b",
            max_model_len="4096",
            kv_cache_dtype="fp8",
            local_port=8100,
            rate=1.98,
            currency="CNY",
            proxy="socks5://127.0.0.1:1080",
            data_dir="/disk",
        )
    }
    assert saved().host == "box", "the first one is the default"


def test_saving_again_changes_what_was_typed_and_nothing_else() -> None:
    run(["hosts", "save", "box", LINE, "-m", "a/b", "--rate", "2"])
    assert run(["hosts", "save", "box", "root@other", "--rate", "0"]) == 0
    assert saved().hosts["box"] == SavedHost("root@other", model="a/b")
    run(["hosts", "save", "lab", "lab"])
    assert saved().host == "box"
    run(["hosts", "save", "lab", "lab", "--default"])
    assert saved().host == "lab"


def test_a_password_under_the_line_is_not_saved(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["hosts", "save", "box", f"{LINE}\ns3cret-Of-Mine", "--lang", "en"]) == 0
    assert saved().hosts["box"].line == LINE
    assert "was not saved" in capsys.readouterr().err
    assert "s3cret" not in paths().settings.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        (["save", "root@h", LINE], "host-name-bad"),
        (["save", "pair", LINE], "host-name-of-group"),
        (["save", "box", "root@h:99999"], "destination-bad-port"),
        (["save", "box", ""], "destination-empty"),
        (["save", "box", LINE, "--proxy", "socks5://me:s3cret@h:1"], "proxy-with-password"),
        (["save", "box", LINE, "--proxy", "h:1"], "destination-bad-proxy"),
        (["forget", "nobody"], "host-not-saved"),
    ],
)
def test_what_cannot_be_saved_is_an_error_and_saves_nothing(
    argv: list[str], code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = '[groups.pair]\nhosts = ["a", "b"]\nhead_address = "x"\n'
    paths().ensure().settings.write_text(text, encoding="utf-8")
    assert code_of(["hosts", *argv], capsys) == code
    assert paths().settings.read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    "argv",
    [
        ["save", "box"],
        ["save", "-x", LINE],
        ["save", "box", LINE, "--rate", "-1"],
        ["save", "box", LINE, "--currency", "much-too-long"],
        ["forget"],
        ["fly"],
    ],
)
def test_bad_usage_exits_with_2(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["hosts", *argv]) == 2
    assert capsys.readouterr().err
    assert not paths().settings.exists()


def test_a_host_is_forgotten_with_its_port(capsys: pytest.CaptureFixture[str]) -> None:
    run(["hosts", "save", "box", LINE])
    ports = LocalPorts(paths().local_ports)
    ports.keep("box", 8003)
    assert run(["hosts", "forget", "box", "--lang", "en"]) == 0
    assert (saved().hosts, saved().host, ports.of("box")) == ({}, "", 0)
    assert "Nothing was stopped there" in capsys.readouterr().err


def test_a_host_is_forgotten_with_its_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    keyring = Keyring(MemoryKeyring())
    monkeypatch.setattr(hosts, "Keyring", lambda: keyring)
    run(["hosts", "save", "box", LINE])
    keyring.keep("root@connect.westb.seetacloud.com:12345", "of the host")
    keyring.keep("root@other:22", "of another one")
    ApiKeys(keyring).of("box")
    assert run(["hosts", "forget", "box"]) == 0
    assert keyring.secret("root@connect.westb.seetacloud.com:12345") is None
    assert keyring.secret("root@other:22") == "of another one"
    assert keyring.secret("api-key box") is None


def test_the_list_is_for_people_and_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    run(["hosts", "save", "box", LINE, "-m", "a/b", "--rate", "1.98", "--currency", "CNY"])
    run(["hosts", "save", "实验室", "lab"])
    LocalPorts(paths().local_ports).keep("box", 8003)
    capsys.readouterr()
    assert run(["hosts", "--lang", "en"]) == 0
    first, second, third = capsys.readouterr().out.splitlines()
    assert first.split("  ")[0] == "box"
    assert first.endswith(LINE)
    assert second.strip() == "default ⋅ a/b ⋅ local port 8003 ⋅ ¥1.98/h"
    assert third.startswith("实验室 ")
    assert run(["hosts", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["kind"], line["name"], line["default"]) for line in lines] == [
        ("host", "box", True),
        ("host", "实验室", False),
    ]
    assert (lines[0]["line"], lines[0]["local_port"], lines[0]["rate"]) == (LINE, 8003, 1.98)


def test_without_a_saved_host_it_says_how_to_save_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["hosts", "--lang", "en"]) == 0
    caught = capsys.readouterr()
    assert (caught.out, "paperkite hosts save" in caught.err) == ("", True)


# -- a saved name as HOST ------------------------------------------------------------------------

BOX = SavedHost(
    "root@box.example.com:2201",
    model="a/of-the-host",
    local_port=8100,
    proxy="http://proxy.example:3128",
    identity="/keys/box",
)
ALL = Settings(
    host="box",
    hosts={"box": BOX},
    model="a/of-all",
    revision="v9",
    data_dir="/all",
    proxy="socks5://127.0.0.1:1080",
)


@pytest.mark.parametrize("host", ["box", None])
def test_a_saved_name_comes_first_and_brings_its_wishes(host: str | None) -> None:
    found = wished(ALL, host)
    assert (found.name, found.destination.host, found.destination.port) == (
        *("box", "box.example.com"),
        2201,
    )
    assert (found.model, found.local_port, found.data_dir) == ("a/of-the-host", 8100, "/all")
    assert (found.identity, found.destination.proxy) == (Path("/keys/box"), BOX.proxy)
    assert found.revision == "master", "another model's revision is not this one's"


def test_what_is_typed_wins_over_the_host_and_the_host_over_all() -> None:
    found = wished(ALL, "box", model="a/typed", local_port=9000, identity=Path("/k"), proxy="none")
    assert (found.model, found.local_port, found.identity) == ("a/typed", 9000, Path("/k"))
    assert found.destination.proxy == ""


def test_another_host_has_the_wishes_for_all() -> None:
    found = wished(ALL, "root@other:1")
    assert (found.name, found.model, found.revision) == ("", "a/of-all", "v9")
    assert (found.local_port, found.destination.proxy) == (0, ALL.proxy)
    assert found.usual_ports[0] == 8000


def test_a_saved_host_tries_its_own_port_first() -> None:
    LocalPorts(paths().local_ports).keep("lab", 8005)
    settings = Settings(hosts={"lab": SavedHost("root@lab:1"), "box": SavedHost("root@box:1")})
    assert wished(settings, "lab").usual_ports[:2] == (8005, 8000)
    assert 8005 not in wished(settings, "box").usual_ports


def test_hosts_of_a_group_may_be_saved_ones(tmp_path: Path) -> None:
    save(ALL, paths().ensure().settings)
    with paths().settings.open("a", encoding="utf-8") as file:
        file.write('[groups.pair]\nhosts = ["box", "root@b:2"]\nhead_address = "x"\n')
    text = paths().settings.read_text(encoding="utf-8").replace("groups = {}\n", "")
    paths().settings.write_text(text, encoding="utf-8")
    assert wishes(invocation(host="pair")).destination.host == "box.example.com"


def test_a_typed_proxy_with_a_password_is_refused_unrepeated(
    capsys: pytest.CaptureFixture[str],
) -> None:
    argv = ["status", "root@h:1", "--proxy", "socks5://me:s3cret@h:1"]
    assert code_of(argv, capsys) == "proxy-with-password"
    assert "s3cret" not in capsys.readouterr().out


def test_what_the_ssh_config_wishes_in_vain_is_named_once_on_stderr(
    capsys: pytest.CaptureFixture[str],
) -> None:
    call = invocation(host="root@127.0.0.1:1", lang="en")
    where = Destination("127.0.0.1", 1, "root", unsupported=("bindaddress 10.0.0.7",))
    with pytest.raises(HostUnreachable), opened_connection(call, Wishes(where)):
        raise AssertionError("nobody listens there")
    caught = capsys.readouterr()
    assert caught.out == ""
    assert caught.err.count("bindaddress 10.0.0.7") == 1
