"""What the shell around every page shows: navigation, tenants to choose from, notices. Read only if it is drawn."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from accounts.queries.tenants import Tenant
from core import banners, navigation, tenancy
from core.actor import Actor
from core.banners import Banner


@dataclass(frozen=True, slots=True)
class Link:
    """A page in the sidebar, as this person sees it now."""

    label: str
    path: str
    icon: str
    words: str
    section: str
    count: int
    current: str
    """The value of aria-current: `page`, `true` for the section around a deeper page, or nothing."""


class Shell:
    """The shell of one request."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @cached_property
    def links(self) -> list[Link]:
        """The pages of the tenant that this person may see."""
        tenant, actor = self.tenant, self._actor
        if tenant is None or actor is None:
            return []
        path = self._request.path
        seen = [
            (entry, reverse(entry.url, args=[tenant.slug]))
            for entry in navigation.entries()
            if actor.can(entry.permission, tenant_id=tenant.pk)
        ]
        section = max((at for _, at in seen if path.startswith(at)), key=len, default="")
        return [
            Link(
                label=entry.label,
                path=at,
                icon=entry.icon,
                words=entry.words,
                section=entry.section.value,
                count=entry.count(tenant.pk) if entry.count else 0,
                current="" if at != section else "page" if at == path else "true",
            )
            for entry, at in seen
        ]

    @cached_property
    def here(self) -> Link | None:
        """The sidebar's entry for this page, or for the section it belongs to."""
        return next((link for link in self.links if link.current), None)

    @cached_property
    def tenant(self) -> Tenant | None:
        """The tenant whose pages these are."""
        return getattr(self._request, "tenant", None)

    @cached_property
    def banners(self) -> list[Banner]:
        """What everybody of the tenant must know now, without what this person has put away."""
        user_id = self._request.user.pk
        if self.tenant is None or user_id is None:
            return []
        return banners.shown(tenant_id=self.tenant.pk, user_id=user_id, at=timezone.now())

    @cached_property
    def tenants(self) -> list[tenancy.TenantName]:
        """Every tenant this person may open."""
        user = self._request.user
        return tenancy.find_memberships(user_id=user.pk) if user.is_authenticated else []

    @cached_property
    def initials(self) -> str:
        """Two letters for the person."""
        words = str(self._request.user).replace("@", " ").replace(".", " ").split()
        return "".join(word[0] for word in words[:2]).upper()

    @property
    def _actor(self) -> Actor | None:
        return getattr(self._request, "actor", None)


def context(request: HttpRequest) -> dict[str, Any]:
    """Give every template the shell, and the tenant where there is one."""
    return {"shell": Shell(request), "tenant": getattr(request, "tenant", None)}
