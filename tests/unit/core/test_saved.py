"""Saved hosts: read forgivingly, named so that nothing else can be meant."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from desktop.core.errors import DestinationError
from desktop.core.saved import SavedHost, check_name, propose_name
from desktop.core.settings import Settings, change, load, save, without_host

BOX = SavedHost(
    "ssh -p 2201 root@box",
    model="a/b",
    revision="v1",
    max_model_len="4096",
    data_dir="/disk",
    engine="vllm==0.32.0",
    local_port=8100,
    proxy="socks5://127.0.0.1:1080",
    identity="~/.ssh/rented",
    rate=1.98,
    currency="CNY",
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "settings.toml"


def test_a_saved_host_is_loaded_as_it_was(path: Path) -> None:
    settings = Settings(host="box", hosts={"box": BOX, "我的4090": SavedHost("lab")})
    save(settings, path)
    assert load(path) == (settings, [])


def test_only_what_was_chosen_is_written(path: Path) -> None:
    save(Settings(hosts={"lab": SavedHost("root@lab")}), path)
    assert 'hosts = {lab = {line = "root@lab"}}' in path.read_text(encoding="utf-8")


def test_one_bad_value_costs_that_value_and_no_host(path: Path) -> None:
    path.write_text(
        '[hosts.box]\nline = "root@box"\nrate = -1\nlocal_port = 8100\nfuture = "x"\n'
        '[hosts.lab]\nline = "root@lab"\nrate = 2\n',
        encoding="utf-8",
    )
    settings, problems = load(path)
    assert settings.hosts["box"].local_port == 8100
    assert (settings.hosts["box"].rate, settings.hosts["lab"].rate) == (0.0, 2.0)
    assert len(problems) == 1
    assert problems[0].startswith("hosts.box.rate")
    save(settings, path)
    again = load(path)[0].hosts["box"]
    assert (again.rejected, again.unknown) == ({"rate": -1}, {"future": "x"})


@pytest.mark.parametrize(
    "entry",
    ["bad = 3", "bad = {}", 'bad = {line = ""}', 'bad = {line = "a\\nb"}', '"a b" = {line = "x"}'],
)
def test_a_host_that_cannot_be_meant_is_told_and_kept(path: Path, entry: str) -> None:
    path.write_text(f'[hosts]\n{entry}\ngood = {{line = "root@h"}}\n', encoding="utf-8")
    settings, problems = load(path)
    assert list(settings.hosts) == ["good"]
    assert any(problem.startswith("hosts.") for problem in problems)
    save(replace(settings, host="good"), path)
    again, _ = load(path)
    assert (list(again.hosts), again.rejected) == (["good"], settings.rejected)


def test_a_bad_group_does_not_cost_the_good_one(path: Path) -> None:
    path.write_text(
        '[groups.pair]\nhosts = ["a", "b"]\nhead_address = "x"\n[groups.odd]\nhosts = 3\n',
        encoding="utf-8",
    )
    settings, problems = load(path)
    assert (list(settings.groups), len(problems)) == (["pair"], 1)
    save(settings, path)
    assert load(path)[0].rejected == {"groups": {"odd": {"hosts": 3}}}


@pytest.mark.parametrize("where", ["", '[hosts.box]\nline = "root@box"\n'])
def test_a_proxy_with_a_password_is_neither_taken_nor_repeated(path: Path, where: str) -> None:
    path.write_text(f'{where}proxy = "socks5://me:s3cret@h:1080"\n', encoding="utf-8")
    settings, problems = load(path)
    assert len(problems) == 1
    assert "s3cret" not in problems[0] + repr(settings)
    assert settings.proxy == "" == settings.hosts.get("box", SavedHost("")).proxy


def test_a_change_loses_nothing_that_another_program_saved(path: Path) -> None:
    save(Settings(hosts={"lab": SavedHost("lab")}), path)
    change(path, lambda now: replace(now, hosts={**now.hosts, "box": BOX}))
    assert list(load(path)[0].hosts) == ["lab", "box"]


def test_a_host_that_is_forgotten_is_no_default_any_more() -> None:
    settings = Settings(host="box", hosts={"box": BOX, "lab": SavedHost("lab")})
    assert without_host(settings, "box") == Settings(hosts={"lab": SavedHost("lab")})
    assert without_host(settings, "lab").host == "box"


@pytest.mark.parametrize("name", ["box", "autodl-4090", "a.b_c", "4090", "我的主机", "x" * 40])
def test_names_that_people_give(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "-m",
        "--json",
        "root@h",
        "h:22",
        "a b",
        "a/b",
        ".x",
        "_x",
        "ssh",
        "None",
        "x" * 41,
        "a\n",
    ],
)
def test_names_that_mean_something_else(name: str) -> None:
    with pytest.raises(DestinationError) as caught:
        check_name(name)
    assert caught.value.code == "host-name-bad"


def test_the_name_of_a_group_is_taken() -> None:
    with pytest.raises(DestinationError) as caught:
        check_name("pair", {"pair"})
    assert caught.value.code == "host-name-of-group"


@pytest.mark.parametrize(
    ("host", "port", "name"),
    [
        ("connect.westb.seetacloud.com", 12345, "westb-12345"),
        ("region-42.seetacloud.com", 2201, "region-42-2201"),
        ("ssh5.vast.ai", 31022, "ssh5-31022"),
        ("lab", 22, "lab"),
        ("10.0.0.5", 22, "10.0.0.5"),
        ("127.0.0.1", 40001, "127.0.0.1-40001"),
        ("2001:db8::1", 22, "2001-db8--1"),
        ("::1", 2222, "1-2222"),
        ("connect", 22, "connect"),
        ("x" * 90, 22, "x" * 34),
    ],
)
def test_a_host_without_a_name_gets_a_short_one(host: str, port: int, name: str) -> None:
    assert propose_name(host, port, ()) == name
    assert check_name(name) == name


def test_a_name_that_is_taken_gets_a_number() -> None:
    assert propose_name("lab", 22, {"lab"}) == "lab-2"
    assert propose_name("lab", 22, {"lab", "lab-2"}) == "lab-3"
