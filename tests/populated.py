"""A portal in which every page has something to show: three customers in three states, and people for every page."""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import psycopg
from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.conf import settings
from django.core import mail
from django.utils import timezone

from accounts.models import SsoConnection, SsoSource, User
from accounts.services import imports, invitations
from backfills.domain.runs import RunState
from backfills.domain.spec import load
from backfills.models import DeadLetter, Run
from backfills.queries import runs as moves
from backfills.services import inspections, retries, runs, standing, versions
from comms.domain.cases import CaseState
from comms.models import Mailing
from comms.services import cases, statuses
from core import holds, queue, readiness, tenancy
from core.actor import Actor
from core.models import Hold, ToggleSetting, Token
from core.permissions import StaffRole, TenantRole
from core.sealing import seal
from cutover.services import cutovers, go_no_go
from entitlements.services import access, choices, snapshots, subscriptions
from parity_reports.domain import ladder, sampling
from parity_reports.domain.drift import Cause
from parity_reports.domain.ladder import Method
from parity_reports.domain.reconciliation import Strategy
from parity_reports.queries import reports as compared
from parity_reports.services import drift, guides, previews, reconciliations, reports, workflows
from portal.demo.integrations import connect_one
from runbooks.services import exceptions
from tests import airline, claims, customers, enforcing, make, signing, sso
from tests.counterparts import Counterparts
from tests.customers import Customer
from tests.populated_people import map_people
from tests.provisioned import provision
from tests.shadowing import keep_rounds
from tests.worlds import attest

READY, BLOCKED = customers.airline("HA"), customers.airline("OO")


@dataclass
class Populated:
    """Whom a page is shown to, by name, and what stands in its address."""

    people: dict[str, User | None]
    ids: dict[str, Any] = field(default_factory=dict)


def make_everything(outside: Counterparts) -> Populated:
    """Fill the portal through its use cases and its queue."""
    flights = "carr_cd = 'OO' AND flt_seq <= 2"
    airline.legacy_do(outside.platforms, f"UPDATE flt_hist SET tail_no = 'N801AA7' WHERE {flights}")
    ready, blocked = customers.arrange(READY, prepared=True), customers.arrange(BLOCKED, prepared=False)
    empty = make.member(make.tenant("Empty Air", slug="empty"))
    claims.claim(ready, outside.zones, right=True)
    claims.claim(blocked, outside.zones, right=False)
    for customer, verifies in ((ready, True), (blocked, False)):
        with tenancy.scope(tenant_id=customer.tenant.pk):
            connect_one(customer.airline, customer.tenant.pk, receivers=outside.receivers, verifies=verifies)
    _move_and_compare(ready, blocked)
    _drift(outside, ready, blocked)
    _shadow(ready, blocked)
    _judge_again(blocked)
    _keep_up(ready)
    _contracts(outside, ready, blocked)
    tests = _sign_in_by_provider(ready, blocked) | map_people(outside, ready, blocked)
    provision(ready, blocked)
    portal = Populated({"nobody": None, "owner": ready.owner.user, "blocked": blocked.owner.user, "empty": empty.user})
    enforcing.show(ready, blocked)
    portal.ids |= tests | _sample(ready, blocked)
    _people(portal, ready, blocked)
    _lack(portal, ready)
    _except(portal, blocked)
    _invite(portal, ready)
    portal.ids |= claims.link(ready, blocked)
    claims.contest(ready, blocked, outside.zones)
    _time_boxed(ready)
    _tell(portal, ready, blocked)
    _rely(ready, blocked)
    _preserve(portal, outside, ready)
    for customer in (ready, blocked):
        with tenancy.scope(tenant_id=customer.tenant.pk):
            readiness.evaluate(tenant_id=customer.tenant.pk, by=make.SYSTEM, at=timezone.now())
    _ask(portal, ready, blocked)
    return portal


def _sign_in_by_provider(ready: Customer, blocked: Customer) -> dict[str, Any]:
    """Test the single sign-on of both: one as it should be, one with everything wrong that a page can show."""
    tests = {}
    for name, customer, provider, wrong in (
        ("sso_test", ready, sso.Provider(), {}),
        ("blocked_sso_test", blocked, sso.Provider(signer=sso.signer(days=-1)), {"audience": "https://wrong.example"}),
    ):
        tenant_id, by = customer.tenant.pk, customer.by_owner
        with tenancy.scope(tenant_id=tenant_id):
            email = f"owner@{customer.airline.domain}"
            tests[name] = sso.try_sign_in(tenant_id, by, email=email, provider=provider, **wrong).pk
            tests.setdefault("provider_id", SsoConnection.objects.get(tenant_id=tenant_id).provider_id)
            tests[name.replace("test", "sign_in")] = sso.try_to_enter(
                tenant_id, email=email, provider=provider, **wrong
            ).pk
    with tenancy.scope(tenant_id=blocked.tenant.pk):
        at = timezone.now()
        SsoSource.objects.create(
            tenant_id=blocked.tenant.pk, connection=SsoConnection.objects.get(), url="https://idp.blocked.example/saml",
            followed_at=at, followed_by=blocked.owner.user.pk, read_at=at, due_at=at + timedelta(days=1),
        )  # fmt: skip
    return tests


def _move_and_compare(*moved: Customer) -> None:
    for step in (inspections.request, runs.start, reports.request):
        for customer in moved:
            with tenancy.scope(tenant_id=customer.tenant.pk):
                step(tenant_id=customer.tenant.pk, by=make.SYSTEM, at=timezone.now())
        queue.run_pending()


def _sample(ready: Customer, blocked: Customer) -> dict[str, Any]:
    """Let a sample of both be compared; they have so few records that the ladder would read them all."""
    found = {}
    with patch.object(ladder, "SMALL", 10), patch.object(sampling, "WANTED", 60):
        for name, customer in (("sampled_report", ready), ("blocked_sampled_report", blocked)):
            tenant_id = customer.tenant.pk
            with tenancy.scope(tenant_id=tenant_id):
                asked = reports.request(tenant_id=tenant_id, by=make.SYSTEM, at=timezone.now(), method=Method.SAMPLE)
            found[name] = asked.pk
            queue.run_pending()
    return found


def _drift(outside: Counterparts, ready: Customer, blocked: Customer) -> None:
    """One changed an aircraft in legacy and took it back; of the other something nobody explains was changed too."""
    seats = "UPDATE eqp_mast SET seat_cnt = (seat_cnt::integer {} 1)::text WHERE carr_cd IN ('HA', 'OO')"
    airline.legacy_do(outside.platforms, seats.format("+"))
    _look(ready, blocked)
    airline.legacy_do(outside.platforms, f"{seats.format('-')} AND carr_cd = 'HA'")
    renamed = "UPDATE platform.airport SET name = name || '!' WHERE account_id = %s AND code = 'JFK'"
    airline.new_do(outside.platforms, renamed, blocked.tenant.pk)
    _look(ready, blocked)
    _reconcile(blocked)


def _reconcile(customer: Customer) -> None:
    """Two leads have the aircraft put right that were changed in legacy, column by column."""
    lead, other = (make.staff_actor(make.staff(role)) for role in (StaffRole.DATA_LEAD, StaffRole.TECHNICAL_LEAD))
    with tenancy.scope(tenant_id=customer.tenant.pk):
        row = previews.make(
            tenant_id=customer.tenant.pk,
            entity="aircraft",
            strategies={Cause.LATE_WRITE: Strategy.MERGE},
            reason="The seats were counted anew in legacy; the customer asked for it.",
            accepted_until=None,
            by=lead,
            at=timezone.now(),
        )
        reconciliations.confirm(reconciliation_id=row.pk, by=lead, at=timezone.now())
        reconciliations.approve(reconciliation_id=row.pk, by=other, at=timezone.now())
    queue.run_pending()


def _shadow(ready: Customer, blocked: Customer) -> None:
    """Reads of both were made of both platforms; those of one do not agree."""
    for customer in (ready, blocked):
        with tenancy.scope(tenant_id=customer.tenant.pk):
            keep_rounds(customer.tenant.pk, at=timezone.now(), trouble=customer is blocked)


def _look(*watched: Customer) -> None:
    for customer in watched:
        with tenancy.scope(tenant_id=customer.tenant.pk):
            drift.request(tenant_id=customer.tenant.pk, by=make.SYSTEM, at=timezone.now())
    queue.run_pending()


def _keep_up(ready: Customer) -> None:
    """What changes in legacy is brought over by itself, and the move is limited."""
    at, tenant_id = timezone.now(), ready.tenant.pk
    with tenancy.scope(tenant_id=tenant_id):
        standing.switch_on(tenant_id=tenant_id, every=5, until=at + timedelta(days=9), by=make.SYSTEM, at=at)
        standing.limit(tenant_id=tenant_id, rows_per_second=50_000, by=make.SYSTEM, at=at)


def _judge_again(blocked: Customer) -> None:
    """Let an earlier version of the mapping have been used before, and try the rejected flights again."""
    at, tenant_id = timezone.now(), blocked.tenant.pk
    text = (Path(settings.MAPPING_FOLDER) / "flights.yaml").read_text()
    earlier = load(text.replace("above_percent: 0.1", "above_percent: 5").replace("because: The", "because: This"))
    with tenancy.scope(tenant_id=tenant_id):
        versions.keep([earlier], by=make.SYSTEM, at=at - timedelta(days=3))
        Run.objects.create(
            tenant_id=tenant_id, entity="flights", state=RunState.FAILED, spec=earlier.label,
            requested_at=at - timedelta(days=3), finished_at=at - timedelta(days=3), problem="Legacy did not answer.",
        )  # fmt: skip
        run = moves.latest(tenant_id=tenant_id)["flights"]
        retries.request(run=run, by=make.SYSTEM, at=at)
    queue.run_pending()


def _contracts(outside: Counterparts, ready: Customer, blocked: Customer) -> None:
    """Both have an add-on that ends: the ready one gave it up and is set up, the blocked one still has to choose."""
    for customer in (ready, blocked):
        customers.sell_telex(outside.platforms, customer.airline)
        tenant_id, at = customer.tenant.pk, timezone.now()
        with tenancy.scope(tenant_id=tenant_id):
            snapshots.take(tenant_id=tenant_id, by=make.SYSTEM, at=at)
            if customer is ready:
                choices.choose(
                    tenant_id=tenant_id, subject="addon:TTY-FAX", choice="give_up",
                    basis="ops-mail, 1, at USD 25.00 a month instead of TTY-FAX", by=ready.by_owner, at=at,
                )  # fmt: skip
                subscriptions.provision(tenant_id=tenant_id, by=make.SYSTEM, at=timezone.now())


def _people(portal: Populated, ready: Customer, blocked: Customer) -> None:
    owner = ready.owner.user
    signing.register(owner)
    RecoveryCodes.activate(owner)
    portal.ids["passkey"] = Authenticator.objects.get(user=owner, type=Authenticator.Type.WEBAUTHN).pk
    both = make.member(ready.tenant, TenantRole.AUDITOR)
    make.member(blocked.tenant, TenantRole.AUDITOR, person=both.user)
    for number in range(30):
        make.member(ready.tenant, TenantRole.MEMBER, person=make.user(f"Somebody with a long name {number}"))
    portal.people |= {
        "both": both.user,
        "member": make.member(ready.tenant, TenantRole.MEMBER).user,
        "stranger": make.user("Sue Stranger"),
        "newcomer": make.user("Nina New", password=make.PASSWORD),
        "runbook_owner": ready.runbook_owner,
        "staff": imports.staff(
            email="all@crossing.example", name="Alma All", roles=list(StaffRole), password=None,
            by=make.SYSTEM, at=timezone.now(),
        ),
    }  # fmt: skip
    newcomer = portal.people["newcomer"]
    assert newcomer
    EmailAddress.objects.create(user=newcomer, email=newcomer.email, verified=True, primary=True)
    unproven = EmailAddress.objects.create(user=make.user(), email="unproven@new.example", verified=False)
    portal.ids |= {
        "confirmation": EmailConfirmationHMAC(unproven).key,
        "uidb36": user_pk_to_url_str(newcomer),
        "reset_key": default_token_generator.make_token(newcomer),
    }


def _lack(portal: Populated, ready: Customer) -> None:
    """A member and an auditor ask for what they lack: of the customer's owners, and of us."""
    tenant_id, at = ready.tenant.pk, timezone.now()
    with tenancy.scope(tenant_id=tenant_id):
        for who, role, ability in (("member", "member", "plan-crew"), ("both", "auditor", "rebook-flight")):
            person = portal.people[who]
            assert person
            by = Actor.member(user_id=person.pk, tenant_id=tenant_id, role=role, name=str(person))
            access.ask(tenant_id=tenant_id, ability_id=ability, reason="Our summer schedule.", by=by, at=at)


def _except(portal: Populated, blocked: Customer) -> None:
    at, staff = timezone.now(), portal.people["staff"]
    assert staff
    with make.arranging():
        asked = [
            exceptions.request(
                tenant_id=blocked.tenant.pk, check_id=check, reason="The customer's tests were moved by a week.",
                compensating_controls="Daily review with the customer.", owner_id=staff.pk,
                expires_at=at + timedelta(days=5), by=make.staff_actor(blocked.runbook_owner), at=at,
            )
            for check in ("runbooks.steps_signed", "accounts.domain_verified")
        ]  # fmt: skip
        exceptions.approve(exception=asked[0], by=make.staff_actor(staff), at=at)


def _invite(portal: Populated, ready: Customer) -> None:
    tenant_id = ready.tenant.pk
    for name, email in (("new", "new@hawaiian.example"), ("known", "known@hawaiian.example")):
        with tenancy.scope(tenant_id=tenant_id):
            invitations.invite(tenant_id=tenant_id, email=email, role="admin", by=ready.by_owner, at=timezone.now())
        link = re.search(r"/invitations/([^/\s]+)/", mail.outbox[-1].body)
        assert link
        portal.ids[f"invitation_{name}"] = link[1]
    known = portal.people["known"] = make.user("Kim Known", email="known@hawaiian.example")
    EmailAddress.objects.create(user=known, email=known.email, verified=True, primary=True)


def _tell(portal: Populated, ready: Customer, blocked: Customer) -> None:
    """Write news, open cases and answer one; name a message that is planned and one that was sent."""
    at, staff = timezone.now(), portal.people["staff"]
    assert staff
    by = make.staff_actor(staff)
    with make.arranging():
        for kind, title in (
            ("incident", "Slow pages"),
            ("resolved", "Pages are quick again"),
            ("info", "What is next"),
        ):
            statuses.tell(
                tenant_id=ready.tenant.pk, kind=kind, title=title, text="We are at it.\n\nMore at noon.", by=by, at=at
            )
        for name, check in (("case", "runbooks.steps_signed"), ("closed_case", "")):
            case = cases.open_case(
                tenant_id=blocked.tenant.pk, subject=f"A question about {check or 'the day'}", severity="2",
                text="Who signs?\n\nAnd when?", check_id=check, by=blocked.by_owner, at=at,
            )  # fmt: skip
            cases.write(case=case, text="Your runbook owner does, today.", by=by, at=at)
            portal.ids[name] = case.pk
        for target in (CaseState.RESOLVED, CaseState.CLOSED):
            cases.move(case=case, target=target, by=by, at=at)
        told = Mailing.objects.filter(tenant_id=ready.tenant.pk)
        portal.ids["mailing"] = told.get(template="announce.users").pk
        portal.ids["sent_mailing"] = told.get(template="announce.admins").pk


def _time_boxed(ready: Customer) -> None:
    at, by = timezone.now(), ready.owner.user_id
    common = {"tenant": ready.tenant, "expires_at": at + timedelta(days=7)}
    with make.arranging():
        attest(ready.tenant.pk, at=at)
        ToggleSetting.objects.create(
            name="compat.lists", reason="Churn", switched_on_at=at, switched_on_by=by, **common
        )
        Hold.objects.create(kind=holds.LEGAL_HOLD, reason="Litigation", placed_at=at, placed_by=by, **common)
        Token.objects.create(
            name="Harness", prefix="crx_ab", sha256=b"0" * 32, scopes=["read"], created_at=at, created_by=by, **common
        )


def _rely(ready: Customer, blocked: Customer) -> None:
    at, by, ours = timezone.now(), ready.by_owner, {"tenant_id": ready.tenant.pk}
    with tenancy.scope(**ours):
        for name in ("log_delay", "swap_crew", "irregular_operations"):
            workflows.rely(workflow_id=name, by=by, at=at, **ours)
        workflows.confirm(workflow_id="log_delay", by=by, at=at, **ours)
        workflows.accept(workflow_id="swap_crew", reason="Two reassignments will do.", by=by, at=at, **ours)
        until = at + timedelta(days=30)
        workflows.keep_old_way(
            workflow_id="irregular_operations", until=until, reason="A winter.", by=by, at=at, **ours
        )
        guides.mark(guide="faq", is_read=True, by=by, at=at, **ours)
    theirs = {"tenant_id": blocked.tenant.pk}
    with tenancy.scope(**theirs):
        for name in ("log_delay", "receive_partner_feed"):
            workflows.rely(workflow_id=name, by=blocked.by_owner, at=at, **theirs)


def _ask(portal: Populated, ready: Customer, blocked: Customer) -> None:
    at, tenant_id = timezone.now(), ready.tenant.pk
    with tenancy.scope(tenant_id=tenant_id):
        vetoed = go_no_go.ask(tenant_id=tenant_id, by=ready.by_owner, at=at)
        go_no_go.veto(request_id=vetoed.pk, reason="Our peak season.", by=ready.by_owner, at=at)
        cutovers.name_approver(tenant_id=tenant_id, member_id=ready.owner.pk, by=ready.by_owner, at=at)
        asked = go_no_go.ask(tenant_id=tenant_id, by=ready.by_owner, at=timezone.now())
    portal.ids |= {"request": asked.pk, "vetoed": vetoed.pk}
    for name, customer in (("report", ready), ("blocked_report", blocked)):
        with tenancy.scope(tenant_id=customer.tenant.pk):
            latest = compared.latest(tenant_id=customer.tenant.pk)
        assert latest
        portal.ids[name] = latest.pk
    with tenancy.scope(tenant_id=blocked.tenant.pk):
        portal.ids["letter"] = DeadLetter.objects.values_list("pk", flat=True)[0]


def _preserve(portal: Populated, outside: Counterparts, customer: Customer) -> None:
    """Keep a copy as a run does that writes over an object while a legal hold stands."""
    portal.ids["tenant_id"] = customer.tenant.pk
    copy = (customer.tenant.pk, "flights", "1", uuid4(), seal('{"number": "HA 1"}').encode(), timezone.now())
    with psycopg.connect(outside.platforms.new_loader) as connection:
        connection.execute(
            "INSERT INTO crossing_stage.preserved (account_id, entity, target_key, run_id, payload, at)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            copy,
        )
