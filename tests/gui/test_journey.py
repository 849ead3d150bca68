from desktop.core.errors import AgentRefused, ConnectionLost
from desktop.core.events import (
    Ended,
    Event,
    Fact,
    PhaseChanged,
    Progress,
    Ready,
    Restarting,
    Retrying,
    TaskChanged,
)
from desktop.core.phases import Phase
from desktop.core.texts import Texts
from desktop.ui.start.journey import Journey, Step, advance
from desktop.ui.start.wording import (
    countdown,
    findings,
    fraction,
    now_and_next,
    remark,
    row_figures,
    row_time,
)
from tests.helpers.screens import ENDPOINT, failed, loading, preparing, ready

EN = Texts("en")


def after(script: list[tuple[float, Event]], start: float = 0.0) -> tuple[Journey, float]:
    journey, now = Journey(), start
    for wait, event in script:
        now += wait
        journey = advance(journey, event, now)
    return journey, now


def test_both_branches_run_side_by_side() -> None:
    journey, _ = after(preparing())
    assert journey.running() == [Step.INSTALL, Step.DOWNLOAD]
    assert journey.following() is Step.LOAD
    sentence = (
        "Installing the engine and downloading the model, side by side. Next: load the model."
    )
    assert now_and_next(journey, EN) == sentence


def test_a_step_of_two_tasks_is_done_when_both_are() -> None:
    journey, _ = after(preparing()[:6])
    assert journey.rows[Step.CHECK].state == "running"
    journey, _ = after(preparing())
    assert journey.rows[Step.CHECK].state == "done"


def test_figures_say_step_amount_rate_and_time_left() -> None:
    journey, _ = after(preparing())
    row = journey.rows[Step.DOWNLOAD]
    assert row_figures(row, EN) == ("downloading ⋅ 7.2 / 19.2 GB", "62 MB/s ⋅ 3 min 13 s left")
    assert fraction(row) == 7.24 / 19.23


def test_time_runs_from_the_first_task_to_the_last() -> None:
    journey, now = after(preparing())
    assert row_time(journey.rows[Step.CHECK], now, EN) == "2 s"
    assert row_time(journey.rows[Step.DOWNLOAD], now, EN) == "1 min 11 s"
    assert row_time(journey.rows[Step.LOAD], now, EN) == ""


def test_what_was_already_there_says_so() -> None:
    script = [*loading(), (0.0, PhaseChanged(Phase.CONNECTING))]
    journey, _ = after(script[:-1])
    assert journey.rows[Step.DOWNLOAD].state == "done"  # its first task was not skipped
    journey, _ = after(script)
    assert all(row.state == "waiting" for row in journey.rows.values())


def test_a_failure_blames_its_own_branch_only() -> None:
    journey, _ = after(failed())
    assert journey.rows[Step.DOWNLOAD].state == "failed"
    assert journey.rows[Step.INSTALL].state == "cancelled"
    assert journey.rows[Step.DOWNLOAD].ended is not None


def test_ready_is_the_last_step_and_falls_with_a_restart() -> None:
    journey, _ = after(ready())
    assert journey.rows[Step.READY].state == "done"
    journey = advance(journey, Ready(ENDPOINT), 0)
    assert advance(journey, PhaseChanged(Phase.LOADING), 0).rows[Step.READY].state == "waiting"


def test_the_countdown_counts_down_and_then_says_that_it_tries() -> None:
    lost = PhaseChanged(Phase.RECONNECTING, ConnectionLost("connection-lost"))
    journey, now = after([*preparing(), (0.0, lost), (0.0, Retrying(2, 8.0))])
    assert countdown(journey, now + 3, EN) == "Next try in 5 s."
    assert countdown(journey, now + 8, EN) == "Trying to reach the host now…"


def test_progress_of_a_task_that_nobody_knows_is_ignored() -> None:
    journey, _ = after(preparing())
    assert advance(journey, Progress("rehearsal", 1, 2, "bytes"), 0) is journey


CRASH = AgentRefused("engine.out-of-memory")


def test_while_the_engine_is_started_again_the_reason_is_said() -> None:
    script = [*ready(), (5.0, PhaseChanged(Phase.LOADING)), (0.0, Restarting(CRASH))]
    journey, now = after(script)
    assert journey.running() == [Step.LOAD]
    assert journey.rows[Step.LOAD].elapsed(now + 3) == 3
    assert fraction(journey.rows[Step.LOAD]) is None
    assert now_and_next(journey, EN) == "Out of GPU memory. The host is starting the engine again."
    again = advance(journey, PhaseChanged(Phase.READY), now)
    assert remark(again, EN) == ""


def test_an_end_of_the_hosts_own_is_said_until_the_next_start() -> None:
    script = [*ready(), (5.0, Ended("stopped", "idle")), (0.0, PhaseChanged(Phase.OFF))]
    journey, now = after(script)
    assert "nobody asked it anything" in now_and_next(journey, EN)
    assert remark(advance(journey, PhaseChanged(Phase.CONNECTING), now), EN) == ""
    asked, _ = after([*ready(), (5.0, Ended("stopped", "asked")), (0.0, PhaseChanged(Phase.OFF))])
    assert now_and_next(asked, EN) == "Nothing is running."


def test_what_was_found_out_about_the_host_is_said_once_it_was_checked() -> None:
    found = (0.0, Fact("gpu.0.name", "RTX 4090"))
    assert findings(after([found])[0], EN) == ""
    done = [(0.0, TaskChanged(task, "done")) for task in ("deploy", "preflight")]
    assert findings(after([found, *done])[0], EN) == "RTX 4090"
