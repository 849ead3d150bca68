"""What a run is asked to do: read once from stdin, kept 0600 in the run's folder.

A field that is absent has its default, an unknown one is ignored: versions may differ.
"""

from typing import Any, Dict, NamedTuple, Optional, Tuple

DEFAULT_HUB = "https://www.modelscope.cn"
DEFAULT_PORT = 8000  # vLLM's own default; the next free one is taken when it is not free

_MAX_TEXT = 8192  # characters of one field
_MAX_ARGS = 200
_MAX_DIGITS = 9
_MAX_SECONDS = 366 * 24 * 3600
_MAX_NODES = 64

TERMS = ("lease_seconds", "idle_seconds", "limit_seconds", "power_off")
# A run that differs only in these serves the same; new terms are taken over by a living run.
_UNIMPORTANT = ("port", "data_dir", *TERMS)


class SpecError(ValueError):
    """A spec that cannot be worked with; the text names the field."""


class Spec(NamedTuple):
    """One run, as asked for by the laptop."""

    model: str  # "owner/name" at the hub
    api_key: str  # of the endpoint; a secret
    revision: str = "master"
    hub: str = DEFAULT_HUB  # base URL of a ModelScope-compatible hub
    hub_token: str = ""  # for private models; a secret
    data_dir: str = ""  # where environments, models and caches go; "" = chosen by preflight
    engine: str = ""  # a requirement such as "vllm==0.32.0"; "" = chosen by the driver
    engine_env: str = ""  # an environment that is already there; nothing is installed then
    engine_args: Tuple[str, ...] = ()  # appended to the engine's command line
    max_model_len: str = ""  # a number, "auto", or "" = decided here
    port: int = DEFAULT_PORT
    # What the laptop's catalogue knows of the model; "" = left to the engine.
    dtype: str = ""  # "half" or "bfloat16"
    kv_cache_dtype: str = ""  # "auto" or "fp8"; "" = decided by what fits
    reasoning_parser: str = ""
    chat_template: str = ""  # used where the model's tokenizer has none
    trust_remote_code: bool = False
    # One of several hosts that serve one model together (vLLM's --nnodes); rank 0 is the head.
    node_count: int = 1
    node_rank: int = 0
    head_address: str = ""  # of the head on the hosts' private network
    head_port: int = 29501
    # The terms under which the host may cost money; see `remote.terms`.
    lease_seconds: int = 0  # without a laptop and without a request: stop; 0 = never
    idle_seconds: int = 0  # without a request, laptop or not: stop; 0 = never
    limit_seconds: int = 0  # after so long: stop; 0 = never
    power_off: bool = False  # then power the host off too, where that is known to be safe

    def public(self) -> Dict[str, Any]:
        """Return the fields that may be shown: everything but the secrets."""
        fields = self._asdict()
        del fields["api_key"], fields["hub_token"]
        return dict(fields)

    def serves_the_same(self, other: "Spec") -> bool:
        """Tell whether a run of `other` answers this spec too (same model, same engine wishes)."""
        ours, theirs = self.public(), other.public()
        for unimportant in _UNIMPORTANT:
            del ours[unimportant], theirs[unimportant]
        return ours == theirs


def parse(fields: Dict[str, Any]) -> Spec:
    """Return the spec in a decoded JSON object; raises SpecError naming the first bad field."""
    known = {
        name: _typed(name, fields[name], kind)
        for name, kind in Spec.__annotations__.items()
        if name in fields
    }
    for name in ("model", "api_key"):
        if not known.get(name):
            raise SpecError("%s: it is missing" % name)
    return _checked(Spec(**known))


def _typed(name: str, value: Any, kind: Any) -> Any:
    if name == "engine_args":
        if not isinstance(value, list) or len(value) > _MAX_ARGS:
            raise SpecError("%s: a list of at most %d strings is needed" % (name, _MAX_ARGS))
        return tuple(_text(name, item) for item in value)
    if kind is str:
        return _text(name, value)
    if not isinstance(value, kind) or isinstance(value, bool) is not (kind is bool):
        raise SpecError("%s: %s is needed" % (name, kind.__name__))
    return value


def _text(name: str, value: Any) -> str:
    """Return a string that may stand in a command line and in an environment."""
    if not isinstance(value, str) or len(value) > _MAX_TEXT:
        raise SpecError("%s: a string of at most %d characters is needed" % (name, _MAX_TEXT))
    if not all(char.isprintable() or char == "\n" for char in value):
        raise SpecError("%s: control characters are not allowed" % name)
    return value


def _checked(spec: Spec) -> Spec:
    """Return `spec`, or raise SpecError naming the first field that cannot be meant."""
    owner, slash, name = spec.model.partition("/")
    for true, complaint in (
        (bool(slash) and _plain(owner) and _plain(name), "model: OWNER/NAME is needed"),
        (_plain(spec.revision), "revision: letters, digits, '.', '_' and '-' only"),
        (spec.hub.startswith(("http://", "https://")), "hub: an http or https URL is needed"),
        (_one_word(spec.hub), "hub: no spaces"),
        (_one_word(spec.api_key), "api_key: ASCII without spaces is needed"),
        (_one_word(spec.hub_token), "hub_token: ASCII without spaces is needed"),
        (_place(spec.data_dir), "data_dir: a path from / or ~/ is needed"),
        (_place(spec.engine_env), "engine_env: a path from / or ~/ is needed"),
        (0 < spec.port < 65536, "port: 1 to 65535"),
        (_length(spec.max_model_len), "max_model_len: a number or 'auto' is needed"),
        (spec.dtype in ("", "half", "bfloat16"), "dtype: 'half' or 'bfloat16' is needed"),
        (spec.kv_cache_dtype in ("", "auto", "fp8"), "kv_cache_dtype: 'auto' or 'fp8' is needed"),
        (_word(spec.reasoning_parser), "reasoning_parser: one word is needed"),
        (0 < spec.node_count <= _MAX_NODES, "node_count: 1 to %d" % _MAX_NODES),
        (0 <= spec.node_rank < spec.node_count, "node_rank: below node_count"),
        (_address(spec.head_address), "head_address: a host name or address is needed"),
        (spec.node_count == 1 or spec.head_address, "head_address: it is missing"),
        (0 < spec.head_port < 65536, "head_port: 1 to 65535"),
        (_seconds(spec.lease_seconds), "lease_seconds: 0 to a year"),
        (_seconds(spec.idle_seconds), "idle_seconds: 0 to a year"),
        (_seconds(spec.limit_seconds), "limit_seconds: 0 to a year"),
    ):
        if not true:
            raise SpecError(complaint)
    return spec


def _plain(value: str) -> bool:
    """Tell whether a value may be part of a path: never hidden, never a step up."""
    return (
        bool(value)
        and value.isascii()
        and not value.startswith(".")
        and all(char.isalnum() or char in "._-" for char in value)
    )


def _one_word(value: str) -> bool:
    return value.isascii() and not any(char.isspace() for char in value)


def _word(value: str) -> bool:
    return value == "" or _plain(value)


def _address(value: str) -> bool:
    return value.isascii() and all(char.isalnum() or char in ".-:" for char in value)


def _seconds(value: int) -> bool:
    return 0 <= value <= _MAX_SECONDS


def _place(value: str) -> bool:
    return value in ("", "~") or value.startswith(("/", "~/"))


def _length(value: str) -> bool:
    return value in ("", "auto") or (_digits(value) and int(value) > 0)


def _digits(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) <= _MAX_DIGITS


def to_fields(spec: Spec) -> Dict[str, Any]:
    """Return the JSON object that `parse` reads back to the same spec."""
    fields = dict(spec._asdict())
    fields["engine_args"] = list(spec.engine_args)
    return fields


def from_optional(fields: Optional[Dict[str, Any]]) -> Optional[Spec]:
    """Return the spec in `fields`, or None where there is none or it is damaged."""
    if fields is None:
        return None
    try:
        return parse(fields)
    except SpecError:
        return None
