"""The workflow catalogue for the vendor's people: a segment's matrix, and where a guide is missing."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from core.permissions import Permission
from core.web import staff_view
from parity_reports.queries import changes


@require_safe
@staff_view(Permission.VIEW_PROGRAMME, reason="read the workflow catalogue")
def workflows(request: HttpRequest) -> HttpResponse:
    """Show the matrix of one segment; the first one unless another is asked for."""
    segments = changes.segments()
    asked = request.GET.get("segment", "")
    segment = asked if asked in segments else next(iter(segments), "")
    context = {"segments": segments, "segment": segment, "rows": changes.matrix(segment=segment)}
    return render(request, "parity_reports/staff_workflows.html", context)
