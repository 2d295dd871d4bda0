"""Checks of people: mapped, reviewed, and their owners safe."""

from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from accounts.domain.access import HOLDS
from accounts.domain.identity_map.outcomes import Outcome as Ended
from accounts.queries import access, identity_map, members, second_factors, tenants
from core.findings import Finding, Outcome
from core.readiness import PREFLIGHT, check


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
    zone = ZoneInfo(tenants.get(tenant_id=tenant_id).time_zone)
    if last is not None and last.finished_at is not None and last.finished_at > at - HOLDS:
        there = last.finished_at.astimezone(zone)
        said = f"Everybody was decided about on {there.day} {there:%B %Y}"
        if access.signed(last) is not None:
            return Finding(Outcome.PASS, f"{said}, and it is signed", evidence=last.summary)
        fix = "Open the review under “Access review” and sign its summary."
        return Finding(Outcome.WARN, f"{said}; nobody has signed it yet", evidence=last.summary, fix=fix)
    if under_way is not None and under_way.is_being_written:
        fix = "Wait until the list is there, then decide about everybody under “Access review”."
        return Finding(Outcome.WARN, "A review begins: everybody's access is being written down", fix=fix)
    if under_way is not None:
        late = "overdue" if under_way.due_on < at.astimezone(zone).date() else "under way"
        left = under_way.people - access.progress(under_way).decided
        summary = f"A review is {late}: {_some(left, 'person is', 'people are')} not decided about yet"
        return Finding(Outcome.WARN, summary, fix="Open “Access review”, decide about everybody, then finish it.")
    was = "No access review was made yet" if last is None else f"The last access review is over {HOLDS.days} days old"
    return Finding(Outcome.WARN, was, fix="Open “Access review”, begin one, and decide about everybody.")


def _some(count: int, one: str, more: str) -> str:
    return f"{count:,} {one if count == 1 else more}"
