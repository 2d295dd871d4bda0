"""What a message says about a tenant at a moment: the values of its placeholders, and its whole text."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import reverse

from accounts.queries import tenants
from accounts.queries.tenants import Tenant
from comms.domain import letters, timeline
from comms.domain.ladder import Template
from cutover.domain.phases import Phase
from cutover.queries import cutovers


@dataclass(frozen=True, slots=True)
class Words:
    """A message as it would leave."""

    subject: str
    text: str
    link: str

    @property
    def html(self) -> str:
        """The same as HTML paragraphs."""
        return letters.as_html(self.text, link=self.link)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the messages of one tenant are about."""

    tenant: Tenant
    cutover: Any
    """Its cutover, or None before it is opened."""

    @property
    def phase(self) -> Phase:
        """The tenant's phase."""
        return Phase(self.cutover.phase) if self.cutover else Phase.DISCOVER

    @property
    def window(self) -> str:
        """The window in words, in the tenant's zone."""
        cutover = self.cutover
        if cutover is None or cutover.window_starts_at is None or cutover.window_ends_at is None:
            return "a date that is still to be set"
        return timeline.in_words(cutover.window_starts_at, cutover.window_ends_at, zone=self.tenant.time_zone)

    @property
    def contact(self) -> str:
        """Whom to ask."""
        if self.cutover is not None and self.cutover.runbook_owner is not None:
            return f"Ask {self.cutover.runbook_owner}, who owns your runbook, or ask us under “Support”."
        return "Ask us under “Support”."


def facts(*, tenant_id: UUID) -> Facts:
    """Read what the messages of a tenant are about."""
    return Facts(tenants.get(tenant_id=tenant_id), cutovers.find(tenant_id=tenant_id))


def sample() -> Facts:
    """Return an airline that does not exist, to preview messages with."""
    return Facts(Tenant(name="Sample Air", slug="sample-air", time_zone="America/New_York"), None)


def write(template: Template, about: Facts, *, note: str = "", since: datetime | None = None) -> Words:
    """Write a message about a tenant as things stand, with the customer's own words under it.

    `since` is when what it tells of happened, if that has happened.
    """
    link = address(about.tenant.slug, template.page)
    values: Mapping[str, str] = {
        "tenant": about.tenant.name,
        "window": about.window,
        "phase": about.phase.label,
        "since": timeline.moment_in_words(since, zone=about.tenant.time_zone) if since else "the moment it happens",
        "link": link,
        "contact": about.contact,
    }
    text = letters.with_note(letters.fill(template.body, values), note, of=about.tenant.name)
    return Words(letters.fill(template.subject, values), text, link)


def address(slug: str, page: str = "") -> str:
    """Return the whole address of a page of a tenant."""
    return f"{settings.PUBLIC_URL.rstrip('/')}{reverse('dashboard:overview', args=[slug])}{page}"
