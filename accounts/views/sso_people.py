"""Who signs in by the tenant's provider: the history, the links that wait for a decision, and the rules that stand."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.domain import roles
from accounts.domain.signing_in import OUTCOMES, REASONS, Outcome, Reason
from accounts.models import SsoSignIn, StandingRule, Tenant
from accounts.queries import domains, identities
from accounts.queries import sso as known
from accounts.services import identity_links
from accounts.services.identity_links import UnableToDecide, UnableToRule
from accounts.views.sso_tests import check_row
from core.errors import UseCaseError
from core.permissions import Permission, TenantRole
from core.web import ActingRequest, tenant_view

HISTORY = "accounts/sso_sign_ins.html"
LINKS = "accounts/sso_links.html"
A_PAGE = 25
_STATES = {Outcome.SIGNED_IN: "pass", Outcome.JOINED: "pass", Outcome.WAITING: "warn", Outcome.REFUSED: "fail"}


@require_safe
@tenant_view(Permission.VIEW_MEMBERS)
def history(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Show every sign-in of late: how it ended and why."""
    page = Paginator(known.sign_ins(tenant_id=tenant.pk), A_PAGE).get_page(request.GET.get("page"))
    rows = [_line(sign_in) for sign_in in page]
    waiting = identities.waiting(tenant_id=tenant.pk).count()
    return render(request, HISTORY, {"tenant": tenant, "page": page, "rows": rows, "waiting": waiting})


@require_safe
@tenant_view(Permission.VIEW_MEMBERS)
def show(request: ActingRequest, tenant: Tenant, sign_in_id: UUID) -> HttpResponse:
    """Show one sign-in: what every check found, and what to do."""
    sign_in = get_object_or_404(known.sign_ins(tenant_id=tenant.pk), pk=sign_in_id)
    may_manage = request.actor.can(Permission.MANAGE_SSO, tenant_id=tenant.pk)
    kept = known.opened(sign_in)
    checks = [check_row(check, may_manage=may_manage) for check in kept.checks]
    context = {
        "tenant": tenant,
        "line": _line(sign_in),
        "checks": sorted(checks, key=lambda row: row["state"] != "fail"),
        "is_trusted": kept.is_trusted,
        "addresses": kept.addresses if may_manage else (),
    }
    return render(request, "accounts/sso_sign_in.html", context)


@require_safe
@tenant_view(Permission.VIEW_MEMBERS)
def links(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Show the links that wait, the standing rules, what was rejected, and everybody who is linked."""
    return render(request, LINKS, _links(request, tenant))


@require_POST
@tenant_view(Permission.MANAGE_SSO)
def decide(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Approve or reject the chosen links, all or none."""
    chosen = [found for found in map(_uuid, request.POST.getlist("proposal")) if found]
    return _do(
        request, tenant,
        lambda at: identity_links.decide(
            tenant_id=tenant.pk, proposal_ids=chosen, approve=request.POST.get("decision") == "approve",
            by=request.actor, at=at,
        ),
    )  # fmt: skip


@require_POST
@tenant_view(Permission.MANAGE_SSO)
def reopen(request: ActingRequest, tenant: Tenant, proposal_id: UUID) -> HttpResponse:
    """Take a rejection back."""
    return _do(
        request, tenant,
        lambda at: identity_links.reopen(tenant_id=tenant.pk, proposal_id=proposal_id, by=request.actor, at=at),
    )  # fmt: skip


@require_POST
@tenant_view(Permission.MANAGE_SSO)
def unlink(request: ActingRequest, tenant: Tenant, identity_id: UUID) -> HttpResponse:
    """Undo a link."""
    return _do(
        request, tenant,
        lambda at: identity_links.unlink(tenant_id=tenant.pk, identity_id=identity_id, by=request.actor, at=at),
    )  # fmt: skip


@require_POST
@tenant_view(Permission.MANAGE_SSO)
def make_rule(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Let a rule stand for a domain."""
    domain, kind = request.POST.get("domain", ""), request.POST.get("kind", "")
    return _do(
        request, tenant,
        lambda at: identity_links.make_rule(tenant_id=tenant.pk, domain=domain, kind=kind, by=request.actor, at=at),
    )  # fmt: skip


@require_POST
@tenant_view(Permission.MANAGE_SSO)
def end_rule(request: ActingRequest, tenant: Tenant, rule_id: UUID) -> HttpResponse:
    """End a standing rule."""
    return _do(
        request, tenant,
        lambda at: identity_links.end_rule(tenant_id=tenant.pk, rule_id=rule_id, by=request.actor, at=at),
    )  # fmt: skip


def _do(request: ActingRequest, tenant: Tenant, use: Callable[[datetime], object]) -> HttpResponse:
    """Do what was asked and go back to the page, or show there why not."""
    problem: UseCaseError
    try:
        use(timezone.now())
    except (UnableToDecide, UnableToRule) as refusal:
        problem = refusal
    else:
        return redirect("accounts:sso_links", tenant.slug)
    return render(request, LINKS, {**_links(request, tenant), "problem": problem}, status=problem.status)


def _links(request: ActingRequest, tenant: Tenant) -> dict[str, object]:
    waiting = identities.waiting(tenant_id=tenant.pk)
    proven = domains.verified_names(tenant_id=tenant.pk)
    rules = list(identities.rules(tenant_id=tenant.pk))
    shown = list(waiting[: identity_links.MOST_AT_ONCE])
    may_manage = request.actor.can(Permission.MANAGE_SSO, tenant_id=tenant.pk)
    mine = roles.grantable(request.actor.roles) if may_manage else ()
    return {
        "tenant": tenant,
        "proposals": [{"row": row, "why": REASONS[Reason(row.reason)][0]} for row in shown],
        "waiting": waiting.count(),
        "rules": [{"row": rule, "holds": rule.domain in proven} for rule in rules],
        "domains": proven,
        "kinds": StandingRule.Kind.choices,
        "rejected": identities.rejected(tenant_id=tenant.pk)[:A_PAGE],
        "page": Paginator(identities.linked(tenant_id=tenant.pk), A_PAGE).get_page(request.GET.get("page")),
        "may_manage": may_manage,
        "mine": mine,
        "may_decide": any(row.member.role in mine for row in shown),
        "may_rule": TenantRole.OWNER in mine,
    }


def _line(sign_in: SsoSignIn) -> dict[str, object]:
    outcome, (why, fix) = Outcome(sign_in.outcome), REASONS[Reason(sign_in.reason)]
    return {"row": sign_in, "state": _STATES[outcome], "words": OUTCOMES[outcome], "why": why, "fix": fix}


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
