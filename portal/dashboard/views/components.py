"""A staff page that shows every component in each of its states, with made-up content."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from core.charts import Goal, Point
from core.errors import UseCaseError
from core.permissions import Permission
from core.templatetags.crossing import STATES
from core.web import staff_view
from portal.dashboard.queries.figures import Figure


class ExampleForm(forms.Form):
    """A form that is always wrong, to show what being wrong looks like."""

    domain = forms.CharField(help_text="The domain your people sign in with.")
    starts_at = forms.DateTimeField(label="Cutover start", widget=forms.DateTimeInput(attrs={"type": "datetime-local"}))
    pace = forms.ChoiceField(choices=[("canary", "Canary first (recommended)"), ("full", "Everyone at once")])
    note = forms.CharField(widget=forms.Textarea, required=False)
    told = forms.BooleanField(label="Everyone concerned knows the date")


@require_safe
@staff_view(Permission.VIEW_PROGRAMME, reason="component page")
def gallery(request: HttpRequest) -> HttpResponse:
    """Show the components."""
    form = ExampleForm({"domain": "", "starts_at": "", "pace": "canary"})
    page = Paginator(range(1, 1241), 20).get_page(request.GET.get("page", 3))
    return render(request, "portal/components.html", {**examples(), "form": form, "page": page, "states": STATES})


def examples() -> dict[str, Any]:
    """Return made-up content for each component."""
    now = timezone.now()
    days = [Point(f"{day} Nov", 99.56 + day * 0.033 - (day % 4) * 0.012) for day in range(9, 23)]
    return {
        "steps": [
            SimpleNamespace(label="Discover", hint="Done 3 Nov", state="done"),
            SimpleNamespace(label="Prepare", hint="Done 14 Nov", state="done"),
            SimpleNamespace(label="Preflight", hint="6 of 8 checks pass", state="now"),
            SimpleNamespace(label="Canary", hint="from 5 Dec", state="next"),
            SimpleNamespace(label="Stabilise", hint="14 days", state="next"),
        ],
        "figures": [
            _figure("Record parity", "99.97%", "target 99.90%", [99.6, 99.7, 99.82, 99.81, 99.97], "pass", "On target"),
            _figure("Open blockers", "2", "target 0", [7, 6, 6, 4, 2], "block", "Above target"),
            _figure("Records moved", "4.82 M", "of 5.10 M", [], "running", "Moving", share=94),
            _figure("Age of data", "", "limit 5 min", [], "", "Not measured yet"),
        ],
        "records": [
            {"type": "TXT", "name": "_crossing-challenge.airline.example", "value": "token=b2k7qfzr3m4y6x"},
            {"type": "CNAME", "name": "sso.airline.example", "value": "eu.sso.crossing.example"},
        ],
        "entries": [
            SimpleNamespace(text="Backfill reached flights", at=now, tone="running", who="Crossing"),
            SimpleNamespace(text="Domain verified", at=now - timedelta(hours=5), tone="pass", who="Ana Ruiz"),
            SimpleNamespace(text="2 rows quarantined", at=now - timedelta(days=1), tone="warn", who=""),
            SimpleNamespace(text="Cutover opened", at=now - timedelta(days=40), tone="none", who=""),
        ],
        "days": days,
        "goal": Goal(99.9, "target 99.9%"),
        "bars": [Point("Flights", 18412), Point("Airports", 105), Point("Planes", 322), Point("Weather", None)],
        "outcomes": [
            Point("migrated", 51203),
            Point("transformed", 3120),
            Point("dropped by rule", 410),
            Point("merged", 24),
            Point("quarantined", 0),
        ],
        "lines": [
            ("same", "carrier: B6"),
            ("old", "departs: 2400"),
            ("new", "departs: 2013-02-01T05:00:00Z"),
            ("same", "tail: N618JB"),
        ],
        "problem": UseCaseError("The TXT record is not visible yet.", fix="DNS changes can take an hour. Check again."),
    }


def _figure(
    label: str, value: str, target: str, trend: list[float], state: str, words: str, share: int | None = None
) -> Figure:
    return Figure(label, value, target, state, words, trend, share)
