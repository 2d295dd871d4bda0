"""What accounts answers to the preflight, and that it is asked again as soon as the answer may be another."""

from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.utils import timezone

from accounts import readiness as checks
from accounts.models import Domain, Member
from accounts.services import domains, members
from core import queue, readiness, tenancy
from core.findings import Finding, Outcome
from core.permissions import TenantRole
from tests import make
from tests.fakes.dns import FakeDns

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(fake_dns: type[FakeDns]) -> Member:
    fake_dns.zones.domains.append("jetblue.example")
    return make.member(make.tenant("JetBlue"))


def domain_verified(owner: Member) -> Finding:
    with tenancy.scope(tenant_id=owner.tenant_id):
        return checks.domain_verified(tenant_id=owner.tenant_id, at=timezone.now())


def second_factor(owner: Member) -> Finding:
    with tenancy.scope(tenant_id=owner.tenant_id):
        return checks.owner_has_second_factor(tenant_id=owner.tenant_id, at=timezone.now())


def claim(owner: Member, name: str = "jetblue.example", *, publish: bool = False) -> Domain:
    by = make.actor(owner)
    with tenancy.scope(tenant_id=owner.tenant_id):
        domain = domains.claim(tenant_id=owner.tenant_id, typed=name, by=by, at=timezone.now())
        if publish:
            FakeDns.publish(f"_crossing-challenge.{name}", f"token={domain.token}")
        domains.check(domain=domain, by=by, at=timezone.now())
    return domain


def give_passkey(member: Member, kind: str = Authenticator.Type.WEBAUTHN) -> None:
    Authenticator.objects.create(user=member.user, type=kind, data={})


def test_without_a_domain_the_gate_is_shut_and_says_what_to_do(owner: Member) -> None:
    finding = domain_verified(owner)
    assert (finding.outcome, finding.summary) == (Outcome.BLOCK, "No domain is claimed")
    assert "Claim the domain" in finding.fix


def test_a_claim_alone_is_no_proof_and_shows_what_was_found(owner: Member) -> None:
    domain = claim(owner)
    finding = domain_verified(owner)
    assert finding.outcome is Outcome.BLOCK
    assert "not proven: There is no record at" in finding.summary
    assert finding.evidence == {"found": [], "expected": f"token={domain.token}"}
    assert "Add a TXT record" in finding.fix


def test_one_proven_domain_opens_the_gate_whatever_else_waits(owner: Member) -> None:
    claim(owner, "another.example")
    claim(owner, publish=True)
    finding = domain_verified(owner)
    assert (finding.outcome, finding.facts) == (Outcome.PASS, {"domains": ["jetblue.example"]})


def test_a_proof_is_a_material_fact_and_its_time_is_not(owner: Member) -> None:
    domain = claim(owner, publish=True)
    before = domain_verified(owner)
    with tenancy.scope(tenant_id=owner.tenant_id):
        domains.renew(domain=domain, by=make.actor(owner), at=timezone.now())
    assert domain_verified(owner).facts == before.facts, "a fresh proof under way voids no approval"
    with tenancy.scope(tenant_id=owner.tenant_id):
        domains.release(domain=domain, by=make.actor(owner), at=timezone.now())
    assert domain_verified(owner).facts != before.facts


def test_owners_are_advised_to_have_a_second_factor(owner: Member) -> None:
    assert (second_factor(owner).outcome, second_factor(owner).summary) == (
        Outcome.WARN,
        "The owner has only a password",
    )
    give_passkey(owner, Authenticator.Type.RECOVERY_CODES)
    assert second_factor(owner).outcome is Outcome.WARN, "recovery codes are a way back in, not a factor"
    give_passkey(owner)
    assert second_factor(owner).outcome is Outcome.PASS
    other = make.member(owner.tenant)
    assert second_factor(owner).summary == "1 of 2 owners have only a password"
    give_passkey(other, Authenticator.Type.TOTP)
    assert second_factor(owner).summary == "All 2 owners have one"


def test_an_account_without_an_owner_cannot_pass() -> None:
    admin = make.member(make.tenant(), TenantRole.ADMIN)
    assert second_factor(admin).outcome is Outcome.BLOCK


def test_the_advice_shuts_no_go_no_go() -> None:
    assert "accounts.owner_has_second_factor" not in {check.id for check in readiness.checks_of(readiness.GO_NO_GO)}
    assert "accounts.domain_verified" in {check.id for check in readiness.checks_of(readiness.GO_NO_GO)}


def test_the_check_is_asked_again_as_soon_as_a_domain_is_proven_or_released(owner: Member) -> None:
    domain = claim(owner, publish=True)
    queue.run_pending(at=timezone.now() + timedelta(seconds=1))
    with tenancy.scope(tenant_id=owner.tenant_id):
        assert readiness.latest(tenant_id=owner.tenant_id)["accounts.domain_verified"].outcome is Outcome.PASS
        domains.release(domain=domain, by=make.actor(owner), at=timezone.now())
    queue.run_pending(at=timezone.now() + timedelta(seconds=1))
    with tenancy.scope(tenant_id=owner.tenant_id):
        assert readiness.latest(tenant_id=owner.tenant_id)["accounts.domain_verified"].outcome is Outcome.BLOCK


def test_the_advice_is_given_again_when_the_owners_are_others(owner: Member) -> None:
    other = make.member(owner.tenant, TenantRole.ADMIN)
    with tenancy.scope(tenant_id=owner.tenant_id):
        members.change_role(member=other, role="owner", by=make.actor(owner), at=timezone.now())
    queue.run_pending(at=timezone.now() + timedelta(seconds=1))
    with tenancy.scope(tenant_id=owner.tenant_id):
        answer = readiness.latest(tenant_id=owner.tenant_id)["accounts.owner_has_second_factor"]
    assert answer.finding.summary == "2 of 2 owners have only a password"
