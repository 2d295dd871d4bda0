"""Domains in the staff's admin: how they stand and stood, links to them, and who asks for whose."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html_join

from accounts.domain.transfers import OPEN, TransferState
from accounts.models import Domain, DomainLink, DomainTransfer
from accounts.queries import domains as claimed
from accounts.services import domain_transfers, domains
from core.admin import PROGRAMME_NUMBERS, Number, StaffAdmin, operation
from core.permissions import Permission


class _StateFilter(admin.SimpleListFilter):
    """How a domain stands."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer the states, and what needs somebody."""
        return [
            ("proven", "Proven"),
            ("waiting", "Waiting for the record"),
            ("given_up", "Given up"),
            ("contested", "Asked for by another account"),
            ("passed_on", "Handed over"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Domain]) -> QuerySet[Domain]:
        """Keep what was asked for."""
        match self.value():
            case "proven":
                return queryset.filter(verified_at__isnull=False)
            case "waiting":
                return queryset.filter(verified_at=None, failed_at=None)
            case "given_up":
                return queryset.filter(failed_at__isnull=False, passed_on_at=None)
            case "contested":
                return queryset.filter(contested_at__isnull=False)
            case "passed_on":
                return queryset.filter(passed_on_at__isnull=False)
        return queryset


@admin.register(Domain)
class DomainAdmin(StaffAdmin):
    """Which domains are claimed and proven, and what each look found."""

    list_display = ("text", "tenant", "method", "claimed_at", "verified_at", "proven_at", "failed_at", "next_check_at")
    list_filter = (_StateFilter, "method", "proven_via")
    list_select_related = ("tenant",)
    search_fields = ("name", "text", "tenant__name")
    readonly_fields = ("history",)

    @admin.display(description="latest looks")
    def history(self, domain: Domain) -> str:
        """List what the latest looks found, the newest first."""
        rows = ((f"{check.checked_at:%Y-%m-%d %H:%M} UTC", check.summary) for check in domain.checks.all())
        return format_html_join("", "<p>{} · {}</p>", rows) or "none yet"

    @operation("Look it up now", permission=Permission.MANAGE_DOMAINS, when=lambda domain: domain.failed_at is None)
    def look_up(self, request: HttpRequest, row: Domain, answers: dict[str, Any]) -> str:
        """Look the challenge up, as the customer's own button does."""
        return domains.check(domain=row, by=self.actor(request), at=timezone.now()).summary


@admin.register(DomainLink)
class DomainLinkAdmin(StaffAdmin):
    """Links for those who edit a customer's DNS; their secrets are kept nowhere."""

    list_display = ("domain", "tenant", "made_at", "opened_at", "expires_at", "revoked_at")
    list_filter = (("opened_at", admin.EmptyFieldListFilter), ("revoked_at", admin.EmptyFieldListFilter))
    list_select_related = ("tenant", "domain")
    search_fields = ("domain__name", "tenant__name")
    exclude = ("token_digest",)


class DecisionForm(forms.Form):
    """A decision needs its grounds."""

    reason = forms.CharField(
        label="Grounds", max_length=500, widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Whoever asks for the domain reads them: name no other account.",
    )  # fmt: skip


@admin.register(DomainTransfer)
class DomainTransferAdmin(StaffAdmin):
    """Who asks for a domain that another account holds; both are told what was decided, and not who the other is."""

    list_display = ("domain", "tenant", "state", "asked_at", "proven_at", "decided_at")
    list_filter = ("state",)
    list_select_related = ("tenant", "domain")
    search_fields = ("domain__name", "tenant__name")
    fields = ("tenant", "domain", "state", "reason", "asked_at", "proven_at", "holder", "decided_at", "answer")
    readonly_fields = fields

    @admin.display(description="held by")
    def holder(self, transfer: DomainTransfer) -> str:
        """Say who holds the domain, and when they proved it last: afresh since it was asked for, or not."""
        held = claimed.holder(name=transfer.domain.name)
        if held is None or held.tenant_id == transfer.tenant_id or held.proven_at is None:
            return "no other account"
        afresh = transfer.proven_at is not None and held.proven_at > transfer.proven_at
        return f"{held.tenant}, proven last {held.proven_at:%Y-%m-%d %H:%M} UTC{', after this was asked' * afresh}"

    @operation(
        "Approve",
        permission=Permission.APPROVE_DOMAIN_TRANSFER,
        form=DecisionForm,
        when=lambda transfer: transfer.state == TransferState.PROVEN,
    )
    def approve(self, request: HttpRequest, row: DomainTransfer, answers: dict[str, Any]) -> str:
        """Hand the domain over, after one more look at it."""
        domain_transfers.approve(transfer=row, reason=answers["reason"], by=self.actor(request), at=timezone.now())
        return f"{row.domain} was handed over; both accounts are told."

    @operation(
        "Decline",
        permission=Permission.APPROVE_DOMAIN_TRANSFER,
        form=DecisionForm,
        when=lambda transfer: transfer.state in OPEN,
    )
    def decline(self, request: HttpRequest, row: DomainTransfer, answers: dict[str, Any]) -> str:
        """Leave the domain where it is."""
        domain_transfers.decline(transfer=row, reason=answers["reason"], by=self.actor(request), at=timezone.now())
        return f"{row.domain} stays where it is; who asked is told why."


def _numbers(_at: object) -> list[Number]:
    count = domain_transfers.waiting().count()
    url = f"{reverse('admin:accounts_domaintransfer_changelist')}?state__exact={TransferState.PROVEN}"
    return [Number("Domains to hand over", str(count), "none", good=not count, url=url)] if count else []


PROGRAMME_NUMBERS.add("domain_transfers", _numbers)
