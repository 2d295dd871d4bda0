"""The check of provisioning: its directory gets in, goes on getting in, and leaves nobody waiting."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from accounts.models import Member
from core import readiness, tenancy, tokens
from core.findings import Finding, Outcome
from core.models import Token
from core.permissions import TenantRole
from tests import make
from tests.scim import Directory
from tests.services.test_provisioning import OURS, Desk

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


class Watched(Desk):
    """A desk whose directory has a token for half a year, and whose check is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.end()
        self.token = self.issue(self.owner)

    def issue(self, member: Member, *, days: int = 180) -> Token:
        """Let the directory call by a new token of this member."""
        with tenancy.scope(tenant_id=self.tenant.pk):
            at = timezone.now()
            token, secret = tokens.issue(
                tenant_id=self.tenant.pk, name="Directory", scopes=["scim"], expires_at=at + days * DAY,
                by=make.actor(member), at=at,
            )  # fmt: skip
        self.directory = Directory(member, secret=secret)
        return token

    def end(self) -> None:
        """Revoke every token."""
        with make.arranging():
            Token.objects.filter(tenant=self.tenant).update(revoked_at=timezone.now(), revoked_by=self.owner.user_id)

    def ask(self, *, later: timedelta = timedelta()) -> Finding:
        """Ask the check."""
        with tenancy.scope(tenant_id=self.tenant.pk):
            return readiness.CHECKS["accounts.provisioning"].ask(tenant_id=self.tenant.pk, at=timezone.now() + later)


@pytest.fixture
def desk() -> Watched:
    return Watched()


def told(finding: Finding) -> tuple[Outcome, str]:
    return finding.outcome, finding.summary


def day(at: datetime) -> str:
    return f"{at.day} {at:%B %Y}"


def test_it_is_advice_of_the_preflight_with_an_owner_and_an_end() -> None:
    check = readiness.CHECKS["accounts.provisioning"]
    assert (check.gates, check.owner, check.valid_for) == ({readiness.PREFLIGHT}, "customer", DAY)


def test_without_a_directory_nothing_is_asked_for(desk: Watched) -> None:
    assert told(desk.ask()) == (Outcome.PASS, "No directory changes who your members are")


def test_a_trial_is_told_as_what_it_is_for_as_long_as_the_directory_gets_in(desk: Watched) -> None:
    desk.user("ann")
    outcome, summary = told(desk.ask())
    assert (outcome, "on trial" in summary, "1 person" in summary) == (Outcome.WARN, True, True)
    desk.end()
    assert desk.ask().outcome is Outcome.PASS, "given up"


def test_enabled_and_in_order_it_passes(desk: Watched) -> None:
    desk.enable()
    desk.user("ann")
    finding = desk.ask()
    assert told(finding) == (Outcome.PASS, "It is enabled, and nobody of 1 person waits")
    assert finding.evidence["tokens"] == 1


def test_enabled_without_a_token_that_counts_it_blocks_and_says_why(desk: Watched) -> None:
    desk.user("ann")
    desk.enable()
    outcome, summary = told(desk.ask(later=181 * DAY))
    assert (outcome, "ended on" in summary) == (Outcome.BLOCK, True)
    desk.end()
    finding = desk.ask()
    assert (finding.outcome, "revoked on" in finding.summary) == (Outcome.BLOCK, True)
    assert "scim" in finding.fix
    other = make.member(desk.tenant, TenantRole.OWNER, person=make.user(email=f"other@{OURS}"))
    desk.issue(other)
    desk.user("bob")
    assert desk.ask().outcome is Outcome.PASS
    with make.arranging():
        Member.objects.filter(pk=other.pk).update(role=TenantRole.AUDITOR)
    outcome, summary = told(desk.ask())
    assert (outcome, "may no longer" in summary) == (Outcome.BLOCK, True)
    with make.arranging():
        Token.objects.filter(tenant=desk.tenant).delete()
    assert "no token" in desk.ask().summary


def test_two_weeks_before_the_tokens_end_it_warns(desk: Watched) -> None:
    desk.enable()
    desk.user("ann")
    ends = day(desk.token.expires_at)
    assert desk.ask(later=165 * DAY).outcome is Outcome.PASS
    assert told(desk.ask(later=167 * DAY)) == (Outcome.WARN, f"The token of your directory ends on {ends}")


def test_a_new_secret_that_the_directory_does_not_use_is_told_before_the_old_one_ends(desk: Watched) -> None:
    desk.enable()
    desk.user("ann")
    old = desk.directory
    with tenancy.scope(tenant_id=desk.tenant.pk):
        _, secret = tokens.rotate(desk.token, overlap=7 * DAY, by=make.actor(desk.owner), at=timezone.now())
    assert old.call("GET", "Users").status_code == 200
    outcome, summary = told(desk.ask())
    assert (outcome, "still uses" in summary) == (Outcome.WARN, True)
    outcome, summary = told(desk.ask(later=8 * DAY))
    assert (outcome, "has not called" in summary) == (Outcome.WARN, True)
    with make.arranging():
        Token.objects.filter(pk=desk.token.pk).update(last_used_at=timezone.now() - DAY)
    assert Directory(desk.owner, secret=secret).call("GET", "Users").status_code == 200
    assert desk.ask().outcome is Outcome.PASS


def test_whoever_waits_for_somebody_is_told(desk: Watched) -> None:
    desk.enable()
    desk.directory.user("x@elsewhere.example")
    outcome, summary = told(desk.ask())
    assert (outcome, summary) == (Outcome.WARN, "1 person of your directory waits for somebody here")
    make.member(desk.tenant, person=make.user(email=f"bob@{OURS}"))
    desk.user("bob")
    assert desk.ask().summary.startswith("2 people of your directory wait")


def test_it_is_asked_again_when_the_trial_ends_and_when_it_comes_back(desk: Watched) -> None:
    desk.user("ann")
    desk.enable()
    with tenancy.scope(tenant_id=desk.tenant.pk):
        assert readiness.latest(tenant_id=desk.tenant.pk)["accounts.provisioning"].outcome == "pass"
