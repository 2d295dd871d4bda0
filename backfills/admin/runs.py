"""Runs, rejected rows, retries and versions of the mapping in the staff's admin: lists to read, and one thing to do."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib import admin, messages
from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from backfills.domain import changes
from backfills.domain.judgement import Fate
from backfills.domain.runs import RunState
from backfills.models import DeadLetter, OutcomeTotal, Retry, Run, SpecVersion
from backfills.queries import letters, versions
from backfills.services import retries
from core.admin import StaffAdmin, operation
from core.permissions import Permission


@admin.register(Run)
class RunAdmin(StaffAdmin):
    """Every run: how far it is, how many rows it rejected, and which version of the mapping it used."""

    may_view = Permission.VIEW_RUNS
    list_display = ("entity", "tenant", "state", "source_total", "changed", "rejected", "spec", "requested_at")
    list_filter = ("state", "entity")
    list_select_related = ("tenant",)
    search_fields = ("tenant__name", "spec")
    ordering = ("-requested_at", "-id")
    readonly_fields = ("rejected", "retried", "rows")
    actions = ("try_again_chosen",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        """Count the rejected rows of each run beside it."""
        rejected = OutcomeTotal.objects.filter(run=OuterRef("pk"), fate=Fate.QUARANTINED.value).order_by()
        counted = rejected.values("run").annotate(rows=Sum("count")).values("rows")
        found: QuerySet[Run] = super().get_queryset(request)
        return found.annotate(rejected_rows=Coalesce(Subquery(counted), 0))

    @admin.display(description="rejected", ordering="rejected_rows")
    def rejected(self, run: Any) -> int:
        """Return how many rows are rejected."""
        return int(run.rejected_rows)

    @admin.display(description="tried again")
    def retried(self, run: Run) -> int:
        """Return how often its rejected rows were judged again."""
        return run.retries.count()

    @admin.display(description="rejected rows")
    def rows(self, run: Run) -> SafeString:
        """Lead to the list of them."""
        url = reverse("admin:backfills_deadletter_changelist")
        return format_html('<a href="{}?run__id__exact={}">Show them</a>', url, run.pk)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Offer nothing to whoever may not do it, and nothing that is not ours."""
        if not self.actor(request).can(Permission.MANAGE_RUNS):
            return {}
        return {name: told for name, told in super().get_actions(request).items() if name == "try_again_chosen"}

    @admin.action(description="Try the rejected rows of these runs again")
    def try_again_chosen(self, request: HttpRequest, chosen: QuerySet[Run]) -> None:
        """Try the rejected rows of the chosen runs again, as far as that can be done now."""
        asked = retries.request_each(runs=chosen.order_by("requested_at"), by=self.actor(request), at=timezone.now())
        if asked.begun:
            messages.success(request, f"Rejected rows of {_count(len(asked.begun), 'run')} are being tried again.")
        for run, reason in asked.refused:
            messages.warning(request, f"{run.tenant}, {run}: {reason}")

    @operation(
        "Try the rejected rows again",
        permission=Permission.MANAGE_RUNS,
        when=lambda run: RunState(run.state).is_accounted and letters.has_open(run),
    )
    def try_again(self, request: HttpRequest, run: Run, answers: Mapping[str, Any]) -> str:
        """Judge the rejected rows again by the mapping in force."""
        retries.request(run=run, by=self.actor(request), at=timezone.now())
        return f"The rejected rows of {run.entity} are being tried again."


class _StandingFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """Return the states, the one that an exception gives among them."""
        return letters.STANDINGS.items()

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the rows in the chosen state."""
        return queryset.filter(standing=self.value()) if self.value() in letters.STANDINGS else queryset


@admin.register(DeadLetter)
class DeadLetterAdmin(StaffAdmin):
    """Every row that was rejected: why, how often, and how it stands. Its values stand on a page that asks why."""

    may_view = Permission.VIEW_RUNS
    list_display = ("row", "tenant", "entity", "rule", "column", "sqlstate", "standing", "attempts", "spec", "last_at")
    list_filter = (_StandingFilter, "entity", "rule", ("tenant", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("tenant",)
    search_fields = ("tenant__name", "rule", "column", "spec")
    ordering = ("-last_at", "-id")
    exclude = ("payload", "source_key", "state")
    readonly_fields = ("row", "standing", "why", "what_to_do", "as_it_came")

    def get_queryset(self, request: HttpRequest) -> QuerySet[DeadLetter]:
        """Return the rows with how they stand, without their payload."""
        return letters.every(at=timezone.now()).order_by(*self.ordering)

    @admin.display(description="row")
    def row(self, letter: DeadLetter) -> str:
        """Return the row's key where it is public, else the letter's id."""
        return letters.name(letter)

    @admin.display(description="state", ordering="standing")
    def standing(self, letter: Any) -> str:
        """Return the state in words."""
        return letters.STANDINGS[letter.standing]

    @admin.display(description="why")
    def why(self, letter: DeadLetter) -> str:
        """Return the reason as the customer reads it."""
        told = letters.words(letter)
        return told.because if told else "The mapping does not know this entity any more."

    @admin.display(description="what to do")
    def what_to_do(self, letter: DeadLetter) -> str:
        """Return the fix as the customer reads it."""
        told = letters.words(letter)
        return told.fix if told else ""

    @admin.display(description="as it came from legacy")
    def as_it_came(self, letter: DeadLetter) -> SafeString:
        """Lead to the page that shows it to whoever says why they look."""
        return format_html('<a href="{}">Look at the row</a>', reverse("staff_backfills:letter", args=[letter.pk]))


@admin.register(Retry)
class RetryAdmin(StaffAdmin):
    """Every time that rejected rows were judged again: by which version, and what became of them."""

    may_view = Permission.VIEW_RUNS
    list_display = ("run", "tenant", "state", "asked", "settled", "changed", "spec", "requested_at", "finished_at")
    list_filter = ("state", "run__entity")
    list_select_related = ("tenant", "run")
    search_fields = ("tenant__name", "spec")
    ordering = ("-requested_at", "-id")


@admin.register(SpecVersion)
class SpecVersionAdmin(StaffAdmin):
    """Every version of the mapping that judged a row, word for word, and what changed in it."""

    may_view = Permission.VIEW_RUNS
    list_display = ("label", "entity", "version", "first_used_at")
    list_filter = ("entity",)
    search_fields = ("label", "sha256")
    ordering = ("entity", "-first_used_at", "-id")
    fields = ("entity", "version", "label", "sha256", "first_used_at", "what_changed", "whole_text")
    readonly_fields = ("first_used_at", "what_changed", "whole_text")

    @admin.display(description="changed since the version before")
    def what_changed(self, version: SpecVersion) -> str | SafeString:
        """Return the changes since the version that was used before this one."""
        before = versions.before(version)
        if before is None:
            return "It is the first one."
        try:
            found = changes.between(versions.read(before), versions.read(version))
        except versions.UnableToCompare as refusal:
            return refusal.message
        lines = ((one.kind, one.part.value.lower(), one.name, one.before or "–", one.after or "–") for one in found)
        return format_html_join("", "<div>{} ({}) <b>{}</b>: {} → {}</div>", lines) or "Comments and layout only."

    @admin.display(description="text")
    def whole_text(self, version: SpecVersion) -> SafeString:
        """Return the text as it was used."""
        return format_html("<pre>{}</pre>", version.text)


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


__all__ = ["DeadLetterAdmin", "RetryAdmin", "RunAdmin", "SpecVersionAdmin"]
