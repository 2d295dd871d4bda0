"""Approvals on PostgreSQL: what is frozen, who signs, and what the database itself refuses."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from allauth.mfa.models import Authenticator
from django.db import IntegrityError, ProgrammingError, connection, transaction

from accounts.models import Tenant
from core import ledger, tenancy
from core.actor import Actor
from core.approvals import archive, passkeys, requests, seals, signatures
from core.approvals.requests import UnableToEnd, UnableToRequest
from core.approvals.signatures import UnableToSign
from core.domain.approvals import Method, ReAuthentication, RequestState, Seat
from core.evidence import registry, verifier
from core.models import ApprovalRequest, EvidencePart, Signature, SigningStatement
from core.registry import Registry
from tests import make
from tests.packs import AT, FINDINGS
from tests.passkeys import PRESENT, Passkey
from tests.signing import challenge_of, register

pytestmark = pytest.mark.django_db
SITE = "localhost"


@dataclass
class Case:
    """An open request of one tenant, and two people who may sign it."""

    tenant: Tenant
    request: ApprovalRequest
    first: Actor
    second: Actor
    passkey: Passkey

    @property
    def evidence(self) -> str:
        return self.request.pack.evidence_sha256

    def issue(self, *, by: Actor | None = None, seat: str = "first", **changes: object) -> SigningStatement:
        given = {"shown_evidence": self.evidence, "at": AT} | changes
        return signatures.issue(request=self.request, seat=seat, by=by or self.first, **given)  # type: ignore[arg-type]  # a table of arguments

    def sign_by_passkey(self, *, statement: SigningStatement | None = None, at=AT, **answer: object) -> bool:
        statement = statement or self.issue()
        assertion = self.passkey.answer(challenge_of(statement), **answer)  # type: ignore[arg-type]  # flags and client data
        proof = passkeys.Answer(statement.pk, assertion, SITE)
        return signatures.sign(
            request=self.request, seat="first", shown_evidence=self.evidence, proof=proof, by=self.first, at=at
        )

    def sign_by_code(self, *, by: Actor | None = None, seat: str = "second", age=timedelta(0), evidence="") -> bool:
        return signatures.sign(
            request=self.request,
            seat=seat,
            shown_evidence=evidence or self.evidence,
            proof=ReAuthentication(Method.TOTP, AT - age),
            by=by or self.second,
            at=AT,
        )


def _open(tenant: Tenant, *, by: Actor, seats: tuple[str, ...] = ("first", "second")) -> ApprovalRequest:
    pack, titles = requests.gather(action="test.action", tenant_id=tenant.pk, findings=FINDINGS, at=AT)
    return requests.open_request(
        action="test.action",
        tenant_id=tenant.pk,
        pack=pack,
        titles=titles,
        seats=[Seat(name) for name in seats],
        holds_until=None,
        by=by,
        at=AT,
    )


@pytest.fixture(autouse=True)
def own_parts(monkeypatch: pytest.MonkeyPatch) -> Registry[registry.Contribution]:
    """Only the floor's part: what other apps contribute is theirs to test."""
    only: Registry[registry.Contribution] = Registry("evidence parts")
    only.add("core.ledger", registry.PARTS["core.ledger"])
    monkeypatch.setattr(requests, "PARTS", only)
    return only


@pytest.fixture
def case() -> Iterator[Case]:
    tenant = make.tenant()
    first, second = make.member(tenant), make.member(tenant)
    passkey = register(first.user)
    with tenancy.scope(tenant_id=tenant.pk):
        request = _open(tenant, by=make.actor(first))
        yield Case(tenant, request, make.actor(first), make.actor(second), passkey)


def test_a_request_freezes_the_exact_bytes_and_asks_for_signatures(case: Case) -> None:
    parts = {part.name: bytes(part.body) for part in case.request.pack.parts.all()}
    assert set(parts) == {"core.about", "core.findings", "core.ledger", "core.material"}
    assert case.request.expires_at == AT + timedelta(days=7)
    entry = ledger.recent(tenant_id=case.tenant.pk)[0]
    assert entry.event == "core.approval.requested"
    assert entry.data["evidence_sha256"] == case.evidence


def test_a_request_ends_no_later_than_its_first_finding() -> None:
    tenant = make.tenant()
    with tenancy.scope(tenant_id=tenant.pk):
        pack, titles = requests.gather(action="test.action", tenant_id=tenant.pk, findings=FINDINGS, at=AT)
        until = AT + timedelta(hours=1)
        request = requests.open_request(
            action="test.action", tenant_id=tenant.pk, pack=pack, titles=titles, seats=[], holds_until=until,
            by=make.SYSTEM, at=AT,
        )  # fmt: skip
    assert request.expires_at == until


def test_a_second_request_waits_until_the_first_has_ended(case: Case) -> None:
    with pytest.raises(UnableToRequest, match="A request is open already"):
        _open(case.tenant, by=case.first)
    requests.end(request=case.request, state=RequestState.VOIDED, reason="Moved.", by=make.SYSTEM, at=AT)
    assert _open(case.tenant, by=case.first).state == RequestState.OPEN


def test_a_part_that_cannot_be_gathered_stops_the_request(
    case: Case, own_parts: Registry[registry.Contribution]
) -> None:
    def broken(*, tenant_id: UUID, at: object) -> dict[str, object]:
        return {"share": float("nan")}

    own_parts.add("test.broken", registry.Contribution("test.broken", "Broken figures", broken))
    with pytest.raises(UnableToRequest, match="The evidence “Broken figures” could not be gathered"):
        _open(case.tenant, by=case.first)


def test_two_people_complete_a_request_and_the_pack_verifies_offline(case: Case) -> None:
    assert case.sign_by_passkey() is False
    assert case.sign_by_code() is True
    assert case.request.state == RequestState.APPROVED
    report = verifier.verify(archive.build(case.request), server_key=seals.public_key())
    assert report.problems == []
    assert sum("signed by user" in line for line in report.proven) == 2
    events = [entry.event for entry in ledger.recent(tenant_id=case.tenant.pk)]
    assert events[:3] == ["core.approval.approved", "core.approval.signed", "core.approval.signed"]


def test_the_archive_of_an_unchanged_request_is_the_same_bytes(case: Case) -> None:
    case.sign_by_passkey()
    assert archive.build(case.request) == archive.build(ApprovalRequest.objects.get(pk=case.request.pk))


@pytest.mark.parametrize("seat", ["first", "second"])
def test_one_person_cannot_sign_twice(case: Case, seat: str) -> None:
    case.sign_by_passkey()
    with pytest.raises(UnableToSign, match="You have signed this request already"):
        case.sign_by_code(by=case.first, seat=seat)


def test_a_stale_page_cannot_sign(case: Case) -> None:
    with pytest.raises(UnableToSign, match="This page is out of date"):
        case.sign_by_code(evidence="0" * 64)
    with pytest.raises(UnableToSign, match="This page is out of date"):
        case.issue(shown_evidence="0" * 64)


def test_a_reauthentication_must_be_fresh(case: Case) -> None:
    with pytest.raises(UnableToSign, match="over five minutes ago"):
        case.sign_by_code(age=timedelta(minutes=5, seconds=1))


def test_an_ended_request_takes_no_signature_and_says_why(case: Case) -> None:
    requests.end(request=case.request, state=RequestState.VETOED, reason="Not in December.", by=case.second, at=AT)
    with pytest.raises(UnableToSign, match=r"is vetoed and takes no more signatures\. Not in December\."):
        case.sign_by_code()
    with pytest.raises(UnableToEnd, match="has ended already"):
        requests.end(request=case.request, state=RequestState.VOIDED, reason="", by=case.second, at=AT)


def test_a_statement_is_used_once(case: Case) -> None:
    statement = case.issue()
    SigningStatement.objects.filter(pk=statement.pk).update(used_at=AT)
    with pytest.raises(UnableToSign, match="used already or is older than five minutes"):
        case.sign_by_passkey(statement=statement)


def test_a_statement_expires_after_five_minutes(case: Case) -> None:
    with pytest.raises(UnableToSign, match="used already or is older than five minutes"):
        case.sign_by_passkey(at=AT + timedelta(minutes=5))


def test_a_statement_is_for_the_person_it_was_issued_to(case: Case) -> None:
    statement = case.issue(by=case.second, seat="second")
    with pytest.raises(UnableToSign, match="was not issued to you"):
        case.sign_by_passkey(statement=statement)


def test_a_refused_signature_leaves_its_statement_unused(case: Case) -> None:
    statement = case.issue()
    with pytest.raises(passkeys.UnableToSignByPasskey):
        case.sign_by_passkey(statement=statement, flags=PRESENT)
    statement.refresh_from_db()
    assert statement.used_at is None
    assert case.sign_by_passkey(statement=statement) is False


@pytest.mark.parametrize(
    "answer",
    [
        {"flags": PRESENT},
        {"type": "webauthn.create"},
        {"challenge": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
        {"origin": "https://evil.example"},
        {"crossOrigin": True},
    ],
    ids=["user not verified", "not an assertion", "other challenge", "other site", "framed"],
)
def test_a_passkey_answer_that_does_not_sign_the_statement_is_refused(case: Case, answer: dict[str, Any]) -> None:
    with pytest.raises(passkeys.UnableToSignByPasskey):
        case.sign_by_passkey(**answer)
    assert not Signature.objects.exists()


def test_someone_elses_passkey_is_refused(case: Case) -> None:
    case.passkey = register(make.user())
    with pytest.raises(passkeys.UnableToSignByPasskey, match="does not verify, so nothing was signed"):
        case.sign_by_passkey()


@pytest.mark.parametrize("garbage", [{}, {"id": 1}, {"rawId": "x", "response": {}}, {"rawId": "AA", "response": None}])
def test_a_garbled_answer_is_refused(case: Case, garbage: dict[str, object]) -> None:
    proof = passkeys.Answer(case.issue().pk, garbage, SITE)
    with pytest.raises(passkeys.UnableToSignByPasskey):
        signatures.sign(
            request=case.request, seat="first", shown_evidence=case.evidence, proof=proof, by=case.first, at=AT
        )


def test_a_copied_passkey_is_found_by_its_counter(case: Case) -> None:
    row = Authenticator.objects.get(user_id=case.first.known_id)
    row.data["crossing_sign_count"] = 90
    row.save()
    with pytest.raises(passkeys.UnableToSignByPasskey, match="counter went back"):
        case.sign_by_passkey()
    case.passkey.counter = 90
    assert case.sign_by_passkey() is False
    row.refresh_from_db()
    assert row.data["crossing_sign_count"] == 91


@pytest.mark.parametrize("method", [Method.TOTP, Method.PASSWORD])
def test_whoever_has_a_passkey_signs_with_nothing_less(case: Case, method: Method) -> None:
    with pytest.raises(UnableToSign, match=r"than your .*: your passkey"):
        signatures.sign(
            request=case.request,
            seat="first",
            shown_evidence=case.evidence,
            proof=ReAuthentication(method, AT),
            by=case.first,
            at=AT,
        )
    assert not Signature.objects.exists()


def test_whoever_has_a_code_does_not_sign_by_password(case: Case) -> None:
    Authenticator.objects.create(user_id=case.second.known_id, type=Authenticator.Type.TOTP, data={})
    with pytest.raises(UnableToSign, match="your authenticator code"):
        signatures.sign(
            request=case.request,
            seat="second",
            shown_evidence=case.evidence,
            proof=ReAuthentication(Method.PASSWORD, AT),
            by=case.second,
            at=AT,
        )
    assert case.sign_by_code() is False


def test_whoever_asked_cannot_give_the_only_signature() -> None:
    tenant = make.tenant()
    asker, other = (make.actor(make.member(tenant)) for _ in range(2))
    with tenancy.scope(tenant_id=tenant.pk):
        request = _open(tenant, by=asker, seats=("only",))
        one = Case(tenant, request, asker, other, Passkey())
        with pytest.raises(UnableToSign, match="You asked for this approval, so another person must give it"):
            one.sign_by_code(by=asker, seat="only")
        assert one.sign_by_code(by=other, seat="only") is True


# What the database refuses, whatever the code above it does.


def _insert_signature(case: Case, *, user_id: UUID, seat: str, statement: SigningStatement) -> None:
    with transaction.atomic():
        Signature.objects.create(
            tenant=case.tenant, request=case.request, statement=statement, user_id=user_id, seat=seat,
            method="totp", signed_at=AT, record=b"{}",
        )  # fmt: skip


def test_the_database_wants_distinct_people_seats_and_nonces(case: Case) -> None:
    first, second = case.issue(), case.issue(by=case.second, seat="second")
    _insert_signature(case, user_id=case.first.known_id, seat="first", statement=first)
    for user_id, seat, statement, constraint in [
        (case.first.known_id, "second", second, "core_signature_distinct_people"),
        (case.second.known_id, "first", second, "core_signature_one_per_seat"),
        (case.second.known_id, "second", first, "core_signature_nonce_once"),
    ]:
        with pytest.raises(IntegrityError, match=constraint):
            _insert_signature(case, user_id=user_id, seat=seat, statement=statement)


def test_the_database_refuses_a_signature_under_an_ended_request(case: Case) -> None:
    statement = case.issue()
    requests.end(request=case.request, state=RequestState.VOIDED, reason="", by=make.SYSTEM, at=AT)
    with pytest.raises(IntegrityError, match="takes no more signatures"):
        _insert_signature(case, user_id=case.first.known_id, seat="first", statement=statement)


def test_the_database_refuses_the_askers_only_signature() -> None:
    tenant = make.tenant()
    asker = make.actor(make.member(tenant))
    with tenancy.scope(tenant_id=tenant.pk):
        one = Case(tenant, _open(tenant, by=asker, seats=("only",)), asker, asker, Passkey())
        statement = SigningStatement.objects.create(
            tenant=tenant, request=one.request, user_id=asker.known_id, seat="only", body=b"{}",
            nonce_sha256="0" * 64, issued_at=AT, expires_at=AT,
        )  # fmt: skip
        with pytest.raises(IntegrityError, match="cannot give it"):
            _insert_signature(one, user_id=asker.known_id, seat="only", statement=statement)


@pytest.mark.parametrize("table", ["core_evidencepack", "core_evidencepart", "core_signature"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET tenant_id = tenant_id", "DELETE FROM {}"])
def test_nobody_may_change_what_was_signed(case: Case, table: str, statement: str) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        connection.cursor().execute(statement.format(table))


def test_the_database_checks_the_digest_of_a_part(case: Case) -> None:
    with pytest.raises(IntegrityError, match="exact_bytes"), transaction.atomic():
        EvidencePart.objects.create(
            tenant=case.tenant, pack=case.request.pack, name="x.y", title="x", body=b"{}", sha256="0" * 64
        )


def test_another_tenant_sees_nothing_of_it(case: Case) -> None:
    case.sign_by_passkey()
    other, evidence = make.tenant(), case.evidence
    with tenancy.scope(tenant_id=other.pk):
        for model in (ApprovalRequest, EvidencePart, Signature, SigningStatement):
            assert not model.objects.exists()
        proof = passkeys.Answer(uuid4(), {}, SITE)
        with pytest.raises(UnableToSign, match="not issued to you"):
            signatures.sign(
                request=case.request, seat="first", shown_evidence=evidence, proof=proof, by=case.first, at=AT
            )
