"""May this host see our secrets? The verdict on its key, before anything else is sent."""

from __future__ import annotations

from desktop.core.errors import HostKeyChanged, HostKeyUnknown
from desktop.core.ssh.credentials import Credentials
from desktop.core.ssh.destination import Destination
from desktop.core.ssh.known_hosts import HostKey, KnownHosts, Trust, Verdict, lookup_name
from desktop.core.ssh.prompts import HostKeyQuestion, Prompts


def verify(
    key: HostKey,
    where: Destination,
    credentials: Credentials,
    prompts: Prompts,
    known_hosts: KnownHosts,
) -> bool:
    """Return when the key is trusted, with whether a person was asked; pin it when it is new.

    Raises:
        HostKeyUnknown: nobody accepted it (`host-key-unknown`).
        HostKeyChanged: another one is pinned (`host-key-changed`), another one was demanded
            (`host-key-mismatch`), or it is marked as stolen (`host-key-revoked`).
        StorageError: it could not be pinned.
    """
    asked = False
    name = lookup_name(where.host, where.port, where.host_key_alias)
    verdict = known_hosts.judge(name, key)
    if verdict.trust is Trust.REVOKED:
        raise _changed("host-key-revoked", where, key, verdict)
    if credentials.host_key:
        demanded = Verdict(Trust.CHANGED, credentials.host_key, "--host-key")
        if not same_fingerprint(credentials.host_key, key.fingerprint):
            raise _changed("host-key-mismatch", where, key, demanded)
    elif verdict.trust is Trust.CHANGED:
        raise _changed("host-key-changed", where, key, verdict)
    elif verdict.trust is Trust.UNKNOWN and not credentials.accept_new_host_key:
        question = HostKeyQuestion(where.host, where.port, key.kind, key.fingerprint)
        asked = True
        if not prompts.accept_host_key(question):
            raise HostKeyUnknown("host-key-unknown", **_facts(where, key))
    if verdict.trust is not Trust.KNOWN:
        known_hosts.remember(name, key)
    return asked


def same_fingerprint(demanded: str, shown: str) -> bool:
    """Compare two SHA-256 fingerprints; the prefix and the padding may be left out."""

    def bare(text: str) -> str:
        return text.strip().removeprefix("SHA256:").rstrip("=")

    return bare(demanded) == bare(shown)


def _changed(code: str, where: Destination, key: HostKey, verdict: Verdict) -> HostKeyChanged:
    facts = _facts(where, key)
    return HostKeyChanged(code, **facts, expected=verdict.expected, source=verdict.source)


def _facts(where: Destination, key: HostKey) -> dict[str, object]:
    return {
        "host": where.host,
        "port": where.port,
        "key_type": key.kind,
        "fingerprint": key.fingerprint,
    }
