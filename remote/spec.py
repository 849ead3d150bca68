"""What a run is asked to do: read once from stdin, kept 0600 in the run's folder.

A field that is absent has its default, an unknown one is ignored: versions may differ.
"""

from typing import Any, Dict, NamedTuple, Optional, Tuple

DEFAULT_HUB = "https://www.modelscope.cn"
DEFAULT_PORT = 8000  # vLLM's own default; the next free one is taken when it is not free


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

    def public(self) -> Dict[str, Any]:
        """Return the fields that may be shown: everything but the secrets."""
        fields = self._asdict()
        del fields["api_key"], fields["hub_token"]
        return dict(fields)

    def serves_the_same(self, other: "Spec") -> bool:
        """Tell whether a run of `other` answers this spec too (same model, same engine wishes)."""
        ours, theirs = self.public(), other.public()
        for unimportant in ("port", "data_dir"):
            del ours[unimportant], theirs[unimportant]
        return ours == theirs


def parse(fields: Dict[str, Any]) -> Spec:
    """Return the spec in a decoded JSON object; raises SpecError naming the first bad field."""
    known = {}  # type: Dict[str, Any]
    for name, kind in Spec.__annotations__.items():
        if name not in fields:
            continue
        value = fields[name]
        if name == "engine_args":
            if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
                raise SpecError("engine_args: a list of strings is needed")
            value = tuple(value)
        elif not isinstance(value, kind) or isinstance(value, bool):
            raise SpecError("%s: %s is needed" % (name, kind.__name__))
        known[name] = value
    for name in ("model", "api_key"):
        if not known.get(name):
            raise SpecError("%s: it is missing" % name)
    return _checked(Spec(**known))


def _checked(spec: Spec) -> Spec:
    owner, slash, name = spec.model.partition("/")
    parts = (owner, name) if slash else ("", "")
    if not all(part and not part.startswith(".") and _plain(part) for part in parts):
        raise SpecError("model: OWNER/NAME is needed")
    if not _plain(spec.revision):
        raise SpecError("revision: letters, digits, '.', '_' and '-' only")
    if not spec.hub.startswith(("http://", "https://")):
        raise SpecError("hub: an http or https URL is needed")
    if not 0 < spec.port < 65536:
        raise SpecError("port: 1 to 65535")
    if spec.max_model_len not in ("", "auto") and not spec.max_model_len.isdigit():
        raise SpecError("max_model_len: a number or 'auto' is needed")
    return spec


def _plain(value: str) -> bool:
    return bool(value) and all(char.isalnum() or char in "._-" for char in value)


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
