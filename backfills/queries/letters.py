"""Rejected rows of all tenants, for the vendor's people: never a row's values, its key only where that is public."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Case, CharField, F, QuerySet, Value, When

from backfills.domain import wording
from backfills.domain.judgement import Fate
from backfills.domain.wording import Words
from backfills.models import UNRESOLVED, DeadLetter, Run
from backfills.queries import mapping, waivers
from core.domain.declared import SpecError

WAIVED = "waived"
STANDINGS = {
    DeadLetter.State.OPEN.value: "Open",
    DeadLetter.State.RETRYING.value: "Being tried again",
    WAIVED: "Waived by an exception",
    DeadLetter.State.RESOLVED.value: "Resolved",
}


def every(*, at: datetime) -> QuerySet[DeadLetter, Any]:
    """Return all rejected rows without their payload; `standing` is the state, or that an exception waives them now.

    Two queries beside its own, however many rows there are.
    """
    tenants = DeadLetter.objects.filter(state__in=UNRESOLVED).order_by().values_list("tenant_id", flat=True).distinct()
    waived = waivers.standing(tenant_ids=list(tenants), at=at)
    standing = Case(
        When(state=DeadLetter.State.OPEN, is_waived=True, then=Value(WAIVED)),
        default=F("state"),
        output_field=CharField(),
    )
    letters = DeadLetter.objects.defer("payload").alias(is_waived=waivers.is_waived(waived))
    return letters.annotate(standing=standing)


def find(*, letter_id: UUID) -> DeadLetter | None:
    """Return one that the scope lets through, with its tenant."""
    return DeadLetter.objects.select_related("tenant").filter(pk=letter_id).first()


def has_open(run: Run) -> bool:
    """Say whether a run has rejected rows that could be tried again."""
    return DeadLetter.objects.filter(run=run, state=DeadLetter.State.OPEN).exists()


def name(letter: DeadLetter) -> str:
    """Return what a row may be called: its key in legacy where that is public, else the letter's own id."""
    return public_key(letter) or f"letter {letter.pk}"


def public_key(letter: DeadLetter) -> str:
    """Return a row's key in legacy where the mapping declares that public, else nothing."""
    spec = _specs().get(letter.entity)
    return letter.source_key if spec and spec.has_public_key else ""


def words(letter: DeadLetter) -> Words | None:
    """Return why a row was rejected and what to do; None where the mapping knows its entity no more."""
    spec = _specs().get(letter.entity)
    return wording.of(spec, fate=Fate.QUARANTINED, rule=letter.rule, column=letter.column) if spec else None


def _specs() -> Any:
    try:
        return mapping.specs()
    except SpecError:  # the list still shows which rows were rejected
        return {}
