"""What comms says when something has happened: triggers are states and events, never a mood."""

from datetime import datetime
from uuid import UUID

from accounts.queries import cutbacks, enforcement, identities
from comms.queries import cases, recipients, timelines
from comms.services import mailings
from core import readiness
from core.actor import Actor
from core.outbox import subscribe
from core.permissions import Permission
from cutover.queries import cutovers

BY = Actor.system("comms")

_PHASES = {
    "canary": ("cutover.phase", "cutover.users"),
    "halted": ("cutover.halted",),
    "rolled_back": ("cutover.rolled_back", "cutover.rolled_back_users"),
}
"""What a move into a phase says; into any other one, the deciders hear of it."""
_QUIET = frozenset({"discover", "prepare"})


@subscribe("cutover.window.set")
def follow_window(*, tenant_id: UUID, at: datetime) -> None:
    """Plan what is said about the new window."""
    mailings.follow_window(tenant_id=tenant_id, by=BY, at=at)


@subscribe("comms.timeline.changed")
def ask_about_announcement(*, tenant_id: UUID) -> None:
    """Ask whether the move is announced as soon as the answer may have changed."""
    readiness.request(tenant_id=tenant_id, by=BY, check_id="comms.announced")


@subscribe("comms.case.opened")
@subscribe("comms.case.settled")
def ask_about_cases(*, tenant_id: UUID) -> None:
    """Ask whether an urgent case is open as soon as the answer may have changed."""
    readiness.request(tenant_id=tenant_id, by=BY, check_id="comms.no_urgent_case")


@subscribe("comms.case.answered")
def tell_asker(*, tenant_id: UUID, case_id: str, entry_id: str, at: datetime) -> None:
    """Tell who opened a case that there is an answer."""
    people = [asker] if (asker := cases.asker(tenant_id=tenant_id, case_id=UUID(case_id))) else []
    mailings.say("support.answered", tenant_id=tenant_id, occasion=entry_id, people=people, by=BY, at=at)


@subscribe("comms.case.escalated")
def tell_ladder(*, tenant_id: UUID, case_id: str, level: int, at: datetime) -> None:
    """Tell the next rung of the escalation ladder."""
    occasion = f"{case_id}:{level}"
    people = recipients.rung(level)
    mailings.say("support.escalated", tenant_id=tenant_id, occasion=occasion, people=people, by=BY, at=at)


@subscribe("cutover.go_no_go.requested")
def ask_signers(*, tenant_id: UUID, request_id: str, at: datetime) -> None:
    """Tell the signers that their signature is awaited."""
    people = recipients.signers(tenant_id=tenant_id, request_id=UUID(request_id))
    mailings.say("signature.asked", tenant_id=tenant_id, occasion=request_id, people=people, by=BY, at=at)


@subscribe("cutover.go_no_go.signed")
def ask_other_signer(*, tenant_id: UUID, request_id: str, seat: str, at: datetime) -> None:
    """Tell the other side that theirs is the signature that is missing."""
    people = recipients.signers(tenant_id=tenant_id, request_id=UUID(request_id))
    occasion = f"{request_id}:{seat}"
    mailings.say("signature.given", tenant_id=tenant_id, occasion=occasion, people=people, by=BY, at=at)


@subscribe("cutover.go_no_go.approved")
def tell_approved(*, tenant_id: UUID, request_id: str, at: datetime) -> None:
    """Tell the deciders that both sides have signed."""
    mailings.say("signature.approved", tenant_id=tenant_id, occasion=request_id, by=BY, at=at)


@subscribe("cutover.go_no_go.voided")
def tell_voided(*, tenant_id: UUID, request_id: str, at: datetime) -> None:
    """Tell the deciders that the request is void."""
    mailings.say("signature.voided", tenant_id=tenant_id, occasion=request_id, by=BY, at=at)


@subscribe("cutover.go_no_go.vetoed")
def tell_vetoed(*, tenant_id: UUID, request_id: str, at: datetime) -> None:
    """Tell the deciders that somebody said no."""
    mailings.say("signature.vetoed", tenant_id=tenant_id, occasion=request_id, by=BY, at=at)


@subscribe("cutover.phase.changed")
def tell_phase(*, tenant_id: UUID, target: str, change_id: str, at: datetime) -> None:
    """Tell of a move into another phase while it is true; nobody is bothered with the first two."""
    if target in _QUIET or cutovers.phase_of(tenant_id) != target:
        return
    for key in _PHASES.get(target, ("cutover.phase",)):
        mailings.say(key, tenant_id=tenant_id, occasion=change_id, by=BY, at=at)


@subscribe("accounts.enforcement.announced")
def tell_announced(*, tenant_id: UUID, enforcement_id: str, at: datetime) -> None:
    """Tell everybody that only the company's sign-in will count."""
    for key in ("sign_in.announced", "sign_in.announced_users"):
        mailings.say(key, tenant_id=tenant_id, occasion=enforcement_id, by=BY, at=at)


@subscribe("accounts.enforcement.ended")
def tell_ended(*, tenant_id: UUID, enforcement_id: str, at: datetime) -> None:
    """Tell everybody that passwords count again: unless they were taken away, and count no more than before."""
    if not enforcement.standing(tenant_id=tenant_id, at=at).state(at=at).refuses_passwords:
        for key in ("sign_in.ended", "sign_in.ended_users"):
            mailings.say(key, tenant_id=tenant_id, occasion=enforcement_id, by=BY, at=at)


@subscribe("accounts.enforcement.ending")
def warn_of_end(*, tenant_id: UUID, enforcement_id: str, days: int, at: datetime) -> None:
    """Tell the deciders that passwords count again soon, or everybody that they do by now (`days` is 0)."""
    over = None if days else enforcement.end_of(enforcement_id=UUID(enforcement_id))
    for key in (f"sign_in.ends_{days}",) if days else ("sign_in.expired", "sign_in.expired_users"):
        mailings.say(key, tenant_id=tenant_id, occasion=enforcement_id, by=BY, at=at, since=over)


@subscribe("accounts.break_glass.codes_issued")
def tell_codes(*, tenant_id: UUID, owner_id: str, at: datetime) -> None:
    """Tell every owner that there is a new set of recovery codes; once an hour for each who makes them."""
    mailings.say("sign_in.codes_made", tenant_id=tenant_id, occasion=f"{owner_id}:{at:%Y%m%dT%H}", by=BY, at=at)


@subscribe("accounts.break_glass.used")
def tell_recovery(*, tenant_id: UUID, code_id: str, at: datetime) -> None:
    """Tell every owner that a recovery code was used."""
    mailings.say("sign_in.recovery_used", tenant_id=tenant_id, occasion=code_id, by=BY, at=at)


@subscribe("accounts.cutback.asked")
def ask_for_cutback(*, tenant_id: UUID, cutback_id: str, at: datetime) -> None:
    """Tell the owners, and the leads of ours who may approve it, that a cutback waits for them."""
    mailings.say("sign_in.cutback_asked", tenant_id=tenant_id, occasion=cutback_id, by=BY, at=at)
    ours = recipients.staff_who_may(Permission.APPROVE_CUTBACK)
    mailings.say("sign_in.cutback_waits", tenant_id=tenant_id, occasion=cutback_id, people=ours, by=BY, at=at)


@subscribe("accounts.cutback.lapsed")
def tell_lapsed(*, tenant_id: UUID, cutback_id: str, at: datetime) -> None:
    """Tell the owners that nobody approved the cutback in time."""
    mailings.say("sign_in.cutback_lapsed", tenant_id=tenant_id, occasion=cutback_id, by=BY, at=at)


@subscribe("accounts.cutback.begun")
def tell_cutback(*, tenant_id: UUID, cutback_id: str, at: datetime) -> None:
    """Tell everybody that passwords count for some hours."""
    for key in ("sign_in.cutback_begun", "sign_in.cutback_begun_users"):
        mailings.say(key, tenant_id=tenant_id, occasion=cutback_id, by=BY, at=at)


@subscribe("accounts.cutback.ended")
def tell_cutback_over(*, tenant_id: UUID, cutback_id: str, at: datetime) -> None:
    """Tell everybody that the cutback is over: unless passwords go on to count, as company sign-in ended meanwhile."""
    over = cutbacks.end_of(cutback_id=UUID(cutback_id))
    if enforcement.standing(tenant_id=tenant_id, at=at).state(at=at).refuses_passwords:
        for key in ("sign_in.cutback_ended", "sign_in.cutback_ended_users"):
            mailings.say(key, tenant_id=tenant_id, occasion=cutback_id, by=BY, at=at, since=over)


@subscribe("accounts.sso.noticed")
def tell_of_sign_in(*, tenant_id: UUID, what: str, occasion: str, at: datetime) -> None:
    """Tell the deciders what happened to their identity provider's metadata or certificates."""
    mailings.say(f"sso.{what}", tenant_id=tenant_id, occasion=occasion, by=BY, at=at)


@subscribe("accounts.identity.proposed")
def ask_to_approve_link(*, tenant_id: UUID, proposal_id: str, at: datetime) -> None:
    """Tell the deciders that a link waits for them: for the first one that waits, and once a day for those behind it.

    So hundreds who come in on one morning are one mail, and nobody waits unheard of behind a list that was worked off.
    """
    waiting = identities.waiting(tenant_id=tenant_id).values_list("pk", flat=True)
    if waiting.filter(pk=proposal_id).exists():
        occasion = proposal_id if str(waiting.first()) == proposal_id else f"{at:%Y%m%d}"
        mailings.say("sso.links_wait", tenant_id=tenant_id, occasion=occasion, by=BY, at=at)


@subscribe("accounts.domain.fresh_proof_asked")
def ask_to_prove_again(*, tenant_id: UUID, occasion: str, at: datetime) -> None:
    """Ask the deciders to prove their domains once more; once, however many these are."""
    mailings.say("domain.prove_again", tenant_id=tenant_id, occasion=occasion, by=BY, at=at)


@subscribe("accounts.domain.token_ending")
def remind_of_token(*, tenant_id: UUID, occasion: str, at: datetime) -> None:
    """Remind the deciders of a domain's record before its token is given up."""
    mailings.say("domain.token_ending", tenant_id=tenant_id, occasion=occasion, by=BY, at=at)


@subscribe("accounts.domain.token_given_up")
def tell_given_up(*, tenant_id: UUID, occasion: str, at: datetime) -> None:
    """Tell the deciders that a domain's token was given up."""
    mailings.say("domain.token_given_up", tenant_id=tenant_id, occasion=occasion, by=BY, at=at)


@subscribe("accounts.domain.contested")
def warn_holder(*, tenant_id: UUID, occasion: str, at: datetime) -> None:
    """Tell the deciders that another account has shown to control a domain of theirs."""
    mailings.say("domain.contested", tenant_id=tenant_id, occasion=occasion, by=BY, at=at)


@subscribe("accounts.domain.passed_on")
def tell_passed_on(*, tenant_id: UUID, occasion: str, at: datetime) -> None:
    """Tell the deciders that a domain of theirs went to another account."""
    mailings.say("domain.passed_on", tenant_id=tenant_id, occasion=occasion, by=BY, at=at)


@subscribe("accounts.domain.taken_over")
def tell_taken_over(*, tenant_id: UUID, occasion: str, at: datetime) -> None:
    """Tell the deciders that the domain they asked for is theirs."""
    mailings.say("domain.taken_over", tenant_id=tenant_id, occasion=occasion, by=BY, at=at)


@subscribe("accounts.domain.transfer_declined")
def tell_declined(*, tenant_id: UUID, occasion: str, at: datetime) -> None:
    """Tell the deciders that the domain they asked for stays where it is."""
    mailings.say("domain.transfer_declined", tenant_id=tenant_id, occasion=occasion, by=BY, at=at)


@subscribe("accounts.passwords.removed")
def tell_removed(*, tenant_id: UUID, removal_id: str, at: datetime) -> None:
    """Tell the deciders that there are no passwords any more."""
    mailings.say("sign_in.passwords_removed", tenant_id=tenant_id, occasion=removal_id, by=BY, at=at)


@subscribe("accounts.passwords.restored")
def tell_restored(*, tenant_id: UUID, removal_id: str, at: datetime) -> None:
    """Tell the deciders that there are passwords again."""
    mailings.say("sign_in.passwords_restored", tenant_id=tenant_id, occasion=removal_id, by=BY, at=at)


@subscribe("core.findings.moved")
def warn_of_late_blocks(*, tenant_id: UUID, check_ids: list[str], at: datetime) -> None:
    """Remind the deciders of a check that blocks although the move is two weeks away or less; once a day at most."""
    if occasion := timelines.late_block(tenant_id=tenant_id, check_ids=check_ids, at=at):
        mailings.say("reminder.blocked", tenant_id=tenant_id, occasion=occasion, by=BY, at=at)


@subscribe("accounts.access_review.begun")
def tell_of_review(*, tenant_id: UUID, review_id: str, at: datetime) -> None:
    """Tell the deciders that everybody's access is reviewed."""
    mailings.say("access.begun", tenant_id=tenant_id, occasion=review_id, by=BY, at=at)


@subscribe("accounts.access.second_owner_asked")
def ask_second_owner(*, tenant_id: UUID, occasion: str, asked_by: str, at: datetime) -> None:
    """Tell every other owner that taking an owner's access away waits for one of them."""
    people = [owner for owner in recipients.owners(tenant_id=tenant_id) if owner != UUID(asked_by)]
    mailings.say("access.second_owner", tenant_id=tenant_id, occasion=occasion, people=people, by=BY, at=at)


@subscribe("accounts.access_review.finished")
def ask_to_sign_review(*, tenant_id: UUID, review_id: str, at: datetime) -> None:
    """Tell the deciders that a review is finished and waits for a signature."""
    mailings.say("access.finished", tenant_id=tenant_id, occasion=review_id, by=BY, at=at)


@subscribe("accounts.access_review.abandoned")
def tell_abandoned(*, tenant_id: UUID, review_id: str, at: datetime) -> None:
    """Tell the deciders that a review ended undecided."""
    mailings.say("access.abandoned", tenant_id=tenant_id, occasion=review_id, by=BY, at=at)


@subscribe("accounts.access.revoked")
def tell_revoked(*, tenant_id: UUID, line_id: str, user_id: str, at: datetime) -> None:
    """Tell somebody that their access was taken away."""
    people = [UUID(user_id)]
    mailings.say("access.revoked", tenant_id=tenant_id, occasion=line_id, people=people, by=BY, at=at)
