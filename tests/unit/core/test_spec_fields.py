from dataclasses import replace

from desktop.core.catalogue import DEFAULT_MODEL
from desktop.core.session.spec import spec_fields
from desktop.core.session.wishes import Wishes
from desktop.core.ssh.destination import Destination
from remote.spec import Spec, parse

WISHES = Wishes(Destination(host="h", port=22, user="root"))


def asked(wishes: Wishes) -> Spec:
    """Return the spec as the host understands it."""
    return parse(spec_fields(wishes))


def test_the_catalogue_tells_the_host_what_it_knows_of_the_model() -> None:
    spec = asked(WISHES)
    assert (spec.model, spec.dtype, spec.reasoning_parser) == (DEFAULT_MODEL, "half", "")
    assert "<|im_start|>" in spec.chat_template
    assert asked(replace(WISHES, model="Qwen/QwQ-32B-AWQ")).reasoning_parser == "deepseek_r1"


def test_of_any_other_model_the_host_finds_out_by_itself() -> None:
    spec = asked(replace(WISHES, model="somebody/else"))
    assert (spec.dtype, spec.reasoning_parser, spec.chat_template) == ("", "", "")


def test_a_models_own_code_runs_only_where_that_was_asked_for() -> None:
    assert not asked(WISHES).trust_remote_code
    assert not asked(replace(WISHES, trust_remote_code=("a/b",))).trust_remote_code
    assert asked(replace(WISHES, model="a/b", trust_remote_code=("a/b",))).trust_remote_code


def test_the_terms_and_the_token_get_there() -> None:
    spec = asked(replace(WISHES, idle_seconds=60, limit_seconds=90, power_off=True, hub_token="t"))
    assert (spec.lease_seconds, spec.idle_seconds, spec.limit_seconds) == (1800, 60, 90)
    assert spec.power_off
    assert spec.hub_token == "t"
    assert "hub_token" not in spec.public()


def test_each_spec_has_a_key_of_its_own() -> None:
    assert asked(WISHES).api_key != asked(WISHES).api_key
    assert asked(WISHES).serves_the_same(asked(WISHES))
