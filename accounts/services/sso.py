"""The connection to a tenant's identity provider: begin, connect, disconnect, or state to do without."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction

from accounts.domain import connections, metadata_changes
from accounts.domain.certificates import Source
from accounts.domain.enforcement import State
from accounts.domain.metadata_changes import Line
from accounts.models import SsoConnection, SsoSource
from accounts.queries import enforcement
from accounts.queries import sso as known
from accounts.services import sso_certificates
from accounts.services.sso_changes import require_trust, tell
from core import ports
from core.actor import Actor
from core.errors import UseCaseError
from core.permissions import Permission
from core.saml import ProviderMetadata, SigningCertificate

NOTHING = {"entity_id": "", "sso_url": "", "fingerprint": "", "wants_signed_requests": False}
AGAIN = "Download the metadata from your provider again, and upload that file as it is."


class UnableToConnect(UseCaseError):
    """The metadata cannot be used."""


class NotSeenYet(UseCaseError):
    """The metadata would change something that the person has not seen: `changes` says what, and `digest` of which."""

    status = 200

    def __init__(self, changes: list[Line], *, digest: str) -> None:
        super().__init__("Look at what changes, and say yes or no.")
        self.changes, self.digest = changes, digest


class UnableToDisconnect(UseCaseError):
    """The provider's metadata are needed now."""


class UnableToDecline(UseCaseError):
    """The tenant cannot state now that it does without."""


def begin(*, tenant_id: UUID, by: Actor, at: datetime) -> SsoConnection:
    """Give the tenant addresses of ours for its provider; it does without one no longer. Safe to repeat."""
    by.require(Permission.MANAGE_SSO, tenant_id=tenant_id)
    with transaction.atomic(durable=True):
        connection, is_new = _row(tenant_id, by=by, at=at)
        undone = SsoConnection.objects.filter(pk=connection.pk, declined_at__isnull=False).update(
            declined_at=None, declined_by=None
        )
        if is_new or undone:
            tell("begun", connection, by=by, at=at)
    connection.refresh_from_db()
    return connection


def connect(*, tenant_id: UUID, document: bytes, by: Actor, at: datetime, seen: str | None = None) -> SsoConnection:
    """Take over the provider's metadata; the same again change nothing.

    Of the provider that is connected already, they add its new certificates beside those that are trusted. Another
    one takes its place at once, and what was tested before counts no longer. Raises NotSeenYet where a connection
    would change and `seen` is of other metadata; None stands for a machine, which looks at nothing.
    """
    require_trust(tenant_id=tenant_id, by=by)
    metadata = read(document, fix=AGAIN)
    with transaction.atomic(durable=True):
        require_seen(tenant_id, metadata, seen=seen, at=at)
        connection = take_over(tenant_id, metadata, source=Source.FILE, by=by, at=at)
    connection.refresh_from_db()
    return connection


def disconnect(*, tenant_id: UUID, by: Actor, at: datetime) -> None:
    """Forget the provider's metadata; our addresses stay what they are. Safe to repeat."""
    by.require(Permission.MANAGE_SSO, tenant_id=tenant_id)
    with transaction.atomic(durable=True):
        connection = SsoConnection.objects.select_for_update().filter(tenant_id=tenant_id).first()
        if connection is None or not connection.is_connected:
            return
        if enforcement.standing(tenant_id=tenant_id, at=at).state(at=at) is not State.OPEN:
            raise UnableToDisconnect(
                "Your people sign in by this provider alone, or will soon.",
                fix="End that under “Company sign-in” first.",
            )
        SsoSource.objects.filter(connection=connection).delete()
        connection.certificates.all().delete()
        SsoConnection.objects.filter(pk=connection.pk).update(connected_at=None, connected_by=None, **NOTHING)
        tell("disconnected", connection, by=by, at=at, data={"fingerprint": connection.fingerprint})


def decline(*, tenant_id: UUID, by: Actor, at: datetime) -> None:
    """State that the tenant's people sign in without a provider of theirs. Safe to repeat."""
    by.require(Permission.MANAGE_SSO, tenant_id=tenant_id)
    with transaction.atomic(durable=True):
        connection, _ = _row(tenant_id, by=by, at=at)
        if connection.is_connected:
            raise UnableToDecline("Your provider is connected.", fix="Remove its metadata first.")
        if SsoConnection.objects.filter(pk=connection.pk, declined_at=None).update(
            declined_at=at, declined_by=by.known_id
        ):
            tell("declined", connection, by=by, at=at)


def require_seen(tenant_id: UUID, metadata: ProviderMetadata, *, seen: str | None, at: datetime) -> None:
    """Raise NotSeenYet unless the change was seen, or nothing that stands would change; in the caller's transaction."""
    connection = SsoConnection.objects.select_for_update().filter(tenant_id=tenant_id).first()
    digest = connections.digest(metadata)
    if seen in (None, digest) or connection is None or not connection.is_connected:
        return
    changes = known.changes(connection, metadata, at=at)
    if metadata_changes.is_change(changes):
        raise NotSeenYet(changes, digest=digest)


def read(document: bytes, *, fix: str, certificates: Sequence[SigningCertificate] = ()) -> ProviderMetadata:
    """Read metadata; raises UnableToConnect, with this fix, for what people may not be sent to."""
    try:
        metadata = ports.identity_provider().metadata(document, certificates=certificates)
        connections.require_address(metadata.sso_url, allow_loopback=settings.DEMO)
    except (ports.Rejected, connections.NotUsableError) as error:
        raise UnableToConnect(str(error), fix=fix) from error
    return metadata


def take_over(tenant_id: UUID, metadata: ProviderMetadata, *, source: Source, by: Actor, at: datetime) -> SsoConnection:
    """Connect to what metadata say, in the caller's transaction; returns the connection, locked, as it was before."""
    connection, _ = _row(tenant_id, by=by, at=at)
    fingerprint = connections.fingerprint(
        entity_id=metadata.entity_id, sso_url=metadata.sso_url, attributes=connection.attributes
    )
    changed = (
        SsoConnection.objects.filter(pk=connection.pk)
        .exclude(fingerprint=fingerprint)
        .update(
            entity_id=metadata.entity_id,
            sso_url=metadata.sso_url,
            fingerprint=fingerprint,
            connected_at=at,
            connected_by=by.known_id,
            declined_at=None,
            declined_by=None,
        )
    )
    if connection.entity_id == metadata.entity_id:
        sso_certificates.take_in(connection, metadata.certificates, source=source, by=by, at=at)
    else:
        sso_certificates.replace(connection, metadata.certificates, source=source, by=by, at=at)
    if changed:
        if source is Source.FILE:  # or it would be asked tomorrow whether to go back
            SsoSource.objects.filter(connection=connection).delete()
        data = {"certificates": len(metadata.certificates), "fingerprint": fingerprint}
        tell("replaced" if connection.is_connected else "connected", connection, by=by, at=at, data=data)
    heed(connection, metadata, by=by, at=at)
    return connection


def heed(connection: SsoConnection, metadata: ProviderMetadata, *, by: Actor, at: datetime) -> None:
    """Sign requests from now on, or no longer, as the provider's metadata ask; in the caller's transaction."""
    asks = metadata.wants_signed_requests
    rows = SsoConnection.objects.filter(pk=connection.pk, wants_signed_requests=not asks)
    if rows.update(wants_signed_requests=asks):
        tell("requests_signed" if asks else "requests_unsigned", connection, by=by, at=at)


def _row(tenant_id: UUID, *, by: Actor, at: datetime) -> tuple[SsoConnection, bool]:
    """Return the tenant's row, locked, and whether it was made just now."""
    row, is_new = SsoConnection.objects.get_or_create(
        tenant_id=tenant_id, defaults={"begun_at": at, "begun_by": by.known_id}
    )
    return SsoConnection.objects.select_for_update().get(pk=row.pk), is_new
