"""Which versions of the mapping a tenant's rows were judged by, and what changed between two of them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from uuid import UUID

from django.db.models import Min

from backfills.domain import changes
from backfills.domain.changes import Change
from backfills.domain.spec import Spec, load
from backfills.models import Retry, Run, SpecVersion
from backfills.queries import mapping
from core.domain.declared import SpecError
from core.errors import UseCaseError


class UnableToCompare(UseCaseError):
    """Two versions cannot be laid side by side."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version that judged rows of a tenant, or is in force."""

    label: str
    used_at: datetime | None
    """When it judged rows of the tenant first."""
    is_in_force: bool

    @property
    def name(self) -> str:
        """Return the number that people know it by."""
        return f"Version {self.label.partition('@')[2].partition('+')[0]}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two versions and what changed from one to the other, part by part."""

    before: Version
    after: Version
    changes: tuple[Change, ...]

    @property
    def parts(self) -> list[tuple[str, list[Change]]]:
        """Return the changes by part."""
        return [(part.value, list(found)) for part, found in groupby(self.changes, key=lambda change: change.part)]


def kept(labels: Collection[str]) -> Mapping[str, SpecVersion]:
    """Return the kept texts of these versions, as far as there are any."""
    return {one.label: one for one in SpecVersion.objects.filter(label__in=labels)}


def of_tenant(*, tenant_id: UUID, entity: str) -> list[Version]:
    """Return the versions that judged rows of a tenant, and the one in force, newest first; two queries."""
    used: dict[str, datetime] = {}
    for model, mine in ((Run, {"entity": entity}), (Retry, {"run__entity": entity})):
        rows = model.objects.filter(tenant_id=tenant_id, **mine).order_by()
        for label, at in rows.values_list("spec").annotate(at=Min("requested_at")):
            used[label] = min(used.get(label, at), at)
    spec = mapping.specs()[entity]
    newest_first = sorted(used, key=lambda label: used[label], reverse=True)
    labels = [spec.label, *(label for label in newest_first if label != spec.label)]
    return [Version(label, used.get(label), label == spec.label) for label in labels]


def compare(versions: Collection[Version], *, entity: str, before: str = "", after: str = "") -> Comparison | None:
    """Lay two versions side by side: by default the one in force and the one used before it; None where there is one.

    Raises UnableToCompare for a version that is none of these, and for a text that was not kept or cannot be read.
    """
    listed = list(versions)
    new = _named(listed, after) if after else listed[0]
    others = [one for one in listed if one is not new]
    if not before and not others:
        return None
    old = _named(listed, before) if before else others[0]
    texts = kept([old.label, new.label])
    return Comparison(old, new, changes.between(_spec(old, texts, entity), _spec(new, texts, entity)))


def _named(versions: Collection[Version], label: str) -> Version:
    for one in versions:
        if one.label == label:
            return one
    raise UnableToCompare("No row of yours was judged by that version.", fix="Choose one of the versions in the list.")


def _spec(version: Version, texts: Mapping[str, SpecVersion], entity: str) -> Spec:
    if version.is_in_force:
        return mapping.specs()[entity]
    if version.label not in texts:
        raise UnableToCompare(f"The text of {version.label} was not kept: it was used before texts were.")
    return read(texts[version.label])


def before(version: SpecVersion) -> SpecVersion | None:
    """Return the version of the same entity that was used first before this one was."""
    earlier = SpecVersion.objects.filter(entity=version.entity, first_used_at__lt=version.first_used_at)
    return earlier.order_by("-first_used_at").first()


def read(version: SpecVersion) -> Spec:
    """Return a kept version as a spec; raises UnableToCompare where this release cannot read it any more."""
    try:
        return load(version.text, file=version.label)
    except SpecError as error:
        raise UnableToCompare(
            f"{version.label} is written as an earlier release read it; this one cannot.", fix="Our data lead can help."
        ) from error
