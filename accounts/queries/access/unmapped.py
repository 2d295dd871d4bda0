"""Who stands in a review twice: known by one address on both platforms, and not mapped when it began."""

from collections.abc import Iterable
from uuid import UUID

from accounts.domain.identity_map.outcomes import Outcome
from accounts.models import AccessLine, LegacyPerson, Member, NewPerson


def listed_twice(lines: Iterable[AccessLine], *, tenant_id: UUID) -> set[UUID]:
    """Return which lines are about one half of such a pair; in three queries, however many lines there are."""
    old, new = {}, {}
    for line in lines:
        if address := line.email.lower():
            if line.legacy_id is None:
                new[line.pk] = address
            elif line.new_id is None and line.member_id is None:
                old[line.pk] = address
    theirs = {"tenant_id": tenant_id, "gone_at": None, "is_active": True}
    legacy = LegacyPerson.objects.filter(**theirs, email__in=set(new.values()))
    moved = NewPerson.objects.filter(**theirs, email__in=set(old.values()))
    members = Member.objects.filter(tenant_id=tenant_id, deactivated_at=None, user__email__in=set(old.values()))
    on_legacy = set(legacy.exclude(outcome=Outcome.MERGED).values_list("email", flat=True))
    on_new = {*moved.values_list("email", flat=True), *members.values_list("user__email", flat=True)}
    return {pk for pk, address in new.items() if address in on_legacy} | {
        pk for pk, address in old.items() if address in on_new
    }
