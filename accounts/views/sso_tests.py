"""The tests of a tenant's single sign-on, and the mapping that is tried on them."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.domain import attributes
from accounts.domain.verdicts import PERSONAL, Check, Verdict
from accounts.models import SsoTest, Tenant
from accounts.queries import sso as known
from accounts.services import sso_mapping, sso_tests
from accounts.views import sso
from core import ports
from core.permissions import Permission
from core.saml import Assertion
from core.web import ActingRequest, tenant_view

TEST = "accounts/sso_test.html"


@require_POST
@tenant_view(Permission.MANAGE_SSO)
def start_test(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Start a test and show the link by which it leaves.

    A link, not a redirect: the policy of our pages lets no form lead to another site.
    """
    started: list[SsoTest] = []
    answer = sso.do(
        request,
        tenant,
        lambda at: started.append(
            sso_tests.start(
                tenant_id=tenant.pk, by=request.actor, at=at, failover=request.POST.get("address") == "second"
            )
        ),
    )
    return redirect("accounts:sso_test", tenant.slug, started[0].pk) if started else answer


@require_safe
@tenant_view(Permission.VIEW_TENANT)
def show_test(request: ActingRequest, tenant: Tenant, test_id: UUID) -> HttpResponse:
    """Show a test: the link to leave by, that it has lapsed, or what every check found."""
    test = get_object_or_404(known.tests(tenant_id=tenant.pk).select_related("connection"), pk=test_id)
    context = _context(request, tenant, test)
    if context.get("assertion"):
        context |= _mapped(tenant, test, context["assertion"])
    return render(request, TEST, context)


@require_safe
@tenant_view(Permission.VIEW_TENANT)
def report(request: ActingRequest, tenant: Tenant, test_id: UUID) -> HttpResponse:
    """Hand out what a test found as a text that may be passed on: nothing in it speaks of a person."""
    test = get_object_or_404(known.tests(tenant_id=tenant.pk).select_related("connection"), pk=test_id)
    if test.answered_at is None:
        raise Http404
    headers = {"Content-Disposition": 'attachment; filename="sign-in-test.txt"'}
    return HttpResponse(known.report(test), content_type="text/plain; charset=utf-8", headers=headers)


@require_POST
@tenant_view(Permission.MANAGE_SSO)
def choose_mapping(request: ActingRequest, tenant: Tenant, test_id: UUID) -> HttpResponse:
    """Keep a mapping, or only try it on this test (`try`): whom it would find is shown, and nothing is kept."""
    test = get_object_or_404(known.tests(tenant_id=tenant.pk).select_related("connection"), pk=test_id)
    problem, tried, roles = None, None, request.POST.get("roles", "")
    try:
        tried = sso_mapping.read(request.POST, groups=roles)
        if "try" not in request.POST:
            sso_mapping.choose(tenant_id=tenant.pk, mapping=tried, by=request.actor, at=timezone.now())
            return redirect("accounts:sso_test", tenant.slug, test.pk)
    except sso_mapping.UnableToMap as refusal:
        problem = refusal
    context = _context(request, tenant, test)
    if context.get("assertion"):
        context |= _mapped(tenant, test, context["assertion"], tried=tried)
        if problem:
            context["roles"] = roles
    template = f"{TEST}#mapping" if request.headers.get("HX-Request") == "true" else TEST
    return render(request, template, {**context, "mapping_problem": problem}, status=problem.status if problem else 200)


def _context(request: ActingRequest, tenant: Tenant, test: SsoTest) -> dict[str, Any]:
    may_manage = sso.may_manage(request, tenant)
    context: dict[str, Any] = {
        "tenant": tenant,
        "test": test,
        "may_manage": may_manage,
        "may_trust": sso.may_trust(request, tenant),
        "has_lapsed": test.answered_at is None and test.expires_at <= timezone.now(),
        "is_current": test.fingerprint == test.connection.fingerprint,
    }
    if test.answered_at is not None:
        context |= _answered(test, may_manage=may_manage)
    return context


def _answered(test: SsoTest, *, may_manage: bool) -> dict[str, object]:
    """Return what a test's answer told; what it told of a person only to those who manage the connection."""
    kept = known.opened(test)
    rows = [check_row(check, may_manage=may_manage) for check in kept.checks]
    shown: dict[str, object] = {
        "is_trusted": kept.is_trusted,
        "failed": [row for row in rows if row["state"] == "fail"],
        "others": [row for row in rows if row["state"] != "fail"],
        "is_purged": not test.sealed,
    }
    if may_manage and test.sealed:
        shown |= {
            "assertion": kept.assertion,
            "raw": ports.identity_provider().redacted(kept.message),
        }
    return shown


def check_row(check: Check, *, may_manage: bool) -> dict[str, object]:
    """Return a check as `accounts/_sso_check.html` shows it."""
    hidden = check.code in PERSONAL and not may_manage
    state = "unknown" if check.verdict is Verdict.PASS and not check.is_trusted else check.verdict.value
    words = "Not to be trusted" if state == "unknown" else ""
    return {
        "code": check.code.value,
        "title": check.title,
        "state": state,
        "words": words,
        "expected": check.expected,
        "got": "(shown to owners and admins)" if hidden and check.got else check.got,
        "fix": check.fix,
        "is_trusted": check.is_trusted,
    }


def _mapped(
    tenant: Tenant, test: SsoTest, assertion: Assertion, *, tried: attributes.AttributeMapping | None = None
) -> dict[str, object]:
    """Return the form of the mapping, and whom it finds in this answer: as it is kept, or as it is tried."""
    kept = known.mapping(test.connection)
    chosen = tried or kept
    found, names = attributes.person(assertion, chosen), attributes.names(assertion)
    return {
        "mapping": [
            {
                "name": name,
                "label": label,
                "value": getattr(chosen, name),
                "choices": _choices(name, names, getattr(chosen, name)),
                "found": _found(found, name),
            }
            for name, label in attributes.LABELS.items()
        ],
        "roles": "\n".join(f"{group} = {role}" for group, role in chosen.roles.items()),
        "role": found.role,
        "addresses": found.addresses,
        "member": known.member_named(tenant_id=tenant.pk, addresses=found.addresses),
        "is_tried": chosen != kept,
    }


def _choices(name: str, names: tuple[str, ...], chosen: str) -> list[tuple[str, str]]:
    """Return what may be chosen: what the answer has, and what is chosen although this answer lacks it."""
    usual = "The NameID, or an attribute with a usual name" if name == "email" else "An attribute with a usual name"
    known_names = [(attributes.NAME_ID, "NameID")] if name in {"email", "external_id"} else []
    known_names += [(each, each) for each in names]
    if chosen and chosen not in dict(known_names):
        known_names.append((chosen, f"{chosen} (not in this answer)"))
    return [("", usual), *known_names]


def _found(person: attributes.Person, name: str) -> str:
    if name in {"email", "groups"}:
        return ", ".join(person.addresses if name == "email" else person.groups)
    return str(getattr(person, name))
