"""Mailings and deliveries, for the page of messages, for readiness and for the tasks."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from accounts.queries import members
from comms.domain.deliveries import TROUBLED, DeliveryState
from comms.domain.ladder import TEMPLATES, Audience, Kind
from comms.domain.mailings import MailingState
from comms.models import Delivery, Mailing, Preference
from comms.queries import recipients, wording
from core.permissions import TenantRole

NAMED = 20
"""How many names stand beside a message; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Row:
    """One message on the page."""

    mailing: Mailing
    subject: str
    text: str
    people: int
    sent: int
    troubled: int
    names: list[str] = field(default_factory=list)
    may_change: bool = False

    @property
    def is_planned(self) -> bool:
        """Whether it is still to come."""
        return self.mailing.state == MailingState.PLANNED

    @property
    def more(self) -> int:
        """How many people are not named."""
        return self.people - len(self.names) if self.names else 0


def listed(*, tenant_id: UUID) -> QuerySet[Mailing]:
    """Return what the tenant's people were and will be told, the latest first; withdrawn messages are left out."""
    return (
        Mailing.objects.filter(tenant_id=tenant_id)
        .exclude(state=MailingState.WITHDRAWN)
        .exclude(audience=Audience.LADDER)
        .order_by("-due_at", "template")
    )


def find(*, tenant_id: UUID, mailing_id: UUID) -> Mailing | None:
    """Return one mailing of a tenant."""
    return listed(tenant_id=tenant_id).filter(pk=mailing_id).first()


def rows(mailings: Iterable[Mailing], *, tenant_id: UUID, with_names: bool, may_manage: bool) -> list[Row]:
    """Return messages with their text and counts, in as many queries for one as for many."""
    shown = list(mailings)
    counted = _counts([mailing.pk for mailing in shown])
    names = _names([mailing.pk for mailing in shown]) if with_names else {}
    facts, by_role = wording.facts(tenant_id=tenant_id), _by_role(tenant_id)
    found = []
    for mailing in shown:
        template = TEMPLATES.get(mailing.template)
        planned = mailing.state != MailingState.ISSUED and template is not None
        words = wording.write(template, facts, note=mailing.note) if planned and template else None
        total, sent, troubled = counted.get(mailing.pk, (0, 0, 0))
        roles = recipients.ROLES.get(Audience(mailing.audience), ())
        found.append(
            Row(
                mailing=mailing,
                subject=words.subject if words else mailing.subject,
                text=words.text if words else mailing.text,
                people=sum(by_role.get(role, 0) for role in roles) if planned else total,
                sent=sent,
                troubled=troubled,
                names=names.get(mailing.pk, []),
                may_change=may_manage and can_change(mailing),
            )
        )
    return found


def can_change(mailing: Mailing) -> bool:
    """Say whether the customer may choose the day of a message, add to it or skip it."""
    is_theirs = mailing.audience == Audience.END_USERS and not mailing.is_essential
    return is_theirs and mailing.state == MailingState.PLANNED


def wants_essential_only(*, tenant_id: UUID, user_id: UUID) -> bool:
    """Say whether a person has switched off what is not essential."""
    return Preference.objects.filter(tenant_id=tenant_id, person_id=user_id).exists()


@dataclass(frozen=True, slots=True)
class Announced:
    """An announcement and how many of its copies arrived nowhere."""

    mailing: Mailing
    people: int
    troubled: int


def announced(*, tenant_id: UUID, about: str) -> list[Announced]:
    """Return the newest announcements of the window that `about` names (`timeline.about`)."""
    found = Mailing.objects.filter(tenant_id=tenant_id, kind=Kind.ANNOUNCE, occasion__startswith=about)
    told = found.exclude(state=MailingState.WITHDRAWN).order_by("planned_at")
    newest = list({mailing.template: mailing for mailing in told}.values())
    counted = _counts([mailing.pk for mailing in newest])
    return [Announced(mailing, *(counted.get(mailing.pk, (0, 0, 0))[place] for place in (0, 2))) for mailing in newest]


def to_issue(*, at: datetime, limit: int = 500) -> list[tuple[UUID, UUID]]:
    """Return (tenant, mailing) of what is planned and due, longest first; needs a staff scope."""
    due = Mailing.objects.filter(state=MailingState.PLANNED, due_at__lte=at).order_by("due_at")
    return list(due.values_list("tenant_id", "pk")[:limit])


def to_send(*, at: datetime, limit: int = 500) -> list[tuple[UUID, UUID]]:
    """Return (tenant, mailing) of what has copies that are due; needs a staff scope."""
    due = Delivery.objects.filter(state=DeliveryState.WAITING, next_at__lte=at).order_by()
    return list(due.values_list("tenant_id", "mailing_id").distinct()[:limit])


def count_troubled() -> int:
    """Return how many copies staff should look at, of those that the scope lets through."""
    return Delivery.objects.filter(state__in=[state.value for state in TROUBLED]).count()


def _counts(ids: list[UUID]) -> dict[UUID, tuple[int, int, int]]:
    counted = (
        Delivery.objects.filter(mailing_id__in=ids)
        .order_by()
        .values("mailing_id")
        .annotate(
            people=Count("pk"),
            sent=Count("pk", filter=Q(state=DeliveryState.SENT)),
            troubled=Count("pk", filter=Q(state__in=[state.value for state in TROUBLED])),
        )
    )
    return {row["mailing_id"]: (row["people"], row["sent"], row["troubled"]) for row in counted}


def _names(ids: list[UUID]) -> dict[UUID, list[str]]:
    """Return the first names of each mailing's people: few of each, however many there are."""
    found: dict[UUID, list[str]] = {}
    place = Window(RowNumber(), partition_by="mailing_id", order_by=("person__name", "pk"))
    copies = Delivery.objects.filter(mailing_id__in=ids).annotate(place=place).filter(place__lte=NAMED)
    for copy in copies.select_related("person").order_by("mailing_id", "place"):
        found.setdefault(copy.mailing_id, []).append(str(copy.person))
    return found


def _by_role(tenant_id: UUID) -> dict[TenantRole, int]:
    counted = members.active(tenant_id=tenant_id).order_by().values_list("role").annotate(count=Count("pk"))
    return {TenantRole(role): count for role, count in counted}
