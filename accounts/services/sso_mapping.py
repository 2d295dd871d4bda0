"""Which attribute of a tenant's provider says what of a person: chosen once, read by the test and by sign-in."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.domain import attributes, connections
from accounts.domain.attributes import AttributeMapping
from accounts.models import SsoConnection
from accounts.services.sso_changes import require_trust, tell
from core.actor import Actor
from core.errors import UseCaseError


class UnableToMap(UseCaseError):
    """The mapping cannot be."""


def read(values: Mapping[str, str], *, groups: str | Mapping[str, str]) -> AttributeMapping:
    """Read a mapping as it was given, `groups` with a role for each, without keeping it; raises UnableToMap."""
    try:
        return attributes.parse(values, roles=groups)
    except attributes.NotMappableError as error:
        raise UnableToMap(str(error)) from error


def choose(*, tenant_id: UUID, mapping: AttributeMapping, by: Actor, at: datetime) -> SsoConnection:
    """Read people by this mapping from now on, in tests and at sign-in; what was tested before counts no longer.

    Safe to repeat.
    """
    require_trust(tenant_id=tenant_id, by=by)
    plain = mapping.plain
    with transaction.atomic(durable=True):
        connection = SsoConnection.objects.select_for_update().filter(tenant_id=tenant_id).first()
        if connection is None or not connection.is_connected:
            raise UnableToMap("No provider is connected yet.", fix="Upload its metadata first.")
        if connection.attributes == plain:
            return connection
        fingerprint = connections.fingerprint(
            entity_id=connection.entity_id, sso_url=connection.sso_url, attributes=plain
        )
        SsoConnection.objects.filter(pk=connection.pk).update(attributes=plain, fingerprint=fingerprint)
        chosen = {name: value for name, value in plain.items() if name != "roles"}
        data = {"chosen": chosen, "groups": len(mapping.roles)}
        tell("mapping_chosen", connection, by=by, at=at, data=data)
    connection.refresh_from_db()
    return connection
