"""A report tells what went wrong, and nothing of who and where; bounded, whatever comes."""

import string
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.core.errors import AgentRefused
from desktop.core.report import MOST_BYTES, Step, Story, report
from desktop.core.session.wishes import Wishes
from desktop.core.ssh.destination import Destination

JUMP = Destination("bastion-7", user="lilei", password="jump-pass-1")
WHERE = Destination(
    "connect.westb.seetacloud.com",
    12345,
    "lilei",
    via=JUMP,
    password="s3cret!pass",
    proxy="socks5://u:pw@p:1",
)
WISHES = Wishes(WHERE, name="westb-12345", hub_token="tok-abcdef", max_model_len="8192")
ERROR = AgentRefused(
    "engine.length-does-not-fit",
    asked=8192,
    fits=4096,
    exit_status=1,
    last_lines=["ValueError: 8192 > 4096", "path /home/lilei/x on connect.westb.seetacloud.com"],
)
STORY = Story(
    phase="failed",
    error=ERROR,
    steps=(Step("connect", "done", 1.4), Step("install", "skipped"), Step("load", "failed", 63.0)),
    facts={"gpu.0.name": "RTX 4090", "driver.version": "580.65.06", "gpu.0.holders": "bob (7)"},
    versions={"qt": "6.11.1"},
)


def test_it_says_what_happened() -> None:
    told = report(STORY, WISHES)
    for part in (
        "paperkite: ",
        "qt: 6.11.1",
        "phase: failed",
        "error: engine.length-does-not-fit (The context is too long)",
        "  fits: 4096",
        "  connect: done 1 s",
        "  install: skipped\n",
        "  load: failed 63 s",
        "  gpu.0.name: RTX 4090",
        "  model: 01ai/Yi-34B-Chat-4bits",
        "  max_model_len: 8192",
        "log:\n  ValueError: 8192 > 4096",
        "path /home/<user>/x on <host>",
    ):
        assert part in told, part


def test_it_does_not_say_who_and_where() -> None:
    told = report(replace(STORY, lines=[f"{WISHES} {WHERE.password}"]), WISHES, names=("box",))
    for private in ("lilei", "westb", "bastion", "s3cret", "jump-pass", "tok-abc", "u:pw", "bob"):
        assert private not in told, private


def test_what_is_as_usual_is_not_listed() -> None:
    told = report(STORY, Wishes(Destination("h")))
    assert "max_model_len" not in told
    assert "lease_seconds" not in told


def test_a_report_about_nothing_is_a_report() -> None:
    assert "phase: off" in report(Story("off"))


def test_of_a_long_log_the_end_is_kept() -> None:
    told = report(replace(STORY, error=None, lines=[f"line {n} " + "纸" * 90 for n in range(5000)]))
    assert len(told.encode()) <= MOST_BYTES
    assert "line 4999 " in told
    assert "line 0 " not in told
    assert "RTX 4090" in told


def test_a_password_of_the_way_to_the_host_is_known() -> None:
    command = "sshpass -f <(echo Hunter2) ssh -W %h:%p bastion"
    way = Destination("b", proxy_command=command, proxy="socks5://u:pr%40xy-pw@p:1")
    lines = [f"ran {command}", "SOCKS: pr@xy-pw refused", "retry with pr%40xy-pw"]
    told = report(Story("failed", lines=lines), Wishes(replace(WHERE, via=way)))
    assert "Hunter2" not in told
    assert "xy-pw" not in told
    assert "Hunter2" not in repr(way)


_SECRET = st.text(string.ascii_letters + string.digits + "!#$%&*+-_=", min_size=9, max_size=20)
_WORDS = st.text(max_size=30)


@settings(max_examples=150, deadline=None)
@given(
    password=_SECRET,
    user=st.from_regex(r"zq[a-z0-9]{4,9}", fullmatch=True),
    host=st.from_regex(r"zx[a-z0-9]{4,9}", fullmatch=True),
    texts=st.lists(_WORDS, min_size=4, max_size=4),
    fact=st.from_regex(r"[a-z.]{1,12}", fullmatch=True),
)
def test_no_secret_that_is_planted_anywhere_survives(
    password: str, user: str, host: str, texts: list[str], fact: str
) -> None:
    planted = [f"{text} {password} {user}@{host} /home/{user} {host}:22" for text in texts]
    where = Destination(host, user=user, password=password)
    error = AgentRefused("engine.exited", detail=planted[0], last_lines=planted[1:3])
    story = Story("failed", error, facts={fact: planted[3]}, lines=planted)
    told = report(story, Wishes(where))
    assert password not in told
    assert user not in told
    assert host not in told


@settings(max_examples=60, deadline=None)
@given(
    facts=st.dictionaries(st.text(max_size=40), st.text(max_size=3000), max_size=120),
    lines=st.lists(st.text(max_size=3000), max_size=60),
)
def test_it_is_never_too_long(facts: dict[str, str], lines: list[str]) -> None:
    assert len(report(Story("off", facts=facts, lines=lines)).encode()) <= MOST_BYTES
