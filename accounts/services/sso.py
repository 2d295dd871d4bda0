"""The connection to a tenant's identity provider: begin, connect, disconnect, or state to do without."""

from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction

from accounts.domain import connections
from accounts.models import SsoConnection
from accounts.queries import enforcement
from core import ledger, outbox, ports
from core.actor import Actor
from core.errors import UseCaseError
from core.permissions import Permission
from core.saml import ProviderMetadata

NOTHING = {"entity_id": "", "sso_url": "", "certificates": [], "fingerprint": ""}


class UnableToConnect(UseCaseError):
    """The metadata cannot be used."""


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
            _tell("begun", connection, by=by, at=at)
    connection.refresh_from_db()
    return connection


def connect(*, tenant_id: UUID, document: bytes, by: Actor, at: datetime) -> SsoConnection:
    """Take over the provider's metadata, in place of earlier ones; the same again change nothing.

    What was tested before counts no longer: the connection is another one.
    """
    by.require(Permission.MANAGE_SSO, tenant_id=tenant_id)
    metadata = _read(document)
    fingerprint = connections.fingerprint(metadata)
    with transaction.atomic(durable=True):
        connection, _ = _row(tenant_id, by=by, at=at)
        changed = (
            SsoConnection.objects.filter(pk=connection.pk)
            .exclude(fingerprint=fingerprint)
            .update(
                entity_id=metadata.entity_id,
                sso_url=metadata.sso_url,
                certificates=_columns(metadata),
                fingerprint=fingerprint,
                connected_at=at,
                connected_by=by.known_id,
                declined_at=None,
                declined_by=None,
            )
        )
        if changed:
            data = {"certificates": len(metadata.certificates), "fingerprint": fingerprint}
            _tell("replaced" if connection.is_connected else "connected", connection, by=by, at=at, data=data)
    connection.refresh_from_db()
    return connection


def disconnect(*, tenant_id: UUID, by: Actor, at: datetime) -> None:
    """Forget the provider's metadata; our addresses stay what they are. Safe to repeat."""
    by.require(Permission.MANAGE_SSO, tenant_id=tenant_id)
    with transaction.atomic(durable=True):
        connection = SsoConnection.objects.select_for_update().filter(tenant_id=tenant_id).first()
        if connection is None or not connection.is_connected:
            return
        if enforcement.current(tenant_id=tenant_id, at=at) is not None:
            raise UnableToDisconnect(
                "Your people sign in by this provider alone, or will soon.",
                fix="End that under “Company sign-in” first.",
            )
        SsoConnection.objects.filter(pk=connection.pk).update(connected_at=None, connected_by=None, **NOTHING)
        _tell("disconnected", connection, by=by, at=at, data={"fingerprint": connection.fingerprint})


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
            _tell("declined", connection, by=by, at=at)


def _read(document: bytes) -> ProviderMetadata:
    try:
        metadata = ports.identity_provider().metadata(document)
        connections.require_address(metadata.sso_url, allow_loopback=settings.DEMO)
    except (ports.Rejected, connections.NotUsableError) as error:
        fix = "Download the metadata from your provider again, and upload that file as it is."
        raise UnableToConnect(str(error), fix=fix) from error
    return metadata


def _row(tenant_id: UUID, *, by: Actor, at: datetime) -> tuple[SsoConnection, bool]:
    """Return the tenant's row, locked, and whether it was made just now."""
    row, is_new = SsoConnection.objects.get_or_create(
        tenant_id=tenant_id, defaults={"begun_at": at, "begun_by": by.known_id}
    )
    return SsoConnection.objects.select_for_update().get(pk=row.pk), is_new


def _columns(metadata: ProviderMetadata) -> list[dict[str, str]]:
    return [
        {
            "der": each.der,
            "fingerprint": each.fingerprint,
            "subject": each.subject,
            "not_before": each.not_before.isoformat(),
            "not_after": each.not_after.isoformat(),
        }
        for each in metadata.certificates
    ]


def _tell(
    what: str, connection: SsoConnection, *, by: Actor, at: datetime, data: dict[str, object] | None = None
) -> None:
    tenant_id = connection.tenant_id
    outbox.publish("accounts.sso.changed", tenant_id=tenant_id, connection_id=connection.pk)
    ledger.record(f"accounts.sso.{what}", by=by, at=at, tenant_id=tenant_id, subject=connection, data=data)
