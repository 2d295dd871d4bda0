"""Messages, news and the support queue in the staff's admin."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.timesince import timesince

from accounts.queries import staff, tenants
from comms.domain import sla
from comms.domain.cases import RUNNING, CaseState
from comms.domain.deliveries import TROUBLED, DeliveryState
from comms.domain.ladder import TEMPLATES
from comms.models import Case, CaseEntry, Delivery, Mailing, StatusUpdate
from comms.queries import cases as case_queries
from comms.queries import mailings as mailing_queries
from comms.services import cases, deliveries, statuses
from core import readiness
from core.admin import (
    PROGRAMME_NUMBERS,
    TENANT_COLUMNS,
    TENANT_OPERATIONS,
    TENANT_PANELS,
    Number,
    Operation,
    StaffAdmin,
    TenantColumn,
    TenantPanel,
    operation,
)
from core.permissions import Permission, StaffRole, staff_grants

_TEXT = forms.Textarea(attrs={"rows": 4})
_CASE_WORKERS = [role.value for role in StaffRole if Permission.WORK_CASES in staff_grants({role.value})]


def _workers() -> list[tuple[str, str]]:
    return [(str(person.pk), str(person)) for person in staff.holders(roles=_CASE_WORKERS)]


def _staff() -> list[tuple[str, str]]:
    return [(str(person.pk), str(person)) for person in staff.people()]


class AnswerForm(forms.Form):
    """What we say to the customer."""

    text = forms.CharField(label="Answer", max_length=5000, widget=_TEXT, help_text="The customer reads this.")


class AssignForm(forms.Form):
    """Whose case it is."""

    person = forms.ChoiceField(choices=_workers)


class MoveForm(forms.Form):
    """Where the case stands now."""

    target = forms.ChoiceField(
        label="State", choices=[(state.value, state.label) for state in CaseState if state is not CaseState.NEW]
    )


class FeedbackForm(forms.Form):
    """The shortcoming behind a case: issue, owner, ship date."""

    issue = forms.CharField(max_length=200, help_text="What is wrong with us, in our own words; no names.")
    owner = forms.ChoiceField(choices=_staff)
    ships_on = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))


class StatusForm(forms.Form):
    """One piece of news."""

    kind = forms.ChoiceField(choices=StatusUpdate.Kind.choices)
    title = forms.CharField(max_length=120)
    text = forms.CharField(
        max_length=2000, widget=_TEXT, help_text="What happened, what it means for them, when the next news comes."
    )


class _ClockFilter(admin.SimpleListFilter):
    """Whose turn it is, and what is late."""

    title = "clock"
    parameter_name = "clock"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer the questions of the day."""
        return [("late", "Past its time"), ("soon", "Within an hour"), ("stands", "Waiting for the customer")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Case]) -> QuerySet[Case]:
        """Keep what was asked for."""
        at = timezone.now()
        match self.value():
            case "late":
                return queryset.filter(due_at__lt=at)
            case "soon":
                return queryset.filter(due_at__gte=at, due_at__lt=at + timedelta(hours=1))
            case "stands":
                return queryset.filter(paused_at__isnull=False)
        return queryset


def _is_open(case: Case) -> bool:
    return case.state != CaseState.CLOSED


@admin.register(Case)
class CaseAdmin(StaffAdmin):
    """The support queue: what runs out first stands first."""

    may_view: ClassVar[Permission] = Permission.VIEW_CASES
    list_display = ("subject", "tenant", "grade", "state", "left", "age", "rung", "assignee", "about")
    list_filter = ("state", "severity", _ClockFilter, ("assignee", admin.EmptyFieldListFilter))
    list_select_related = ("tenant", "assignee")
    search_fields = ("subject", "tenant__name", "check_id", "feedback")
    change_form_outer_after_template = "admin/case.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Case]:
        """Sort by what is left on the clock; what waits for the customer or is over comes last."""
        found: QuerySet[Case] = super().get_queryset(request)
        return found.order_by(F("due_at").asc(nulls_last=True), "state", "-opened_at")

    @admin.display(description="check", empty_value="–", ordering="check_id")
    def about(self, case: Case) -> str:
        """Say which check it is about."""
        return readiness.title_of(case.check_id)

    @admin.display(description="severity", ordering="severity")
    def grade(self, case: Case) -> str:
        """Show the severity in one word."""
        return case.severity_short

    @admin.display(description="time left", ordering="due_at")
    def left(self, case: Case) -> str:
        """Show what is left until we must have answered or settled it."""
        if case.state not in RUNNING:
            return "stands still" if case.paused_at else "–"
        left = case_queries.clock(case).left(at=timezone.now())
        what = "to settle" if case.responded_at else "to answer"
        return f"{_span(left)} {what}" if left > timedelta(0) else f"{_span(-left)} late {what}"

    @admin.display(ordering="opened_at")
    def age(self, case: Case) -> str:
        """Show how old the case is."""
        return timesince(case.opened_at, depth=1)

    @admin.display(description="escalated to", empty_value="–", ordering="escalation")
    def rung(self, case: Case) -> str | None:
        """Show who has it on the escalation ladder."""
        found = sla.rung(case.escalation)
        return found[0].value if found else None

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Show the case with all that was said."""
        row = self.get_object(request, object_id) if object_id else None
        said = list(case_queries.entries(case=row)) if row else []
        return super().changeform_view(request, object_id, form_url, {"entries": said, **(extra_context or {})})

    @operation("Answer", permission=Permission.WORK_CASES, form=AnswerForm, when=_is_open)
    def answer(self, request: HttpRequest, case: Case, answers: Mapping[str, Any]) -> str:
        """Answer; it is the customer's turn then."""
        cases.write(case=case, text=answers["text"], by=self.actor(request), at=timezone.now())
        return "The customer is told that there is an answer."

    @operation("Assign", permission=Permission.WORK_CASES, form=AssignForm, when=_is_open)
    def assign(self, request: HttpRequest, case: Case, answers: Mapping[str, Any]) -> str:
        """Give the case to one of us."""
        by, user_id = self.actor(request), UUID(answers["person"])
        changed = cases.assign(case=case, user_id=user_id, by=by, at=timezone.now())
        return f"{changed.assignee} has the case."

    @operation("Change the state", permission=Permission.WORK_CASES, form=MoveForm, when=_is_open)
    def move(self, request: HttpRequest, case: Case, answers: Mapping[str, Any]) -> str:
        """Bring the case into another state."""
        target = CaseState(answers["target"])
        cases.move(case=case, target=target, by=self.actor(request), at=timezone.now())
        return f"The case is {target.label.lower()}."

    @operation("Tag as feedback", permission=Permission.WORK_CASES, form=FeedbackForm)
    def tag(self, request: HttpRequest, case: Case, answers: Mapping[str, Any]) -> str:
        """Say what is behind it, who owns that, and when the cure ships."""
        cases.tag(
            case=case,
            issue=answers["issue"],
            owner_id=UUID(answers["owner"]),
            ships_on=answers["ships_on"],
            by=self.actor(request),
            at=timezone.now(),
        )
        return "The case is tagged."


@admin.register(CaseEntry)
class CaseEntryAdmin(StaffAdmin):
    """What was said in cases."""

    may_view: ClassVar[Permission] = Permission.VIEW_CASES
    list_display = ("case", "tenant", "is_ours", "written_by", "written_at")
    list_filter = ("is_ours",)
    list_select_related = ("case", "tenant", "written_by")
    search_fields = ("text", "case__subject", "tenant__name")
    ordering = ("-written_at",)


@admin.register(Mailing)
class MailingAdmin(StaffAdmin):
    """What was and will be said to whom."""

    list_display = ("said", "tenant", "audience", "state", "due_at", "issued_at", "version")
    list_filter = ("state", "kind", "audience")
    list_select_related = ("tenant",)
    search_fields = ("template", "tenant__name", "subject")
    ordering = ("-due_at",)

    @admin.display(description="message", ordering="template")
    def said(self, row: Mailing) -> str:
        """Show its subject; of one that is still to be written, its template's."""
        template = TEMPLATES.get(row.template)
        return row.subject or (template.subject.replace("{tenant}", str(row.tenant)) if template else row.template)


@admin.register(Delivery)
class DeliveryAdmin(StaffAdmin):
    """Each person's copy, and what the mail server said."""

    list_display = ("mailing", "tenant", "person", "state", "attempts", "tried_next", "sent_at", "problem")
    list_filter = ("state",)
    list_select_related = ("mailing", "tenant", "person")
    search_fields = ("tenant__name", "mailing__template", "person__email")
    ordering = ("-next_at",)

    @admin.display(description="tried next", ordering="next_at")
    def tried_next(self, row: Delivery) -> datetime | None:
        """Show when it is tried (again), while it is."""
        return row.next_at if row.state == DeliveryState.WAITING else None

    @operation(
        "Send again",
        permission=Permission.MANAGE_COMMS,
        when=lambda row: row.state in TROUBLED,
    )
    def send_again(self, request: HttpRequest, row: Delivery, answers: Mapping[str, Any]) -> str:
        """Try once more."""
        deliveries.send_again(delivery=row, by=self.actor(request), at=timezone.now())
        return "The copy waits to be sent."


@admin.register(StatusUpdate)
class StatusUpdateAdmin(StaffAdmin):
    """The news on the tenants' status pages; a new one is written on the tenant's page."""

    list_display = ("title", "tenant", "kind", "written_at", "written_by")
    list_filter = ("kind",)
    list_select_related = ("tenant", "written_by")
    search_fields = ("title", "text", "tenant__name")


def _tell(page: StaffAdmin, request: HttpRequest, tenant: Any, answers: Mapping[str, Any]) -> str:
    """Publish a piece of news about a tenant."""
    statuses.tell(tenant_id=tenant.pk, **answers, by=page.actor(request), at=timezone.now())
    return f"The update stands on the status page of {tenant}."


TENANT_OPERATIONS.add(
    "tell_status",
    Operation("tell_status", "Write a status update", Permission.MANAGE_COMMS, _tell, form=StatusForm),
)


def _span(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    if minutes < 60:
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours} h" if hours < 48 else f"{hours // 24} d"


def _cases_column(tenant_ids: list[UUID]) -> dict[UUID, str]:
    found = case_queries.open_by_tenant(tenant_ids)
    return {tenant_id: f"{count}, severity {gravest}" for tenant_id, (count, gravest) in found.items()}


def _panel(tenant_id: UUID) -> dict[str, Any]:
    found = case_queries.of_tenant(tenant_id=tenant_id)[:20]
    slug = tenants.get(tenant_id=tenant_id).slug
    return {
        "preview_url": f"{reverse('staff_comms:preview')}?tenant={slug}",
        "cases": [{"case": case, "url": reverse("admin:comms_case_change", args=[case.pk])} for case in found],
        "mailings": list(mailing_queries.listed(tenant_id=tenant_id)[:20]),
    }


def _numbers(at: datetime) -> list[Number]:
    opened, urgent, late = case_queries.numbers(at=at)
    troubled = mailing_queries.count_troubled()
    queue, copies = reverse("admin:comms_case_changelist"), reverse("admin:comms_delivery_changelist")
    return [
        Number("Support cases open", f"{opened:,}", f"{urgent:,} of them urgent", None, queue),
        Number("Urgent cases open", f"{urgent:,}", "none", urgent == 0, f"{queue}?severity__exact=urgent"),
        Number("Cases past their time", f"{late:,}", "none", late == 0, f"{queue}?clock=late"),
        Number("Mails that did not arrive", f"{troubled:,}", "none", troubled == 0, f"{copies}?state__exact=refused"),
    ]


TENANT_COLUMNS.add("cases", TenantColumn("open cases", _cases_column, empty="none"))
TENANT_PANELS.add("comms", TenantPanel("Messages and support", "admin/panels/comms.html", _panel, order=40))
PROGRAMME_NUMBERS.add("comms", _numbers)
