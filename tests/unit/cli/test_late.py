"""An output that is made at its first word, and only then."""

from __future__ import annotations

import pytest

from desktop.cli.late import LateOutput
from desktop.cli.output import JsonLines, Output


def test_it_is_made_once_and_only_when_something_is_said() -> None:
    made: list[Output] = []

    def make() -> Output:
        made.append(JsonLines("en"))
        return made[-1]

    output = LateOutput(make)
    output.make_way()
    output.close()
    assert made == []
    output.say("ready")
    output.account()
    output.close()
    assert len(made) == 1


def test_what_is_said_arrives(capsys: pytest.CaptureFixture[str]) -> None:
    LateOutput(lambda: JsonLines("en")).record("log", line="a kite")
    assert '"a kite"' in capsys.readouterr().out
