"""How the ledger's entries of accounts are told to people."""

from collections.abc import Mapping
from typing import Any

from accounts.domain.identity_map.decisions import WORDS, Kind
from core.activity import Sentence, sentences


def _tested(data: Mapping[str, Any]) -> str:
    count = len(data.get("failed", ()))
    return "recorded a test sign-in: " + (f"{count} check{'' if count == 1 else 's'} failed" if count else "passed")


def _count(data: Mapping[str, Any], name: str, one: str, many: str) -> str:
    count = data[name]
    return f"{count:,} {one if count == 1 else many}"


def _counted(text: str, name: str, one: str, many: str) -> Sentence:
    """Return a sentence in which `{counted}` is so many of something."""
    return lambda data: text.format(counted=_count(data, name, one, many))


def _about_people(did: str, *, waiting: str = "") -> Sentence:
    """Return a sentence on a decision: about how many people, and what is decided, in words."""

    def tell(data: Mapping[str, Any]) -> str:
        said = waiting if waiting and data.get("state") == "waiting" else did
        return f"{said} about {_count(data, 'people', 'person', 'people')}: “{WORDS[Kind(data['kind'])]}”"

    return tell


sentences(
    {
        "accounts.invitation.created": "invited a person as {role}",
        "accounts.invitation.sent_again": "sent an invitation again",
        "accounts.invitation.revoked": "took an invitation back",
        "accounts.tenant.registered": "registered the account",
        "accounts.member.imported": "brought a person in from legacy as {role}",
        "accounts.staff.appointed": "gave one of the vendor's people a role",
        "accounts.member.joined": "joined as {role}",
        "accounts.member.role_changed": "changed a member's role from {from} to {to}",
        "accounts.member.deactivated": "deactivated a member",
        "accounts.member.reactivated": "brought a member back",
        "accounts.provisioning.enabled": "let the directory say who is a member",
        "accounts.provisioning.back_on_trial": "put provisioning back on trial",
        "accounts.provisioning.settled_again": "had done again what follows from the directory",
        "accounts.provisioning.role_given": "changed the role that a group of the directory gives from {from} to {to}",
        "accounts.provisioning.restored": "undid the directory's deletion of a person",
        "accounts.member.second_factor_reset": "reset a member's second factor",
        "accounts.tenant.linked": "linked the account on both platforms",
        "accounts.tenant_link.checkpoint_taken": "took checkpoint {number} of the identity map",
        "accounts.access.downloaded": "downloaded who has which access, as {form}",
        "accounts.tenant_link.checkpoint_dropped": "let go of checkpoint {number}, the oldest of more than {most}",
        "accounts.access_review.requested": "asked for everybody's access to be written down for a review",
        "accounts.access_review.given_up": "could not write down everybody's access for a review",
        "accounts.access_review.begun": "began a review of the access of {people} people",
        "accounts.access_review.attested": "attested the access of {people} people",
        "accounts.access_review.revoked": "took a person's access away in a review",
        "accounts.access_review.revocation_asked": "asked a second owner to take an owner's access away",
        "accounts.access_review.revocation_declined": "left an owner their access in a review",
        "accounts.access_review.reopened": "opened the decision about a person's access again",
        "accounts.access_review.abandoned": "abandoned a review of the access of {people} people",
        "accounts.access_review.signature_asked": "asked again for a signature under a review of access",
        "accounts.access_review.signed": "signed the summary of a review of access",
        "accounts.access_review.finished": "finished the review of the access of {people} people",
        "accounts.people.mapping_requested": "asked for the people of both platforms to be mapped",
        "accounts.people.mapped": _counted("mapped {counted} of legacy", "people", "person", "people"),
        "accounts.people.mapping_failed": "could not map the people of both platforms",
        "accounts.people.erased": "erased the names in the identity map",
        "accounts.people.downloaded": "downloaded the list of your people",
        "accounts.people.decided": _about_people("decided", waiting="asked for a decision"),
        "accounts.people.agreed": _about_people("agreed to a decision"),
        "accounts.people.declined": _about_people("declined a decision"),
        "accounts.people.undone": _about_people("undid a decision"),
        "accounts.domain.claimed": "claimed the domain {domain}",
        "accounts.domain.verified": "proved the domain {domain}",
        "accounts.domain.proven_again": "proved the domain {domain} again",
        "accounts.domain.method_chosen": "chose to prove {domain} by {method}",
        "accounts.domain.token_renewed": "asked for a new token for {domain}",
        "accounts.domain.fresh_proof_asked": "asked for a fresh proof of {domain} before the move",
        "accounts.domain.token_given_up": "gave up waiting for the record of {domain}",
        "accounts.domain.contested": "noted that another account has shown to control {domain}",
        "accounts.domain.uncontested": "noted that no other account asks for {domain} any more",
        "accounts.domain.passed_on": "handed {domain} over to another account, which had proven it afresh",
        "accounts.domain.taken_over": "handed {domain} over to this account",
        "accounts.domain_transfer.asked": "asked for {domain}, which another account holds",
        "accounts.domain_transfer.proven": "proved {domain} afresh, to have it handed over",
        "accounts.domain_transfer.withdrawn": "asked no longer for {domain}",
        "accounts.domain_transfer.approved": "approved that {domain} is handed over",
        "accounts.domain_transfer.declined": "declined to hand {domain} over",
        "accounts.domain_link.made": "made a link for whoever edits the DNS of {domain}",
        "accounts.domain_link.opened": "opened the link for {domain} for the first time",
        "accounts.domain_link.revoked": "took the link for {domain} back",
        "accounts.domain.released": "released the domain {domain}",
        "accounts.sso.begun": "began to set single sign-on up",
        "accounts.sso.connected": "connected the identity provider",
        "accounts.sso.replaced": "replaced the identity provider's metadata",
        "accounts.sso.disconnected": "removed the identity provider's metadata",
        "accounts.sso.declined": "stated that your people sign in without single sign-on",
        "accounts.sso.followed": "had the identity provider's metadata read again every day",
        "accounts.sso.left": "ended the daily reading of the identity provider's metadata",
        "accounts.sso.metadata_unreadable": "could not read the identity provider's metadata three times in a row",
        "accounts.sso.change_proposed": "found a change in the provider's metadata that waits for a yes",
        "accounts.sso.change_refused": "said no to the change that the identity provider's metadata ask for",
        "accounts.sso.requests_signed": "signed requests to the identity provider from then on, as its metadata ask",
        "accounts.sso.requests_unsigned": "signed no more requests to the identity provider, as its metadata ask",
        "accounts.sso.certificate_added": "trusted a certificate of the identity provider",
        "accounts.sso.certificate_retired": "retired a certificate of the identity provider",
        "accounts.sso.certificate_ending": _counted(
            "warned that the last certificate ends within {counted}", "days", "day", "days"
        ),
        "accounts.sso.mapping_chosen": "chose which attributes of the identity provider say who a person is",
        "accounts.sso.test_started": "started a test sign-in",
        "accounts.sso.tested": _tested,
        "accounts.identity.proposed": "proposed to link a person of your directory to a member",
        "accounts.identity.linked": "linked a person of your directory to a member",
        "accounts.identity.completed": "noted the directory's id of a linked person",
        "accounts.identity.approved": "approved a link to a member",
        "accounts.identity.rejected": "rejected a link to a member",
        "accounts.identity.reopened": "took the rejection of a link back",
        "accounts.identity.unlinked": "undid a link to a member",
        "accounts.identity.rule_made": "let a rule stand for the domain {domain}",
        "accounts.identity.rule_ended": "ended the rule for the domain {domain}",
        "accounts.forecast.downloaded": "downloaded who would get in by your company's sign-in alone",
        "accounts.enforcement.announced": "announced that your people sign in by your company alone",
        "accounts.enforcement.ended": "let passwords sign your people in again",
        "accounts.enforcement.ending": _counted(
            "warned that passwords count again within {counted}", "days", "day", "days"
        ),
        "accounts.enforcement.expired": "noted that the time is over for which your company's sign-in alone counted",
        "accounts.break_glass.named": "named a break-glass owner for seat {seat}",
        "accounts.break_glass.ended": "took seat {seat} from a break-glass owner",
        "accounts.break_glass.codes_issued": "made a new set of recovery codes",
        "accounts.break_glass.used": "signed in by a recovery code",
        "accounts.passwords.removed": _counted(
            "took {counted} away, and sealed them for thirty days", "sealed", "password", "passwords"
        ),
        "accounts.passwords.restored": _counted("gave {counted} back", "given", "password", "passwords"),
        "accounts.passwords.forgotten": _counted(
            "forgot {counted}: they are gone for good", "sealed", "sealed password", "sealed passwords"
        ),
        "accounts.cutback.asked": _counted("asked for a cutback to passwords for {counted}", "hours", "hour", "hours"),
        "accounts.cutback.approved": "approved a cutback to passwords for the {side}",
        "accounts.cutback.begun": "began a cutback to passwords; {intact} of {members} members have one that works",
        "accounts.cutback.ended": "ended the cutback to passwords",
        "accounts.cutback.lapsed": "let a cutback lapse that nobody approved in time",
        "accounts.cutback.withdrawn": "took a request for a cutback back",
    }
)
