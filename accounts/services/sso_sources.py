"""The address where a provider's metadata stand: followed, read again by itself, never to the harm of a connection.

A reading adds new certificates that one we trust already has signed for, and lets go of those that are long gone. Other
new certificates wait for a person, as another provider or another sign-in address does. One that fails changes nothing.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from accounts.domain import connections, signatures
from accounts.domain.certificates import Source
from accounts.models import SsoConnection, SsoSource
from accounts.queries import sso as known
from accounts.services import sso, sso_certificates
from accounts.services.sso_changes import notify, require_trust, tell
from core import ports
from core.actor import Actor
from core.errors import UseCaseError
from core.permissions import Permission
from core.saml import ProviderMetadata, SigningCertificate

OK = 200
NOTHING_WAITS: dict[str, Any] = {"proposal": None, "proposed_at": None}
CHECK_ADDRESS = "Copy the address of the metadata from your provider again, or upload its metadata as a file."


class UnableToFollow(UseCaseError):
    """The metadata cannot be read from there."""


class UnableToDecide(UseCaseError):
    """There is no such change to decide on."""

    status = 409


def follow(*, tenant_id: UUID, url: str, by: Actor, at: datetime, seen: str | None = None) -> SsoSource:
    """Connect by the metadata that stand at an address, and read them again every day. Safe to repeat.

    Whoever signs these metadata vouches for later ones. Raises NotSeenYet as `sso.connect` does.
    """
    require_trust(tenant_id=tenant_id, by=by)
    metadata, address = _read(url)
    with transaction.atomic(durable=True):
        sso.require_seen(tenant_id, metadata, seen=seen, at=at)
        connection = sso.take_over(tenant_id, metadata, source=Source.ADDRESS, by=by, at=at)
        before = SsoSource.objects.filter(connection=connection).values_list("url", flat=True).first()
        row, _ = SsoSource.objects.update_or_create(
            tenant_id=tenant_id,
            connection=connection,
            defaults={
                "url": address,
                "followed_at": at,
                "followed_by": by.known_id,
                "refused": "",
                "pinned": _signer(metadata),
                **_fresh(at),
                **NOTHING_WAITS,
            },
        )
        if before != address:
            tell("followed", connection, by=by, at=at)
    return row


def leave(*, tenant_id: UUID, by: Actor, at: datetime) -> None:
    """Read the metadata again no more; the connection stays as it is. Safe to repeat."""
    by.require(Permission.MANAGE_SSO, tenant_id=tenant_id)
    with transaction.atomic(durable=True):
        connection = SsoConnection.objects.select_for_update().filter(tenant_id=tenant_id).first()
        if connection is None or not SsoSource.objects.filter(connection=connection).delete()[0]:
            return
        tell("left", connection, by=by, at=at)


def refresh(*, tenant_id: UUID, by: Actor, at: datetime) -> SsoSource | None:
    """Read the metadata again. Safe to repeat; None if no address is followed any more."""
    by.require(Permission.MANAGE_SSO, tenant_id=tenant_id)
    source = known.source(tenant_id=tenant_id)
    if source is None:
        return None
    try:
        metadata, _ = _read(source.url, certificates=known.provider(source.connection).certificates)
    except (UnableToFollow, sso.UnableToConnect) as refusal:
        _fail(source, refusal.message, by=by, at=at)
    else:
        try:
            _take(source, metadata, by=by, at=at)
        except sso_certificates.UnableToTrust as refusal:
            _fail(source, refusal.message, by=by, at=at)
    return SsoSource.objects.filter(pk=source.pk).first()


def accept(*, tenant_id: UUID, digest: str, by: Actor, at: datetime) -> SsoConnection:
    """Say yes to the change that waits, as it was shown: `digest` is of what the person saw."""
    require_trust(tenant_id=tenant_id, by=by)
    with transaction.atomic(durable=True):
        source, proposal = _waiting(tenant_id, digest)
        metadata = connections.from_plain(proposal)
        connection = sso.take_over(tenant_id, metadata, source=Source.ADDRESS, by=by, at=at)
        SsoSource.objects.filter(pk=source.pk).update(refused="", **NOTHING_WAITS)
    connection.refresh_from_db()
    return connection


def refuse(*, tenant_id: UUID, digest: str, by: Actor, at: datetime) -> None:
    """Say no to the change that waits; it is asked again only once the metadata say something else."""
    by.require(Permission.MANAGE_SSO, tenant_id=tenant_id)
    with transaction.atomic(durable=True):
        source, _ = _waiting(tenant_id, digest)
        SsoSource.objects.filter(pk=source.pk).update(refused=digest, **NOTHING_WAITS)
        tell("change_refused", source.connection, by=by, at=at, data={"digest": digest})


def _read(url: str, *, certificates: Sequence[SigningCertificate] = ()) -> tuple[ProviderMetadata, str]:
    """Fetch and read metadata through the guarded sender; return the address in its one form too."""
    outbound = ports.outbound()
    try:
        address = outbound.check(url.strip())
        connections.require_address(address, allow_loopback=settings.DEMO, what="address of the metadata")
        reply = outbound.get(address, headers={"accept": "application/samlmetadata+xml, application/xml, text/xml"})
    except connections.NotUsableError as error:
        raise UnableToFollow(str(error), fix=CHECK_ADDRESS) from error
    except ports.Rejected as error:
        raise UnableToFollow(str(error), fix=CHECK_ADDRESS) from error
    except ports.Unavailable as error:
        raise UnableToFollow(str(error), fix="Try again in a few minutes, or upload the metadata as a file.") from error
    if reply.status != OK:
        raise UnableToFollow(f"The address answered with status {reply.status}.", fix=CHECK_ADDRESS)
    return sso.read(reply.body, fix=CHECK_ADDRESS, certificates=certificates), address


def _signer(metadata: ProviderMetadata) -> str:
    """Return what metadata are signed with, if they are signed well."""
    name = metadata.signature.verified_by if metadata.signature else ""
    return name if signatures.vouched(metadata.signature, by={name} - {""}) else ""


def _take(source: SsoSource, metadata: ProviderMetadata, *, by: Actor, at: datetime) -> None:
    """Put a reading to use: what somebody trusted vouches for at once, all else as a question."""
    digest = connections.digest(metadata)
    with transaction.atomic(durable=True):
        connection = SsoConnection.objects.select_for_update().get(pk=source.connection_id)
        row = SsoSource.objects.filter(pk=source.pk, url=source.url).first()
        if row is None:
            return  # left or replaced while we read
        is_same = (metadata.entity_id, metadata.sso_url) == (connection.entity_id, connection.sso_url)
        what = "change_waits"
        if is_same:
            sso.heed(connection, metadata, by=by, at=at)
            what = "" if _take_in(row, connection, metadata, by=by, at=at) else "keys_wait"
        SsoSource.objects.filter(pk=row.pk).update(**_fresh(at), **({} if what else NOTHING_WAITS))
        if what and digest not in {row.refused, (row.proposal or {}).get("digest")}:
            proposal = {"digest": digest, **connections.to_plain(metadata)}
            SsoSource.objects.filter(pk=row.pk).update(proposal=proposal, proposed_at=at)
            notify(what, connection, occasion=digest)
            tell("change_proposed", connection, by=by, at=at, data={"digest": digest})


def _take_in(row: SsoSource, connection: SsoConnection, metadata: ProviderMetadata, *, by: Actor, at: datetime) -> bool:
    """Take in what is listed, without new certificates that nobody trusted signed for; False if there are such.

    A signature says nothing of when: metadata past their own end vouch for nothing, and none for a key that was let go.
    Else whoever controls the address could serve old ones, and have a key back that the provider took out of use.
    """
    trusted, refused = known.known_by(connection)
    new = sso_certificates.foresee(connection, metadata.certificates, at=at)
    is_vouched = signatures.vouched(metadata.signature, by={*trusted, row.pinned} - refused - {""})
    is_vouched = is_vouched and not connections.is_over(metadata, at=at)
    waiting = set(new.again if is_vouched else new.added)
    listed = [each for each in metadata.certificates if each.fingerprint not in waiting]
    found = sso_certificates.take_in(connection, listed, source=Source.ADDRESS, by=by, at=at)
    for fingerprint in found.added:
        notify("certificate_found", connection, occasion=fingerprint)
    return not waiting


def _fail(source: SsoSource, problem: str, *, by: Actor, at: datetime) -> None:
    failures = source.failures + 1
    with transaction.atomic(durable=True):
        if not SsoSource.objects.filter(pk=source.pk, url=source.url, failures=source.failures).update(
            failures=failures, problem=problem, due_at=connections.next_reading_at(failures=failures, at=at)
        ):
            return
        if failures == connections.FAILURES_TOLD:
            notify("unreadable", source.connection, occasion=f"{source.pk}:{at:%Y%m%d}")
            tell("metadata_unreadable", source.connection, by=by, at=at)


def _waiting(tenant_id: UUID, digest: str) -> tuple[SsoSource, dict[str, Any]]:
    """Return the address with the change that waits; raises UnableToDecide unless it is the one that was seen."""
    source = SsoSource.objects.select_for_update().filter(tenant_id=tenant_id, proposal__isnull=False).first()
    proposal = source.proposal if source else None
    if source is None or proposal is None or proposal["digest"] != digest:
        raise UnableToDecide("This change is not the one that waits any more.", fix="Look at the page again.")
    return source, proposal


def _fresh(at: datetime) -> dict[str, Any]:
    """Return the columns of an address that was just read."""
    return {"read_at": at, "due_at": connections.next_reading_at(failures=0, at=at), "failures": 0, "problem": ""}
