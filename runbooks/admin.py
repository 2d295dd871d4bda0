"""Runbooks, steps and exceptions in the staff's admin."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from accounts.queries import staff
from core import readiness
from core.admin import PROGRAMME_NUMBERS, TENANT_PANELS, Number, StaffAdmin, TenantPanel, operation
from core.forms import UntilForm, day
from core.permissions import Permission
from runbooks.domain import exceptions as exception_domain
from runbooks.domain import template
from runbooks.models import PolicyException, Runbook, Step
from runbooks.queries import exceptions as exception_queries
from runbooks.queries import runbooks as runbook_queries
from runbooks.services import exceptions as exception_services
from runbooks.services import runbooks as runbook_services


class NoteForm(forms.Form):
    """A step is signed with a note, if there is something to say."""

    note = forms.CharField(max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 3}))


class ReasonForm(forms.Form):
    """Taking something back needs its reason."""

    reason = forms.CharField(max_length=500, widget=forms.Textarea(attrs={"rows": 3}))


@admin.register(Step)
class StepAdmin(StaffAdmin):
    """Every step of every runbook, by day."""

    list_display = ("title", "tenant", "day", "due", "owner_role", "gates", "signed")
    list_filter = ("owner_role", "gates", ("signed_at", admin.EmptyFieldListFilter))
    search_fields = ("title", "tenant__name")
    list_select_related = ("tenant", "runbook", "signed_by")
    ordering = ("offset_days", "key")

    @admin.display(ordering="offset_days")
    def day(self, step: Step) -> str:
        """Show the day in the programme's words."""
        return template.label(step.offset_days)

    @admin.display(description="due on")
    def due(self, step: Step) -> str:
        """Show the date, and that it has passed."""
        due = template.due_on(cutover_on=step.runbook.cutover_on, offset_days=step.offset_days)
        late = step.signed_at is None and due < timezone.now().date()
        return f"{due:%d %b %Y}{' (overdue)' if late else ''}"

    @admin.display(description="signed by", empty_value="–")
    def signed(self, step: Step) -> str | None:
        """Show who signed."""
        return str(step.signed_by) if step.signed_by else None

    @operation("Sign off", permission=Permission.SIGN_STEPS, form=NoteForm, when=lambda step: step.signed_at is None)
    def sign(self, request: HttpRequest, step: Step, answers: Mapping[str, Any]) -> str:
        """Sign the step."""
        by = self.actor(request)
        runbook_services.sign(step=step, by=by, at=timezone.now(), note=answers["note"])
        return f"“{step.title}” is signed."

    @operation(
        "Take the signature back", permission=Permission.SIGN_STEPS, form=ReasonForm, when=lambda step: step.signed_at
    )
    def withdraw(self, request: HttpRequest, step: Step, answers: Mapping[str, Any]) -> str:
        """Take the signature back."""
        runbook_services.withdraw(step=step, by=self.actor(request), at=timezone.now(), reason=answers["reason"])
        return f"The signature of “{step.title}” is taken back."


def _checks() -> list[tuple[str, str]]:
    return [(name, check.title) for name, check in readiness.CHECKS.items()]


def _staff() -> list[tuple[str, str]]:
    return [(str(person.pk), str(person)) for person in staff.people()]


def _in_a_week() -> date:
    return timezone.now().date() + timedelta(days=7)


class ExceptionForm(UntilForm):
    """What an exception needs before anybody may approve it."""

    check = forms.ChoiceField(choices=_checks, help_text="The check this tenant may depart from.")
    reason = forms.CharField(max_length=500, widget=forms.Textarea(attrs={"rows": 2}))
    only = forms.CharField(
        required=False,
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Of several things that the check blocks on only these, one to a line; empty: all that it names now."
        " What comes later is never covered.",
    )
    compensating_controls = forms.CharField(
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="What protects the customer while the exception stands.",
    )
    owner = forms.ChoiceField(choices=_staff, help_text="Who answers for it until it ends.")
    until = day(f"At most {exception_domain.LONGEST.days} days from now.", initial=_in_a_week)


@admin.register(Runbook)
class RunbookAdmin(StaffAdmin):
    """One runbook per tenant, with its T0."""

    list_display = ("tenant", "cutover_on", "opened_at")
    list_select_related = ("tenant",)
    search_fields = ("tenant__name",)

    @operation("Request an exception", permission=Permission.REQUEST_EXCEPTION, form=ExceptionForm)
    def request_exception(self, request: HttpRequest, runbook: Runbook, answers: Mapping[str, Any]) -> str:
        """Ask for an exception from one check of this tenant."""
        exception_services.request(
            tenant_id=runbook.tenant_id,
            check_id=answers["check"],
            reason=answers["reason"],
            only=[line.strip() for line in answers["only"].splitlines() if line.strip()],
            compensating_controls=answers["compensating_controls"],
            owner_id=UUID(answers["owner"]),
            expires_at=answers["until"],
            by=self.actor(request),
            at=timezone.now(),
        )
        return "The exception is requested; somebody else of the steering group approves it."


class _CheckFilter(admin.SimpleListFilter):
    """The check that is departed from."""

    title = "check"
    parameter_name = "check"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer the checks that there are exceptions from."""
        known = PolicyException.objects.order_by("check_id").values_list("check_id", flat=True).distinct()
        return [(check_id, readiness.title_of(check_id)) for check_id in known]

    def queryset(self, request: HttpRequest, queryset: QuerySet[PolicyException]) -> QuerySet[PolicyException]:
        """Keep those of one check."""
        return queryset.filter(check_id=self.value()) if self.value() else queryset


@admin.register(PolicyException)
class PolicyExceptionAdmin(StaffAdmin):
    """The exception registry, reviewed twice weekly."""

    list_display = ("about", "tenant", "state", "owner", "expires_at", "requested_by", "approved_by")
    list_filter = (_CheckFilter, ("approved_at", admin.EmptyFieldListFilter))
    list_select_related = ("tenant", "owner", "requested_by", "approved_by")
    search_fields = ("check_id", "tenant__name", "reason")
    readonly_fields: ClassVar[tuple[str, ...]] = ("about", "state", "covers")
    exclude = ("check_id",)

    @admin.display(description="check", ordering="check_id")
    def about(self, exception: PolicyException) -> str:
        """Say what the check is called."""
        return readiness.title_of(exception.check_id)

    @admin.display
    def covers(self, exception: PolicyException) -> str:
        """Say what of the check it covers."""
        return "; ".join(sorted(exception.items)) or "What the check asks, where it names nothing it blocks on."

    def get_queryset(self, request: HttpRequest) -> QuerySet[PolicyException]:
        """Show the newest first."""
        found: QuerySet[PolicyException] = super().get_queryset(request)
        return found.order_by("-requested_at")

    @admin.display
    def state(self, exception: PolicyException) -> str:
        """Show where the exception stands now."""
        return state_now(exception)

    @operation("Approve", permission=Permission.APPROVE_EXCEPTION, when=lambda row: state_now(row) == "requested")
    def approve(self, request: HttpRequest, exception: PolicyException, answers: Mapping[str, Any]) -> str:
        """Approve the exception."""
        exception_services.approve(exception=exception, by=self.actor(request), at=timezone.now())
        return "The exception is approved; it covers its check until it expires."

    @operation("Refuse", permission=Permission.APPROVE_EXCEPTION, when=lambda row: state_now(row) == "requested")
    def refuse(self, request: HttpRequest, exception: PolicyException, answers: Mapping[str, Any]) -> str:
        """Refuse the exception."""
        exception_services.refuse(exception=exception, by=self.actor(request), at=timezone.now())
        return "The exception is refused."

    @operation("Revoke", permission=Permission.APPROVE_EXCEPTION, when=lambda row: state_now(row) == "active")
    def revoke(self, request: HttpRequest, exception: PolicyException, answers: Mapping[str, Any]) -> str:
        """Revoke the exception."""
        exception_services.revoke(exception=exception, by=self.actor(request), at=timezone.now())
        return "The exception is revoked; its check blocks again."


def state_now(exception: PolicyException) -> str:
    """Return the exception's state at this moment."""
    return exception_domain.state_of(
        approved_at=exception.approved_at,
        refused_at=exception.refused_at,
        revoked_at=exception.revoked_at,
        expires_at=exception.expires_at,
        at=timezone.now(),
    ).value


def _runbook_panel(tenant_id: UUID) -> dict[str, Any]:
    runbook = runbook_queries.of_tenant(tenant_id=tenant_id)
    if runbook is None:
        return {"runbook": None, "steps": []}
    today = timezone.now().date()
    rows = []
    for step in runbook_queries.steps(tenant_id=tenant_id):
        due = template.due_on(cutover_on=runbook.cutover_on, offset_days=step.offset_days)
        rows.append(
            {
                "step": step,
                "day": template.label(step.offset_days),
                "due": due,
                "overdue": step.signed_at is None and due < today,
                "url": reverse("admin:runbooks_step_change", args=[step.pk]),
                "sign_url": reverse("admin:runbooks_step_sign", args=[step.pk]),
            }
        )
    return {"runbook": runbook, "steps": rows}


def _exceptions_panel(tenant_id: UUID) -> dict[str, Any]:
    rows = [
        {
            "exception": row,
            "state": state_now(row),
            "url": reverse("admin:runbooks_policyexception_change", args=[row.pk]),
        }
        for row in exception_queries.of_tenant(tenant_id=tenant_id)[:20]
    ]
    runbook = runbook_queries.of_tenant(tenant_id=tenant_id)
    url = reverse("admin:runbooks_runbook_request_exception", args=[runbook.pk]) if runbook else ""
    return {"exceptions": rows, "request_url": url}


TENANT_PANELS.add("runbook", TenantPanel("Runbook", "admin/panels/runbook.html", _runbook_panel, order=20))
TENANT_PANELS.add("exceptions", TenantPanel("Exceptions", "admin/panels/exceptions.html", _exceptions_panel, order=30))


def _numbers(at: datetime) -> list[Number]:
    late = runbook_queries.overdue_count(today=at.date())
    standing, soon = exception_queries.standing(at=at)
    return [
        Number(
            "Steps overdue",
            f"{late:,}",
            "none",
            late == 0,
            reverse("admin:runbooks_step_changelist") + "?signed_at__isempty=1",
        ),
        Number(
            "Exceptions standing",
            f"{standing:,}",
            f"{soon:,} end within 7 days",
            None,
            reverse("admin:runbooks_policyexception_changelist"),
        ),
    ]


PROGRAMME_NUMBERS.add("runbooks", _numbers)
