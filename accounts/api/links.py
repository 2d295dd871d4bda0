"""The API of links between people of a directory and members: what waits, what stands, and the rules that decide.

A token decides about plain members. Whoever else is linked may do more than the token, and an owner's rule counts for
owners too: those stay with people.
"""

from uuid import UUID

from django.urls import path
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.sso.connection import TAG
from accounts.domain.signing_in import WAITING
from accounts.models import StandingRule
from accounts.models.identities import Source
from accounts.queries import domains, identities
from accounts.services import identity_links
from core.api import PAGING, Answer, ApiView, Body, NoBody, Problem, item_id, keyset, operation

PLAIN = "A token does this for members whose role is `member`; about others an owner or admin decides on the page."


class ProposedLink(Answer):
    """A person of the directory who has a member's address, and may be them."""

    example = {
        "id": "6c1d8a0e-2f64-4c39-8b1c-2f6d7e9a0b12",
        "member_id": "0b7c2f2e-9a56-4d0e-8f4e-0d8f1f3b7a55",
        "external_id": "00u17",
        "user_name": "ben.berg",
        "reason": "to_be_approved",
        "proposed_at": "2026-11-26T05:00:20Z",
    }

    id = serializers.UUIDField()
    member_id = serializers.UUIDField()
    external_id = serializers.CharField(help_text="The directory's lasting id of the person; may be empty.")
    user_name = serializers.CharField(help_text="What the directory calls the person, in lower case; may be empty.")
    reason = serializers.ChoiceField([each.value for each in WAITING])
    proposed_at = serializers.DateTimeField()


class WaitingLink(ProposedLink):
    """A link that somebody of the account is to approve or reject."""


class RejectedLink(ProposedLink):
    """A link that was rejected: the person is refused."""

    example = {**ProposedLink.example, "decided_at": "2026-11-26T06:00:00Z"}

    decided_at = serializers.DateTimeField()


class DirectoryLink(Answer):
    """A person of the directory who signs in as a member."""

    example = {
        "id": "6c1d8a0e-2f64-4c39-8b1c-2f6d7e9a0b12",
        "member_id": "0b7c2f2e-9a56-4d0e-8f4e-0d8f1f3b7a55",
        "external_id": "00u17",
        "user_name": "ben.berg",
        "origin": "approval",
        "linked_at": "2026-11-26T05:00:20Z",
    }

    id = serializers.UUIDField()
    member_id = serializers.UUIDField()
    external_id = serializers.CharField()
    user_name = serializers.CharField()
    origin = serializers.ChoiceField(Source.values, source="source", help_text="What linked them.")
    linked_at = serializers.DateTimeField()


class LinkRule(Answer):
    """What an owner decided once for everybody of a domain. It counts as long as the domain is proven."""

    example = {
        "id": "6c1d8a0e-2f64-4c39-8b1c-2f6d7e9a0b12",
        "domain": "airline.example",
        "kind": "link",
        "counts": True,
        "made_at": "2026-11-26T05:00:20Z",
    }

    id = serializers.UUIDField()
    domain = serializers.CharField(help_text="As DNS knows it.")
    kind = serializers.ChoiceField(
        StandingRule.Kind.values, help_text="`link`: members by their address. `join`: new people, with the least role."
    )
    counts = serializers.SerializerMethodField()
    made_at = serializers.DateTimeField()

    def get_counts(self, rule: StandingRule) -> bool:
        """Whether the domain is proven now."""
        return rule.domain in self.context["proven"]


class LinkRules(Answer):
    """The rules that stand."""

    example = {"rules": [LinkRule.example]}

    rules = LinkRule(many=True)


class ChosenLinks(Body):
    """Which links are decided about."""

    example = {"links": ["6c1d8a0e-2f64-4c39-8b1c-2f6d7e9a0b12"]}

    links = serializers.ListField(
        child=serializers.UUIDField(), min_length=1, max_length=identity_links.MOST_AT_ONCE, help_text="Their ids."
    )


class DecidedLinks(Answer):
    """What became of them."""

    example = {"decided": 1}

    decided = serializers.IntegerField(help_text="How many still waited; the others were decided already.")


class WaitingLinks(ApiView):
    """The links that wait for a decision."""

    scopes = {"GET": "sign_ins:read"}
    parameters = PAGING

    @operation("list_waiting_links", tag=TAG, answer=WaitingLink, paged=True, summary="List links that wait")
    def get(self, request: Request) -> Response:
        """List the links that wait, newest first."""
        fetch, key = keyset(identities.waiting(tenant_id=self.tenant_id), at="proposed_at")
        return self.page("waiting_links", WaitingLink, fetch=fetch, key=key)


class Decisions(ApiView):
    """Deciding about links that wait, one or many."""

    def decide(self, *, approve: bool) -> Response:
        """Approve or reject the links that the body names."""
        chosen = set(self.read(ChosenLinks)["links"])
        if identities.proposals(tenant_id=self.tenant_id).filter(pk__in=chosen).count() != len(chosen):
            raise Problem("not-found", "One of these is no link of yours; nothing was decided.")
        decided = identity_links.decide(
            tenant_id=self.tenant_id, proposal_ids=chosen, approve=approve, by=self.actor, at=self.at
        )
        return Response(DecidedLinks({"decided": decided}).data)


class Approvals(Decisions):
    """Approving links."""

    scopes = {"POST": "links:approve"}

    @operation(
        "approve_links", tag=TAG, answer=DecidedLinks, body=ChosenLinks, refuses=(404,),
        summary="Approve links that wait",
        described=f"All of them or none. {PLAIN} 404: one of the ids is no link of yours.",
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Approve them."""
        return self.decide(approve=True)


class Rejections(Decisions):
    """Rejecting links."""

    scopes = {"POST": "links:withdraw"}

    @operation(
        "reject_links", tag=TAG, answer=DecidedLinks, body=ChosenLinks, refuses=(404,),
        summary="Reject links that wait",
        described="All of them or none. The person is refused until that is taken back. 404: one of the ids is no link "
        "of yours.",
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Reject them."""
        return self.decide(approve=False)


class RejectedLinks(ApiView):
    """The links that were rejected."""

    scopes = {"GET": "sign_ins:read"}
    parameters = PAGING

    @operation("list_rejected_links", tag=TAG, answer=RejectedLink, paged=True, summary="List links that were rejected")
    def get(self, request: Request) -> Response:
        """List them, the newest decision first."""
        fetch, key = keyset(identities.rejected(tenant_id=self.tenant_id), at="decided_at")
        return self.page("rejected_links", RejectedLink, fetch=fetch, key=key)


class OneRejectedLink(ApiView):
    """One link that was rejected."""

    scopes = {"DELETE": "links:approve"}

    @operation(
        "reopen_link", tag=TAG, answer=None, status=204, summary="Take a rejection back",
        parameters=(item_id("proposal_id", "Id of a rejected link."),),
        described=f"The link waits again, or a standing rule decides. Safe to repeat. {PLAIN}",
    )  # fmt: skip
    def delete(self, request: Request, proposal_id: UUID) -> Response:
        """Let it wait again."""
        self.read(NoBody)
        identity_links.reopen(tenant_id=self.tenant_id, proposal_id=proposal_id, by=self.actor, at=self.at)
        return Response(status=204)


class Links(ApiView):
    """The links that stand."""

    scopes = {"GET": "sign_ins:read"}
    parameters = PAGING

    @operation("list_links", tag=TAG, answer=DirectoryLink, paged=True, summary="List who is linked, newest first")
    def get(self, request: Request) -> Response:
        """List them."""
        fetch, key = keyset(identities.linked(tenant_id=self.tenant_id), at="linked_at")
        return self.page("links", DirectoryLink, fetch=fetch, key=key)


class OneLink(ApiView):
    """One link that stands."""

    scopes = {"DELETE": "links:withdraw"}

    @operation(
        "undo_link", tag=TAG, answer=None, status=204, summary="Undo a link",
        parameters=(item_id("identity_id", "Id of a link."),),
        described=f"The person's sessions end, and their next sign-in waits for an approval. {PLAIN}",
    )  # fmt: skip
    def delete(self, request: Request, identity_id: UUID) -> Response:
        """Undo it."""
        self.read(NoBody)
        identity_links.unlink(tenant_id=self.tenant_id, identity_id=identity_id, by=self.actor, at=self.at)
        return Response(status=204)


class Rules(ApiView):
    """The standing rules."""

    scopes = {"GET": "sign_ins:read"}

    @operation(
        "list_link_rules", tag=TAG, answer=LinkRules, summary="List standing rules for domains",
        described="Making one stays with an owner, on the page “Linked people”: it counts for owners too.",
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """List the rules in force."""
        proven = set(domains.verified_names(tenant_id=self.tenant_id))
        found = LinkRule(identities.rules(tenant_id=self.tenant_id), many=True, context={"proven": proven})
        return Response({"rules": found.data})


class OneRule(ApiView):
    """One standing rule."""

    scopes = {"DELETE": "links:withdraw"}

    @operation(
        "end_link_rule", tag=TAG, answer=None, status=204, summary="End a standing rule",
        parameters=(item_id("rule_id", "Id of a rule."),), described="What it has linked stays. Safe to repeat.",
    )  # fmt: skip
    def delete(self, request: Request, rule_id: UUID) -> Response:
        """End it."""
        self.read(NoBody)
        identity_links.end_rule(tenant_id=self.tenant_id, rule_id=rule_id, by=self.actor, at=self.at)
        return Response(status=204)


urlpatterns = [
    path("sso/waiting-links", WaitingLinks.as_view(), name="waiting_links"),
    path("sso/waiting-links/approvals", Approvals.as_view(), name="approve_links"),
    path("sso/waiting-links/rejections", Rejections.as_view(), name="reject_links"),
    path("sso/rejected-links", RejectedLinks.as_view(), name="rejected_links"),
    path("sso/rejected-links/<uuid:proposal_id>", OneRejectedLink.as_view(), name="rejected_link"),
    path("sso/links", Links.as_view(), name="links"),
    path("sso/links/<uuid:identity_id>", OneLink.as_view(), name="link"),
    path("sso/link-rules", Rules.as_view(), name="link_rules"),
    path("sso/link-rules/<uuid:rule_id>", OneRule.as_view(), name="link_rule"),
]
