"""Passkey signatures: a WebAuthn assertion whose challenge is the statement (WebAuthn level 3).

The credentials are those that allauth.mfa keeps. Its own wrapper chooses the challenge itself, so we drive
`Fido2Server` directly, with user verification required.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from allauth.mfa.models import Authenticator
from fido2.server import Fido2Server
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    UserVerificationRequirement,
)

from core.domain import approvals as domain
from core.errors import UseCaseError
from core.evidence import verifier

_SIGN_COUNT = "crossing_sign_count"
"""Where the highest counter seen is kept, beside allauth's own data of the credential."""


class UnableToSignByPasskey(UseCaseError):
    """The passkey's answer does not sign the statement."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the browser sent back: the statement it was asked to sign, and the assertion as JSON values."""

    statement_id: UUID
    assertion: Mapping[str, Any]
    rp_id: str


@dataclass(frozen=True, slots=True)
class Assertion:
    """A verified assertion, as exact bytes."""

    authenticator_id: int
    rp_id: str
    client_data_json: bytes
    authenticator_data: bytes
    signature: bytes
    credential: bytes
    sign_count: int

    def as_record(self) -> dict[str, Any]:
        """Return the JSON values that offline verification reads."""
        return {
            "rp_id": self.rp_id,
            "client_data_json": verifier.encode_base64url(self.client_data_json),
            "authenticator_data": verifier.encode_base64url(self.authenticator_data),
            "signature": verifier.encode_base64url(self.signature),
            "credential": verifier.encode_base64url(self.credential),
            "sign_count": self.sign_count,
        }


def options(*, user_id: UUID, statement: bytes, rp_id: str) -> dict[str, Any]:
    """Return the options for `navigator.credentials.get`, with the statement's challenge.

    Raises UnableToSignByPasskey when the user has no passkey.
    """
    credentials = [credential for _, credential in _credentials(user_id)]
    if not credentials:
        raise UnableToSignByPasskey("You have no passkey yet.", fix="Add one under your account's security settings.")
    answer, _ = _server(rp_id).authenticate_begin(
        credentials,
        user_verification=UserVerificationRequirement.REQUIRED,
        challenge=verifier.challenge_of(statement),
    )
    return dict(answer)


def verify(*, user_id: UUID, statement: bytes, answer: Answer) -> Assertion:
    """Verify the browser's answer against a statement; raise UnableToSignByPasskey with the reason.

    Checks site, challenge, user presence and verification, and the signature by the user's registered key.
    The counter is checked when the signature is stored (`advance_counter`).
    """
    known = _credentials(user_id)
    challenge = verifier.encode_base64url(verifier.challenge_of(statement))
    state = {"challenge": challenge, "user_verification": UserVerificationRequirement.REQUIRED}
    try:
        response = AuthenticationResponse.from_dict(answer.assertion)
        used = _server(answer.rp_id).authenticate_complete(state, [credential for _, credential in known], response)
    except Exception as error:
        # The answer is hostile input, and fido2 raises a dozen types for what it cannot read.
        raise UnableToSignByPasskey(
            "The passkey's answer does not verify, so nothing was signed.", fix="Try again."
        ) from error
    parts = response.response
    assertion = Assertion(
        authenticator_id=next(row.pk for row, credential in known if credential == used),
        rp_id=answer.rp_id,
        client_data_json=bytes(parts.client_data),
        authenticator_data=bytes(parts.authenticator_data),
        signature=bytes(parts.signature),
        credential=bytes(used),
        sign_count=parts.authenticator_data.counter,
    )
    try:
        verifier.check_assertion(assertion.as_record(), statement)
    except verifier.Refuted as error:
        raise UnableToSignByPasskey(f"This passkey cannot sign an approval: {error}.") from error
    return assertion


def advance_counter(assertion: Assertion) -> None:
    """Keep the counter of a passkey, and refuse one that did not grow. Call inside the transaction that signs."""
    row = Authenticator.objects.select_for_update().get(pk=assertion.authenticator_id)
    recorded = row.data.get(_SIGN_COUNT, row.wrap().authenticator_data.counter)
    if problem := domain.counter_refusal(recorded=recorded, given=assertion.sign_count):
        raise UnableToSignByPasskey(problem)
    row.data[_SIGN_COUNT] = assertion.sign_count
    row.save(update_fields=["data"])


def _server(rp_id: str) -> Fido2Server:
    return Fido2Server(PublicKeyCredentialRpEntity(id=rp_id, name="Crossing"))


def _passkeys(user_id: UUID) -> Any:
    return Authenticator.objects.filter(user_id=user_id, type=Authenticator.Type.WEBAUTHN)


def _credentials(user_id: UUID) -> list[tuple[Authenticator, AttestedCredentialData]]:
    pairs = [(row, row.wrap().authenticator_data.credential_data) for row in _passkeys(user_id)]
    return [(row, credential) for row, credential in pairs if credential is not None]
