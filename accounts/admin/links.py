"""Signing in by a customer's provider in the staff's admin: each sign-in, and whom of the directory it may let in.

Staff take back what lets somebody in; approving, and rules that let in, are the tenant's own.
"""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html_join

from accounts.admin.keyed import KeyedAdmin, ToldAdmin
from accounts.domain.signing_in import OUTCOMES, REASONS, Outcome, Reason
from accounts.domain.verdicts import TITLES, Code, Verdict
from accounts.models import LinkedIdentity, LinkProposal, SsoSignIn, StandingRule
from accounts.services import identity_links
from core.admin import operation
from core.permissions import Permission


class _OutcomeFilter(admin.SimpleListFilter):
    """How a sign-in ended."""

    title = "outcome"
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer the outcomes, and that nothing came back."""
        return [*((each.value, words) for each, words in OUTCOMES.items()), ("none", "Nothing came back")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[SsoSignIn]) -> QuerySet[SsoSignIn]:
        """Keep what was asked for."""
        wanted = self.value()
        asked = {"none": "", **{each.value: each.value for each in Outcome}}
        return queryset.filter(outcome=asked[wanted]) if wanted in asked else queryset


class _ReasonFilter(admin.SimpleListFilter):
    """Why a sign-in ended so."""

    title = "reason"
    parameter_name = "why"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer the reasons in words."""
        return [(reason.value, words) for reason, (words, _) in REASONS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep what was asked for."""
        return queryset.filter(reason=self.value()) if self.value() in REASONS else queryset


@admin.register(SsoSignIn)
class SsoSignInAdmin(KeyedAdmin):
    """How people's sign-ins by their company ended in the last 90 days; what was said of them is the tenant's alone."""

    list_display = ("started_at", "tenant", "ended", "why", "member", "reference", "answered_at", "used_at")
    list_filter = (_OutcomeFilter, _ReasonFilter, "is_failover", ("used_at", admin.EmptyFieldListFilter), "answered_at")
    list_select_related = ("tenant", "member__user")
    exclude = ("sealed", "browser", "leaves_for", "leads_to", "request_id", "verdicts", "fingerprint", "reason")
    readonly_fields = ("tenant", "why", "reference", "checks")
    keys = ("pk", "member_id", "member__user_id")
    search_help_text = "A reference or a whole id, of the sign-in or of its member; or a tenant's slug or exact name."

    @admin.display(description="outcome", ordering="outcome")
    def ended(self, row: SsoSignIn) -> str:
        """Say how it ended, in words."""
        return OUTCOMES[Outcome(row.outcome)] if row.outcome else "Nothing came back"

    @admin.display(description="why", ordering="reason")
    def why(self, row: SsoSignIn) -> str:
        """Say why it ended so."""
        return REASONS[Reason(row.reason)][0] if row.reason else "–"

    @admin.display(description="checks that failed")
    def checks(self, row: SsoSignIn) -> str:
        """Name the checks that failed; no more is shown of an answer here."""
        failed = ((TITLES[Code(code)],) for code, verdict in row.verdicts.items() if verdict == Verdict.FAIL)
        return format_html_join("", "<p>{}</p>", failed) or "none"


@admin.register(LinkedIdentity)
class LinkedIdentityAdmin(ToldAdmin):
    """People of the customers' directories who are linked to a member, and by what."""

    list_display = ("__str__", "tenant", "member", "source", "linked_at")
    list_filter = ("source", "linked_at")
    list_select_related = ("tenant", "member__user")
    keys = ("pk", "member_id", "member__user_id")

    @operation("Undo the link", permission=Permission.WITHDRAW_LINKS)
    def undo(self, request: HttpRequest, row: LinkedIdentity, answers: dict[str, Any]) -> str:
        """Undo it: whoever came in by it is out, and the next sign-in waits for the tenant's approval."""
        identity_links.unlink(tenant_id=row.tenant_id, identity_id=row.pk, by=self.actor(request), at=timezone.now())
        return "Undone. The next sign-in waits for their approval."


class _DecisionFilter(admin.SimpleListFilter):
    """How a proposal was decided."""

    title = "decision"
    parameter_name = "decision"
    _KEPT: ClassVar[dict[str, bool | None]] = {"waits": None, "approved": True, "rejected": False}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer the decisions, and that none was made yet."""
        return [("waits", "Waits"), ("approved", "Approved"), ("rejected", "Rejected")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[LinkProposal]) -> QuerySet[LinkProposal]:
        """Keep what was asked for."""
        wanted = self.value()
        return queryset.filter(is_approved=self._KEPT[wanted]) if wanted in self._KEPT else queryset


@admin.register(LinkProposal)
class LinkProposalAdmin(ToldAdmin):
    """Links that wait for the tenant, or that it decided about."""

    list_display = ("__str__", "tenant", "member", "why", "proposed_at", "decided_at", "is_approved")
    list_filter = (_DecisionFilter, _ReasonFilter, "proposed_at")
    list_select_related = ("tenant", "member__user")
    exclude = ("reason",)
    readonly_fields = ("tenant", "why", "history")
    keys = ("pk", "member_id", "member__user_id")

    @admin.display(description="why it waits", ordering="reason")
    def why(self, row: LinkProposal) -> str:
        """Say why it waits, or waited."""
        return REASONS[Reason(row.reason)][0]

    @operation("Reject", permission=Permission.WITHDRAW_LINKS, when=lambda row: row.decided_at is None)
    def reject(self, request: HttpRequest, row: LinkProposal, answers: dict[str, Any]) -> str:
        """Reject it; somebody of the tenant can take that back."""
        decided = identity_links.decide(
            tenant_id=row.tenant_id, proposal_ids=[row.pk], approve=False, by=self.actor(request), at=timezone.now()
        )
        if not decided:
            return "It was decided about already, and stays so. To take an approval back, undo the link."
        return "Rejected. An owner or admin of theirs can take that back."


@admin.register(StandingRule)
class StandingRuleAdmin(ToldAdmin):
    """What tenants decided once for everybody of a domain."""

    list_display = ("domain", "tenant", "kind", "made_at", "ended_at")
    list_filter = ("kind", ("ended_at", admin.EmptyFieldListFilter), "made_at")
    list_select_related = ("tenant",)

    @operation("End the rule", permission=Permission.WITHDRAW_LINKS, when=lambda row: row.ended_at is None)
    def end(self, request: HttpRequest, row: StandingRule, answers: dict[str, Any]) -> str:
        """End it; what it has linked stays."""
        identity_links.end_rule(tenant_id=row.tenant_id, rule_id=row.pk, by=self.actor(request), at=timezone.now())
        return "Ended. Whom it has linked stays linked; new people wait for their approval."
