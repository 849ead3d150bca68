import pytest

from desktop.core.providers import find, of_host


@pytest.mark.parametrize(
    ("host", "provider"),
    [
        ("connect.westb.seetacloud.com", "autodl"),
        ("region-41.seetacloud.com", "autodl"),
        ("region-9.autodl.com", "autodl"),
        ("connect.westc.gpuhub.com", "autodl"),
        ("Connect.BJB1.SeetaCloud.com.", "autodl"),
        ("ssh.runpod.io", "runpod"),
        ("ssh5.vast.ai", "vast"),
        ("workspace.featurize.cn", "featurize"),
        ("i-1.gpushare.com", "gpushare"),
        ("hz-4.matpool.com", "matpool"),
        ("ssh.bj.lanrui-ai.com", "lanrui"),
    ],
)
def test_a_provider_is_known_by_its_hosts_names(host: str, provider: str) -> None:
    found = of_host(host)
    assert found is not None
    assert found.id == provider
    assert find(provider) == found


@pytest.mark.parametrize("host", ["203.0.113.7", "gpubox", "notvast.ai", "seetacloud.com.evil.cn"])
def test_a_name_that_only_looks_alike_is_nobodys(host: str) -> None:
    assert of_host(host) is None


@pytest.mark.parametrize("said", ["", "somebody", None, 3, ["autodl"]])
def test_what_a_host_says_of_itself_may_be_anything(said: object) -> None:
    assert find(said) is None
