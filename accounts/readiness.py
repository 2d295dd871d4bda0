"""Checks that accounts contributes."""

from datetime import datetime, timedelta
from uuid import UUID

from accounts import windows
from accounts.domain import certificates
from accounts.domain.access import HOLDS
from accounts.domain.enforcement import EXPIRY_WARNING, State
from accounts.domain.identity_map.outcomes import Outcome as Ended
from accounts.domain.recovery import SEATS
from accounts.domain.verdicts import Code, Verdict
from accounts.models import SsoTest
from accounts.queries import (
    access,
    cutbacks,
    domains,
    enforcement,
    identity_map,
    lockouts,
    members,
    second_factors,
    sso,
)
from core.findings import Finding, Outcome
from core.readiness import PREFLIGHT, check


@check(
    "accounts.domain_verified",
    title="Your domain is proven",
    owner="customer",
    due="T-3",
    valid_for=timedelta(days=7),
    link="domains/",
)
def domain_verified(*, tenant_id: UUID, at: datetime) -> Finding:
    """Sign-in and e-mail of the new platform belong to whoever holds the domain: one must be proven."""
    listed = list(domains.listed(tenant_id=tenant_id))
    proven = [domain.name for domain in listed if domain.is_verified]
    if proven:
        more = f" and {len(proven) - 1} more" if len(proven) > 1 else ""
        return Finding(Outcome.PASS, f"{proven[0]}{more} proven by DNS", facts={"domains": proven})
    facts: dict[str, list[str]] = {"domains": []}
    if not listed:
        return Finding(
            Outcome.BLOCK,
            "No domain is claimed",
            facts=facts,
            fix="Claim the domain of your organisation and publish its TXT record.",
        )
    waiting = listed[0]
    last = waiting.last_check
    return Finding(
        Outcome.BLOCK,
        f"{waiting.text} is claimed, but not proven" + (f": {last.summary}" if last else ""),
        facts=facts,
        evidence={"found": last.found, "expected": last.expected} if last else {},
        fix=last.fix if last and last.fix else "Publish the TXT record shown with the domain.",
    )


@check(
    "accounts.domain_proven_afresh",
    title="Your domain is proven afresh",
    owner="customer",
    due="T-3",
    valid_for=timedelta(days=1),
    link="domains/",
)
def domain_proven_afresh(*, tenant_id: UUID, at: datetime) -> Finding:
    """Three days before the move a new token shows that a domain proven long ago is still the customer's."""
    held = [domain for domain in domains.listed(tenant_id=tenant_id) if domain.is_verified]
    lacking = [domain for domain in held if domain.lacks_fresh_proof]
    if not lacking:
        is_done = any(domain.fresh_asked_at for domain in held)
        summary = "Proven again within three days of the move" if is_done else "Asked for three days before the move"
        return Finding(Outcome.PASS, summary, facts={"lacking": []})
    facts, first = {"lacking": [domain.name for domain in lacking]}, lacking[0]
    more = f", and {len(lacking) - 1} more" if len(lacking) > 1 else ""
    last = first.last_check
    if last is not None and last.is_outage:
        summary = f"The name servers of {first.text} do not answer; its earlier proof stands{more}"
        return Finding(Outcome.WARN, summary, facts=facts, fix=last.fix)
    return Finding(
        Outcome.BLOCK,
        f"{first.text} waits for its fresh proof{more}" + (f": {last.summary}" if last else ""),
        facts=facts,
        evidence={"found": last.found, "expected": last.expected} if last else {},
        fix=_GIVEN_UP if first.failed_at else (last and last.fix) or "Publish the new record shown with the domain.",
    )


_GIVEN_UP = "Get a new token on the page, publish it, and check again."
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


@check(
    "accounts.owner_has_second_factor",
    title="Owners sign in with a second factor",
    owner="customer",
    due="T-14",
    valid_for=timedelta(days=7),
    link="members/",
    gates=(PREFLIGHT,),  # advice: it never shuts the go/no-go, and enrolling a passkey to sign it must not void it
)
def owner_has_second_factor(*, tenant_id: UUID, at: datetime) -> Finding:
    """Whoever can approve the cutover should not be one stolen password away from it."""
    owners = list(members.owners(tenant_id=tenant_id).values_list("user_id", flat=True))
    holders = second_factors.holders(user_ids=owners)
    evidence = {"owners": len(owners), "with_second_factor": len(holders)}
    if not owners:
        return Finding(
            Outcome.BLOCK,
            "The account has no owner",
            evidence=evidence,
            fix="Ask us to invite the first owner.",
        )
    missing = len(owners) - len(holders)
    if missing:
        who = "The owner has" if len(owners) == 1 else f"{missing} of {len(owners)} owners have"
        return Finding(
            Outcome.WARN,
            f"{who} only a password",
            evidence=evidence,
            fix="Each owner adds a passkey or an authenticator app under “Passkeys and codes”.",
        )
    summary = "The owner has one" if len(owners) == 1 else f"All {len(owners)} owners have one"
    return Finding(Outcome.PASS, summary, evidence=evidence)


@check(
    "accounts.no_cutback",
    title="Sign-in is not cut back to passwords",
    owner="identity-billing",
    due="T0",
    valid_for=timedelta(hours=1),
    link="sso/enforcement/",
)
def no_cutback(*, tenant_id: UUID, at: datetime) -> Finding:
    """A cutover does not begin while the customer's sign-in is in trouble."""
    cutback = cutbacks.open_one(tenant_id=tenant_id, at=at)
    if cutback is None:
        return Finding(Outcome.PASS, "No cutback runs or waits", facts={"cutback": False})
    if cutback.starts_at is None:
        fix = "Approve it or take it back under “Company sign-in”."
        return Finding(Outcome.WARN, "A cutback to passwords waits for approval", facts={"cutback": False}, fix=fix)
    fix = "Settle what is wrong with your provider; the cutback ends by itself, or sooner under “Company sign-in”."
    return Finding(Outcome.BLOCK, "Passwords sign your people in for some hours", facts={"cutback": True}, fix=fix)


@check(
    "accounts.break_glass",
    title="Two owners get in without your provider",
    owner="customer",
    due="T-3",
    valid_for=timedelta(days=1),
    link="sso/enforcement/",
    gates=(PREFLIGHT,),  # a code that is used in need must not shut the go/no-go
)
def break_glass(*, tenant_id: UUID, at: datetime) -> Finding:
    """When the provider fails, somebody has to get in and put it right."""
    state = enforcement.standing(tenant_id=tenant_id, at=at).state(at=at)
    holders = len(enforcement.holders(tenant_id=tenant_id))
    if state is State.OPEN:
        return Finding(Outcome.PASS, "Passwords sign your people in, so nobody depends on your provider yet")
    if holders >= len(SEATS):
        return Finding(Outcome.PASS, "Both break-glass owners hold recovery codes")
    fix = "Name two owners under “Company sign-in”, and let each make a new set of codes there."
    return Finding(Outcome.BLOCK, f"{holders} of {len(SEATS)} break-glass owners hold recovery codes", fix=fix)


@check(
    "accounts.sso_enforcement",
    title="Your company's sign-in lets your people in",
    owner="customer",
    due="T-3",
    valid_for=timedelta(days=1),
    link="sso/forecast/",
    gates=(PREFLIGHT,),  # how many are linked changes every day, and must not void what is signed
)
def sso_enforcement(*, tenant_id: UUID, at: datetime) -> Finding:
    """Nobody finds out on the day that a password opens nothing any more and the company's sign-in does not either."""
    standing = enforcement.standing(tenant_id=tenant_id, at=at)
    state = standing.state(at=at)
    if state is State.OPEN:
        return Finding(Outcome.PASS, "Passwords sign your people in; your company's sign-in is not enforced")
    forecast = lockouts.forecast(tenant_id=tenant_id)
    evidence = {"people": forecast.people, "stuck": forecast.stuck, "owners_stuck": forecast.owners_stuck}
    if forecast.is_grave:
        outcome = Outcome.BLOCK if forecast.owners_stuck else Outcome.WARN
        fix = "Look at who would not get in, and put right what stands with each."
        return Finding(outcome, forecast.in_words, evidence=evidence, fix=fix)
    if standing.expires_at is not None and standing.expires_at - at < EXPIRY_WARNING:
        fix = "Decide again under “Company sign-in”, or passwords count from then on."
        return Finding(Outcome.WARN, "It ends within two weeks", evidence=evidence, fix=fix)
    return Finding(Outcome.PASS, "It is decided, and nearly everybody gets in", evidence=evidence)


@check(
    "accounts.people_mapped",
    title="Everybody is mapped",
    owner="customer",
    due="T-15",
    valid_for=timedelta(days=7),
    link="people/",
)
def people_mapped(*, tenant_id: UUID, at: datetime) -> Finding:
    """Nobody is locked out, nobody gets another's account: each person of legacy has one outcome, and no conflict."""
    standing = identity_map.standing(tenant_id=tenant_id)
    if standing.last is None:
        return Finding(
            Outcome.BLOCK,
            standing.newest.problem
            if standing.newest and standing.newest.problem
            else "Your people are not mapped yet",
            facts={"state": "not mapped"},
            fix="Open “Who is who” and choose “Map people”.",
        )
    conflicts, proposed = standing.count(Ended.CONFLICT), standing.count(Ended.PROPOSED)
    lost = identity_map.decided_on_gone(tenant_id=tenant_id).count()
    evidence = {"people": standing.people, "outcomes": standing.counts, "waiting": standing.waiting, "lost": lost}
    if conflicts or lost:
        said = _some(conflicts, "person has a conflict", "people have a conflict") if conflicts else ""
        gone = _some(lost, "mapped person is gone", "mapped people are gone") + " on the new platform" if lost else ""
        return Finding(
            Outcome.BLOCK,
            "; ".join(filter(None, (said, gone))),
            facts={"state": "conflicts"},
            evidence=evidence,
            fix=" ".join(
                ["Open each conflict: the smallest thing that mends it stands there."] * bool(conflicts)
                + ["Decide again about those who are gone: “Who is who” lists them first."] * bool(lost)
            ),
        )
    if proposed or standing.waiting:
        said = _some(proposed, "proposal waits", "proposals wait") if proposed else ""
        asked = _some(standing.waiting, "decision waits", "decisions wait") if standing.waiting else ""
        return Finding(
            Outcome.WARN,
            "; ".join(filter(None, (said, asked))) + " for somebody of yours",
            facts={"state": "mapped"},
            evidence=evidence,
            fix="Confirm each proposal, or say that they are two people. Unconfirmed, they are set up anew.",
        )
    summary = f"{standing.people:,} people of legacy, {standing.people:,} outcomes: nobody lost, nobody twice"
    return Finding(Outcome.PASS, summary, facts={"state": "mapped"}, evidence=evidence)


@check(
    "accounts.access_reviewed",
    title="Access was reviewed",
    owner="customer",
    due="T-15",
    valid_for=timedelta(days=1),
    link="access/",
    gates=(PREFLIGHT,),  # advice: finishing a review must not void what is signed
)
def access_reviewed(*, tenant_id: UUID, at: datetime) -> Finding:
    """Nobody brings access along that nobody wants them to have: somebody looked, within ninety days."""
    under_way, last = access.open_one(tenant_id=tenant_id), access.last_finished(tenant_id=tenant_id)
    if last is not None and last.finished_at is not None and last.finished_at > at - HOLDS:
        said = f"Everybody was decided about on {last.finished_at.day} {last.finished_at:%B %Y}"
        if access.signed(last) is not None:
            return Finding(Outcome.PASS, f"{said}, and it is signed", evidence=last.summary)
        fix = "Open the review under “Access review” and sign its summary."
        return Finding(Outcome.WARN, f"{said}; nobody has signed it yet", evidence=last.summary, fix=fix)
    if under_way is not None:
        late = "overdue" if under_way.due_on < at.date() else "under way"
        left = under_way.people - access.progress(under_way).decided
        summary = f"A review is {late}: {_some(left, 'person is', 'people are')} not decided about yet"
        return Finding(Outcome.WARN, summary, fix="Open “Access review”, decide about everybody, then finish it.")
    was = "No access review was made yet" if last is None else f"The last access review is over {HOLDS.days} days old"
    return Finding(Outcome.WARN, was, fix="Open “Access review”, begin one, and decide about everybody.")


def _some(count: int, one: str, more: str) -> str:
    return f"{count:,} {one if count == 1 else more}"
