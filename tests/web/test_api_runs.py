"""Moving data by API, as a customer's tool does it: start, follow, steer, find one record; never a value of a row."""

from dataclasses import dataclass
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Member
from backfills.domain.runs import RunState
from backfills.domain.spec import Spec
from backfills.models import OutcomeTotal, Run
from core import queue
from core.permissions import TenantRole
from tests import airline, api, make
from tests.databases import Platforms

pytestmark = pytest.mark.usefixtures("db")


@dataclass
class Tool:
    """A tool of an account, with every scope of its owner."""

    owner: Member
    secret: str

    def get(self, address: str, status: int = 200) -> Any:
        return self._told(api.call("GET", f"/api/v1/{address}", secret=self.secret), status)

    def post(self, address: str, status: int, **body: Any) -> Any:
        return self._told(api.call("POST", f"/api/v1/{address}", secret=self.secret, body=body), status)

    @staticmethod
    def _told(response: Any, status: int) -> Any:
        assert response.status_code == status, response.content
        return api.problem(response) if status >= 400 else response.json()

    def run(self, entity: str, state: RunState, **more: Any) -> str:
        """Make a run as it would stand in the middle of its work."""
        with make.arranging():
            made = Run.objects.create(
                tenant_id=self.owner.tenant_id, entity=entity, state=state, requested_at=timezone.now(),
                **{"spec": f"{entity}@1", **more},
            )  # fmt: skip
        return str(made.pk)


@pytest.fixture
def tool(airline_world: Platforms) -> Tool:
    owner = make.member(make.tenant("Zebra Air", legacy_ref=airline.CODE), TenantRole.OWNER)
    return Tool(owner, api.token(owner))


def test_runs_are_started_followed_and_their_rejected_rows_tried_again(tool, airline_world):
    airline.flights(airline_world, 1)
    airline.flights(airline_world, 1, tail_no="N3AAAA")
    begun = tool.post("runs", 202)
    assert begun["left_out"] == ""
    assert {run["state"] for run in begun["runs"]} == {"queued"}
    assert tool.post("runs", 422, entities=["flights"])["detail"] == "A run is under way already."
    queue.run_pending()
    listed = {run["entity"]: run for run in tool.get("runs")["items"]}
    assert set(listed) == {run["entity"] for run in begun["runs"]}
    flights = tool.get(f"runs/{listed['flights']['id']}")
    assert {name: flights[name] for name in listed["flights"]} == listed["flights"]
    assert (flights["state"], flights["is_conserved"], flights["source_total"]) == ("stopped", True, 2)
    assert [(one["fate"], one["rule"], one["count"]) for one in flights["outcomes"]] == [
        ("migrated", "", 1),
        ("quarantined", "fleet_number_for_registration", 1),
    ]
    assert "replace the fleet numbers" in flights["outcomes"][1]["fix"]
    assert (flights["seconds_left"], flights["is_stuck"], flights["trouble"]) == (None, False, "")
    assert "N3AAAA" not in str(flights)

    airline.legacy_do(airline_world, "UPDATE flt_hist SET tail_no = 'N1ZZ'")
    again = tool.post(f"runs/{flights['id']}/retry", 200)
    assert (again["state"], again["is_conserved"]) == ("retrying", False)
    queue.run_pending()
    told = tool.get(f"runs/{flights['id']}")
    assert (told["state"], told["problem"], sum(one["count"] for one in told["outcomes"])) == ("succeeded", "", 2)
    assert "rejected any more" in tool.post(f"runs/{flights['id']}/retry", 422)["detail"]


def test_a_run_is_paused_goes_on_and_is_ended_early(tool):
    run_id = tool.run("flights", RunState.RUNNING, source_total=100, read=40, started_at=timezone.now())
    assert tool.get(f"runs/{run_id}")["is_stuck"] is True, "no job moves it"
    assert tool.post(f"runs/{run_id}/pause", 200)["state"] == "paused"
    told = tool.post(f"runs/{run_id}/resume", 200)
    assert (told["state"], told["is_stuck"]) == ("running", False)
    assert tool.post(f"runs/{run_id}/end", 200)["state"] == "cancelled"
    assert tool.post(f"runs/{run_id}/pause", 422)["detail"] == "The run has ended meanwhile."
    assert tool.post(f"runs/{run_id}/retry", 422)["fix"] == "Start it again: it judges every row."


def test_what_a_full_run_of_everything_left_out_is_said_and_a_wrong_name_refused(tool):
    tool.run("flights", RunState.PAUSED)
    assert tool.post("runs", 202)["left_out"].startswith("Not begun, since another run of these is under way: Flights.")
    assert tool.post("runs", 422, entities=["passengers"])["detail"] == "The mapping knows no “passengers”."
    assert tool.post("runs", 422, entities=[])["errors"][0]["pointer"] == "#/entities"
    assert "cannot be caught up" in tool.post("runs", 422, entities=["airports"], catch_up=True)["detail"]


def test_one_row_is_found_by_its_key_in_the_body_which_no_answer_repeats(tool, airline_world, monkeypatch):
    airline.flights(airline_world, 1)
    airline.flights(airline_world, 1, can_flg="Y")
    tool.post("runs", 202)
    queue.run_pending()
    airline.flights(airline_world, 1)
    moved = tool.post("fates", 200, entity="flights", key="ZZ1-20130115-1")
    assert (moved["fate"], moved["source_key"], moved["target_key"]) == ("migrated", "1", "ZZ1-20130115-1")
    assert moved == tool.post("fates", 200, entity="flights", key="1")
    assert tool.get(f"runs/{moved['run_id']}")["spec"] == moved["spec"]
    rejected = tool.post("fates", 200, entity="flights", key="2")
    assert (rejected["fate"], rejected["target_key"]) == ("quarantined", "")
    assert "clear the cancelled flag" in rejected["fix"]
    waiting, nothing = (tool.post("fates", 200, entity="flights", key=key) for key in ("3", "4711"))
    assert (waiting["title"], waiting["fate"], waiting["in_legacy"]) == ("Not moved yet", None, True)
    assert (nothing["title"], nothing["in_legacy"], nothing["source_key"]) == ("No such row", False, "")
    assert tool.post("fates", 200, entity="aircraft_types", key="N2ZZ")["merged_with"] == "N1ZZ"
    assert tool.post("fates", 422, entity="passengers", key="1")["errors"][0]["pointer"] == "#/entity"
    assert "printable" in tool.post("fates", 422, entity="flights", key="a\nb")["detail"]
    monkeypatch.setattr(Spec, "has_public_key", False)
    closed = tool.post("fates", 200, entity="aircraft_types", key="N2ZZ")
    assert (closed["fate"], closed["source_key"], closed["merged_with"]) == ("merged", "", "")
    assert "N2ZZ" not in str(closed)


def test_data_is_checked_before_it_moves_and_every_fault_comes_with_its_fix(tool, airline_world):
    airline.flights(airline_world, 2)
    airline.flights(airline_world, 1, tail_no="N3AAAA")
    asked = tool.post("inspections", 202)
    assert (asked["state"], asked["is_stuck"], asked["entities"]) == ("running", False, [])
    assert tool.post("inspections", 202)["id"] == asked["id"], "one at a time"
    queue.run_pending()
    found = tool.get(f"inspections/{asked['id']}")
    flights = found["entities"][-1]
    assert (flights["entity"], flights["rows"], flights["rejected"], flights["would_stop"]) == ("flights", 3, 1, True)
    assert {one["fate"]: one["count"] for one in flights["outcomes"]} == {"migrated": 2, "quarantined": 1}
    (fault,) = flights["faults"]
    assert (fault["rule"], fault["count"], fault["examples"][0]["key"]) == ("fleet_number_for_registration", 1, "3")
    assert "replace the fleet numbers" in fault["fix"]
    assert tool.get("runs")["items"] == [], "nothing moved"
    later = tool.post("inspections", 202)
    assert [one["id"] for one in tool.get("inspections")["items"]] == [later["id"], asked["id"]]
    assert tool.get(f"inspections/{asked['id']}")["entities"] == found["entities"], "until the later one is done"


def test_a_run_of_what_is_mapped_no_more_and_a_rule_of_another_version_say_no_untrue_word(tool):
    for entity in ("passengers", "flights"):
        run_id = tool.run(entity, RunState.SUCCEEDED, source_total=7, finished_at=timezone.now())
        with make.arranging():
            OutcomeTotal.objects.create(
                tenant_id=tool.owner.tenant_id, run_id=run_id, fate="dropped", rule="gone_rule", count=7
            )
        (outcome,) = tool.get(f"runs/{run_id}")["outcomes"]
        assert (outcome["fate"], outcome["rule"], outcome["count"]) == ("dropped", "gone_rule", 7)
        assert outcome["because"] == (
            "This rule stands in another version of the mapping." if entity == "flights" else ""
        )
