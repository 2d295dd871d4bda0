"""Snapshots: look at both platforms, keep what was seen, open and settle mismatches."""

from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from accounts.queries import members, tenants
from core import ledger, outbox, ports, queue
from core.actor import Actor
from core.permissions import Permission
from entitlements.domain import reconciliation, records
from entitlements.models import Mismatch, Snapshot
from entitlements.queries import matrix, previews


def request(*, tenant_id: UUID, by: Actor) -> UUID:
    """Have both platforms looked at, and return the job. Pressing twice joins the one that waits."""
    by.require(Permission.RUN_CHECKS, tenant_id=tenant_id)
    return queue.enqueue(previews.TASK, tenant_id=tenant_id, key="refresh", by=by)


def request_all(*, by: Actor) -> int:
    """Have every tenant's contract looked at on both platforms: the nightly reconciliation. Needs a staff scope."""
    by.require(Permission.RUN_CHECKS)
    ids = list(tenants.every().values_list("pk", flat=True))
    for tenant_id in ids:
        queue.enqueue(previews.TASK, tenant_id=tenant_id, key="refresh")
    return len(ids)


def take(*, tenant_id: UUID, by: Actor, at: datetime) -> Snapshot:
    """Look at both platforms, keep what was seen, and open and settle mismatches accordingly.

    Raises `ports.Unavailable` and `ports.Rejected`; nothing is kept then, and what is known grows old.
    """
    by.require(Permission.RUN_CHECKS, tenant_id=tenant_id)
    tenant = tenants.get(tenant_id=tenant_id)
    legacy = ports.legacy_contracts().subscription(tenant_ref=tenant.legacy_ref)
    use = ports.legacy_contracts().use(tenant_ref=tenant.legacy_ref)
    people = _people(tenant_id, tenant.legacy_ref)
    new = ports.billing().subscription(account_id=tenant_id)
    access = ports.billing().access(account_id=tenant_id)
    laid = previews.lay(legacy=legacy, use=use, decided=previews.decided(tenant_id=tenant_id), at=at)
    differing = reconciliation.mismatches(promise=laid.draft, found=new, undecided=laid.undecided) if laid.draft else ()
    with transaction.atomic(durable=True):
        snapshot = Snapshot.objects.create(
            tenant_id=tenant_id,
            taken_at=at,
            taken_by=by.known_id,
            matrix=matrix.declared().label,
            legacy=records.of_subscription(legacy),
            use=records.of_use(use),
            new=records.of_subscription(new),
            features=sorted(access.features) if access else None,
            policies=dict(access.policies) if access else None,
            people=people,
            unmapped=len(laid.unmapped),
            choices=len(laid.open_options),
            mismatches=len(differing),
            difference=laid.difference.minor if laid.difference else None,
            currency=matrix.declared().currency,
        )
        if laid.draft is not None:  # without a promise nothing is judged, and what was open stays so
            _reconcile(snapshot, differing, by=by, at=at)
        outbox.publish("entitlements.snapshot.taken", tenant_id=tenant_id, snapshot_id=snapshot.pk)
        ledger.record(
            "entitlements.snapshot.taken",
            by=by,
            at=at,
            tenant_id=tenant_id,
            subject=snapshot,
            data={
                "matrix": snapshot.matrix,
                "unmapped": snapshot.unmapped,
                "choices": snapshot.choices,
                "mismatches": snapshot.mismatches,
                "difference": snapshot.difference,
                "currency": snapshot.currency,
            },
        )
    return snapshot


def _people(tenant_id: UUID, tenant_ref: str) -> dict[str, str]:
    """Return the legacy role of each active member, by the id of their user: no name, no address."""
    logins = {member.user.email: str(member.user_id) for member in members.active(tenant_id=tenant_id)}
    roles = ports.legacy_contracts().roles(tenant_ref=tenant_ref, logins=logins)
    return {logins[login]: role for login, role in roles.items()}


def _reconcile(snapshot: Snapshot, differing: tuple[reconciliation.Mismatch, ...], *, by: Actor, at: datetime) -> None:
    """Settle what is no longer so and open what is new; one that changed is settled and opened.

    One after the other for a tenant; who looked earlier than another, but comes later, leaves it at what is known.
    """
    tenant_id = snapshot.tenant_id
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"entitlements.mismatches:{tenant_id}"]
        )
    if Snapshot.objects.filter(tenant_id=tenant_id, taken_at__gt=at).exists():
        return
    found = {(one.subject, one.promised, one.found): one for one in differing}
    for row in Mismatch.objects.select_for_update().filter(tenant_id=tenant_id, settled_in=None):
        if found.pop((row.subject, row.promised, row.found), None) is None:
            Mismatch.objects.filter(pk=row.pk).update(settled_in=snapshot)
            _record("settled", row, by=by, at=at)
    for one in found.values():
        opened = Mismatch.objects.create(
            tenant_id=tenant_id,
            subject=one.subject,
            title=one.title,
            promised=one.promised,
            found=one.found,
            opened_in=snapshot,
        )
        _record("opened", opened, by=by, at=at)


def _record(word: str, row: Mismatch, *, by: Actor, at: datetime) -> None:
    ledger.record(
        f"entitlements.mismatch.{word}",
        by=by,
        at=at,
        tenant_id=row.tenant_id,
        subject=row,
        data={"subject": row.subject, "title": row.title, "promised": row.promised, "found": row.found},
    )
