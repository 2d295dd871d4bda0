"""Checks of single sign-on: tested, and with certificates that last."""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings

from accounts import windows
from accounts.domain import certificates
from accounts.domain.verdicts import Code, Verdict
from accounts.models import SsoTest
from accounts.queries import sso
from core.findings import Finding, Outcome
from core.readiness import check

SSO_TEST_HOLDS = timedelta(days=14)


@check(
    "accounts.sso_tested",
    title="Single sign-on is tested",
    owner="customer",
    due="T-3",
    # Shorter than a test holds, or the last answer before its end would carry it on for as long again.
    valid_for=timedelta(days=1),
    link="sso/",
)
def sso_tested(*, tenant_id: UUID, at: datetime) -> Finding:
    """Nobody is to find out on the day that they cannot sign in: the connection's last test passed, lately."""
    connection = sso.of_tenant(tenant_id=tenant_id)
    if connection is not None and connection.declined_at:
        facts = {"connection": "", "outcome": "without"}
        return Finding(Outcome.PASS, "Your people sign in without single sign-on, as you stated", facts=facts)
    if connection is None or not connection.is_connected:
        return Finding(
            Outcome.BLOCK,
            "Your identity provider is not connected",
            facts={"connection": "", "outcome": "none"},
            fix="Upload its metadata and test a sign-in, or state that your people sign in without single sign-on.",
        )
    test = sso.latest_answered(connection=connection)
    facts = {"connection": connection.fingerprint, "outcome": test.outcome if test else "untested"}
    if test is None or test.answered_at is None:
        fix = "Choose “Test sign-in” and sign in at your provider."
        return Finding(Outcome.BLOCK, "Your identity provider is connected, but not tested", facts=facts, fix=fix)
    if test.outcome != "passed":
        return _failed(test, facts)
    if test.signed_by and not sso.is_trusted(connection, test.signed_by):
        facts["outcome"] = "retired"
        summary = "The last test was signed with a certificate that is retired since"
        return Finding(Outcome.BLOCK, summary, facts=facts, fix="Choose “Test sign-in” again.")
    if test.answered_at < at - SSO_TEST_HOLDS:
        facts["outcome"] = "lapsed"
        summary = f"The last test passed more than {SSO_TEST_HOLDS.days} days ago"
        return Finding(Outcome.BLOCK, summary, facts=facts, fix="Choose “Test sign-in” again: certificates change.")
    if test.verdicts.get(Code.CERTIFICATE) == Verdict.WARN:
        fix = "Renew the certificate at your provider, then upload its metadata under “Single sign-on” and test again."
        return Finding(Outcome.WARN, "The test passed with a certificate that ends soon", facts=facts, fix=fix)
    return Finding(Outcome.PASS, "The last test sign-in passed every check", facts=facts)


@check(
    "accounts.sso_failover_tested",
    title="Our second sign-in address is tested",
    owner="customer",
    due="T-3",
    valid_for=timedelta(days=1),
    link="sso/",
)
def sso_failover_tested(*, tenant_id: UUID, at: datetime) -> Finding:
    """In an emergency nobody has time to enter an address at their provider, nor to learn that it was entered wrong.

    It warns and does not block: not every provider takes a second address, and people sign in by the first.
    """
    connection = sso.of_tenant(tenant_id=tenant_id)
    if not settings.FAILOVER_URL or connection is None or not connection.is_connected:
        summary = "There is no second address to test" if not settings.FAILOVER_URL else "No provider is connected"
        return Finding(Outcome.PASS, summary, facts={"connection": "", "outcome": "without"})
    test = sso.latest_answered(connection=connection, failover=True)
    facts = {"connection": connection.fingerprint, "outcome": test.outcome if test else "untested"}
    if test is None or test.answered_at is None:
        return Finding(Outcome.WARN, "Nobody has tested our second address", facts=facts, fix=SECOND_ADDRESS)
    if test.outcome != "passed":
        return Finding(Outcome.WARN, "The last test of our second address failed", facts=facts, fix=SECOND_ADDRESS)
    if test.signed_by and not sso.is_trusted(connection, test.signed_by):
        facts["outcome"] = "retired"
        summary = "The last test of our second address was signed with a certificate that is retired since"
        return Finding(Outcome.WARN, summary, facts=facts, fix="Choose “Test the second address” again.")
    if test.answered_at < at - SSO_TEST_HOLDS:
        facts["outcome"] = "lapsed"
        summary = f"The last test of our second address passed more than {SSO_TEST_HOLDS.days} days ago"
        return Finding(Outcome.WARN, summary, facts=facts, fix="Choose “Test the second address” again.")
    return Finding(Outcome.PASS, "A test sign-in at our second address passed every check", facts=facts)


SECOND_ADDRESS = (
    "Enter our second address at your provider, as “Single sign-on” says it, then choose “Test the second address” "
    "there. If your provider takes none, name break-glass owners, who get in without it."
)
AFTER_WINDOW = timedelta(days=14)
"""How long a certificate should last beyond the window: changing it while things settle helps nobody."""


@check(
    "accounts.sso_certificates",
    title="The sign-in certificate outlasts the move",
    owner="customer",
    due="T-14",
    valid_for=timedelta(days=1),
    link="sso/",
)
def sso_certificates(*, tenant_id: UUID, at: datetime) -> Finding:
    """No certificate's end is to fall into the window: a rollover and a move on one night lock people out."""
    connection = sso.of_tenant(tenant_id=tenant_id)
    if connection is None or not connection.is_connected:
        return Finding(Outcome.PASS, "There is no certificate to watch: no provider is connected")
    held = [row.held for row in sso.certificates(connection) if not row.retired_at]
    ends_at, window = certificates.last_end(held), windows.of_tenant(tenant_id=tenant_id)
    if ends_at is None:
        return Finding(Outcome.BLOCK, "No certificate of your provider is trusted", fix=NEXT_CERTIFICATE)
    said = f"{ends_at.day} {ends_at:%B %Y}"
    if ends_at <= at:
        return Finding(Outcome.BLOCK, f"The last certificate ended on {said}", fix=NEXT_CERTIFICATE)
    if window and at <= window.ends_at and ends_at <= window.ends_at:
        summary = f"The last certificate ends on {said}, before your move is over"
        return Finding(Outcome.BLOCK, summary, fix=NEXT_CERTIFICATE)
    source = sso.source(tenant_id=tenant_id)
    if source and source.proposed_at:
        since = f"{source.proposed_at.day} {source.proposed_at:%B %Y}"
        summary = f"Your provider's metadata changed on {since}, and the change waits for your yes"
        return Finding(Outcome.WARN, summary, fix=CHANGE_WAITS)
    if window and ends_at <= window.ends_at + AFTER_WINDOW:
        summary = f"The last certificate ends on {said}, within two weeks of your move"
        return Finding(Outcome.WARN, summary, fix=NEXT_CERTIFICATE)
    if ends_at <= at + timedelta(days=certificates.WARN_DAYS[0]):
        return Finding(Outcome.WARN, f"The last certificate ends on {said}", fix=NEXT_CERTIFICATE)
    return Finding(Outcome.PASS, f"The last certificate lasts until {said}")


CHANGE_WAITS = (
    "Look at what changes under “Single sign-on”, ask whoever looks after your provider whether it is theirs, and say "
    "yes or no. Until then your provider must not sign with a certificate that waits."
)
NEXT_CERTIFICATE = (
    "Make the next signing certificate at your provider, give it to us beside this one (its metadata, or the "
    "certificate itself), then change over there and test a sign-in."
)


def _failed(test: SsoTest, facts: dict[str, str]) -> Finding:
    """Name what failed first, and how many more."""
    first, *others = [check for check in sso.opened(test).checks if check.verdict is Verdict.FAIL]
    more = f", and {len(others)} more" if others else ""
    return Finding(
        Outcome.BLOCK,
        f"The last test sign-in failed: “{first.title}” does not hold{more}",
        facts=facts,
        evidence={"failed": [first.code.value, *(check.code.value for check in others)]},
        fix=first.fix or "Open the test, do what stands with each check, and test again.",
    )
