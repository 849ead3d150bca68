"""What other programs are told of the endpoint."""

import json
import shlex
from dataclasses import replace

import pytest

from desktop.core.clients import HIDDEN, Client, clients
from desktop.core.events import Endpoint

ENDPOINT = Endpoint(
    "http://127.0.0.1:41234/v1",
    "pk-secret",
    "01ai/Yi",
    4096,
    "run",
    "0.32.0",
    "http://127.0.0.1:8000/v1",
)


def client(name: str) -> Client:
    return next(each for each in clients() if each.id == name)


@pytest.mark.parametrize("each", clients(), ids=lambda each: each.id)
def test_every_text_is_whole_and_keeps_the_key_until_it_is_asked_for(each: Client) -> None:
    shown, hidden = each.text(ENDPOINT, show_key=True), each.text(ENDPOINT, show_key=False)
    assert "pk-secret" in shown
    assert "127.0.0.1:8000" in shown
    assert "pk-secret" not in hidden
    assert HIDDEN in hidden
    assert each.where["zh"]
    assert each.where["en"]


def test_the_curl_command_sends_json_that_an_engine_reads() -> None:
    words = shlex.split(client("curl").text(ENDPOINT, show_key=True).replace("\\\n", ""))
    assert words[1] == "http://127.0.0.1:8000/v1/chat/completions"
    assert json.loads(words[words.index("-d") + 1])["model"] == "01ai/Yi"


def test_the_python_text_compiles() -> None:
    compile(client("python").text(ENDPOINT, show_key=True), "snippet", "exec")


def test_programs_that_add_the_path_get_the_address_without_it() -> None:
    assert "API Host: http://127.0.0.1:8000\n" in client("cherry").text(ENDPOINT, show_key=False)


def test_ids_are_there_once() -> None:
    found = [each.id for each in clients()]
    assert len(set(found)) == len(found)


@pytest.mark.parametrize("each", clients(), ids=lambda each: each.id)
@pytest.mark.parametrize(
    "evil",
    [
        "$(touch /tmp/x)",
        "`id`",
        'm"; id; "',
        "m' -o /tmp/x '",
        "m\nid",
        "m\\",
        "m: [x]",
        "a #b",
        "*m",
    ],
)
def test_no_host_makes_a_shell_do_anything_by_what_it_calls_its_model(
    each: Client, evil: str
) -> None:
    plain = each.text(replace(ENDPOINT, model="m", api_key="k"), show_key=True)
    text = each.text(replace(ENDPOINT, model=evil, api_key=evil), show_key=True)
    assert len(text.splitlines()) == len(plain.splitlines())
    for sign in "$`\\'\"#;*[]()":
        assert text.count(sign) == plain.count(sign)
