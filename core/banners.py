"""Banners: what everybody of a tenant must know, whichever page they are on; every app brings its own (`banners.py`).

A banner is there because of a state, and goes with it: while all is well there is none.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.registry import Registry


@dataclass(frozen=True, slots=True)
class Banner:
    """One banner. `id` names the state and its occasion, so that one put away stays away until there is a new one.

    `link` is a path inside the tenant (`cutover/`) with its label `action`. `starts_at` and `ends_at` are shown in
    the tenant's zone. Only a `dismissible` one can be put away: nobody may overlook what is critical.
    """

    id: str
    title: str
    text: str
    state: str
    link: str = ""
    action: str = ""
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    dismissible: bool = False


type Source = Callable[..., Iterable[Banner]]

_SOURCES: Registry[Source] = Registry("sources of banners")
_DISMISSALS: Registry[Callable[..., set[str]]] = Registry("keepers of dismissals")


def banners(source: Source) -> Source:
    """Register a function in `<app>/banners.py`: called with `tenant_id` and `at`, it returns what stands now.

    It runs for every page, so it costs the same few queries however much there is.
    """
    return _SOURCES.add(f"{source.__module__}.{source.__name__}", source)


def dismissals(keeper: Callable[..., set[str]]) -> Callable[..., set[str]]:
    """Register who knows which banners a person has put away: called with `tenant_id`, `user_id` and `ids`."""
    return _DISMISSALS.add(f"{keeper.__module__}.{keeper.__name__}", keeper)


def standing(*, tenant_id: UUID, at: datetime) -> list[Banner]:
    """Return every banner of a tenant, those that cannot be put away first."""
    found = [banner for source in _SOURCES.values() for banner in source(tenant_id=tenant_id, at=at)]
    return sorted(found, key=lambda banner: banner.dismissible)


def shown(*, tenant_id: UUID, user_id: UUID, at: datetime) -> list[Banner]:
    """Return the banners a person sees: all but those they have put away."""
    found = standing(tenant_id=tenant_id, at=at)
    ids = [banner.id for banner in found if banner.dismissible]
    away = set[str]()
    if ids:
        away = away.union(*(ask(tenant_id=tenant_id, user_id=user_id, ids=ids) for ask in _DISMISSALS.values()))
    return [banner for banner in found if not banner.dismissible or banner.id not in away]
