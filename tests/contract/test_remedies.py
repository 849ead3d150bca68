"""Every code that can end a start has a button that somebody chose for it."""

import pytest

from desktop.core.errors import AppError
from desktop.core.explain import catalogue
from desktop.core.remedies import PAGES, REMEDIES, Remedy, remedies
from desktop.core.texts import Texts
from desktop.ui.start.wording import NAMED_ELSEWHERE
from tests.contract.test_errors import host_codes

# They end no start: what was typed is told at the field; replies, our own files, imports, the
# diary and the rehearsal have places of their own.
ELSEWHERE = {
    "host-name-bad",
    "host-name-of-group",
    "host-not-saved",
    "no-desktop-entries",
    "no-host",
    "no-screen",
    "nothing-asked",
    "paste-the-line",
    "prompt-too-long",
}
BEGINNINGS = ("destination-", "reply-", "storage-", "import-", "rehearsal-", "diary-")
CODES = sorted(code for code in catalogue() if "+" not in code)


@pytest.mark.parametrize("code", CODES)
def test_a_code_has_a_deliberate_remedy_or_ends_no_start(code: str) -> None:
    elsewhere = code in ELSEWHERE or code.startswith(BEGINNINGS)
    assert code in REMEDIES or elsewhere, "choose a remedy in core/remedies.py"
    assert not (code in REMEDIES and code in ELSEWHERE)


def test_everything_that_the_host_says_has_one() -> None:
    assert host_codes() <= REMEDIES.keys()


@pytest.mark.parametrize("code", sorted(REMEDIES))
def test_something_can_be_done_with_and_without_a_console(code: str) -> None:
    for has_console in (True, False):
        offered = remedies(AppError(code), has_console=has_console)
        assert offered or code.startswith("power-off-")
        assert len(set(offered)) == len(offered)
    assert len(REMEDIES[code]) <= 3


@pytest.mark.parametrize("remedy", list(Remedy))
def test_every_remedy_is_used_and_has_its_words(remedy: Remedy) -> None:
    assert any(remedy in each for each in REMEDIES.values())
    assert Texts("zh")[NAMED_ELSEWHERE.get(remedy, f"remedy.{remedy.value}")]


def test_the_pages_of_the_settings_that_are_opened_exist() -> None:
    assert all(Texts("en")[f"settings.page.{page}"] for page in PAGES.values())
