"""The go/no-go: every refusal with its reason, and the move that two signatures bring about."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.models import Member
from core import ledger, queue, readiness, tenancy
from core.actor import Actor
from core.approvals import archive, passkeys, seals
from core.approvals.requests import UnableToRequest
from core.approvals.signatures import UnableToSign
from core.domain.approvals import Method, RequestState
from core.errors import NotFound, PermissionRefused
from core.evidence import verifier
from core.findings import Finding, Outcome
from core.models import ApprovalRequest, Event, LedgerCheckpoint
from core.permissions import StaffRole, TenantRole
from core.readiness import Cover
from cutover.domain.phases import Phase
from cutover.models import Cutover, PhaseChange
from cutover.services import cutovers, go_no_go, phases
from cutover.services.go_no_go import UnableToAsk, UnableToVeto
from tests import make
from tests.cutovers import AT, LATER, Case, ready_case
from tests.signing import challenge_of, register

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(monkeypatch: pytest.MonkeyPatch) -> Iterator[Case]:
    with ready_case(monkeypatch) as ready:
        yield ready


def test_two_signatures_move_the_tenant_into_its_cutover(case: Case) -> None:
    request = case.ask()
    assert case.sign(request).state == RequestState.OPEN
    assert case.phase == "preflight"
    approved = case.sign(request, by=case.vendor)
    assert approved.state == RequestState.APPROVED
    assert case.phase == "canary"
    change = PhaseChange.objects.get(target=Phase.CANARY.value)
    assert (change.source, change.approval_id, change.changed_by) == ("preflight", request.pk, case.runbook_owner.pk)
    events = [entry.event for entry in ledger.recent(tenant_id=case.tenant_id)]
    assert events[:3] == ["cutover.phase.changed", "core.approval.approved", "core.approval.signed"]
    assert set(Event.objects.values_list("name", flat=True)) >= {"cutover.go_no_go.approved", "cutover.phase.changed"}
    report = verifier.verify(archive.build(approved), server_key=seals.public_key())
    assert report.problems == []


def test_the_ledger_is_checkpointed_at_every_signature(case: Case) -> None:
    request = case.ask()
    before = ledger.checkpoint(tenant_id=case.tenant_id, at=AT)
    case.sign(request)
    newest = LedgerCheckpoint.objects.order_by("-number").first()
    assert before is not None
    assert newest is not None
    assert newest.seq > before.seq


def test_the_customer_may_sign_by_passkey(case: Case) -> None:
    passkey, request = register(case.owner.user), case.ask()
    statement, options = go_no_go.begin(
        request_id=request.pk, shown_evidence=request.pack.evidence_sha256, rp_id="localhost", by=case.customer, at=AT
    )
    assert options["publicKey"]["userVerification"] == "required"
    assert options["publicKey"]["challenge"] == verifier.encode_base64url(challenge_of(statement))
    proof = passkeys.Answer(statement.pk, passkey.answer(challenge_of(statement)), "localhost")
    go_no_go.sign(
        request_id=request.pk, shown_evidence=request.pack.evidence_sha256, proof=proof, by=case.customer, at=LATER
    )
    assert request.signatures.get().method == Method.PASSKEY


# Asking


def test_a_blocked_finding_refuses_the_request_by_name(case: Case) -> None:
    case.answer(Outcome.BLOCK, lost=3)
    case.run_checks()
    with pytest.raises(UnableToAsk, match=r"The gate is shut: “Data moved” is not true yet\."):
        case.ask()


def test_an_unknown_finding_refuses_the_request(case: Case) -> None:
    case.answer(Outcome.UNKNOWN)
    case.run_checks()
    with pytest.raises(UnableToAsk, match=r"“Data moved” could not"):
        case.ask()


def test_an_expired_finding_refuses_the_request(case: Case) -> None:
    with pytest.raises(UnableToAsk, match=r"“Data moved” was answered too long ago"):
        case.ask(at=AT + timedelta(hours=6))


def test_a_check_that_never_ran_refuses_the_request(case: Case) -> None:
    told = readiness.check("tests.new", title="New question", owner="data", due="T-2", valid_for=timedelta(hours=6))
    told(lambda *, tenant_id, at: Finding(Outcome.PASS, "Fine"))
    with pytest.raises(UnableToAsk, match=r"“New question” was never asked"):
        case.ask()


def test_an_excepted_finding_is_asked_for_and_frozen_with_its_exception(case: Case) -> None:
    case.answer(Outcome.BLOCK, lost=3)
    case.exceptions.append(Cover("tests.data", "ex-1", AT + timedelta(hours=2)))
    case.run_checks()
    request = case.ask()
    assert request.expires_at == AT + timedelta(hours=2)
    case.exceptions.clear()
    with pytest.raises(UnableToSign, match="The evidence moved after it was frozen: Data moved"):
        case.sign(request)


@pytest.mark.parametrize(
    ("phase", "message"),
    [
        (Phase.PREPARE, "A go/no-go is decided in phase Preflight; this account is in Prepare."),
        (Phase.CANARY, "A go/no-go is decided in phase Preflight; this account is in Canary."),
    ],
)
def test_a_go_no_go_is_asked_for_in_preflight_only(case: Case, phase: Phase, message: str) -> None:
    Cutover.objects.update(phase=phase.value)
    with pytest.raises(UnableToAsk, match=message):
        case.ask()


def test_a_go_no_go_needs_window_and_runbook_owner(case: Case) -> None:
    Cutover.objects.update(runbook_owner=None)
    with pytest.raises(UnableToAsk, match="No runbook owner is assigned"):
        case.ask()
    Cutover.objects.update(window_starts_at=None, window_ends_at=None)
    with pytest.raises(UnableToAsk, match="The cutover window is not set"):
        case.ask()


def test_a_named_approver_who_left_refuses_the_request(case: Case) -> None:
    admin = make.member(case.owner.tenant, TenantRole.ADMIN)
    cutovers.name_approver(tenant_id=case.tenant_id, member_id=admin.pk, by=case.customer, at=AT)
    Member.objects.filter(pk=admin.pk).update(deactivated_at=AT, deactivated_by=case.owner.user_id)
    with pytest.raises(UnableToAsk, match="The named approver has left"):
        case.ask()


@pytest.mark.parametrize("role", [TenantRole.AUDITOR, TenantRole.MEMBER])
def test_asking_needs_the_permission(case: Case, role: TenantRole) -> None:
    with pytest.raises(PermissionRefused):
        case.ask(by=make.actor(make.member(case.owner.tenant, role)))


def test_a_second_request_waits_for_the_first(case: Case) -> None:
    case.ask()
    with pytest.raises(UnableToRequest, match="A request is open already"):
        case.ask()


# Signing


def test_one_person_cannot_sign_twice(case: Case) -> None:
    request = case.ask()
    case.sign(request)
    with pytest.raises(UnableToSign, match="You have signed this request already"):
        case.sign(request)


def test_one_person_in_both_roles_cannot_sign_twice(case: Case) -> None:
    request = case.ask()
    both = case.runbook_owner
    make.member(case.owner.tenant, person=both)
    case.sign(request, by=case.vendor)
    as_owner = Actor.member(user_id=both.pk, tenant_id=case.tenant_id, role="owner")
    with pytest.raises(UnableToSign, match="You have signed this request already"):
        case.sign(request, by=as_owner)
    assert case.phase is Phase.PREFLIGHT


@pytest.mark.parametrize("role", [TenantRole.ADMIN, TenantRole.AUDITOR, TenantRole.MEMBER])
def test_only_an_owner_signs_for_the_customer_unless_another_is_named(case: Case, role: TenantRole) -> None:
    other = make.actor(make.member(case.owner.tenant, role))
    with pytest.raises(PermissionRefused, match="Only an owner of this account can sign"):
        case.sign(case.ask(), by=other)


def test_a_named_approver_signs_and_the_owner_no_longer_does(case: Case) -> None:
    admin = make.member(case.owner.tenant, TenantRole.ADMIN)
    cutovers.name_approver(tenant_id=case.tenant_id, member_id=admin.pk, by=case.customer, at=AT)
    request = case.ask()
    with pytest.raises(PermissionRefused, match="Another person is named as the approver"):
        case.sign(request)
    assert case.sign(request, by=make.actor(admin)).signatures.get().user_id == admin.user_id


@pytest.mark.parametrize(
    ("role", "message"),
    [
        (StaffRole.RUNBOOK_OWNER, "You are not this account's runbook owner"),
        (StaffRole.CS, "Your role does not include signing as runbook owner"),
        (StaffRole.PROGRAMME_MANAGER, "Your role does not include signing as runbook owner"),
    ],
)
def test_only_the_accounts_runbook_owner_signs_for_the_vendor(case: Case, role: StaffRole, message: str) -> None:
    with pytest.raises(PermissionRefused, match=message):
        case.sign(case.ask(), by=make.staff_actor(make.staff(role)))


def test_the_system_cannot_sign(case: Case) -> None:
    with pytest.raises(PermissionRefused):
        case.sign(case.ask(), by=make.SYSTEM)


def test_evidence_that_moved_voids_the_request_and_the_first_signature_with_it(case: Case) -> None:
    request = case.ask()
    case.sign(request)
    case.answer(Outcome.PASS, lost=1)
    with pytest.raises(UnableToSign, match=r"The evidence moved after it was frozen: Data moved\. The request is void"):
        case.sign(request, by=case.vendor)
    request.refresh_from_db()
    assert request.state == RequestState.VOIDED
    assert request.ending == "The evidence moved after it was frozen: Data moved."
    assert case.phase is Phase.PREFLIGHT
    case.run_checks(at=LATER)
    assert case.ask(at=LATER).state == RequestState.OPEN


def test_evidence_that_is_worded_anew_has_not_moved(case: Case) -> None:
    request = case.ask()
    case.answers["tests.data"] = Finding(Outcome.PASS, "Found again", facts={"lost": 0}, evidence={"rows": 9})
    assert case.sign(request).signatures.count() == 1


def test_an_unknown_answer_refuses_the_signature_but_voids_nothing(case: Case) -> None:
    request = case.ask()
    case.answer(Outcome.UNKNOWN)
    with pytest.raises(
        UnableToSign, match=r"Nothing was signed\. The gate is shut: “Data moved” could not be answered"
    ):
        case.sign(request)
    case.answer(Outcome.PASS, lost=0)
    assert case.sign(request).signatures.count() == 1


def test_a_changed_window_voids_the_request(case: Case) -> None:
    request = case.ask()
    starts_at = AT + timedelta(days=12)
    cutovers.set_window(
        tenant_id=case.tenant_id, starts_at=starts_at, ends_at=starts_at + timedelta(hours=6), by=case.customer, at=AT
    )
    with pytest.raises(UnableToSign, match="The evidence moved after it was frozen: Cutover window set"):
        case.sign(request)


def test_the_check_of_the_window_is_asked_again_as_soon_as_it_is_set(case: Case) -> None:
    Cutover.objects.filter(tenant_id=case.tenant_id).update(window_starts_at=None, window_ends_at=None)
    case.run_checks()
    starts_at = AT + timedelta(days=12)
    cutovers.set_window(
        tenant_id=case.tenant_id, starts_at=starts_at, ends_at=starts_at + timedelta(hours=6), by=case.customer, at=AT
    )
    before = readiness.latest(tenant_id=case.tenant_id)["cutover.window_set"].outcome
    queue.run_pending(at=timezone.now() + timedelta(seconds=1))
    after = readiness.latest(tenant_id=case.tenant_id)["cutover.window_set"].outcome
    assert (before, after) == (Outcome.BLOCK, Outcome.PASS)


def test_an_expired_finding_voids_the_request_even_when_it_was_renewed(case: Case) -> None:
    request = case.ask()
    late = AT + timedelta(hours=6)
    case.run_checks(at=late - timedelta(minutes=1))
    with pytest.raises(UnableToSign, match="A finding in the frozen evidence has expired"):
        case.sign(request, at=late)


def test_a_stale_page_is_refused(case: Case) -> None:
    old = case.ask()
    case.answer(Outcome.PASS, lost=1)
    case.run_checks()
    assert go_no_go.recheck(tenant_id=case.tenant_id, at=AT) is True
    new = case.ask()
    with pytest.raises(UnableToSign, match="This page is out of date"):
        case.sign(new, evidence=old.pack.evidence_sha256)
    with pytest.raises(UnableToSign, match="This request is voided and takes no more signatures"):
        case.sign(old)


def test_a_tenant_that_moved_meanwhile_keeps_its_last_signature_out(case: Case) -> None:
    request = case.ask()
    case.sign(request)
    Cutover.objects.update(phase=Phase.PREPARE.value)
    with pytest.raises(phases.UnableToMove, match="cannot move to “Canary”"):
        case.sign(request, by=case.vendor)
    assert ApprovalRequest.objects.get(pk=request.pk).state == RequestState.OPEN
    assert request.signatures.count() == 1


def test_a_request_of_another_tenant_does_not_exist(case: Case) -> None:
    request = case.ask()
    stranger = make.member(make.tenant())
    with tenancy.scope(tenant_id=stranger.tenant_id), pytest.raises(NotFound):
        case.sign(request, by=make.actor(stranger), evidence="0" * 64)
    with pytest.raises(NotFound):
        go_no_go.veto(request_id=uuid4(), reason="No.", by=case.customer, at=AT)


# Ending


def test_a_veto_ends_the_request_with_its_reason(case: Case) -> None:
    request = case.ask()
    case.sign(request, by=case.vendor)
    go_no_go.veto(request_id=request.pk, reason="Our peak season.", by=case.customer, at=LATER)
    with pytest.raises(UnableToSign, match=r"is vetoed .* Vetoed by the customer: Our peak season"):
        case.sign(request)
    with pytest.raises(UnableToVeto, match="ended already"):
        go_no_go.veto(request_id=request.pk, reason="Again.", by=case.customer, at=LATER)
    assert case.phase is Phase.PREFLIGHT


def test_a_veto_needs_a_reason_and_the_permission(case: Case) -> None:
    request = case.ask()
    with pytest.raises(UnableToVeto, match="Say why"):
        go_no_go.veto(request_id=request.pk, reason="  ", by=case.customer, at=AT)
    admin = make.actor(make.member(case.owner.tenant, TenantRole.ADMIN))
    with pytest.raises(PermissionRefused):
        go_no_go.veto(request_id=request.pk, reason="No.", by=admin, at=AT)
    with pytest.raises(PermissionRefused):
        go_no_go.veto(request_id=request.pk, reason="No.", by=case.vendor, at=AT)


def test_the_sweep_voids_what_no_longer_holds_and_nothing_else(case: Case) -> None:
    request = case.ask()
    assert go_no_go.recheck(tenant_id=case.tenant_id, at=LATER) is False
    case.answer(Outcome.BLOCK, lost=5)
    case.run_checks(at=LATER)
    with make.arranging():
        queue.enqueue("cutover.tasks.recheck_requests")
        queue.run_pending()
    request.refresh_from_db()
    assert (request.state, request.ending) == ("voided", "The evidence moved after it was frozen: Data moved.")
    assert go_no_go.recheck(tenant_id=case.tenant_id, at=LATER) is False


def test_the_pack_holds_what_every_app_contributes(case: Case) -> None:
    request = case.ask()
    assert [part.name for part in request.pack.parts.all()] == [
        "accounts.access",
        "accounts.people",
        "backfills.conservation",
        "compliance.promises",
        "core.about",
        "core.findings",
        "core.ledger",
        "core.material",
        "cutover.line",
        "cutover.window",
        "entitlements.promise",
        "parity_reports.drift",
        "parity_reports.report",
        "parity_reports.shadow_reads",
        "runbooks.exceptions",
        "runbooks.sign_offs",
    ]
