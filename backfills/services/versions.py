"""Keep the versions of the mapping that are used."""

from collections.abc import Iterable
from datetime import datetime

from django.db import IntegrityError, transaction

from backfills.domain.spec import Spec
from backfills.models import SpecVersion
from core import ledger
from core.actor import Actor


def keep(specs: Iterable[Spec], *, by: Actor, at: datetime) -> None:
    """Keep the texts of specs; inside the transaction that uses them. One that is kept already is left alone."""
    wanted = {spec.digest: spec for spec in specs}
    known = set(SpecVersion.objects.filter(sha256__in=wanted).values_list("sha256", flat=True))
    for digest, spec in wanted.items():
        if digest not in known:
            _add(spec, by=by, at=at)


def _add(spec: Spec, *, by: Actor, at: datetime) -> None:
    try:
        with transaction.atomic():
            made = SpecVersion.objects.create(
                entity=spec.entity,
                version=spec.version,
                label=spec.label,
                sha256=spec.digest,
                text=spec.source_text,
                first_used_at=at,
            )
            ledger.record(
                "backfills.spec.kept",
                by=by,
                at=at,
                tenant_id=None,
                subject=made,
                data={"label": spec.label, "sha256": spec.digest},
            )
    except IntegrityError:  # another tenant's run used it first, this very moment
        return
