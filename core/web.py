"""The one way into a view: each view declares its access, opens its scope, and answers page or fragment."""

import functools
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.module_loading import import_string

from core import tenancy
from core.actor import Actor
from core.errors import NotFound, PermissionRefused, UseCaseError
from core.permissions import Permission

ACCESS = "crossing_access"
"""The attribute that declares who may call a view; a test fails on a view without it."""

_BOUND = "crossing_bound"
"""The attribute of a streamed response that says its body keeps its scope."""

type View = Callable[..., HttpResponseBase]


class ActingRequest(HttpRequest):
    """What a view of a tenant or of staff is called with: the request of somebody who may act. For annotations."""

    actor: Actor
    tenant: Any


def public_view(view: View) -> View:
    """Declare a view open to everyone (sign-in, health)."""
    setattr(view, ACCESS, "public")
    return view


def account_view(view: View) -> View:
    """Declare a view for every signed-in person, outside any tenant."""
    guarded = login_required(view)
    setattr(guarded, ACCESS, "account")
    return guarded


def staff_view(permission: Permission, *, reason: str) -> Callable[[View], View]:
    """Declare a view for the vendor's people who hold the permission; it runs in a staff scope with the reason.

    A stranger meets the sign-in page, a customer 404, a staff member without the permission 403.
    """

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            actor = staff_actor(request)
            if actor is None:
                raise Http404
            if not actor.can(permission):
                raise PermissionRefused
            request.actor = actor  # type: ignore[attr-defined]  # the request carries who acts
            with tenancy.staff_scope(by=actor, reason=reason):
                return settle(view(request, *args, **kwargs))

        wrapped = login_required(guarded)
        setattr(wrapped, ACCESS, f"staff:{permission}")
        return wrapped

    return decorate


def tenant_view(permission: Permission) -> Callable[[View], View]:
    """Declare a view of one tenant: `/t/<slug>/…`, called with the tenant's row and inside its scope.

    Someone who is not signed in meets the sign-in page, a stranger 404 (whether or not the tenant
    exists), a member without the permission 403.
    """

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def guarded(request: HttpRequest, *args: Any, slug: str, **kwargs: Any) -> HttpResponseBase:
            person: UUID = request.user.pk  # type: ignore[assignment]  # signed in, or `login_required` had answered
            membership = tenancy.find_membership(user_id=person, slug=slug)
            if membership is None:
                raise Http404
            actor = Actor.member(
                user_id=person,
                tenant_id=membership.tenant_id,
                role=membership.role,
                name=str(request.user),
            )
            request.actor = actor  # type: ignore[attr-defined]  # the request carries who acts
            if membership.sso_only and (refused := _require_company_sign_in(request, membership)):
                return refused
            with tenancy.scope(tenant_id=membership.tenant_id):
                if not actor.can(permission, tenant_id=membership.tenant_id):
                    raise PermissionRefused(
                        f"Your role in this account does not include “{permission.value.replace('_', ' ')}”.",
                        fix="Ask an owner of your account to do this or to change your role.",
                    )
                tenant = _tenant_row(membership.tenant_id)
                request.tenant = tenant  # type: ignore[attr-defined]  # for the base template
                return settle(view(request, tenant, *args, **kwargs))

        wrapped = login_required(guarded)
        setattr(wrapped, ACCESS, f"tenant:{permission}")
        return wrapped

    return decorate


def staff_actor(request: HttpRequest) -> Actor | None:
    """Return the signed-in staff member as an actor, or None for anyone else."""
    user = request.user
    if not (user.is_authenticated and user.is_active and user.is_staff):
        return None
    roles = _staff_roles(user.pk)
    return Actor.staff(user_id=user.pk, roles=roles, name=str(user))


def settle[R: HttpResponseBase](response: R) -> R:
    """Bind a response to the scope that is open: render a lazy one now, let a streamed body reopen it later.

    Safe to repeat: an inner scope that bound the body keeps it.
    """
    if hasattr(response, "render") and callable(response.render):
        response.render()
    elif isinstance(response, StreamingHttpResponse) and not response.is_async and not hasattr(response, _BOUND):
        response.streaming_content = tenancy.stream(response)
        setattr(response, _BOUND, True)
    return response


def answer(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any],
    *,
    to: str,
    problem: UseCaseError | None = None,
) -> HttpResponse:
    """Answer a POST: to htmx the fragment `page.html#part`, to a plain browser a redirect or the whole page.

    `template` names the fragment, `to` the address of the page it belongs to. A problem comes back with its
    status (422 unless the refusal says otherwise), shown in the fragment, or as a message after the redirect.
    """
    is_htmx = request.headers.get("HX-Request") == "true"
    if not is_htmx:
        from django.contrib import messages

        if problem is not None:
            messages.error(request, " ".join(filter(None, (problem.message, problem.fix))))
        return HttpResponseRedirect(to)
    response = render(
        request, template, {**context, "problem": problem}, status=problem.status if problem is not None else 200
    )
    patch_vary_headers(response, ["HX-Request"])
    return response


class Refusals:
    """Middleware: a refusal that no view answered becomes its page, with its reason and its status."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass the request on."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Turn a use case's refusal into a page that says why and what to do."""
        if isinstance(exception, NotFound):
            raise Http404 from exception
        if not isinstance(exception, UseCaseError):
            return None
        return render(request, "refused.html", {"problem": exception}, status=exception.status)


def _tenant_row(tenant_id: Any) -> Any:
    """Read the tenant through the app that owns it; the floor imports no app by name."""
    return import_string("accounts.queries.tenants.get")(tenant_id=tenant_id)


def _require_company_sign_in(request: HttpRequest, membership: tenancy.Membership) -> HttpResponse | None:
    """Return the page that leads a session opened by a password to the company's sign-in; None where it counts."""
    page: HttpResponse | None = import_string("accounts.views.company_sign_in.require")(
        request, membership.tenant_id, provider_id=membership.sso_only
    )
    return page


def _staff_roles(user_id: Any) -> frozenset[str]:
    roles: frozenset[str] = import_string("accounts.queries.staff.roles_of")(user_id=user_id)
    return roles


__all__ = [
    "ACCESS",
    "ActingRequest",
    "Refusals",
    "account_view",
    "answer",
    "public_view",
    "settle",
    "staff_actor",
    "staff_view",
    "tenant_view",
]
