"""Erasing what names people in the identity map once the move needs it no more; ids, keys and decisions stay."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.domain.identity_map.decisions import ERASED
from accounts.models import LegacyPerson, LinkCheckpoint, MapRun, NewPerson, PersonDecision, TenantLink
from accounts.queries import identity_map as queries
from accounts.services.identity_map import runs
from core import holds, ledger
from core.actor import Actor
from core.errors import UseCaseError
from core.permissions import Permission


class UnableToErase(UseCaseError):
    """The names cannot be erased now."""


def erase(*, tenant_id: UUID, by: Actor, at: datetime) -> None:
    """Erase every name, address, user name and external id, and every reason that somebody wrote. Safe to repeat.

    Who was whom, by which rule or decision, stays, under the ids of both platforms; undoing still works. Nobody is read
    again afterwards: `runs.request` refuses. Raises `holds.LegallyHeld`, and erases nothing, where a legal hold stands
    by the end.
    """
    by.require(Permission.MANAGE_OBLIGATIONS, tenant_id=tenant_id)
    nameless = dict.fromkeys(queries.NAMING, "")
    with transaction.atomic(durable=True):
        link = runs.link(tenant_id=tenant_id, by=by, at=at)
        if MapRun.objects.filter(tenant_id=tenant_id, state=MapRun.State.RUNNING).exists():
            raise UnableToErase("People are being mapped at this moment.", fix="Try again once the mapping has ended.")
        for model in (LegacyPerson, NewPerson):
            model.objects.filter(queries.is_named(), tenant_id=tenant_id).update(**nameless)
        for written in (PersonDecision, LinkCheckpoint):
            written.objects.filter(tenant_id=tenant_id).exclude(reason=ERASED).update(reason=ERASED)
        holds.demand_none(tenant_id=tenant_id, at=at)
        if TenantLink.objects.filter(pk=link.pk, erased_at=None).update(erased_at=at, erased_by=by.known_id):
            ledger.record("accounts.people.erased", by=by, at=at, tenant_id=tenant_id, subject=link)
