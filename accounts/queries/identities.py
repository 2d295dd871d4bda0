"""Whom a key and an address of the tenant's directory mean: the facts that `signing_in.decide` decides from."""

from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.domain import directory
from accounts.domain.directory import Key
from accounts.domain.signing_in import Candidate, Facts, Identity
from accounts.models import LinkedIdentity, LinkProposal, Member, StandingRule, User
from accounts.models.identities import Source
from accounts.queries import domains

SIGNED_IN = (Source.APPROVAL, Source.RULE, Source.JOINED)
"""What links somebody who came in; what a directory or a map says of a person is no sign-in yet."""


def facts(*, tenant_id: UUID, is_accepted: bool, key: Key, addresses: tuple[str, ...]) -> Facts:
    """Gather all that is known of whom an answer names."""
    identities = [
        Identity(member_id, external_id, user_name)
        for member_id, external_id, user_name in sharing(tenant_id=tenant_id, key=key).values_list(
            "member_id", "external_id", "user_name"
        )
    ]
    address = addresses[0].lower() if len(addresses) == 1 else ""
    named = Q(pk__in=[each.member_id for each in identities])
    if address:
        named |= Q(user__email=address)
    came_in = LinkedIdentity.objects.filter(tenant_id=tenant_id, member_id=OuterRef("pk"), source__in=SIGNED_IN)
    members = Member.objects.filter(named, tenant_id=tenant_id).select_related("user")
    candidates = [
        Candidate(
            member_id=member.pk,
            address=member.user.email,
            is_active=member.deactivated_at is None and member.user.is_active,
            is_staff=member.user.is_staff,
            is_linked=member.is_linked,
        )
        for member in members.annotate(is_linked=Exists(came_in))
    ]
    ruled = rules(tenant_id=tenant_id).values_list("domain", "kind")
    refused = LinkProposal.objects.filter(_shares(key), tenant_id=tenant_id, is_approved=False)
    return Facts(
        is_accepted=is_accepted,
        key=key,
        addresses=addresses,
        domains=frozenset(domains.verified_names(tenant_id=tenant_id)),
        identities=identities,
        members=candidates,
        linking=frozenset(domain for domain, kind in ruled if kind == StandingRule.Kind.LINK),
        joining=frozenset(domain for domain, kind in ruled if kind == StandingRule.Kind.JOIN),
        rejected=frozenset(each.member_id for each in refused if directory.match(key, [each]).found),
        is_known_elsewhere=bool(address) and User.objects.filter(email=address).exists(),
    )


def sharing(*, tenant_id: UUID, key: Key) -> QuerySet[LinkedIdentity]:
    """Return the linked identities that share a part of the key: two at most."""
    return LinkedIdentity.objects.filter(_shares(key), tenant_id=tenant_id)


def rules(*, tenant_id: UUID) -> QuerySet[StandingRule]:
    """Return the standing rules in force, by domain."""
    return StandingRule.objects.filter(tenant_id=tenant_id, ended_at=None).order_by("domain", "kind")


def proposals(*, tenant_id: UUID) -> QuerySet[LinkProposal]:
    """Return all links that were ever proposed and not undone, decided or not."""
    return LinkProposal.objects.filter(tenant_id=tenant_id)


def waiting(*, tenant_id: UUID) -> QuerySet[LinkProposal]:
    """Return the links that wait for a decision, the oldest first."""
    open_ones = proposals(tenant_id=tenant_id).filter(decided_at=None)
    return open_ones.select_related("member__user").order_by("proposed_at", "pk")


def rejected(*, tenant_id: UUID) -> QuerySet[LinkProposal]:
    """Return the links that were rejected, the newest decision first."""
    refused = proposals(tenant_id=tenant_id).filter(is_approved=False)
    return refused.select_related("member__user").order_by("-decided_at", "pk")


def linked(*, tenant_id: UUID) -> QuerySet[LinkedIdentity]:
    """Return the tenant's linked identities with their members, the newest first."""
    return (
        LinkedIdentity.objects.filter(tenant_id=tenant_id).select_related("member__user").order_by("-linked_at", "pk")
    )


def _shares(key: Key) -> Q:
    shared = Q(pk__in=[])
    if key.external_id:
        shared |= Q(external_id=key.external_id)
    if key.user_name:
        shared |= Q(user_name=key.user_name)
    return shared
