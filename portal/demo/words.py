"""What is said in the demo: announcements that really leave, and a case that waits for American's owner."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone

from accounts.queries import members, staff, tenants
from comms.queries import cases as asked
from comms.queries import mailings as listed
from comms.services import cases, mailings
from core import readiness, tenancy
from core.actor import Actor
from core.permissions import StaffRole
from portal.demo.airlines import Story, of_story

BY = Actor.system("loader")
CHECK = "backfills.dead_letters"


def announce(tenant_id: UUID, *, at: datetime) -> None:
    """Announce a tenant's window to everybody at once; the worker sends the mails. Safe to repeat."""
    mailings.follow_window(tenant_id=tenant_id, by=BY, at=at)
    for mailing in listed.listed(tenant_id=tenant_id).filter(kind="announce", state="planned"):
        now = timezone.now()
        if mailing.due_at > now:  # the sweeper may issue at any moment what is due already
            mailings.reschedule(mailing=mailing, due_at=now, note="", by=BY, at=now)
        mailings.issue(tenant_id=tenant_id, mailing_id=mailing.pk, by=BY, at=now)


def ask(*, report: Callable[[str], None]) -> None:
    """Open the blocked airlines' case about their rejected rows, and answer it as support. Safe to repeat."""
    with tenancy.staff_scope(by=BY, reason="demo: find who asks"):
        ids = {tenant.legacy_ref: tenant.pk for tenant in tenants.every()}
        colleague = staff.people().get(email="support@crossing.example")
    for airline in of_story(Story.BLOCKED):
        tenant_id = ids[airline.code]
        with tenancy.scope(tenant_id=tenant_id):
            if not asked.of_tenant(tenant_id=tenant_id).exists():
                _ask(tenant_id, support=Actor.staff(user_id=colleague.pk, roles={StaffRole.SUPPORT.value}))
                report(f"{airline.name}: its urgent support case is answered, and waits for its owner to confirm.")


def _ask(tenant_id: UUID, *, support: Actor) -> None:
    owner = members.owners(tenant_id=tenant_id)[0]
    customer = Actor.member(user_id=owner.user_id, tenant_id=tenant_id, role=owner.role, name=str(owner.user))
    at = timezone.now()
    readiness.evaluate(tenant_id=tenant_id, by=BY, at=at, checks=[CHECK])
    case = cases.open_case(
        tenant_id=tenant_id,
        subject="Are our rejected flights lost?",
        severity="1",
        check_id=CHECK,
        text="Flights of ours are rejected, because we write fleet numbers where the mapping expects tail numbers.\n\n"
        "If they are lost, we cannot move.",
        by=customer,
        at=at,
    )
    answer = (
        "No row is lost. A rejected row stays in legacy as it is, and is listed under “Your data” with its reason.\n\n"
        "Put the tail numbers right in legacy and press “Try rejected rows again”; each row is accounted for then. If "
        "this answers your question, please press “This settles it”."
    )
    cases.write(case=case, text=answer, by=support, at=at + timedelta(minutes=1))
