"""The log of a directory's calls: what it asked, what it was answered, what came of it. It names people by id alone."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F, Window
from django.db.models.functions import RowNumber

from accounts.domain.provisioning import wording
from accounts.models import Provisioning, ProvisioningCall

KEPT = timedelta(days=14)
MOST_KEPT = 10_000
"""Calls of one tenant."""


def note(
    *,
    tenant_id: UUID,
    token_id: UUID,
    method: str,
    kind: str,
    resource_id: UUID | None,
    about: Iterable[str],
    status: int,
    scim_type: str = "",
    refusal: str = "",
    outcome: str = "",
    at: datetime,
) -> None:
    """Write a call down, once it was answered."""
    was_trial = not Provisioning.objects.filter(tenant_id=tenant_id, enabled_at__isnull=False).exists()
    ProvisioningCall.objects.create(
        tenant_id=tenant_id,
        called_at=at,
        token_id=token_id,
        method=method[:7],
        kind=kind,
        resource_id=resource_id,
        about=", ".join(about)[:300],
        status=status,
        scim_type=scim_type,
        refusal=wording.impersonal(refusal)[:500],
        outcome=outcome,
        was_trial=was_trial,
    )


def prune(*, at: datetime) -> int:
    """Delete calls a fortnight old, and of each tenant all but its newest ten thousand; needs a staff scope."""
    old, _ = ProvisioningCall.objects.filter(called_at__lte=at - KEPT).delete()
    numbered = ProvisioningCall.objects.annotate(
        number=Window(RowNumber(), partition_by=F("tenant_id"), order_by=(F("called_at").desc(), F("pk").desc()))
    )
    surplus = list(numbered.filter(number__gt=MOST_KEPT).values_list("pk", flat=True)[:50_000])
    return old + (ProvisioningCall.objects.filter(pk__in=surplus).delete()[0] if surplus else 0)
