"""When silence is asked about, and when it counts as death."""

import threading
import time

from desktop.core.ssh.liveness import (
    BUSY_INTERVAL,
    COUNT,
    INTERVAL,
    STALLED,
    Liveness,
    Silence,
    Step,
)


def _steps(
    silence: Silence, heard: dict[float, float], until: float, *, busy: bool = False
) -> list[tuple[float, Step]]:
    """Run the watch against a clock: at `heard` times the host says something."""
    now = last = 0.0
    steps: list[tuple[float, Step]] = []
    while now < until:
        now = silence.due_at(last, busy=busy)
        last = max([last, *(at for at in heard if at <= now)])
        step = silence.step(now, last, busy=busy)
        if step is not Step.WAIT:
            steps.append((now, step))
        if step is Step.DEAD:
            break
    return steps


def test_a_silent_host_is_asked_three_times_and_dead_within_20_seconds() -> None:
    steps = _steps(Silence(), {}, 60)
    assert [step for _, step in steps] == [Step.PROBE] * COUNT + [Step.DEAD]
    assert steps[-1][0] == INTERVAL * (COUNT + 1)
    assert steps[-1][0] <= 20


def test_while_a_stream_is_open_a_silent_host_is_dead_within_10_seconds() -> None:
    steps = _steps(Silence(), {}, 60, busy=True)
    assert [step for _, step in steps] == [Step.PROBE] * COUNT + [Step.DEAD]
    assert steps[-1][0] <= 10
    assert steps[STALLED - 1][0] <= 5, "time enough to have dialled another one by then"


def test_a_stream_that_flows_is_never_asked_about() -> None:
    heard = {float(second): 0.0 for second in range(0, 60, 2)}
    assert _steps(Silence(), heard, 55, busy=True) == []


def test_a_stream_that_opens_in_the_middle_of_a_silence_shortens_it() -> None:
    silence = Silence()
    assert silence.step(BUSY_INTERVAL, 0.0) is Step.WAIT
    assert silence.step(BUSY_INTERVAL, 0.0, busy=True) is Step.PROBE


def test_a_watch_in_short_intervals_gets_no_longer_ones_from_a_stream() -> None:
    assert Silence(interval=0.5).due_at(0.0, busy=True) == 0.5


def test_a_host_that_talks_is_never_asked() -> None:
    heard = {float(second): 0.0 for second in range(0, 60, 2)}
    assert _steps(Silence(), heard, 55) == []


def test_an_answer_to_any_question_starts_the_count_again() -> None:
    steps = _steps(Silence(), {INTERVAL * COUNT + 0.1: 0.0}, 60)
    assert [step for _, step in steps] == [Step.PROBE] * (2 * COUNT) + [Step.DEAD]


def test_a_clock_that_jumped_over_a_sleep_does_not_kill_by_itself() -> None:
    silence = Silence()
    assert silence.step(10_000.0, 0.0) is Step.PROBE


def test_the_watch_reports_a_dead_host_once_and_ends() -> None:
    dead = threading.Event()
    probes: list[float] = []
    started = time.monotonic()
    watch = Liveness(
        lambda: started, lambda: probes.append(0), dead.set, Silence(interval=0.02, count=3)
    )
    assert dead.wait(5)
    watch.join(5)
    assert len(probes) == 3


def test_the_watch_asks_who_waits_before_each_question() -> None:
    dead = threading.Event()
    started = time.monotonic()
    silence = Silence(interval=3600, count=1, busy_interval=0.02)
    watch = Liveness(lambda: started, lambda: None, dead.set, silence, is_busy=lambda: True)
    assert dead.wait(5)
    watch.join(5)


def test_a_stream_that_opens_later_is_noticed() -> None:
    dead, waiting = threading.Event(), threading.Event()
    started = time.monotonic()
    silence = Silence(interval=3600, count=1, busy_interval=0.02)
    watch = Liveness(lambda: started, lambda: None, dead.set, silence, is_busy=waiting.is_set)
    assert not dead.is_set()
    waiting.set()
    assert dead.wait(5)
    watch.join(5)


def test_a_poke_asks_at_once_and_is_content_with_an_answer() -> None:
    asked = threading.Event()
    watch = Liveness(time.monotonic, asked.set, lambda: None)
    watch.poke()
    assert asked.wait(5)
    watch.stop()
    watch.join(5)


def test_a_poke_while_one_waits_for_its_answer_is_asked_as_well() -> None:
    heard = [0.0]
    probes: list[float] = []
    asked = [threading.Event(), threading.Event()]

    def probe() -> None:
        probes.append(0.0)
        asked[min(len(probes), 2) - 1].set()

    watch = Liveness(lambda: heard[0], probe, lambda: None)
    watch.poke()
    assert asked[0].wait(5)
    watch.poke()
    heard[0] = time.monotonic() + 3600
    assert asked[1].wait(5)
    watch.stop()
    watch.join(5)


def test_a_poke_without_an_answer_is_death() -> None:
    dead = threading.Event()
    watch = Liveness(lambda: 0.0, lambda: None, dead.set, poke_seconds=0.05)
    watch.poke()
    assert dead.wait(5)
    watch.join(5)


def test_a_poke_that_is_answered_late_is_a_stall_and_no_death() -> None:
    stalled = threading.Event()
    heard = [0.0]
    watch = Liveness(lambda: heard[0], lambda: None, lambda: heard.append(0.0))
    watch.when_stalled(stalled.set)
    watch.poke()
    assert stalled.wait(5)
    heard[0] = time.monotonic()
    watch.stop()
    watch.join(5)
    assert len(heard) == 1


def test_a_host_that_is_late_with_an_answer_has_stalled_before_it_is_dead() -> None:
    dead = threading.Event()
    stalled: list[bool] = []
    began = time.monotonic()
    watch = Liveness(lambda: began, lambda: None, dead.set, Silence(interval=0.05, count=3))
    watch.when_stalled(lambda: stalled.append(dead.is_set()))
    assert dead.wait(5)
    watch.join(5)
    assert stalled == [False]
