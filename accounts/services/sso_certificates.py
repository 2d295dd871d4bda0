"""The certificates that a tenant's provider signs with: added beside each other, retired, and watched for their end."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce

from accounts.domain import certificates
from accounts.domain.certificates import MOST_TRUSTED, Difference, Reason, Source
from accounts.models import SsoCertificate, SsoConnection
from accounts.services.sso_changes import notify, require_trust, tell
from core import ports
from core.actor import Actor
from core.errors import UseCaseError
from core.permissions import Permission
from core.saml import SigningCertificate

TRUSTED = {"retired_at": None, "retired_by": None, "retired_because": "", "missed": 0, "missing_since": None}


class UnableToTrust(UseCaseError):
    """The certificate cannot be added."""


class UnableToRetire(UseCaseError):
    """The certificate cannot be retired now."""


def add(*, tenant_id: UUID, text: str, by: Actor, at: datetime) -> SsoCertificate:
    """Trust a certificate that a person gives (PEM, or the base64 of it) beside the others. Safe to repeat.

    One that was retired is trusted again.
    """
    require_trust(tenant_id=tenant_id, by=by)
    try:
        given = ports.identity_provider().certificate(text)
    except ports.Rejected as error:
        fix = "Download the signing certificate from your provider (Base64 or PEM), and paste the whole file."
        raise UnableToTrust(str(error), fix=fix) from error
    if given.not_after <= at:
        raise UnableToTrust(
            f"This certificate ended on {given.not_after:%d %B %Y}.", fix="Take the one that your provider signs with."
        )
    with transaction.atomic(durable=True):
        connection = _connected(tenant_id)
        row = connection.certificates.filter(fingerprint=given.fingerprint).first()
        if row is None or row.retired_at:
            _require_room(connection, adding=1)
            _trust(connection, given, source=Source.HAND, by=by, at=at)
    return SsoCertificate.objects.get(connection=connection, fingerprint=given.fingerprint)


def retire(*, tenant_id: UUID, certificate_id: UUID, by: Actor, at: datetime) -> None:
    """Trust a certificate no more, even if the provider's metadata go on listing it. Safe to repeat.

    The last one that is trusted cannot be retired: nobody could sign in.
    """
    by.require(Permission.MANAGE_SSO, tenant_id=tenant_id)
    with transaction.atomic(durable=True):
        connection = _connected(tenant_id)
        trusted = {row.pk: row for row in connection.certificates.filter(retired_at=None)}
        row = trusted.pop(certificate_id, None)
        if row is None:
            return
        if not trusted or (row.held.is_in_date(at=at) and not any(e.held.is_in_date(at=at) for e in trusted.values())):
            raise UnableToRetire(
                "This is the last certificate that counts: without it nobody could sign in.",
                fix="Add the next one first.",
            )
        _retire(connection, row.fingerprint, because=Reason.PERSON, by=by, at=at)


def restore(*, tenant_id: UUID, certificate_id: UUID, by: Actor, at: datetime) -> None:
    """Trust a retired certificate again. Safe to repeat."""
    require_trust(tenant_id=tenant_id, by=by)
    with transaction.atomic(durable=True):
        connection = _connected(tenant_id)
        row = connection.certificates.filter(pk=certificate_id, retired_at__isnull=False).first()
        if row is None:
            return
        _require_room(connection, adding=1)
        connection.certificates.filter(pk=row.pk).update(**TRUSTED)
        tell("certificate_added", connection, by=by, at=at, data={"fingerprint": row.fingerprint, "source": row.source})


def warn(*, tenant_id: UUID, by: Actor, at: datetime) -> int | None:
    """Tell the tenant's people that its last certificate ends within 30, 14, 7 or 1 days; each step once.

    Returns the step that was told of now. One with a successor that lasts longer is nothing to be warned of.
    """
    by.require(Permission.MANAGE_SSO, tenant_id=tenant_id)
    with transaction.atomic(durable=True):
        connection = SsoConnection.objects.select_for_update().filter(tenant_id=tenant_id).first()
        if connection is None:
            return None
        last = connection.certificates.filter(retired_at=None).order_by("-not_after").first()
        if last is None:
            return None
        days = certificates.warning(ends_at=last.not_after, warned=last.warned_days, at=at)
        if days is None or not connection.certificates.filter(pk=last.pk).update(warned_days=days):
            return None
        notify(f"ends_{days}", connection, occasion=f"{last.fingerprint}:{days}")
        data = {"fingerprint": last.fingerprint, "days": days}
        tell("certificate_ending", connection, by=by, at=at, data=data)
    return days


def note_signature(connection: SsoConnection, fingerprint: str, *, at: datetime) -> None:
    """Remember that an answer was signed with a certificate, which then is not let go by itself."""
    connection.certificates.filter(fingerprint=fingerprint).update(signed_at=at)


def foresee(connection: SsoConnection, listed: Collection[SigningCertificate], *, at: datetime) -> Difference:
    """Say what taking in a list of the provider's metadata would do."""
    return certificates.compare([row.held for row in connection.certificates.all()], listed, at=at)


def take_in(
    connection: SsoConnection, listed: Collection[SigningCertificate], *, source: Source, by: Actor, at: datetime
) -> Difference:
    """Put what the provider's metadata list beside what is trusted; in a transaction that holds the connection.

    Raises UnableToTrust where that would be too many.
    """
    difference = foresee(connection, listed, at=at)
    rows, given = connection.certificates, {each.fingerprint: each for each in listed}
    for name in difference.retired:
        _retire(connection, name, because=Reason.GONE, by=by, at=at)
    _require_room(connection, adding=len(difference.added))
    for name in difference.added:
        _trust(connection, given[name], source=source, by=by, at=at)
    rows.filter(fingerprint__in=difference.back).update(missed=0, missing_since=None)
    rows.filter(fingerprint__in=difference.missing).update(
        missed=F("missed") + 1, missing_since=Coalesce("missing_since", at)
    )
    return difference


def replace(
    connection: SsoConnection, listed: Collection[SigningCertificate], *, source: Source, by: Actor, at: datetime
) -> None:
    """Trust another provider's certificates in place of all others; in a transaction that holds the connection."""
    names = [each.fingerprint for each in listed]
    connection.certificates.filter(retired_at=None).exclude(fingerprint__in=names).update(
        retired_at=at, retired_by=by.known_id, retired_because=Reason.REPLACED.value
    )
    known = set(connection.certificates.filter(retired_at=None).values_list("fingerprint", flat=True))
    for given in listed:
        if given.fingerprint not in known:
            _write(connection, given, source=source, by=by, at=at)


def _connected(tenant_id: UUID) -> SsoConnection:
    connection = SsoConnection.objects.select_for_update().filter(tenant_id=tenant_id).first()
    if connection is None or not connection.is_connected:
        raise UnableToTrust("No provider is connected yet.", fix="Upload its metadata first.")
    return connection


def _require_room(connection: SsoConnection, *, adding: int) -> None:
    if adding and connection.certificates.filter(retired_at=None).count() + adding > MOST_TRUSTED:
        raise UnableToTrust(f"More than {MOST_TRUSTED} certificates would be trusted.", fix="Retire old ones first.")


def _trust(connection: SsoConnection, given: SigningCertificate, *, source: Source, by: Actor, at: datetime) -> None:
    _write(connection, given, source=source, by=by, at=at)
    tell("certificate_added", connection, by=by, at=at, data={"fingerprint": given.fingerprint, "source": source.value})


def _write(connection: SsoConnection, given: SigningCertificate, *, source: Source, by: Actor, at: datetime) -> None:
    SsoCertificate.objects.update_or_create(
        tenant_id=connection.tenant_id,
        connection=connection,
        fingerprint=given.fingerprint,
        defaults={
            **TRUSTED,
            "der": given.der,
            "subject": given.subject,
            "not_before": given.not_before,
            "not_after": given.not_after,
            "source": source.value,
            "added_at": at,
            "added_by": by.known_id,
        },
    )


def _retire(connection: SsoConnection, fingerprint: str, *, because: Reason, by: Actor, at: datetime) -> None:
    if connection.certificates.filter(fingerprint=fingerprint, retired_at=None).update(
        retired_at=at, retired_by=by.known_id, retired_because=because.value
    ):
        data = {"fingerprint": fingerprint, "because": because.value}
        tell("certificate_retired", connection, by=by, at=at, data=data)
