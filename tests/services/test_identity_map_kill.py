"""The worker killed with -9 in the middle of a mapping: the same outcomes as if nothing had happened."""

import subprocess
import sys

import pytest
from pytest_django import Settings

from accounts.models import LegacyPerson, MapRun
from accounts.services.identity_map import runs
from core import tenancy
from tests import make, mapping_to_kill
from tests.fakes.people import FakePeople
from tests.mapped import AT, Airline, make_airline


def mapped(airline: Airline) -> tuple[object, ...]:
    """Map without a disturbance, and return what it left, apart from ids."""
    run = runs.request(tenant_id=airline.id, by=airline.by, at=AT)
    runs.advance(run_id=run.pk, by=make.SYSTEM, now=lambda: AT)
    run = MapRun.objects.get(pk=run.pk)
    return run.state, run.new_read, run.legacy_read, run.outcomes, airline.judged()


@pytest.mark.slow
def test_a_mapping_killed_anywhere_ends_as_an_undisturbed_one(
    child_environment: dict[str, str], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ADAPTERS = {**settings.ADAPTERS, "people": {"BACKEND": "tests.fakes.people.FakePeople"}}
    settings.QUEUE_RINGS = False
    monkeypatch.setattr(runs, "BATCH", mapping_to_kill.BATCH)
    FakePeople.reset()
    calm, shaken = make_airline(), make_airline()
    for each in (calm, shaken):
        mapping_to_kill.population(each.owner.tenant.legacy_ref, each.id)
    with tenancy.scope(tenant_id=calm.id):
        undisturbed = mapped(calm)
    assert undisturbed[0] == "done"
    with tenancy.scope(tenant_id=shaken.id):
        run = runs.request(tenant_id=shaken.id, by=shaken.by, at=AT)
        for place in mapping_to_kill.PLACES:
            command = [sys.executable, "-m", mapping_to_kill.__name__, str(run.pk), str(shaken.id), place]
            with subprocess.Popen(command, env=child_environment, stdin=-1, stdout=-1) as child:
                assert child.stdout
                assert child.stdout.readline() == b"here\n"
                before = MapRun.objects.get(pk=run.pk)
                child.kill()
            assert before.state == "running"
            assert not LegacyPerson.objects.exclude(outcome="pending").exists(), "nobody sees half a judgement"
        assert before.legacy_read == mapping_to_kill.PEOPLE
        assert mapped(shaken) == undisturbed
    FakePeople.reset()
