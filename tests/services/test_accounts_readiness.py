"""What accounts answers to the preflight, and that it is asked again as soon as the answer may be another."""

from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.utils import timezone

from accounts.models import Domain, Member
from accounts.readiness import domains as of_domains
from accounts.readiness import people as of_people
from accounts.readiness import sso as of_sso
from accounts.services import domains, members
from accounts.services import sso as connections
from core import queue, readiness, tenancy
from core.findings import Finding, Outcome
from core.permissions import TenantRole
from tests import make, sso
from tests.fakes.dns import FakeDns

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(fake_dns: type[FakeDns]) -> Member:
    fake_dns.zones.domains.append("jetblue.example")
    return make.member(make.tenant("JetBlue"))


def domain_verified(owner: Member) -> Finding:
    with tenancy.scope(tenant_id=owner.tenant_id):
        return of_domains.domain_verified(tenant_id=owner.tenant_id, at=timezone.now())


def second_factor(owner: Member) -> Finding:
    with tenancy.scope(tenant_id=owner.tenant_id):
        return of_people.owner_has_second_factor(tenant_id=owner.tenant_id, at=timezone.now())


def sso_tested(owner: Member, *, later: timedelta = timedelta()) -> Finding:
    with tenancy.scope(tenant_id=owner.tenant_id):
        return of_sso.sso_tested(tenant_id=owner.tenant_id, at=timezone.now() + later)


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


def proven_afresh(owner: Member) -> Finding:
    with tenancy.scope(tenant_id=owner.tenant_id):
        return of_domains.domain_proven_afresh(tenant_id=owner.tenant_id, at=timezone.now())


def test_the_go_no_go_waits_for_the_fresh_proof_and_not_for_an_outage(owner: Member) -> None:
    assert proven_afresh(owner).outcome is Outcome.PASS
    domain = claim(owner, publish=True)
    assert proven_afresh(owner).summary == "Asked for three days before the move"
    at, by = timezone.now(), make.actor(owner)
    with tenancy.scope(tenant_id=owner.tenant_id):
        domains.ask_afresh(tenant_id=owner.tenant_id, since=at, by=by, at=at)
        domain.refresh_from_db()
    waiting = proven_afresh(owner)
    assert (waiting.outcome, waiting.facts) == (Outcome.BLOCK, {"lacking": ["jetblue.example"]})
    assert waiting.fix == "Publish the new record shown with the domain."
    assert domain_verified(owner).outcome is Outcome.PASS, "the earlier proof stands"

    def look() -> Finding:
        with tenancy.scope(tenant_id=owner.tenant_id):
            domains.check(domain=domain, by=by, at=timezone.now())
        return proven_afresh(owner)

    assert "earlier token" in look().summary
    FakeDns.zones.faults["jetblue.example"] = "servfail"
    assert look().outcome is Outcome.WARN
    FakeDns.zones.faults.clear()
    FakeDns.publish("_crossing-challenge.jetblue.example", f"token={domain.token}")
    assert (look().outcome, look().summary) == (Outcome.PASS, "Proven again within three days of the move")


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


EMAIL = "olivia@jetblue.example"


def sign_on(owner: Member, **how: object) -> None:
    with tenancy.scope(tenant_id=owner.tenant_id):
        sso.try_sign_in(owner.tenant_id, make.actor(owner), email=EMAIL, **how)


def test_neither_connected_nor_declined_shuts_the_gate_and_names_both_ways_out(owner: Member) -> None:
    finding = sso_tested(owner)
    assert (finding.outcome, finding.summary) == (Outcome.BLOCK, "Your identity provider is not connected")
    assert "Upload its metadata" in finding.fix
    assert "state that your people sign in without" in finding.fix
    with tenancy.scope(tenant_id=owner.tenant_id):
        connections.decline(tenant_id=owner.tenant_id, by=make.actor(owner), at=timezone.now())
    declined = sso_tested(owner)
    assert (declined.outcome, declined.facts) == (Outcome.PASS, {"connection": "", "outcome": "without"})


def test_connected_is_not_tested(owner: Member) -> None:
    with tenancy.scope(tenant_id=owner.tenant_id):
        sso.connected(owner.tenant_id, make.actor(owner))
    finding = sso_tested(owner)
    assert (finding.outcome, finding.facts["outcome"]) == (Outcome.BLOCK, "untested")
    assert "Choose “Test sign-in”" in finding.fix


def test_a_passed_test_opens_the_gate_for_a_fortnight_or_until_the_metadata_change(owner: Member) -> None:
    claim(owner, publish=True)
    sign_on(owner)
    passed = sso_tested(owner)
    assert (passed.outcome, passed.facts["outcome"]) == (Outcome.PASS, "passed")
    assert sso_tested(owner, later=timedelta(days=13)).outcome is Outcome.PASS
    lapsed = sso_tested(owner, later=timedelta(days=15))
    assert (lapsed.outcome, lapsed.facts["outcome"]) == (Outcome.BLOCK, "lapsed")
    with tenancy.scope(tenant_id=owner.tenant_id):
        other = sso.Provider(sso_url="https://idp.airline.example/other")
        sso.connected(owner.tenant_id, make.actor(owner), provider=other)
    changed = sso_tested(owner)
    assert (changed.outcome, changed.facts["outcome"]) == (Outcome.BLOCK, "untested")
    assert changed.facts["connection"] != passed.facts["connection"]


def test_a_failed_test_shuts_the_gate_with_the_cure_of_what_failed_first(owner: Member) -> None:
    sign_on(owner, audience="https://other.example")
    finding = sso_tested(owner)
    assert finding.outcome is Outcome.BLOCK
    assert finding.summary == "The last test sign-in failed: “It is meant for us” does not hold, and 1 more"
    assert "Enter our entity ID as the audience" in finding.fix
    assert finding.evidence == {"failed": ["audience", "email"]}
    assert EMAIL not in f"{finding}"


def test_a_certificate_that_ends_soon_warns(owner: Member) -> None:
    claim(owner, publish=True)
    sign_on(owner, provider=sso.Provider(signer=sso.signer(days=10)))
    finding = sso_tested(owner)
    assert (finding.outcome, finding.facts["outcome"]) == (Outcome.WARN, "passed")


def test_a_test_and_a_change_of_the_connection_ask_the_check_again(owner: Member) -> None:
    claim(owner, publish=True)
    sign_on(owner)
    queue.run_pending()
    with tenancy.scope(tenant_id=owner.tenant_id):
        latest = readiness.latest(tenant_id=owner.tenant_id)
    assert latest["accounts.sso_tested"].finding.outcome is Outcome.PASS
