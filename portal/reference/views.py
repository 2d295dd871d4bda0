"""The API's description: as OpenAPI for tools, and as a page for people."""

import json

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from core.api import problems
from core.web import public_view
from portal.reference import description as described
from portal.reference import guide

GUIDE = "portal/guide.html"


@public_view
@require_safe
def description(request: HttpRequest) -> HttpResponse:
    """Answer with the OpenAPI description."""
    return HttpResponse(json.dumps(described.document()), content_type="application/vnd.oai.openapi+json;version=3.1")


@public_view
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Show the description to a person."""
    context = {"reference": described.reference(), "problems": problems.KINDS}
    return render(request, "portal/api.html", context)


@public_view
@require_safe
def domains(request: HttpRequest) -> HttpResponse:
    """Show how a domain is proven, to whoever edits DNS: the same page as in `docs/`."""
    return render(request, GUIDE, {"guide": guide.read("domains.md")})


@public_view
@require_safe
def single_sign_on(request: HttpRequest) -> HttpResponse:
    """Show what is asked of an identity provider, to whoever looks after it: the same page as in `docs/`."""
    return render(request, GUIDE, {"guide": guide.read("single-sign-on.md")})
