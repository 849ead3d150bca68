"""A rehearsal opens and closes, and the next one is found where the last one was."""

from __future__ import annotations

import json
import socket
import stat
from pathlib import Path

import pytest

from desktop.core.errors import AppError
from desktop.rehearsal import model, suitability
from desktop.rehearsal.rehearsal import Rehearsal


@pytest.fixture(autouse=True)
def ready_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "ready-model"
    folder.mkdir()
    monkeypatch.setattr(model, "prepare", lambda cache, report: folder)
    return folder


@pytest.fixture(params=["", "no-cpu-build"], ids=["real engine", "scripted engine"])
def reason(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(suitability, "scripted_reason", lambda computer: request.param)
    return str(request.param)


def test_the_next_rehearsal_has_the_same_wishes(tmp_path: Path, reason: str) -> None:
    with Rehearsal(tmp_path / "rehearsal") as first:
        wishes = first.wishes()
        assert first.scripted_reason == reason
    with Rehearsal(tmp_path / "rehearsal") as second:
        assert second.wishes() == wishes
    assert bool(wishes.engine_env) == bool(reason)
    assert wishes.host_key.startswith("SHA256:")
    assert wishes.model == model.MODEL_ID


def test_keys_are_for_the_owner_only(tmp_path: Path) -> None:
    with Rehearsal(tmp_path / "rehearsal") as rehearsal:
        identity = rehearsal.wishes().identity
        assert identity is not None
        assert stat.S_IMODE(identity.stat().st_mode) == 0o600
        assert stat.S_IMODE(identity.parent.stat().st_mode) == 0o700


def test_a_port_that_somebody_else_took_is_replaced_and_remembered(tmp_path: Path) -> None:
    with Rehearsal(tmp_path) as first:
        taken = first.wishes().destination.port
    with socket.create_server(("127.0.0.1", taken)), Rehearsal(tmp_path) as second:
        port = second.wishes().destination.port
        assert port != taken
    assert json.loads((tmp_path / "ports.json").read_text())["host"] == port


def test_a_damaged_memory_of_ports_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "ports.json").write_text('{"hub": "80; rm", "host": 99999999')
    with Rehearsal(tmp_path) as rehearsal:
        assert rehearsal.wishes().destination.port > 0


def test_two_at_once_are_refused(tmp_path: Path) -> None:
    with Rehearsal(tmp_path), pytest.raises(AppError) as caught, Rehearsal(tmp_path):
        pass
    assert caught.value.code == "rehearsal-already-open"


def test_one_that_fails_to_open_leaves_the_folder_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(cache: Path, report: object) -> Path:
        raise AppError("rehearsal-model-unfetched")

    with monkeypatch.context() as patched:
        patched.setattr(model, "prepare", fails)
        with pytest.raises(AppError), Rehearsal(tmp_path):
            pass
    with Rehearsal(tmp_path) as rehearsal:
        assert rehearsal.wishes()
