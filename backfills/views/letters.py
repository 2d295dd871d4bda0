"""A rejected row for whoever of the vendor finds out why it was rejected."""

from collections.abc import Mapping
from uuid import UUID

from django import forms
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from backfills.queries import letters as queries
from backfills.services import letters
from core.errors import PermissionRefused, UseCaseError
from core.permissions import Permission
from core.web import ActingRequest, staff_view


class WhyForm(forms.Form):
    """Why somebody looks at a row."""

    reason = forms.CharField(
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Name the matter, not a person: it is kept in the activity log.",
    )


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view(Permission.VIEW_RUNS, reason="a rejected row")
def page(request: ActingRequest, letter_id: UUID) -> HttpResponse:
    """Tell why a row was rejected; show it, once, in the answer to whoever says why they look."""
    letter = queries.find(letter_id=letter_id)
    if letter is None:
        raise Http404
    may_show, form = request.actor.can(Permission.SHOW_ROWS, tenant_id=letter.tenant_id), WhyForm(request.POST or None)
    if request.method == "POST" and not may_show:
        raise PermissionRefused
    row: Mapping[str, object] | None = None
    problem: UseCaseError | None = None
    if request.method == "POST" and form.is_valid():
        try:
            row = letters.show(letter=letter, reason=form.cleaned_data["reason"], by=request.actor, at=timezone.now())
        except letters.UnableToShow as refusal:
            problem = refusal
    context = {
        "letter": letter,
        "name": queries.name(letter),
        "words": queries.words(letter),
        "form": form,
        "row": row,
        "problem": problem,
        "may_show": may_show,
        "has_copy": bool(letter.payload),
    }
    status = problem.status if problem else 422 if request.method == "POST" and row is None else 200
    return render(request, "backfills/letter.html", context, status=status)
