"""What integrations contribute to the gates."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from core import ports, queue
from core.findings import Outcome
from core.inventory import Integration, Kind
from core.readiness import CHECKS, latest
from integrations import readiness
from integrations.queries import inventory as lines
from integrations.queries.endpoints import RUN_HOLDS
from integrations.services import inventory
from tests.fakes.inventory import FakeInventory
from tests.receiving import HOOK, Case, connected

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(settings: Settings) -> Iterator[Case]:
    with connected(settings) as made:
        yield made


def finding(check, case, *, at=None):
    return check(tenant_id=case.tenant_id, at=at or timezone.now())


def test_the_inventory_check_blocks_until_every_line_has_a_fate(case):
    found = finding(readiness.inventory_decided, case)
    assert (found.outcome, found.summary) == (Outcome.BLOCK, "2 of 2 integrations have no stated fate")
    inventory.read(tenant_id=case.tenant_id, by=case.by, at=timezone.now())
    inventory.accept_all(tenant_id=case.tenant_id, by=case.by, at=timezone.now())
    found = finding(readiness.inventory_decided, case)
    assert found.outcome is Outcome.PASS
    assert found.facts == {"fates": {"api_key:7": "retired", "webhook:1": "recreated"}, "unknown": []}
    FakeInventory.connected["ZZ"].append(Integration(Kind.ETL, "9", "A feed of last night"))
    found = finding(readiness.inventory_decided, case)
    assert (found.outcome, found.facts["unknown"]) == (Outcome.BLOCK, ["etl:9"])


def test_an_outage_of_legacy_leaves_the_inventory_check_unanswered(case):
    FakeInventory.trouble = ports.Unavailable("away")
    with pytest.raises(ports.Unavailable):
        finding(readiness.inventory_decided, case)


def test_the_harness_check_wants_an_endpoint_for_each_webhook_that_goes_on(case):
    assert finding(readiness.harness_passed, case).summary == "You receive no webhooks"
    inventory.read(tenant_id=case.tenant_id, by=case.by, at=timezone.now())
    item = lines.webhooks(tenant_id=case.tenant_id)[0]
    found = finding(readiness.harness_passed, case)
    assert (found.outcome, found.facts["without_endpoint"]) == (Outcome.BLOCK, ["1"])
    inventory.decide(item=item, fate="retired", reason="Nobody listens.", by=case.by, at=timezone.now())
    assert finding(readiness.harness_passed, case).outcome is Outcome.PASS


def test_the_harness_check_follows_the_latest_run_for_seven_days(case):
    endpoint = case.register()
    assert "was not tried yet" in finding(readiness.harness_passed, case).summary
    case.book.hooks["/a/b"].verifies = False
    case.try_out(endpoint)
    found = finding(readiness.harness_passed, case)
    assert (found.outcome, found.fix[:14]) == (Outcome.BLOCK, "Keep each webh")
    case.book.hooks["/a/b"].verifies = True
    case.try_out(endpoint)
    found = finding(readiness.harness_passed, case)
    assert (found.outcome, found.summary) == (Outcome.PASS, "1 endpoint takes genuine messages and refuses all others")
    later = finding(readiness.harness_passed, case, at=timezone.now() + timedelta(days=8))
    assert (later.outcome, later.summary[-25:]) == (Outcome.BLOCK, "tried more than a week ago"[-25:])
    case.try_out(endpoint)
    assert finding(readiness.harness_passed, case).facts == found.facts


def test_an_answer_of_the_harness_check_does_not_outlive_the_run_it_rests_on(case):
    assert CHECKS["integrations.harness_passed"].valid_for < RUN_HOLDS / 2


def test_findings_name_hosts_and_never_a_path_that_may_be_a_password(case):
    FakeInventory.connected["ZZ"] = [replace(HOOK, name=f"{HOOK.address}/s3cret", address=f"{HOOK.address}/s3cret")]
    told = [finding(readiness.inventory_decided, case)]
    inventory.read(tenant_id=case.tenant_id, by=case.by, at=timezone.now())
    told.append(finding(readiness.harness_passed, case))
    inventory.accept_all(tenant_id=case.tenant_id, by=case.by, at=timezone.now())
    endpoint = case.register(item=lines.webhooks(tenant_id=case.tenant_id)[0])
    told.append(finding(readiness.harness_passed, case))
    case.try_out(endpoint)
    told.append(finding(readiness.harness_passed, case))
    assert [one.outcome for one in told] == [Outcome.BLOCK, Outcome.BLOCK, Outcome.BLOCK, Outcome.PASS]
    assert "ops.airline.example" in told[1].summary
    assert "hooks.airline.example" in told[2].summary
    said = " ".join(str((one.summary, one.facts, one.evidence)) for one in told)
    assert not [secret for secret in ("s3cret", "/hooks", "/in") if secret in said]


def test_the_checks_concerned_are_asked_again_by_themselves(case):
    inventory.read(tenant_id=case.tenant_id, by=case.by, at=timezone.now())
    inventory.accept_all(tenant_id=case.tenant_id, by=case.by, at=timezone.now())
    case.try_out(case.register(item=lines.webhooks(tenant_id=case.tenant_id)[0]))
    queue.run_pending()
    told = {check_id: answer.finding.outcome for check_id, answer in latest(tenant_id=case.tenant_id).items()}
    assert told == {
        "integrations.inventory_decided": Outcome.PASS,
        "integrations.harness_passed": Outcome.PASS,
    }
