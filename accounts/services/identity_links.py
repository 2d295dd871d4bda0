"""Links between people of a tenant's directory and its members: approve, reject, undo, and rules that stand."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from allauth.account.models import EmailAddress
from django.db import transaction

from accounts.domain import roles
from accounts.domain.directory import Key
from accounts.domain.signing_in import Reason
from accounts.models import LinkedIdentity, LinkProposal, Member, StandingRule, User
from accounts.models.identities import Source
from accounts.queries import domains, identities
from accounts.services import sessions
from core import ledger, outbox
from core.actor import Actor, ActorKind
from core.errors import NotFound, UseCaseError
from core.permissions import Permission, TenantRole

MOST_AT_ONCE = 500


class UnableToDecide(UseCaseError):
    """The proposals cannot be decided so; nothing was changed."""


class UnableToRule(UseCaseError):
    """The tenant cannot have this standing rule."""


def decide(*, tenant_id: UUID, proposal_ids: Collection[UUID], approve: bool, by: Actor, at: datetime) -> int:
    """Approve or reject proposals, all of them or none; return how many were still open. Safe to repeat.

    Nobody links an identity to a member whose role is not theirs to give, and a token only to one of the least role.
    """
    by.require(Permission.MANAGE_SSO if approve else Permission.WITHDRAW_LINKS, tenant_id=tenant_id)
    if len(set(proposal_ids)) > MOST_AT_ONCE:
        raise UnableToDecide(f"These are more than {MOST_AT_ONCE}.", fix="Decide them in several steps.")
    with transaction.atomic(durable=True):
        chosen = identities.waiting(tenant_id=tenant_id).filter(pk__in=list(proposal_ids))
        proposals = list(chosen.select_for_update(of=("self",)))
        if approve:
            _require_role([proposal.member for proposal in proposals], by=by)
        for proposal in proposals:
            LinkProposal.objects.filter(pk=proposal.pk, decided_at=None).update(
                decided_at=at, decided_by=by.known_id, is_approved=approve
            )
            ledger.record(
                "accounts.identity.approved" if approve else "accounts.identity.rejected", by=by, at=at,
                tenant_id=tenant_id, subject=proposal, data={"member": proposal.member_id},
            )  # fmt: skip
            if approve:
                key = Key(proposal.external_id, proposal.user_name)
                link(member=proposal.member, key=key, source=Source.APPROVAL, by=by, at=at)
    return len(proposals)


def reopen(*, tenant_id: UUID, proposal_id: UUID, by: Actor, at: datetime) -> None:
    """Take a rejection back: the link waits again, or a standing rule decides. Safe to repeat.

    Whoever could not approve the link cannot do this: where a rule stands, the next sign-in would be let in by it.
    """
    by.require(Permission.MANAGE_SSO, tenant_id=tenant_id)
    with transaction.atomic(durable=True):
        proposal = identities.proposals(tenant_id=tenant_id).select_related("member").filter(pk=proposal_id).first()
        if proposal is None:
            raise NotFound
        _require_role([proposal.member], by=by)
        rejected = LinkProposal.objects.filter(pk=proposal_id, is_approved=False)
        if rejected.update(decided_at=None, decided_by=None, is_approved=None):
            ledger.record("accounts.identity.reopened", by=by, at=at, tenant_id=tenant_id, subject=proposal)


def unlink(*, tenant_id: UUID, identity_id: UUID, by: Actor, at: datetime) -> None:
    """Undo a link: the next sign-in is a proposal again, and whoever came in as the member is out."""
    by.require(Permission.WITHDRAW_LINKS, tenant_id=tenant_id)
    with transaction.atomic(durable=True):
        identity = identities.linked(tenant_id=tenant_id).filter(pk=identity_id).first()
        if identity is None:
            raise NotFound("This link is undone already.")
        _require_role([identity.member], by=by)
        LinkProposal.objects.filter(
            tenant_id=tenant_id, member_id=identity.member_id, external_id=identity.external_id,
            user_name=identity.user_name,
        ).delete()  # fmt: skip
        ledger.record(
            "accounts.identity.unlinked", by=by, at=at, tenant_id=tenant_id, subject=identity,
            data={"member": identity.member_id, "source": identity.source},
        )  # fmt: skip
        LinkedIdentity.objects.filter(pk=identity.pk).delete()
        sessions.end(user_id=identity.member.user_id, by=by)


def make_rule(*, tenant_id: UUID, domain: str, kind: str, by: Actor, at: datetime) -> StandingRule:
    """Decide once for everybody of a proven domain: link members by their address, or let new people join.

    An owner's to decide, because it counts for owners too. It holds as long as the domain is proven. Safe to repeat.
    """
    by.require(Permission.MANAGE_SSO, tenant_id=tenant_id)
    is_owner = by.kind is not ActorKind.TOKEN and TenantRole.OWNER in roles.grantable(by.roles)
    if by.kind in (ActorKind.MEMBER, ActorKind.TOKEN) and not is_owner:
        raise UnableToRule("A standing rule counts for owners too.", fix="Ask an owner of your account to make it.")
    if kind not in StandingRule.Kind.values:
        raise UnableToRule("There is no such rule.")
    if domain not in domains.verified_names(tenant_id=tenant_id):
        raise UnableToRule("This domain is not proven.", fix="Prove it under Domains first.")
    with transaction.atomic(durable=True):
        rule, is_new = StandingRule.objects.get_or_create(
            tenant_id=tenant_id, domain=domain, kind=kind, ended_at=None,
            defaults={"made_at": at, "made_by": by.known_id},
        )  # fmt: skip
        if is_new:
            outbox.publish("accounts.identity.rule_made", tenant_id=tenant_id, rule_id=rule.pk)
            ledger.record(
                "accounts.identity.rule_made", by=by, at=at, tenant_id=tenant_id, subject=rule,
                data={"domain": domain, "kind": kind},
            )  # fmt: skip
    return rule


def end_rule(*, tenant_id: UUID, rule_id: UUID, by: Actor, at: datetime) -> None:
    """End a standing rule; what it has linked stays. Safe to repeat."""
    by.require(Permission.WITHDRAW_LINKS, tenant_id=tenant_id)
    with transaction.atomic(durable=True):
        rule = StandingRule.objects.filter(pk=rule_id, tenant_id=tenant_id).first()
        if rule is None:
            raise NotFound
        standing = StandingRule.objects.filter(pk=rule_id, ended_at=None)
        if standing.update(ended_at=at, ended_by=by.known_id):
            ledger.record(
                "accounts.identity.rule_ended", by=by, at=at, tenant_id=tenant_id, subject=rule,
                data={"domain": rule.domain, "kind": rule.kind},
            )  # fmt: skip


def link(*, member: Member, key: Key, source: Source, by: Actor, at: datetime) -> LinkedIdentity:
    """Link a person of the directory to a member, inside the caller's transaction. Safe to repeat.

    The member's address counts as shown from then on: the holder of its domain vouches for it. Their password stays
    what it is, so that signing in without the provider still works.
    """
    given = LinkedIdentity.objects.filter(tenant_id=member.tenant_id, user_name=key.user_name)
    is_given = bool(key.external_id and key.user_name) and given.exclude(external_id=key.external_id).exists()
    identity, is_new = LinkedIdentity.objects.get_or_create(
        tenant_id=member.tenant_id,
        **({"external_id": key.external_id} if key.external_id else {"user_name": key.user_name}),
        defaults={
            "member": member,
            "user_name": "" if is_given else key.user_name,  # a name stays with whom it was given first
            "source": source,
            "linked_at": at,
            "linked_by": by.known_id,
        },
    )
    LinkProposal.objects.filter(
        tenant_id=member.tenant_id, member=member, external_id=key.external_id, user_name=key.user_name, decided_at=None
    ).update(decided_at=at, decided_by=by.known_id, is_approved=True)
    if is_new:
        _show_address(member.user)
        outbox.publish("accounts.identity.linked", tenant_id=member.tenant_id, member_id=member.pk)
        ledger.record(
            "accounts.identity.linked", by=by, at=at, tenant_id=member.tenant_id, subject=identity,
            data={"member": member.pk, "source": str(source)},
        )  # fmt: skip
    return identity


def propose(*, member_id: UUID, reason: Reason, tenant_id: UUID, key: Key, by: Actor, at: datetime) -> None:
    """Let a link wait for a decision, inside the caller's transaction. Safe to repeat."""
    proposal, is_new = LinkProposal.objects.get_or_create(
        tenant_id=tenant_id,
        member_id=member_id,
        external_id=key.external_id,
        user_name=key.user_name,
        defaults={"reason": reason, "proposed_at": at},
    )
    approved = LinkProposal.objects.filter(pk=proposal.pk, is_approved=True)
    if is_new or approved.update(  # and undone since: or the person would wait where nobody sees them
        reason=reason, proposed_at=at, decided_at=None, decided_by=None, is_approved=None
    ):
        outbox.publish("accounts.identity.proposed", tenant_id=tenant_id, proposal_id=proposal.pk)
        ledger.record(
            "accounts.identity.proposed", by=by, at=at, tenant_id=tenant_id, subject=proposal,
            data={"member": member_id, "reason": str(reason)},
        )  # fmt: skip


def complete(*, tenant_id: UUID, key: Key, by: Actor, at: datetime) -> None:
    """Note the id of somebody known by name alone, inside the caller's transaction: from then on the id counts.

    Else whoever is given the name next would be taken for them.
    """
    if not (key.external_id and key.user_name):
        return
    known = identities.sharing(tenant_id=tenant_id, key=key)
    if known.filter(external_id=key.external_id).exists():
        return
    identity = known.filter(external_id="").first()
    if identity and LinkedIdentity.objects.filter(pk=identity.pk, external_id="").update(external_id=key.external_id):
        ledger.record("accounts.identity.completed", by=by, at=at, tenant_id=tenant_id, subject=identity)


def _show_address(user: User) -> None:
    """Count the person's own address as shown, unless another account has shown it."""
    address, _ = EmailAddress.objects.get_or_create(
        user=user, email=user.email, defaults={"primary": not EmailAddress.objects.filter(user=user).exists()}
    )
    address.set_verified()


def _require_role(members: Collection[Member], *, by: Actor) -> None:
    found = {member.role for member in members}
    if by.kind is ActorKind.TOKEN and found - {TenantRole.MEMBER}:
        raise UnableToDecide(
            "One of these is more than a member, whom a person links and no token.",
            fix="An owner or admin does it on the page “Linked people”.",
        )
    if by.kind is ActorKind.MEMBER and not found <= set(roles.grantable(by.roles)):
        raise UnableToDecide("One of these is an owner, whom only an owner links.", fix="Ask an owner of your account.")
