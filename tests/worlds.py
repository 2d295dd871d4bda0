"""A tenant with one object behind every id that an address can name, and somebody of every role."""

import hashlib
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.cookies import SimpleCookie
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client, override_settings
from django.test.client import ClientHandler
from django.utils import timezone

from accounts.domain.identity_map.decisions import Kind
from accounts.models import (
    BreakGlassOwner,
    Cutback,
    LegacyPerson,
    LinkProposal,
    Member,
    NewPerson,
    ProvisionedGroup,
    ProvisionedUser,
    SsoCertificate,
)
from accounts.services import domain_links, domains, identity_links, invitations
from accounts.services.access import reviews
from accounts.services.identity_map import checkpoints, decisions
from backfills.domain.runs import RunState
from backfills.models import DeadLetter, Inspection, Run
from comms.models import Mailing
from comms.services import cases, mailings
from compliance.models import Attestation, Deletion
from core import readiness, sealing, tokens
from core.permissions import StaffRole, TenantRole
from core.readiness import CHECKS
from core.subscriptions import Subscription, Use
from entitlements.domain import records
from entitlements.models import AccessRequest, Snapshot
from integrations.models import Endpoint, HarnessRun, Item, Message
from parity_reports.models import Reconciliation, Report
from parity_reports.services import reports
from tests import make, sso
from tests.cutovers import Case, ready_case
from tests.fakes.dns import FakeDns

MEMBERS = tuple(role.value for role in TenantRole)
STAFF = tuple(f"staff:{role.value}" for role in StaffRole)


@dataclass
class World:
    """A tenant with one object behind every id, another tenant, and a session for each role."""

    case: Case
    ids: dict[str, Any]
    people: dict[str, Any]

    sessions: dict[str, SimpleCookie] = field(default_factory=dict)
    handler: ClientHandler = field(default_factory=lambda: ClientHandler(enforce_csrf_checks=False))
    """What every client of the world shares: each would put the middleware together anew."""

    def client(self, role: str) -> Client:
        """Return a new client, signed in as somebody; they are signed in once."""
        client = Client(raise_request_exception=False)
        if role != "anonymous":
            if role not in self.sessions:
                client.force_login(self.people[role])
                self.sessions[role] = client.cookies
            client.cookies = copy(self.sessions[role])
        client.handler = self.handler
        return client


def attest(tenant_id: UUID, *, at: datetime) -> Attestation:
    """Give a tenant the attestation of a deletion."""
    by, body = make.SYSTEM.known_id, b"{}"
    done = Deletion.objects.create(
        tenant_id=tenant_id, dataset="stage", counted={"run": 1}, requested_at=at, requested_by=by, done_at=at
    )
    return Attestation.objects.create(
        tenant_id=tenant_id, deletion=done, body=body, sha256=hashlib.sha256(body).hexdigest(), seal="0" * 128,
        public_key="0" * 64, attested_at=at,
    )  # fmt: skip


def _said(case: Case, *, at: datetime) -> tuple[UUID, UUID]:
    """Plan the messages about the window and open a case; return a planned one and the case."""
    mailings.follow_window(tenant_id=case.tenant_id, by=make.SYSTEM, at=at)
    opened = cases.open_case(
        tenant_id=case.tenant_id, subject="Rows are missing", severity="3", text="Two of them.", by=case.customer, at=at
    )
    return Mailing.objects.get(template="announce.users").pk, opened.pk


def _came_by_provider(case: Case, *, at: datetime) -> dict[str, Any]:
    """Let one person be linked, one wait and one be rejected, by the tenant's provider."""
    tenant_id, by = case.tenant_id, case.customer
    sso.prove(tenant_id, "people.example", by)
    seats = [make.member(case.owner.tenant, "member", person=make.user(email=f"p{n}@people.example")) for n in "123"]
    signed = [sso.try_to_enter(tenant_id, email=seat.user.email) for seat in seats[1:]]
    rejected, waiting = LinkProposal.objects.order_by("proposed_at")
    identity_links.decide(tenant_id=tenant_id, proposal_ids=[rejected.pk], approve=False, by=by, at=at)
    rule = identity_links.make_rule(tenant_id=tenant_id, domain="people.example", kind="join", by=by, at=at)
    linked = sso.linked(seats[0], by, name=seats[0].user.email)
    return {
        "sign_in_id": signed[0].pk, "proposal_id": rejected.pk, "rule_id": rule.pk, "identity_id": linked.pk,
        "waiting_id": waiting.pk,
    }  # fmt: skip


def _mapped(case: Case, *, at: datetime) -> dict[str, Any]:
    """Give the tenant a person of legacy, mapped by a decision to one of the new platform, and a checkpoint."""
    told = {"tenant_id": case.tenant_id, "user_name": "mira"}
    new = NewPerson.objects.create(key="p-1", **told)
    pk = uuid4()
    LegacyPerson.objects.create(pk=pk, person_id=pk, key="1", outcome="placeholder", rule="nobody", **told)
    asked = [decisions.Asked(pk, Kind.MAP, (new.pk,))]
    made = decisions.decide(tenant_id=case.tenant_id, asked=asked, reason="As agreed", by=case.customer, at=at)
    taken = checkpoints.take(tenant_id=case.tenant_id, reason="Before the merges", by=case.customer, at=at)
    return {"person_id": pk, "decision_id": made.pk, "checkpoint_id": taken.pk}


def _provisioned(case: Case, *, at: datetime) -> dict[str, UUID]:
    """Let a directory have sent a group, and a person whom it deleted."""
    common = {"tenant_id": case.tenant_id, "created_at": at, "modified_at": at}
    group = ProvisionedGroup.objects.create(name_key="pilots", resource={"displayName": "Pilots"}, **common)
    user = ProvisionedUser.objects.create(
        name_key="gone@ours.example", resource={"userName": "gone@ours.example"}, deleted_at=at, **common
    )
    token, _ = tokens.issue(
        tenant_id=case.tenant_id, name="Directory", scopes=["scim"], expires_at=at + timedelta(days=90),
        by=case.customer, at=at,
    )  # fmt: skip
    return {"group_id": group.pk, "user_id": user.pk, "ident": user.pk, "scim_token_id": token.pk}


def build(monkeypatch: pytest.MonkeyPatch, fake_dns: type[FakeDns]) -> World:
    """Make the world; the checks are one of the test's own and the window's."""
    at = timezone.now()
    fake_dns.zones.domains.append("ours.example")
    with ready_case(monkeypatch, at=at) as case:
        request = case.ask(at=at)
        ids: dict[str, Any] = {
            "tenant_id": case.tenant_id,
            "request_id": request.pk,
            "check_id": next(iter(CHECKS)),
            "entity": "flights",
        }
        ids |= {"workflow_id": "log_delay", "guide_slug": "faq", "old": "opsdesk/dlylog.do"}
        domain = domains.claim(tenant_id=case.tenant_id, typed="ours.example", by=case.customer, at=at)
        ids["domain_id"], ids["link_id"] = domain.pk, domain_links.make(domain=domain, by=case.customer, at=at)[0].pk
        ids["test_id"] = sso.try_sign_in(case.tenant_id, case.customer, email="olivia@ours.example").pk
        ids |= _came_by_provider(case, at=at)
        break_glass = BreakGlassOwner.objects.create(
            tenant_id=case.tenant_id, member=case.owner, seat=1, named_at=at, named_by=case.customer.known_id
        )
        cutback = Cutback.objects.create(
            tenant_id=case.tenant_id, reason="Down.", hours=2, requested_at=at, requested_by=case.customer.known_id,
            lapses_at=at + timedelta(days=1),
        )  # fmt: skip
        ids |= {"owner_id": break_glass.pk, "cutback_id": cutback.pk, "seat": 1}
        ids["product"] = "okta"
        ids["certificate_id"] = SsoCertificate.objects.get().pk
        ids |= _mapped(case, at=at)
        ids["invitation_id"] = invitations.invite(
            tenant_id=case.tenant_id,
            email="new@ours.example",
            role="member",
            by=case.customer,
            at=at - timedelta(hours=1),
        ).pk
        run = Run(tenant_id=case.tenant_id, entity="flights", state=RunState.PAUSED, spec="flights 1", requested_at=at)
        run.save()
        ids["run_id"] = run.pk
        ids["inspection_id"] = Inspection.objects.create(tenant_id=case.tenant_id, requested_at=at).pk
        ids["letter_id"] = DeadLetter.objects.create(
            tenant_id=case.tenant_id, run=run, entity="flights", source_key="1", rule="bad_day", spec=run.spec,
            first_at=at, last_at=at, payload=sealing.seal("{}").encode(),
        ).pk  # fmt: skip
        report = Report.objects.create(tenant_id=case.tenant_id, requested_at=at, requested_by=case.customer.id)
        ids["report_id"] = reports.finish(report=report, by=case.customer, at=at).pk
        ids["reconciliation_id"] = Reconciliation.objects.create(
            tenant_id=case.tenant_id, entity="flights", title="Flights", state="done", reason="As agreed.",
            requested_at=at, requested_by=case.customer.known_id, finished_at=at,
        ).pk  # fmt: skip
        token, _ = tokens.issue(
            tenant_id=case.tenant_id, name="Nightly", scopes=["readiness:read"], expires_at=at + timedelta(days=30),
            by=case.customer, at=at,
        )  # fmt: skip
        ids["token_id"] = token.pk
        ids["mailing_id"], ids["case_id"] = _said(case, at=at)
        item = Item.objects.create(
            tenant_id=case.tenant_id, kind="webhook", key="1", name="https://ops.ours.example/hooks", found_at=at
        )
        endpoint = Endpoint.objects.create(
            tenant_id=case.tenant_id, url="https://hooks.ours.example/", item=item, secret=sealing.seal("whsec_"),
            registered_at=at, registered_by=case.customer.id,
        )  # fmt: skip
        message = Message.objects.create(
            tenant_id=case.tenant_id, endpoint=endpoint, message_id="msg_1", event="crossing.test", body="{}",
            requested_at=at, requested_by=case.customer.id, state="failed", settled_at=at,
        )  # fmt: skip
        tried = HarnessRun.objects.create(
            tenant_id=case.tenant_id, endpoint=endpoint, requested_at=at, requested_by=case.customer.id,
            finished_at=at, has_passed=False,
        )  # fmt: skip
        ids["harness_run_id"] = tried.pk
        ids |= {"item_id": item.pk, "endpoint_id": endpoint.pk, "message_id": message.pk}
        ids |= _provisioned(case, at=at)
        reviewed = reviews.begin(tenant_id=case.tenant_id, due_on=at.date(), by=case.customer, at=at)
        line = reviewed.lines.filter(role="member").earliest("number")
        ids |= {"review_id": reviewed.pk, "line_id": line.pk, "form": "csv"}
        ids["job_id"] = readiness.request(tenant_id=case.tenant_id, by=case.customer)
    tenant = case.owner.tenant
    people: dict[str, Any] = {"owner": case.owner.user, "stranger": make.user()}
    people["staff:runbook_owner"] = case.runbook_owner
    people |= {role: make.member(tenant, role).user for role in MEMBERS if role != "owner"}
    people["other_owner"] = make.member(make.tenant()).user
    people |= {f"staff:{role.value}": make.staff(role) for role in StaffRole if f"staff:{role.value}" not in people}
    with make.arranging():
        ids["attestation_id"] = attest(case.tenant_id, at=at).pk
        member = Member.objects.get(user=people["member"])
        ids["member_id"] = member.pk
        Snapshot.objects.create(
            tenant_id=case.tenant_id, taken_at=at, taken_by=case.customer.id, matrix="1", use=records.of_use(Use()),
            legacy=records.of_subscription(Subscription("OPS-PRO", "Professional", 125_000, "USD")), currency="USD",
            unmapped=0, choices=0, mismatches=0,
        )  # fmt: skip
        ids["access_id"] = AccessRequest.objects.create(
            tenant_id=member.tenant_id, member=member, ability="export-reports", wanted="product_role:auditor",
            reason="The month's figures", requested_at=at, requested_by=member.user_id,
        ).pk  # fmt: skip
    return World(case, ids, people)


@pytest.fixture(scope="module")
def standing_world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """Make the world once for a module, everybody signed in; what a test does to it is rolled back after the test."""
    adapters = {**settings.ADAPTERS, "dns": {"BACKEND": "tests.fakes.dns.FakeDns"}}
    # Where and when a session was last seen is written at every request: a quarter of its cost, and taken back here.
    calm = {"USERSESSIONS_TRACK_ACTIVITY": False}
    around = transaction.atomic()
    around._from_testcase = True  # as Django's own test cases do: what is durable is so within this
    with (
        django_db_blocker.unblock(),
        override_settings(ADAPTERS=adapters, **calm),
        pytest.MonkeyPatch.context() as patch,
        around,
    ):
        FakeDns.reset()
        world = build(patch, FakeDns)
        for role in world.people:
            world.client(role)
        yield world
        transaction.set_rollback(True)
        FakeDns.reset()
