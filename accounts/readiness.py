"""Checks that accounts contributes."""

from datetime import datetime, timedelta
from uuid import UUID

from accounts.queries import domains, members, second_factors
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
    last = next(iter(waiting.checks.all()), None)
    return Finding(
        Outcome.BLOCK,
        f"{waiting.text} is claimed, but not proven" + (f": {last.summary}" if last else ""),
        facts=facts,
        evidence={"found": last.found, "expected": last.expected} if last else {},
        fix=last.fix if last and last.fix else "Publish the TXT record shown with the domain.",
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
