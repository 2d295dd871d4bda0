"""Checks of domains."""

from datetime import datetime, timedelta
from uuid import UUID

from accounts.queries import domains
from core.findings import Finding, Outcome
from core.readiness import check


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
