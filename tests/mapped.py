"""An airline whose people are mapped: what both platforms tell of it, and two people who may decide."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from accounts.domain.identity_map.decisions import Kind
from accounts.models import Domain, LegacyPerson, MapRun, Member, NewPerson, PersonDecision
from accounts.services.identity_map import decisions, runs
from accounts.services.identity_map.decisions import Asked
from core.actor import Actor
from core.people import Person
from core.permissions import TenantRole
from tests import make
from tests.fakes.people import FakePeople
from tests.identity_map import Judged

AT = datetime(2026, 11, 26, 12, tzinfo=UTC)


@dataclass
class Airline:
    """A tenant with two people who may decide, and what both platforms tell of it."""

    owner: Member
    admin: Member

    @property
    def id(self) -> UUID:
        return self.owner.tenant_id

    @property
    def by(self) -> Actor:
        return make.actor(self.admin)

    @property
    def by_owner(self) -> Actor:
        return make.actor(self.owner)

    def tell(self, legacy: Sequence[Person], new: Sequence[Person]) -> None:
        FakePeople.legacy[self.owner.tenant.legacy_ref] = list(legacy)
        FakePeople.new[self.id] = list(new)

    def map(self) -> MapRun:
        run = runs.request(tenant_id=self.id, by=self.by, at=AT)
        runs.advance(run_id=run.pk, by=make.SYSTEM, now=lambda: AT)
        run.refresh_from_db()
        return run

    def legacy(self, key: str) -> LegacyPerson:
        return LegacyPerson.objects.get(tenant_id=self.id, key=key)

    def new(self, key: str) -> NewPerson:
        return NewPerson.objects.get(tenant_id=self.id, key=key)

    def judged(self) -> Judged:
        rows = LegacyPerson.objects.filter(tenant_id=self.id).values_list("key", "outcome", "rule", "new__key")
        return {key: (outcome, rule, new) for key, outcome, rule, new in rows}

    def states(self) -> set[tuple[Any, ...]]:
        rows = LegacyPerson.objects.filter(tenant_id=self.id)
        return set(rows.values_list("id", "outcome", "rule", "new_id", "person_id", "decision_id"))

    def decide(self, key: str, kind: Kind, *new: str, into: str = "", by: Actor | None = None) -> PersonDecision:
        asked = Asked(
            self.legacy(key).pk, kind, tuple(self.new(each).pk for each in new), self.legacy(into).pk if into else None
        )
        return decisions.decide(tenant_id=self.id, asked=[asked], reason="As agreed", by=by or self.by, at=AT)


def make_airline() -> Airline:
    tenant = make.tenant()
    return Airline(make.member(tenant), make.member(tenant, TenantRole.ADMIN))


def prove(airline: Airline, name: str) -> None:
    Domain.objects.create(
        tenant_id=airline.id, name=name, text=name, token="t", claimed_by=airline.owner.user_id,
        verified_at=AT, verified_by=airline.owner.user_id, proven_at=AT,
    )  # fmt: skip


def person(key: str, user_name: str = "", **told: Any) -> Person:
    return Person(key=key, user_name=user_name, **{"role": "viewer", **told})


SIX = [
    person("1", "ada"),
    person("2", "Ben", email="ben@zz.example"),
    person("3", "cleo", email="cleo@zz.example"),
    person("4", "dora"),
    person("5", "DORA"),
    person("6", "emil", is_active=False),
]
THERE = [person("n1", "ADA"), person("n2", "benny", email="Ben@ZZ.example"), person("n3", "fritz"), person("n4", "gil")]
