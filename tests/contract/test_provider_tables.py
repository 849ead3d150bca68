"""The laptop's table of providers and the host's tell the same."""

import re
from urllib.parse import urlsplit

import pytest

from desktop.core.providers import Provider, providers
from remote.host import providers as hosts

each_provider = pytest.mark.parametrize(
    "provider", providers().values(), ids=lambda provider: provider.id
)


def test_both_sides_know_the_same_providers() -> None:
    assert providers().keys() == {provider.name for provider in hosts.PROVIDERS}


@each_provider
def test_both_sides_agree_about_powering_off(provider: Provider) -> None:
    host = hosts.named(provider.id)
    assert (provider.power_off, provider.kept_days) == (host.power_off, host.kept_days)


@each_provider
def test_a_provider_is_told_in_both_languages(provider: Provider) -> None:
    assert provider.name.keys() == provider.trap.keys() == {"en", "zh"}
    assert re.search(r"[\u4e00-\u9fff]", provider.trap["zh"])
    if provider.kept_days:
        assert all(str(provider.kept_days) in trap for trap in provider.trap.values())


@each_provider
def test_the_console_is_a_secure_address(provider: Provider) -> None:
    url = urlsplit(provider.console)
    assert url.scheme == "https"
    assert url.hostname
