"""What can be done about an error: the best first, and nothing that cannot be done here."""

from desktop.core.errors import AgentRefused, AppError, HostUnreachable
from desktop.core.remedies import Remedy, asks_for_address, named_length, remedies


def test_a_length_that_was_named_is_the_first_offer() -> None:
    error = AgentRefused("engine.length-does-not-fit", asked=32768, fits=4096)
    assert remedies(error, has_console=True)[0] is Remedy.SHORTER
    assert named_length(error) == 4096


def test_a_length_that_nobody_named_cannot_be_chosen() -> None:
    for fits in (0, None, "4096", True, -1):
        error = AgentRefused("preflight.length-does-not-fit", asked=32768, fits=fits)
        assert named_length(error) == 0
        assert remedies(error, has_console=False) == (Remedy.OTHER_MODEL, Remedy.RETRY)


def test_a_console_that_nobody_knows_is_not_offered() -> None:
    error = AgentRefused("preflight.boot-with-gpu")
    assert remedies(error, has_console=True) == (Remedy.CONSOLE, Remedy.RETRY)
    assert remedies(error, has_console=False) == (Remedy.RETRY,)


def test_what_a_newer_agent_says_can_be_tried_again_looked_up_and_reported() -> None:
    error = AgentRefused("engine.of-next-year")
    assert remedies(error, has_console=True) == (Remedy.RETRY, Remedy.LOG, Remedy.REPORT)


def test_trying_again_is_never_offered_for_a_stop_that_failed() -> None:
    for code in ("stop-unseen", "power-off-failed", "power-off-of-next-year"):
        assert Remedy.RETRY not in remedies(AppError(code), has_console=True) or "next" in code
    assert Remedy.STOP in remedies(AppError("stop-unseen"), has_console=False)


def test_a_host_that_may_have_moved_is_asked_for_by_its_line() -> None:
    assert asks_for_address(HostUnreachable("host-refused"))
    assert not asks_for_address(HostUnreachable("host-unreachable"))
