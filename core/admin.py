"""The base of the staff's admin: pages read by default, and every change is one use case.

An app describes its rows with `StaffAdmin`, adds what can be done to a row with `@operation`, and shows
itself on the tenant's page and in the tenants' list through `TENANT_PANELS` and `TENANT_COLUMNS`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, ClassVar
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.contrib.admin import site
from django.contrib.admin.views.main import PAGE_VAR, SEARCH_VAR
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

from core import lookups, searches
from core.actor import Actor
from core.errors import UseCaseError
from core.forms import UntilForm
from core.permissions import Permission
from core.registry import Registry
from core.web import staff_actor


def _form(kind: type[forms.Form], request: HttpRequest, row: Any) -> forms.Form:
    """Make the form of an operation on a row; where it asks for a day, that ends where the tenant is, and says so."""
    if not issubclass(kind, UntilForm):
        return kind(request.POST or None)
    zone = ZoneInfo(getattr(row, "tenant", row).time_zone)
    form = kind(request.POST or None, zone=zone)
    asked = form.fields["until"]
    asked.help_text = f"{asked.help_text} The day ends in the customer's time zone, {zone}.".strip()
    return form


@dataclass(frozen=True, slots=True)
class TenantPanel:
    """A part of the tenant's page in the admin: a template and what it needs, read for one tenant."""

    title: str
    template: str
    context: Callable[[UUID], Mapping[str, Any]]
    order: int = 50


@dataclass(frozen=True, slots=True)
class TenantColumn:
    """A column of the tenants' list: its values are read for a whole page of tenants at once.

    Columns with the same `values` are read once, and each says by `tell` what it shows of them.
    """

    title: str
    values: Callable[[list[UUID]], Mapping[UUID, Any]]
    empty: str = "–"
    tell: Callable[[Any], Any] = field(default=lambda value: value)


@dataclass(frozen=True, slots=True)
class Number:
    """One of the programme's numbers on the front page: its value beside what it should be."""

    label: str
    value: str
    target: str = ""
    good: bool | None = None
    """Whether the target is met; None where there is nothing to meet."""
    url: str = ""


@dataclass(frozen=True, slots=True)
class ProgrammePanel:
    """A part of the admin's front page: a template and what it needs, read for the whole programme."""

    title: str
    template: str
    context: Callable[[datetime], Mapping[str, Any]]
    order: int = 50


PROGRAMME_NUMBERS: Registry[Callable[[datetime], list[Number]]] = Registry("sources of the programme's numbers")
PROGRAMME_PANELS: Registry[ProgrammePanel] = Registry("panels of the front page")
TENANT_PANELS: Registry[TenantPanel] = Registry("panels of the tenant's page")
TENANT_COLUMNS: Registry[TenantColumn] = Registry("columns of the tenants' list")


@dataclass(frozen=True, slots=True)
class Operation:
    """Something staff can do to a row: one use case behind one button, with a form where it needs answers."""

    name: str
    label: str
    permission: Permission
    run: Callable[..., str]
    form: type[forms.Form] | None = None
    when: Callable[[Any], bool] | None = None


TENANT_OPERATIONS: Registry[Operation] = Registry("operations on a tenant")
"""What apps above let staff do on a tenant's page; `run` gets `(page, request, tenant, answers)`."""


def operation(
    label: str,
    *,
    permission: Permission,
    form: type[forms.Form] | None = None,
    when: Callable[[Any], bool] | None = None,
) -> Callable[[Callable[..., str]], Callable[..., str]]:
    """Declare a method of a `StaffAdmin` as an operation.

    The method gets `(request, row, answers)`, calls one use case with `by=request.actor`, and returns the
    sentence to show. `when` says for which rows the button is there.
    """

    def decorate(method: Callable[..., str]) -> Callable[..., str]:
        made = Operation(method.__name__, label, permission, method, form, when)
        method.operation = made  # type: ignore[attr-defined]  # found again by StaffAdmin.operations
        return method

    return decorate


class StaffList(ChangeList):  # type: ignore[misc]  # unfold ships no types
    """A list whose address holds a reference to what is searched for, and never the words themselves."""

    def get_queryset(self, request: HttpRequest, exclude_parameters: list[str] | None = None) -> QuerySet[Any]:
        """Search by the words that the reference stands for."""
        self.query = searches.recall(request, self.params.get(SEARCH_VAR, "")) or ""
        found: QuerySet[Any] = super().get_queryset(request, exclude_parameters)
        return found


class StaffAdmin(ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    """A page of the admin for the vendor's people: seen with `may_view`, changed only through operations."""

    may_view: ClassVar[Permission] = Permission.VIEW_PROGRAMME
    show_full_result_count = False
    list_per_page = 50
    actions: ClassVar[tuple[str, ...] | None] = None
    """Nothing is done to many rows at once, unless a page names what."""
    change_form_outer_after_template = "admin/operations.html"

    @classmethod
    def operations(cls) -> list[Operation]:
        """Return what can be done to a row of this page."""
        found = (getattr(getattr(cls, name), "operation", None) for name in dir(cls))
        return sorted((item for item in found if isinstance(item, Operation)), key=lambda item: item.label)

    def actor(self, request: HttpRequest) -> Actor:
        """Return who acts; raises PermissionDenied for anyone but staff."""
        actor: Actor | None = getattr(request, "actor", None)
        if actor is None or not actor.roles:
            actor = staff_actor(request)
        if actor is None:
            raise PermissionDenied
        request.actor = actor  # type: ignore[attr-defined]  # the request carries who acts
        return actor

    def _sees(self, request: HttpRequest) -> bool:
        try:
            return self.actor(request).can(self.may_view)  # one look at their roles, however many pages are listed
        except PermissionDenied:
            return False

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Show the page in the navigation to whoever may see it."""
        return self._sees(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let whoever holds `may_view` read."""
        return self._sees(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is added except by a use case."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is changed except by a use case."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is deleted here."""
        return False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Refuse to filter by what would tell bit by bit what the page does not show (`core.lookups`)."""
        return lookups.is_harmless(self, lookup) and bool(super().lookup_allowed(lookup, value, request))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Name first whose row it is, also on pages that do not list it: nobody decides for the wrong customer."""
        fields = [*super().get_fields(request, obj)]
        is_told = {"tenant", "account"} & set(fields) or not hasattr(self.model, "tenant_id")
        return fields if is_told else ["tenant", *fields]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[StaffList]:
        """Use the list that keeps what is searched for out of its address."""
        return StaffList

    def get_search_fields(self, request: HttpRequest) -> Iterable[str]:
        """Return what the list searches; nothing for look-ups as one types, whose words stand in an address."""
        match = request.resolver_match
        asked_by_address = match is not None and match.url_name == "autocomplete"
        return () if asked_by_address else self.search_fields

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the list; what is searched for comes by POST, and words that come in the address are taken out of it."""
        asked = request.GET.get(SEARCH_VAR)
        if request.method == "POST" and SEARCH_VAR in request.POST and self._sees(request):
            return self._list(request, searches.keep(request, request.POST[SEARCH_VAR]))
        if asked is not None and searches.recall(request, asked) is None:
            messages.warning(request, "That search has ended. Type what you look for into the field of the list.")
            return self._list(request, "")
        page: HttpResponse = super().changelist_view(request, extra_context)
        return page

    def _list(self, request: HttpRequest, reference: str) -> HttpResponse:
        """Lead to the first page of the list with its filters, and what is searched for by its reference."""
        asked = request.GET.copy()
        for name in (SEARCH_VAR, PAGE_VAR):
            asked.pop(name, None)
        if reference:
            asked[SEARCH_VAR] = reference
        return HttpResponseRedirect(f"{request.path}?{asked.urlencode()}" if asked else request.path)

    def get_urls(self) -> list[URLPattern]:
        """Add one address per operation."""
        info = self.opts.app_label, self.opts.model_name
        own = [
            path(
                f"<uuid:pk>/{item.name}/",
                self.admin_site.admin_view(partial(self._operate, item=item)),
                name="{}_{}_{}".format(*info, item.name),
            )
            for item in self.operations()
        ]
        theirs: list[URLPattern] = super().get_urls()
        return own + theirs

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show the row with the buttons of what may be done to it."""
        row = self.get_object(request, object_id) if object_id else None
        buttons = [] if row is None else self.buttons(request, row)
        context = {"operations": buttons, **(extra_context or {})}
        page: HttpResponse = super().changeform_view(request, object_id, form_url, context)
        return page

    def buttons(self, request: HttpRequest, row: Any) -> list[dict[str, Any]]:
        """Return label and address of each operation open to this actor on this row."""
        actor = self.actor(request)
        return [
            {"label": item.label, "url": self.operation_url(item, row.pk), "asks": item.form is not None}
            for item in self.operations()
            if actor.can(item.permission) and (item.when is None or item.when(row))
        ]

    def operation_url(self, item: Operation, pk: Any) -> str:
        """Return the address of an operation on a row."""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{item.name}", args=[pk])

    def _operate(self, request: HttpRequest, pk: UUID, *, item: Operation) -> HttpResponse:
        actor = self.actor(request)
        if not actor.can(item.permission):
            raise PermissionDenied
        row = self.get_object(request, str(pk))
        if row is None:
            raise Http404
        back = self._back(request, row)
        form = _form(item.form, request, row) if item.form else None
        if request.method == "POST" and (form is None or form.is_valid()):
            try:
                said = item.run(self, request, row, form.cleaned_data if form else {})
            except UseCaseError as refusal:
                text = " ".join(filter(None, (refusal.message, refusal.fix)))
                if form is None:
                    messages.error(request, text)
                    return HttpResponseRedirect(back)
                form.add_error(None, text)
            else:
                messages.success(request, said)
                return HttpResponseRedirect(back)
        context = {
            **self.admin_site.each_context(request),
            "title": f"{item.label}: {row}" + (f" ({row.tenant})" if getattr(row, "tenant_id", None) else ""),
            "opts": self.opts,
            "operation": item,
            "form": form,
            "row": row,
            "back": back,
        }
        refused = request.method == "POST"
        return render(request, "admin/operation.html", context, status=422 if refused else 200)

    def _back(self, request: HttpRequest, row: Any) -> str:
        wanted = request.POST.get("next") or request.GET.get("next") or ""
        if url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()}):
            return wanted
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[row.pk])


def front_page(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the programme's numbers and panels to the front page of the admin (unfold's DASHBOARD_CALLBACK)."""
    actor = staff_actor(request)
    if actor is None or not actor.can(Permission.VIEW_PROGRAMME):
        return context
    at = timezone.now()
    panels = [
        {"title": panel.title, "template": panel.template, **panel.context(at)}
        for panel in sorted(PROGRAMME_PANELS.values(), key=lambda item: item.order)
    ]
    return {
        **context,
        "title": "Programme",
        "numbers": [number for read in PROGRAMME_NUMBERS.values() for number in read(at)],
        "panels": panels,
    }


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the navigation: the front page, then each app's pages as far as this person may see them."""
    pages = [("Front page", "admin:index", "route"), ("Dashboard", "staff_dashboard:programme", "table_chart")]
    first = {
        "title": "Programme",
        "items": [{"title": t, "link": reverse(url), "icon": icon} for t, url, icon in pages],
    }
    apps = [
        {
            "title": app["name"],
            "items": [{"title": model["name"], "link": model["admin_url"]} for model in app["models"]],
        }
        for app in site.get_app_list(request)
    ]
    return [first, *apps]


def read_panels(tenant_id: UUID) -> Iterable[dict[str, Any]]:
    """Read every panel of one tenant's page, in order."""
    for panel in sorted(TENANT_PANELS.values(), key=lambda item: item.order):
        yield {"title": panel.title, "template": panel.template, **panel.context(tenant_id)}
