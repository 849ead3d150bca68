"""The way in: named keys, the agent's, the usual ones, then what the host asks, or the password.

One story per connect; a host that wants two factors gets one after the other.

It outlives one dial: a host closes the connection when a person thinks for longer than its
LoginGraceTime (120 s) or after MaxAuthTries (6) refusals, so the story goes on over a fresh
connection (`Redial`) and repeats no question.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import paramiko

from desktop.core.errors import AuthenticationFailed
from desktop.core.ssh import identities
from desktop.core.ssh.agents import AgentIdentity
from desktop.core.ssh.credentials import Credentials
from desktop.core.ssh.destination import Destination
from desktop.core.ssh.dialogue import Dialogue
from desktop.core.ssh.identities import FileIdentity, KeyUnusable, WrongPassphrase
from desktop.core.ssh.offers import Offer, offers
from desktop.core.ssh.passwords import Passwords
from desktop.core.ssh.prompts import Prompts, SecretQuestion
from desktop.core.ssh.transport import SafeTransport
from desktop.core.ssh.userauth import Outcome, Redial, UserAuth

__all__ = ["Authentication", "Redial"]

_QUESTIONS = 3  # how often a person may mistype a passphrase
_DIALOGUES = 4  # with one host: a kept password, and three times what a person typed
_MOST_STEPS = 4  # of sshd's AuthenticationMethods; three are common at most
_MOST_KEYS = 5  # of sshd's MaxAuthTries 6
_KEYS_BEFORE_PASSWORD = 3  # refusals that leave room for three passwords
_SECONDS = 60.0  # for one answer: an agent may wait for a finger, a host for its directory


class Authentication:
    """The state of being let in, over as many connections as it takes."""

    def __init__(
        self, destination: Destination, credentials: Credentials, prompts: Prompts
    ) -> None:
        self._destination = destination
        self._credentials = credentials
        self._prompts = prompts
        self._refused: set[bytes] = set()
        self._unlocked: dict[bytes, paramiko.PKey | None] = {}  # None: the person gave up on it
        self._passwords = Passwords(destination, credentials, prompts)
        self._dialogue = Dialogue(destination, self._passwords, prompts)
        self._offers = 0  # on the present connection
        self._taken: set[bytes] = set()  # keys that were one of several steps on it

    def run(self, transport: SafeTransport) -> None:
        """Authenticate this transport, or raise.

        Raises:
            AuthenticationFailed: the host does not accept us, or nobody can be asked.
            Redial: a fresh connection is needed.
            OSError, EOFError, paramiko.SSHException: the connection broke.
        """
        auth = UserAuth(transport, self._destination.user, _SECONDS)
        self._offers = 0
        self._taken.clear()
        try:
            outcome = self._story(transport, auth)
        except EOFError as error:
            if self._offers:  # hung up on a refusal: MaxAuthTries
                raise Redial from error
            raise
        if not auth.is_authenticated():
            raise self._failed(outcome)

    def _story(self, transport: SafeTransport, auth: UserAuth) -> Outcome:
        outcome = auth.none()
        for _ in range(_MOST_STEPS):
            if outcome.accepted:
                break
            outcome = self._step(transport, auth, replace(outcome, partial=False))
            if not outcome.partial:
                break
        return outcome

    def _step(self, transport: SafeTransport, auth: UserAuth, outcome: Outcome) -> Outcome:
        """Take one of the steps that the host wants; `partial` when it wants another one."""
        if "publickey" in outcome.methods:
            outcome = self._try_keys(transport, auth, outcome)
        if not (outcome.accepted or outcome.partial):
            outcome = self._try_dialogue(transport, auth, outcome)
        if not (outcome.accepted or outcome.partial):
            outcome = self._try_passwords(transport, auth, outcome)
        return outcome

    def _try_keys(self, transport: SafeTransport, auth: UserAuth, outcome: Outcome) -> Outcome:
        with ExitStack() as stack:
            refusals = 0
            for offer in self._offered(stack):
                if refusals == _MOST_KEYS:
                    break
                tried = self._try_key(transport, auth, offer)
                if tried is None:
                    continue
                if tried.accepted or tried.partial:
                    return tried
                refusals += 1
                outcome = tried
        if refusals > _KEYS_BEFORE_PASSWORD and _takes_password(outcome):
            raise Redial
        return outcome

    def _offered(self, stack: ExitStack) -> Iterator[Offer]:
        """Yield each key once, refused ones no more."""
        seen = self._refused | self._taken
        try:
            for offer in offers(self._destination, self._credentials.identity, stack):
                if not offer.blob or offer.blob not in seen:
                    seen.add(offer.blob)
                    yield offer
        except KeyUnusable as error:  # the key that was asked for by name must be there
            raise self._unusable(str(self._credentials.identity), str(error)) from error

    def _try_key(self, transport: SafeTransport, auth: UserAuth, offer: Offer) -> Outcome | None:
        """Offer one key; None when it could not be tried."""
        blob = offer.blob
        self._offers += 1
        if blob:
            self._refused.add(blob)  # before the host may hang up on it
            welcome = auth.query(_algorithm(transport, blob), blob)
            if not welcome.accepted:
                return welcome
            self._refused.discard(blob)
        if isinstance(offer.holder, AgentIdentity):
            sign = offer.holder.sign
        else:
            key = self._open(transport, offer.holder)
            if key is None:
                return None
            blob, sign = blob or key.asbytes(), identities.signer(key)
        algorithm = _algorithm(transport, blob)
        try:
            outcome = auth.publickey(algorithm, blob, lambda data: sign(data, algorithm))
        except (paramiko.SSHException, OSError):
            if not transport.is_active():
                raise
            return None  # the agent would not sign
        if outcome.partial:
            self._taken.add(blob)
        elif not outcome.accepted:
            self._refused.add(blob)
        return outcome

    def _open(self, transport: SafeTransport, identity: FileIdentity) -> paramiko.PKey | None:
        """Return the private key, asking for its passphrase where it has one."""
        if identity.content not in self._unlocked:
            self._unlocked[identity.content] = self._unlock(identity)
            if not transport.is_active():
                raise Redial
        return self._unlocked[identity.content]

    def _unlock(self, identity: FileIdentity) -> paramiko.PKey | None:
        passphrase = ""
        for attempt in range(_QUESTIONS):
            if identity.encrypted:
                answer = self._passphrase(identity.name, wrong=attempt > 0)
                if answer is None:
                    return None
                passphrase = answer
            try:
                return identity.unlock(passphrase)
            except WrongPassphrase:
                continue
            except KeyUnusable as error:
                raise self._unusable(identity.name, str(error)) from error
        return None

    def _try_dialogue(self, transport: SafeTransport, auth: UserAuth, outcome: Outcome) -> Outcome:
        """Answer the host's own questions before sending a password unasked, as ssh does.

        Only there a host that wants a password and a code can say so; and a wrong password that
        was sent in both ways would count twice.
        """
        for _ in range(_DIALOGUES):
            if "keyboard-interactive" not in outcome.methods:
                break
            self._offers += 1
            try:
                tried = self._dialogue.run(transport, auth)
            except AuthenticationFailed:
                if "password" in outcome.methods and self._passwords.given_and_unused:
                    break
                raise
            if tried is None:
                break
            outcome = tried
            if tried.accepted or tried.partial:
                break
        return outcome

    def _try_passwords(self, transport: SafeTransport, auth: UserAuth, outcome: Outcome) -> Outcome:
        while "password" in outcome.methods:
            password = self._passwords.take(transport)
            if password is None:
                break
            self._offers += 1
            outcome = auth.password(password)
            if outcome.must_change:
                raise AuthenticationFailed("password-expired", **self._who())
            if outcome.partial:
                self._passwords.spare()  # the host's own questions may begin with it
            if outcome.accepted or outcome.partial:
                break
        return outcome

    def _passphrase(self, key_path: str, *, wrong: bool) -> str | None:
        where = self._destination
        question = SecretQuestion("passphrase", where.user, where.host, where.port, key_path, wrong)
        return self._prompts.secret(question)

    def _failed(self, outcome: Outcome) -> AuthenticationFailed:
        return AuthenticationFailed(
            "authentication-failed", **self._who(), methods=list(outcome.methods)
        )

    def _unusable(self, path: str, reason: str) -> AuthenticationFailed:
        return AuthenticationFailed("key-unusable", **self._who(), path=path, reason=reason)

    def _who(self) -> dict[str, object]:
        where = self._destination
        return {"user": where.user, "host": where.host, "port": where.port}


def _takes_password(outcome: Outcome) -> bool:
    return "password" in outcome.methods or "keyboard-interactive" in outcome.methods


def _algorithm(transport: SafeTransport, blob: bytes) -> str:
    """Return how a key of this type signs; RSA with SHA-2 only (RFC 8332)."""
    kind = identities.kind_of(blob)
    if not kind.startswith("ssh-rsa"):
        return kind
    suffix = kind.removeprefix("ssh-rsa")  # of a certificate
    offered = transport.server_extensions.get("server-sig-algs", b"").decode("ascii", "replace")
    both = ("rsa-sha2-512", "rsa-sha2-256")
    return next((name for name in both if name in offered.split(",")), both[0]) + suffix
