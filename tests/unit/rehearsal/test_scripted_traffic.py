"""The scripted engine's figures: they follow its requests, and read like vLLM's."""

from __future__ import annotations

from desktop.rehearsal.scripted_engine.traffic import Figures, Traffic, as_prometheus

NOTHING = Figures(0, 0, 0.0, 0, 0, 0)


def test_a_request_is_counted_from_its_coming_to_its_leaving() -> None:
    engine = Traffic(seats=2, room=100)
    assert engine.figures() == NOTHING
    request = engine.arrive(prompt_tokens=10)
    assert engine.figures() == Figures(0, 1, 0.0, 0, 0, 0)
    assert engine.may_run(request)
    engine.generated(request)
    assert engine.figures() == Figures(1, 0, 0.11, 10, 1, 0)
    engine.leave(request, whole=True)
    assert engine.figures() == Figures(0, 0, 0.0, 10, 1, 1)


def test_what_does_not_get_a_seat_waits_its_turn() -> None:
    engine = Traffic(seats=1, room=100)
    first, second, third = (engine.arrive(1) for _ in range(3))
    assert engine.may_run(first)
    assert not engine.may_run(second)
    engine.leave(first, whole=False)
    assert not engine.may_run(third)
    assert engine.may_run(second)
    assert (engine.figures().running, engine.figures().waiting) == (1, 1)
    assert engine.figures().successes == 0


def test_the_use_of_the_cache_is_a_share() -> None:
    engine = Traffic(seats=1, room=10)
    engine.may_run(engine.arrive(prompt_tokens=50))
    assert engine.figures().kv_use == 1.0


def test_the_series_have_vllms_names_labels_and_kinds() -> None:
    text = as_prometheus(Figures(1, 2, 0.25, 30, 40, 5), "m/x", 1.7e9)
    labels = 'engine="0",model_name="m/x"'
    for line in (
        "# TYPE vllm:num_requests_running gauge",
        f"vllm:num_requests_running{{{labels}}} 1.0",
        f"vllm:num_requests_waiting{{{labels}}} 2.0",
        f"vllm:kv_cache_usage_perc{{{labels}}} 0.25",
        "# TYPE vllm:generation_tokens_total counter",
        f"vllm:prompt_tokens_total{{{labels}}} 30.0",
        f"vllm:generation_tokens_total{{{labels}}} 40.0",
        f"vllm:generation_tokens_created{{{labels}}} 1700000000.0",
        f'vllm:request_success_total{{finished_reason="stop",{labels}}} 5.0',
    ):
        assert line in text.splitlines()
