"""What the API tells of data: drift, what was done about it, differences, mapping, rejected rows; no closed value."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Member
from backfills.domain.spec import load
from backfills.models import DeadLetter, Run
from backfills.queries import mapping
from backfills.services import versions
from core.permissions import StaffRole, TenantRole
from parity_reports.domain.drift import Cause
from parity_reports.domain.reconciliation import Strategy
from parity_reports.services import previews, reconciliations
from tests import api, make
from tests.drifting import Drifting, settle

pytestmark = pytest.mark.django_db
CANARY = "canary-77d0"


@pytest.fixture
def drifting(settings: Any, tmp_path: Any) -> Drifting:
    made = settle(settings, tmp_path)
    settings.ADAPTERS = {
        **settings.ADAPTERS,
        "reconciler": {
            "BACKEND": "tests.fakes.reconciling.FakeReconciler",
            "OPTIONS": {"new": {"clean.person": made.crossing.new}},
        },
    }
    return made


@pytest.fixture
def owner(drifting: Drifting) -> Member:
    return make.member(drifting.crossing.tenant, TenantRole.OWNER)


def read(owner: Member, address: str, *, scope: str = "parity:read") -> Any:
    response = api.call("GET", f"/api/v1/{address}", secret=api.token(owner, scope))
    assert response.status_code == 200, response.content
    assert CANARY not in response.content.decode()
    return response.json()


def test_drift_is_told_in_numbers_and_record_by_record(drifting: Drifting, owner: Member) -> None:
    assert read(owner, "parity/drift")["differing"] == 0
    drifting.legacy(2, fee="9")
    drifting.new(1, name=CANARY)
    drifting.look()
    told = read(owner, "parity/drift")
    assert (told["differing"], told["unexplained"], told["causes"]) == (2, 1, {"late_write": 1, "unknown": 1})
    assert told["unexplained_since"] is not None
    assert [(one["entity"], one["differing"], one["unexplained"]) for one in told["entities"]] == [
        ("people", 2, 1),
        ("zones", 0, 0),
    ]
    rows = {row["key"]: row for row in read(owner, "parity/drift/records")["items"]}
    assert {key: (row["cause"], row["columns"]) for key, row in rows.items()} == {
        "1": ("unknown", {"name": "value"}),
        "2": ("late_write", {"fee": "value"}),
    }


def test_looking_again_answers_with_what_it_becomes(drifting: Drifting, owner: Member) -> None:
    drifting.legacy(2, fee="9")
    answer = api.call("POST", "/api/v1/parity/drift", secret=api.token(owner, "parity:run"))
    assert (answer.status_code, answer.headers["Location"]) == (202, "/api/v1/parity/drift")
    assert answer.json()["is_looking"] is True


def test_a_reconciliation_is_told_once_it_was_agreed_to_and_ask_for_none(drifting: Drifting, owner: Member) -> None:
    drifting.legacy(2, fee="9")
    drifting.look()
    lead = make.staff_actor(make.staff(StaffRole.DATA_LEAD))
    with make.arranging():
        row = previews.make(
            tenant_id=drifting.tenant_id,
            entity="people",
            strategies={Cause.LATE_WRITE: Strategy.SOURCE},
            reason="As agreed.",
            accepted_until=None,
            by=lead,
            at=drifting.at(),
        )
    assert read(owner, "parity/reconciliations")["items"] == []
    with make.arranging():
        reconciliations.confirm(reconciliation_id=row.pk, by=lead, at=drifting.at())
    (told,) = read(owner, "parity/reconciliations")["items"]
    assert told == read(owner, f"parity/reconciliations/{row.pk}")
    assert (told["state"], told["moved"], told["agreed_at"]) == ("running", 1, None)
    assert api.call("POST", "/api/v1/parity/reconciliations", secret=api.token(owner)).status_code == 405


def test_differences_are_told_of_public_columns_alone_and_the_trend_by_comparison(
    drifting: Drifting, owner: Member
) -> None:
    drifting.new(1, name=CANARY)
    drifting.legacy(2, fee="9")
    report = drifting.compare()
    shown = {row["column"]: (row["expected"], row["actual"]) for row in _samples(owner, report.pk)}
    assert shown["name"] == ("", "")
    assert shown["fee"][0].startswith("“900")
    table = api.call("GET", f"/api/v1/parity/reports/{report.pk}/document.csv", secret=api.token(owner, "parity:read"))
    lines = table.getvalue().decode()
    assert report.sha256 in lines
    assert "900" in lines
    assert CANARY not in lines
    newest, first = read(owner, "parity/trend")["items"]
    assert (newest["report"], newest["differing"], first["differing"]) == (str(report.pk), 2, 0)
    assert (newest["equal_percent"], first["equal_percent"]) == (50.0, 100.0)


def test_a_comparison_is_asked_for_in_the_way_that_the_body_says(drifting: Drifting, owner: Member) -> None:
    secret = api.token(owner, "parity:run", "parity:read")
    wrong = api.problem(api.call("POST", "/api/v1/parity/reports", secret=secret, body={"method": "quick"}), 422)
    assert wrong["errors"][0]["pointer"] == "#/method"
    asked = api.call("POST", "/api/v1/parity/reports", secret=secret, body={"method": "sample"})
    assert (asked.status_code, asked.json()["method"]) == (202, "sample")
    again = api.call("POST", "/api/v1/parity/reports", secret=secret)
    assert (again.json()["id"], again.json()["method"]) == (asked.json()["id"], "sample"), "that one is being made"
    early = api.call("GET", f"{asked.headers['Location']}/document.csv", secret=secret)
    assert "still being made" in api.problem(early, 409)["detail"]


def test_shadow_reads_are_switched_on_until_a_time_and_off(drifting: Drifting, owner: Member) -> None:
    secret, until = api.token(owner, "parity:run"), timezone.now() + timedelta(days=3)
    address, body = "/api/v1/parity/shadow-reads", {"until": until.isoformat(), "reason": "The canary begins."}
    told = api.call("POST", address, secret=secret, body=body)
    assert (told.status_code, datetime.fromisoformat(told.json()["on_until"])) == (200, until)
    assert "is on already" in api.problem(api.call("POST", address, secret=secret, body=body), 422)["detail"]
    for _ in range(2):
        assert api.call("DELETE", address, secret=secret).status_code == 204
    assert read(owner, "parity/shadow-reads")["on_until"] is None
    late = {**body, "until": (until + timedelta(days=300)).isoformat()}
    assert "must end within" in api.problem(api.call("POST", address, secret=secret, body=late), 422)["detail"]


def test_versions_of_a_mapping_are_listed_and_compared(drifting: Drifting, owner: Member) -> None:
    earlier = load(mapping.specs()["people"].source_text.replace("Settle it.", "Ask us."))
    assert read(owner, "mapping/people/changes", scope="runs:read")["before"] is None
    with make.arranging():
        Run.objects.create(
            tenant_id=drifting.tenant_id,
            entity="people",
            state="queued",
            spec=earlier.label,
            requested_at=drifting.at(),
        )
        versions.keep([earlier], by=make.SYSTEM, at=drifting.at())
    first = read(owner, "mapping/people/versions?limit=1", scope="runs:read")
    rest = read(owner, f"mapping/people/versions?cursor={first['next_cursor']}", scope="runs:read")
    assert [one["is_in_force"] for one in first["items"]] == [True]
    assert [one["spec"] for one in rest["items"]] == [earlier.label]
    told = read(owner, "mapping/people/changes", scope="runs:read")
    (change,) = told["changes"]
    assert (told["before"]["spec"], change["kind"]) == (earlier.label, "changed")
    assert change["before"].endswith("Ask us.")
    assert change["after"].endswith("Settle it.")
    wrong = api.call("GET", "/api/v1/mapping/people/changes?before=x", secret=api.token(owner, "runs:read"))
    assert "by that version" in api.problem(wrong, 422)["detail"]


def _samples(owner: Member, report_id: Any) -> list[dict[str, Any]]:
    """Page through the samples one by one."""
    found, cursor = [], ""
    while True:
        page = read(owner, f"parity/reports/{report_id}/samples?limit=1{cursor}")
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"


def test_the_mapping_is_told_in_words_and_rejected_rows_with_their_fix(drifting: Drifting, owner: Member) -> None:
    assert [one["entity"] for one in read(owner, "mapping", scope="runs:read")["items"]] == ["people", "zones"]
    told = read(owner, "mapping/people", scope="runs:read")
    assert next(one for one in told["columns"] if one["name"] == "active")["how"] == "“flag”, Y as yes and N as no"
    assert ("contested", "quarantine") in [(one["name"], one["then"]) for one in told["rules"]]
    assert api.call("GET", "/api/v1/mapping/nothing", secret=api.token(owner, "runs:read")).status_code == 404
    at, tenant_id = drifting.at(), drifting.tenant_id
    with make.arranging():
        run = Run.objects.create(
            tenant_id=tenant_id,
            entity="people",
            state="failed",
            spec="people@1",
            requested_at=at,
            finished_at=at,
            problem="Legacy did not answer.",
        )
        DeadLetter.objects.create(
            tenant_id=tenant_id, run=run, entity="people", source_key="7", rule="contested", spec="people@1",
            first_at=at, last_at=at + timedelta(seconds=1),
        )  # fmt: skip
    (row,) = read(owner, "rejected-rows", scope="runs:read")["items"]
    assert (row["key"], row["standing"], row["because"], row["fix"]) == (
        "7",
        "open",
        "Two say otherwise.",
        "Settle it.",
    )
