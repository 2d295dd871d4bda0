"""The API of people: what becomes of everybody of legacy, decisions about them, and mapping them again."""

from collections.abc import Sequence
from uuid import UUID

from django.urls import path, reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.domain.identity_map.decisions import Kind
from accounts.domain.identity_map.outcomes import OUTCOMES, RULES, Rule
from accounts.domain.identity_map.sheets import KINDS
from accounts.models import LegacyPerson, MapRun, PersonDecision
from accounts.queries import identity_map
from accounts.services.identity_map import decisions, runs
from core.api import PAGING, Answer, ApiView, Body, Cursor, NoBody, Problem, Text, item_id, keyset, operation
from core.permissions import Permission
from core.tokens import SCOPES, TokenScope

for _scope in (
    TokenScope("people:read", "Read your people and what becomes of them", Permission.VIEW_MEMBERS),
    TokenScope("people:write", "Map your people and decide about them", Permission.MAP_PEOPLE),
):
    SCOPES.add(_scope.name, _scope)

TAG = "People"
_PERSON = (item_id("person_id", "Canonical id of a person."),)
_DECISION = (item_id("decision_id", "Id of a decision."),)


class KnownPerson(Answer):
    """Somebody as a platform knows them."""

    key = serializers.CharField(help_text="The platform's own key.")
    external_id = serializers.CharField()
    user_name = serializers.CharField(help_text="In lower case.")
    email = serializers.CharField(help_text="In lower case.")
    name = serializers.CharField()
    role = serializers.CharField()
    is_active = serializers.BooleanField()


class PersonState(Answer):
    """A person of legacy, and where they ended."""

    example = {
        "id": "0a3f0e0d-6f5d-5c0b-9d3c-2f1f4f1f7f10",
        "person_id": "0a3f0e0d-6f5d-5c0b-9d3c-2f1f4f1f7f10",
        "outcome": "proposed",
        "rule": "address",
        "why": "The same e-mail address, at a domain you have proven",
        "fix": "Confirm that they are one person, or say that they are not.",
        "legacy": {
            "key": "17", "external_id": "", "user_name": "ben", "email": "ben@airline.example", "name": "Ben Berg",
            "role": "dispatcher", "is_active": True,
        },
        "new": {
            "key": "p-17", "external_id": "00u17", "user_name": "ben.berg", "email": "ben@airline.example",
            "name": "Ben Berg", "role": "dispatcher", "is_active": True,
        },
        "decision_id": None,
    }  # fmt: skip

    id = serializers.UUIDField(help_text="The canonical id of this account of legacy; see the guide.")
    person_id = serializers.UUIDField(help_text="Who they are: themselves, or whom they were merged into.")
    outcome = serializers.ChoiceField([outcome.value for outcome in OUTCOMES])
    rule = serializers.ChoiceField([rule.value for rule in Rule])
    why = serializers.CharField(source="get_rule_display")
    fix = serializers.SerializerMethodField()
    legacy = serializers.SerializerMethodField()
    new = KnownPerson(allow_null=True, help_text="Whom they are, or may be, on the new platform.")
    decision_id = serializers.UUIDField(allow_null=True, help_text="What people decided; null: a rule did.")

    def get_fix(self, person: LegacyPerson) -> str:
        """The smallest thing that mends it; empty where nothing has to be."""
        return RULES[Rule(person.rule)].fix if person.rule else ""

    @extend_schema_field(KnownPerson())
    def get_legacy(self, person: LegacyPerson) -> dict[str, object]:
        """As legacy knows them."""
        return dict(KnownPerson(person).data)


class MapState(Answer):
    """How the mapping of people stands."""

    example = {
        "state": "done",
        "people": 60,
        "outcomes": {
            "conflict": 0, "proposed": 1, "mapped": 52, "merged": 0, "split": 0, "placeholder": 2, "dropped": 5,
        },
        "waiting_decisions": 0,
        "mapped_at": "2026-11-26T05:00:00Z",
        "problem": "",
    }  # fmt: skip

    state = serializers.SerializerMethodField()
    people = serializers.IntegerField(help_text="People of legacy; the sum of all outcomes.")
    outcomes = serializers.DictField(source="counts", child=serializers.IntegerField())
    waiting_decisions = serializers.IntegerField(source="waiting", help_text="That wait for a second person.")
    mapped_at = serializers.DateTimeField(source="last.finished_at", allow_null=True, default=None)
    problem = serializers.CharField(source="newest.problem", default="", help_text="Why the newest run failed.")

    @extend_schema_field(serializers.ChoiceField(["none", *(state.value for state in MapRun.State)]))
    def get_state(self, standing: identity_map.Standing) -> str:
        """How the newest run stands; `none` before the first."""
        return standing.newest.state if standing.newest else "none"


class DecisionState(Answer):
    """A decision about people."""

    example = {
        "id": "6c1d8a0e-2f64-4c39-8b1c-2f6d7e9a0b12",
        "kind": "accept",
        "state": "standing",
        "people": 1,
        "reason": "Asked him on the phone",
        "second_person": "",
        "decided_at": "2026-11-26T05:00:00Z",
        "agreed_at": None,
        "undone_at": None,
    }

    id = serializers.UUIDField()
    kind = serializers.ChoiceField([kind.value for kind in Kind])
    state = serializers.ChoiceField([state.value for state in PersonDecision.State])
    people = serializers.IntegerField()
    reason = serializers.CharField()
    second_person = serializers.CharField(help_text="Why somebody else has to agree; empty: nobody has to.")
    decided_at = serializers.DateTimeField()
    agreed_at = serializers.DateTimeField(allow_null=True)
    undone_at = serializers.DateTimeField(allow_null=True)


class DecideAboutPerson(Body):
    """What becomes of a person."""

    example = {
        "kind": "merge",
        "new_keys": [],
        "into_id": "e8ba17b6-1109-5ed4-80bb-5a8d036465fa",
        "reason": "One person with two accounts",
    }

    kind = serializers.ChoiceField([kind.value for kind in KINDS])
    new_keys = serializers.ListField(
        child=Text(max_length=255), required=False, max_length=20, help_text="Keys on the new platform: `map`, `split`."
    )
    into_id = serializers.UUIDField(required=False, help_text="Canonical id of the other person: `merge`.")
    reason = Text(max_length=300)


class Map(ApiView):
    """The mapping of people."""

    scopes = {"GET": "people:read", "POST": "people:write"}

    @operation("get_people_map", tag=TAG, answer=MapState, summary="Read how the mapping of your people stands")
    def get(self, request: Request) -> Response:
        """Return counts and state."""
        return Response(MapState(identity_map.standing(tenant_id=self.tenant_id)).data)

    @operation(
        "map_people", tag=TAG, answer=MapState, status=202, body=NoBody, summary="Map your people again",
        described="Both platforms are only read. What people decided stands; everybody else is judged anew.",
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Have everybody read and judged."""
        self.read(NoBody)
        runs.request(tenant_id=self.tenant_id, by=self.actor, at=self.at)
        return Response(MapState(identity_map.standing(tenant_id=self.tenant_id)).data, status=202)


class People(ApiView):
    """The people of legacy."""

    scopes = {"GET": "people:read"}
    parameters = PAGING

    @operation("list_people", tag=TAG, answer=PersonState, paged=True, summary="List your people of legacy by key")
    def get(self, request: Request) -> Response:
        """List the people."""
        rows = identity_map.people(tenant_id=self.tenant_id).exclude(outcome="pending")

        def fetch(after: Cursor, count: int) -> Sequence[LegacyPerson]:
            return list((rows.filter(key__gt=after[0]) if after else rows)[:count])

        return self.page("people", PersonState, fetch=fetch, key=lambda person: [person.key])


class OnePerson(ApiView):
    """One person of legacy."""

    scopes = {"GET": "people:read"}

    @operation("get_person", tag=TAG, answer=PersonState, parameters=_PERSON, summary="Read one person")
    def get(self, request: Request, person_id: UUID) -> Response:
        """Return one person."""
        return Response(PersonState(_person(self.tenant_id, person_id)).data)


class PersonDecisions(ApiView):
    """Deciding about one person."""

    scopes = {"POST": "people:write"}

    @operation(
        "decide_about_person", tag=TAG, body=DecideAboutPerson, answer=DecisionState, status=201, parameters=_PERSON,
        summary="Decide what becomes of a person",
        described="About an owner, or between different roles, it waits until a second person agrees on the page.",
    )  # fmt: skip
    def post(self, request: Request, person_id: UUID) -> Response:
        """Decide about one person."""
        told = self.read(DecideAboutPerson)
        made = decisions.decide_by_keys(
            person=_person(self.tenant_id, person_id), kind=Kind(told["kind"]), new_keys=told.get("new_keys", []),
            into_id=told.get("into_id"), reason=told["reason"], by=self.actor, at=self.at,
        )  # fmt: skip
        return Response(
            DecisionState(made).data, status=201, headers={"Location": reverse("api:people_decision", args=[made.pk])}
        )


class Decisions(ApiView):
    """The decisions about people."""

    scopes = {"GET": "people:read"}
    parameters = PAGING

    @operation(
        "list_people_decisions", tag=TAG, answer=DecisionState, paged=True, summary="List decisions, newest first"
    )
    def get(self, request: Request) -> Response:
        """List the decisions."""
        fetch, key = keyset(identity_map.decisions(tenant_id=self.tenant_id), at="decided_at")
        return self.page("people_decisions", DecisionState, fetch=fetch, key=key)


class OneDecision(ApiView):
    """One decision about people."""

    scopes = {"GET": "people:read"}

    @operation("get_people_decision", tag=TAG, answer=DecisionState, parameters=_DECISION, summary="Read one decision")
    def get(self, request: Request, decision_id: UUID) -> Response:
        """Return one decision."""
        return Response(DecisionState(_decision(self.tenant_id, decision_id)).data)


class Undoing(ApiView):
    """Undoing one decision about people."""

    scopes = {"POST": "people:write"}

    @operation(
        "undo_people_decision", tag=TAG, answer=DecisionState, body=NoBody, parameters=_DECISION,
        summary="Undo a decision",
        described="Puts back exactly what was before. One that two people agreed to is undone on the page.",
    )  # fmt: skip
    def post(self, request: Request, decision_id: UUID) -> Response:
        """Undo a decision, and return it."""
        self.read(NoBody)
        undone = decisions.undo(decision=_decision(self.tenant_id, decision_id), by=self.actor, at=self.at)
        return Response(DecisionState(undone).data)


def _person(tenant_id: UUID, person_id: UUID) -> LegacyPerson:
    found = identity_map.person(tenant_id=tenant_id, person_id=person_id)
    if found is None:
        raise Problem("not-found", "There is no such person of legacy.")
    return found


def _decision(tenant_id: UUID, decision_id: UUID) -> PersonDecision:
    found = identity_map.decisions(tenant_id=tenant_id).filter(pk=decision_id).first()
    if found is None:
        raise Problem("not-found", "There is no such decision.")
    return found


urlpatterns = [
    path("people/map", Map.as_view(), name="people_map"),
    path("people/decisions", Decisions.as_view(), name="people_decisions"),
    path("people/decisions/<uuid:decision_id>", OneDecision.as_view(), name="people_decision"),
    path("people/decisions/<uuid:decision_id>/undo", Undoing.as_view(), name="undo_people_decision"),
    path("people", People.as_view(), name="people"),
    path("people/<uuid:person_id>", OnePerson.as_view(), name="person"),
    path("people/<uuid:person_id>/decisions", PersonDecisions.as_view(), name="decide_about_person"),
]
