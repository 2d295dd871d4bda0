"""Standing catch-ups: switched on once, they bring over what changes until the cutover, and tell how far behind."""

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.core.management import call_command
from django.db.models import F
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Tenant
from backfills import readiness, stop_the_line
from backfills.domain.runs import RunState
from backfills.domain.spec import Exported, Frozen
from backfills.models import Pace, Run
from backfills.models.pace import LONGEST_EVERY
from backfills.queries import lag as lags
from backfills.queries import mapping
from backfills.queries import runs as listed
from backfills.queries import standing as queries
from backfills.services import asking, runs, standing
from core import ports, queue, tenancy, toggles
from core import readiness as core_readiness
from core.actor import Actor
from core.errors import PermissionRefused
from core.findings import Finding, Outcome
from core.models import Job, LedgerEntry
from core.tenancy import scope
from cutover.domain.phases import Phase
from cutover.models import Cutover
from tests import airline, make
from tests.databases import Platforms

HOUSE = Actor.system("tests")
MINUTE = timedelta(minutes=1)
pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def tenant() -> Iterator[Tenant]:
    made = make.tenant("Zebra Air", legacy_ref=airline.CODE)
    with scope(tenant_id=made.pk):
        yield made


def switch_on(tenant: Tenant, *, at: datetime, every: int = 2, days: int = 7) -> None:
    until = at + timedelta(days=days)
    standing.switch_on(tenant_id=tenant.pk, every=every, until=until, by=HOUSE, at=at)


def tick(tenant: Tenant, *, at: datetime | None = None) -> list[Run]:
    """Do what the clock and the worker do."""
    started = standing.catch_up(tenant_id=tenant.pk, by=HOUSE, at=at or timezone.now())
    queue.run_pending()
    return started


def due(*, at: datetime) -> int:
    with tenancy.staff_scope(by=HOUSE, reason="what the clock does"):
        return standing.request_due(by=HOUSE, at=at)


def entries() -> list[str]:
    return list(LedgerEntry.objects.order_by("seq").values_list("event", flat=True))


def moved(tenant: Tenant, *, at: datetime, entity: str = "", **different: object) -> None:
    """Let every entity have been moved in full by a run that began at a moment, or one."""
    for name, spec in mapping.specs().items():
        if entity in ("", name):
            fields = {"state": RunState.SUCCEEDED, "spec": spec.label, "source_total": 0, "watermark": at, **different}
            Run.objects.create(tenant=tenant, entity=name, requested_at=at, started_at=at, finished_at=at, **fields)


@pytest.mark.slow
def test_what_changes_in_legacy_arrives_by_itself_and_leaves_one_entry(
    airline_world: Platforms, tenant: Tenant, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    airline.flights(airline_world, 2)
    airline.legacy_do(airline_world, "UPDATE flt_hist SET upd_ts = now() - interval '1 hour'")
    airline.legacy_do(airline_world, "UPDATE stn_mast SET upd_ts = now() - interval '1 hour'")
    airline.legacy_do(airline_world, "UPDATE eqp_mast SET upd_ts = now() - interval '1 hour'")
    switch_on(tenant, at=timezone.now())
    assert entries() == ["core.toggle.switched_on"]
    assert tick(tenant) == []  # nothing has moved in full yet
    runs.start(tenant_id=tenant.pk, by=HOUSE, at=timezone.now())
    queue.run_pending()
    before = len(entries())
    settings.DEMO = True
    monkeypatch.setenv("DEMO_LEGACY_OWNER_URL", airline_world.legacy_owner)
    call_command("demo_change", tenant.slug, stdout=io.StringIO())
    assert len(tick(tenant)) == 4
    rows = airline.new_rows(airline_world, "SELECT distance_km::text FROM platform.flight ORDER BY distance_km")
    assert rows == [("3983.1",), ("3984.7",)]
    told = [event for event in entries()[before:] if event.startswith("backfills.")]
    assert told == ["backfills.run.finished"]
    airline.legacy_do(airline_world, "UPDATE flt_hist SET upd_ts = now() - interval '1 hour'")
    before = len(entries())
    for _ in range(2):
        tick(tenant)
    assert len(entries()) == before
    silent = Run.objects.filter(standing=True, changed=0)
    assert sorted(silent.values_list("entity", flat=True)) == sorted(mapping.specs())
    assert Run.objects.filter(standing=True, changed=1).count() == 1
    assert ports.mover().staged(account_id=tenant.pk)["run"] == 9  # 4 in full, one that moved something, 4 silent
    Run.objects.update(started_at=F("started_at") - timedelta(hours=1))  # as after an hour in which we were off
    core_readiness.evaluate(tenant_id=tenant.pk, by=HOUSE, at=timezone.now(), checks=[asking.CHECK])
    assert core_readiness.latest(tenant_id=tenant.pk)[asking.CHECK].outcome is Outcome.BLOCK
    tick(tenant)
    assert core_readiness.latest(tenant_id=tenant.pk)[asking.CHECK].outcome is Outcome.PASS


def test_it_is_due_in_its_time_never_twice_and_not_for_others(tenant: Tenant) -> None:
    at = timezone.now()
    make.tenant("Nobody Air", legacy_ref="NA")
    assert due(at=at) == 0
    switch_on(tenant, at=at, every=5)
    assert (due(at=at), due(at=at)) == (1, 1)
    assert Job.objects.filter(task=queries.TASK).count() == 1
    standing.catch_up(tenant_id=tenant.pk, by=HOUSE, at=at)
    assert due(at=at + 4 * MINUTE) == 0
    assert due(at=at + 5 * MINUTE) == 1
    assert due(at=at + timedelta(days=7)) == 0  # it has expired


def test_one_that_takes_long_waits_as_long(tenant: Tenant) -> None:
    at = timezone.now()
    switch_on(tenant, at=at)
    moved(tenant, at=at - 20 * MINUTE, entity="flights", standing=True)
    Run.objects.update(finished_at=at)
    standing.catch_up(tenant_id=tenant.pk, by=HOUSE, at=at)
    assert Pace.objects.get().due_at == at + 20 * MINUTE


def test_it_starts_nothing_while_something_moves_or_is_paused(tenant: Tenant) -> None:
    at = timezone.now()
    moved(tenant, at=at)
    switch_on(tenant, at=at)
    moved(tenant, at=at, entity="airports", state=RunState.PAUSED)
    assert standing.catch_up(tenant_id=tenant.pk, by=HOUSE, at=at) == []
    Run.objects.filter(state=RunState.PAUSED).delete()
    assert len(standing.catch_up(tenant_id=tenant.pk, by=HOUSE, at=at)) == 4
    assert standing.catch_up(tenant_id=tenant.pk, by=HOUSE, at=at) == []


def phase(tenant: Tenant, phase: Phase) -> None:
    Cutover.objects.update_or_create(
        tenant_id=tenant.pk, defaults={"phase": phase.value, "phase_since": timezone.now()}
    )


def test_it_rests_while_the_line_is_stopped_and_ends_at_the_cutover(tenant: Tenant) -> None:
    at = timezone.now()
    moved(tenant, at=at)
    switch_on(tenant, at=at)
    for stopped in (Phase.HALTED, Phase.ROLLED_BACK):
        phase(tenant, stopped)
        assert standing.catch_up(tenant_id=tenant.pk, by=HOUSE, at=at) == []
        assert queries.of_tenant(tenant_id=tenant.pk, at=at).resting
    phase(tenant, Phase.FULL)
    assert standing.catch_up(tenant_id=tenant.pk, by=HOUSE, at=at) == []
    assert not queries.of_tenant(tenant_id=tenant.pk, at=at).is_on
    assert entries()[-1] == "core.toggle.switched_off"
    with pytest.raises(standing.UnableToKeepUp, match="You work on the new platform now"):
        switch_on(tenant, at=at)


def test_what_cannot_be_is_refused_and_leaves_nothing(tenant: Tenant) -> None:
    at = timezone.now()
    with pytest.raises(toggles.UnableToSwitch, match="within 90 days"):
        switch_on(tenant, at=at, days=91)
    with pytest.raises(standing.UnableToKeepUp, match="every 1 to 15 minutes, not every 0"):
        switch_on(tenant, at=at, every=0)
    with pytest.raises(standing.UnableToKeepUp, match="every 1 to 15 minutes, not every 16"):
        switch_on(tenant, at=at, every=16)
    with pytest.raises(PermissionRefused):
        standing.switch_on(tenant_id=tenant.pk, every=2, until=at + MINUTE, by=Actor.anonymous(), at=at)
    assert (Pace.objects.count(), entries()) == (0, [])
    switch_on(tenant, at=at, every=7)
    with pytest.raises(toggles.UnableToSwitch, match="on already"):
        switch_on(tenant, at=at)
    assert Pace.objects.get().every == 7
    assert entries() == ["core.toggle.switched_on", "backfills.pace.set"]
    assert standing.switch_off(tenant_id=tenant.pk, by=HOUSE, at=at)
    assert not standing.switch_off(tenant_id=tenant.pk, by=HOUSE, at=at)


def said(tenant: Tenant, *, at: datetime) -> Finding:
    return readiness.caught_up(tenant_id=tenant.pk, at=at)


def test_the_check_says_how_far_behind_and_what_to_do(tenant: Tenant) -> None:
    at = timezone.now()
    assert (said(tenant, at=at).outcome, said(tenant, at=at).fix) == (Outcome.UNKNOWN, "Start the runs.")
    moved(tenant, at=at)
    finding = said(tenant, at=at + 4 * MINUTE)
    assert finding.outcome is Outcome.PASS
    assert finding.summary == "At most 4 minutes behind legacy; the target is 5 minutes"
    late = said(tenant, at=at + 20 * MINUTE)
    assert (late.outcome, late.facts) == (Outcome.WARN, finding.facts)
    assert "Keep catching up" in late.fix
    switch_on(tenant, at=at)
    blocked = said(tenant, at=at + 31 * MINUTE)
    assert (blocked.outcome, blocked.summary) == (
        Outcome.BLOCK,
        "Aircraft types are 31 minutes behind legacy; the target is 5 minutes",
    )
    assert blocked.fix.startswith("It goes on by itself")
    Run.objects.update(watermark=None)
    assert said(tenant, at=at + 31 * MINUTE).fix.endswith("Move them in full.")
    assert lags.of_many([tenant.pk], at=at + 31 * MINUTE) == {tenant.pk: 31 * MINUTE}
    phase(tenant, Phase.STABILISE)
    assert said(tenant, at=at + 31 * MINUTE).outcome is Outcome.PASS
    assert lags.of_many([tenant.pk], at=at + 31 * MINUTE) == {}, "nothing is brought over any more"


def test_a_file_is_as_old_as_the_latest_change_that_it_tells_of_however_often_it_is_read(tenant: Tenant) -> None:
    at, week = timezone.now(), timedelta(days=7)
    moved(tenant, at=at, source_version="sha256:1", watermark=at - week)
    switch_on(tenant, at=at - timedelta(hours=1))
    Pace.objects.update(trying_since=at - timedelta(hours=1), asked_at=at)
    late = said(tenant, at=at + MINUTE)
    summary = "The latest change in the file of aircraft types was 8 days ago; the target is 5 minutes"
    assert (late.outcome, late.summary) == (Outcome.BLOCK, summary)
    assert late.fix.startswith("Put a newer file in its place.")
    assert lags.of_many([tenant.pk], at=at) == {tenant.pk: week}
    assert listed.moves(tenant_id=tenant.pk).caught_up_to == at - week
    assert alarm(tenant, at=at + 20 * MINUTE) is None, "it is read, and whether legacy is ahead of it nobody knows"
    assert alarm(tenant, at=at + 31 * MINUTE) is not None
    Run.objects.update(watermark=at + week)
    assert said(tenant, at=at + MINUTE).summary == "At most 1 minute behind legacy; the target is 5 minutes"
    Run.objects.filter(entity="flights").update(watermark=None)
    unknown = said(tenant, at=at + MINUTE)
    summary = "Nothing in the file of flights tells how old it is, so nobody knows"
    assert (unknown.outcome, unknown.summary) == (Outcome.BLOCK, summary), "a policy exception can cover it"
    assert "policy exception" in unknown.fix
    assert lags.of_many([tenant.pk], at=at) == {}
    assert listed.moves(tenant_id=tenant.pk).caught_up_to is None


def declare(monkeypatch: pytest.MonkeyPatch, **declared: object) -> None:
    """Let the mapping say something of every source."""
    specs = {name: replace(spec, **declared) for name, spec in mapping.specs().items()}
    monkeypatch.setattr(mapping, "specs", lambda: specs)


def test_an_export_is_as_old_as_the_mapping_says_whatever_changed_last(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    at, week = timezone.now(), timedelta(days=7)
    declare(monkeypatch, exported=Exported(within_minutes=1))
    moved(tenant, at=at, source_version="sha256:1", watermark=at - week, as_of=at - MINUTE)
    assert said(tenant, at=at + MINUTE).summary == "At most 2 minutes behind legacy; the target is 5 minutes"
    late = said(tenant, at=at + 179 * MINUTE)
    summary = "The export of aircraft types is 3 hours old; the target is 5 minutes"
    assert (late.outcome, late.summary) == (Outcome.BLOCK, summary)
    assert late.fix.startswith("Export them again")


def test_what_is_frozen_in_legacy_passes_as_long_as_it_stays_what_it_was(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = timezone.now().replace(hour=12)
    declare(monkeypatch, frozen=Frozen(at.date(), "The old ledger is closed."), changed=None)
    phase(tenant, Phase.RAMP)
    moved(tenant, at=at - timedelta(days=1), source_version="sha256:1")
    early = said(tenant, at=at)
    assert (early.outcome, early.fix[:16]) == (Outcome.BLOCK, "Move them once m")
    assert early.summary.endswith("but they were last read before that")
    moved(tenant, at=at, source_version="sha256:1", changed=7)
    assert said(tenant, at=at + timedelta(days=9)).outcome is Outcome.PASS
    assert alarm(tenant, at=at + timedelta(days=9)) is None
    moved(tenant, at=at + timedelta(days=1), source_version="sha256:2")
    broken = said(tenant, at=at + timedelta(days=9))
    assert broken.outcome is Outcome.BLOCK
    assert "legacy held other rows on" in broken.summary


def test_where_no_mapping_tells_of_changes_it_counts_from_the_ramp_on(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = timezone.now()
    moved(tenant, at=at - timedelta(days=1))
    blind = {name: replace(spec, changed=None) for name, spec in mapping.specs().items()}
    monkeypatch.setattr(mapping, "specs", lambda: blind)
    assert (said(tenant, at=at).outcome, said(tenant, at=at).facts) == (Outcome.PASS, {"counted": []})
    phase(tenant, Phase.RAMP)
    assert said(tenant, at=at).outcome is Outcome.BLOCK
    with pytest.raises(standing.UnableToKeepUp, match="does not name the column"):
        switch_on(tenant, at=at)


def alarm(tenant: Tenant, *, at: datetime):
    return stop_the_line.fell_behind(tenant_id=tenant.pk, at=at)


def test_the_line_stops_once_it_has_tried_in_vain_for_half_an_hour(tenant: Tenant) -> None:
    at = timezone.now()
    moved(tenant, at=at - timedelta(hours=3))
    Run.objects.update(watermark=None)  # so that no catch-up can be
    assert alarm(tenant, at=at) is None  # nobody promised it
    switch_on(tenant, at=at)
    for minutes in range(0, 32, 10):
        standing.catch_up(tenant_id=tenant.pk, by=HOUSE, at=at + minutes * MINUTE)
        assert alarm(tenant, at=at + minutes * MINUTE) is None
    raised = alarm(tenant, at=at + 31 * MINUTE)
    assert raised is not None
    assert raised.reason == "Aircraft types are 4 hours behind legacy, and nothing brings over what changed there."
    assert raised.since == at + 30 * MINUTE
    late = at + 3 * timedelta(hours=1)  # the house was down
    standing.catch_up(tenant_id=tenant.pk, by=HOUSE, at=late)
    assert alarm(tenant, at=late) is None
    moved(tenant, at=late)
    assert alarm(tenant, at=late + 5 * MINUTE) is None


def test_one_that_works_as_seldom_as_it_may_is_never_taken_for_one_that_does_not(tenant: Tenant) -> None:
    at = timezone.now()
    switch_on(tenant, at=at, every=LONGEST_EVERY)
    phase(tenant, Phase.CANARY)
    for tick_at in (at + number * LONGEST_EVERY * MINUTE for number in range(4)):
        standing.catch_up(tenant_id=tenant.pk, by=HOUSE, at=tick_at)
        Run.objects.all().delete()
        moved(tenant, at=tick_at + MINUTE)  # what it starts
        late = tick_at + (LONGEST_EVERY + 2) * MINUTE  # the next one has begun, and not ended
        assert said(tenant, at=late).outcome is Outcome.WARN
        assert alarm(tenant, at=late) is None


def test_half_an_hour_in_vain_counts_from_the_last_success(tenant: Tenant) -> None:
    at = timezone.now()
    moved(tenant, at=at - 180 * MINUTE)
    switch_on(tenant, at=at)
    for minutes in (0, 20, 40):
        Run.objects.filter(standing=True).delete()
        moved(tenant, at=at + minutes * MINUTE, standing=True)
        standing.catch_up(tenant_id=tenant.pk, by=HOUSE, at=at + (minutes + 1) * MINUTE)
        Run.objects.filter(state=RunState.QUEUED).delete()
    Run.objects.filter(standing=True).delete()  # so that all are hours behind at once
    assert alarm(tenant, at=at + 42 * MINUTE) is None
    raised = alarm(tenant, at=at + 71 * MINUTE)
    assert raised is not None
    assert raised.since == at + 70 * MINUTE


def standing_run(tenant: Tenant, entity: str, *, at: datetime, state: RunState, **different: object) -> Run:
    """Let a standing catch-up of an entity stand so."""
    fields = {"started_at": at, "finished_at": at, "watermark": at, "source_total": 0, **different}
    label = mapping.specs()[entity].label
    return Run.objects.create(
        tenant=tenant, entity=entity, state=state, spec=label, since=at, requested_at=at, standing=True, **fields
    )


def fail(tenant: Tenant, *, at: datetime) -> Run:
    """Queue a standing catch-up of flights, which look up airports, and let it begin."""
    unbegun = {"started_at": None, "finished_at": None, "watermark": None, "source_total": None}
    run = standing_run(tenant, "flights", at=at, state=RunState.QUEUED, **unbegun)
    with pytest.raises(runs.UnableToMove, match=r"Airports changed, which they look up\. Move them in full\."):
        runs.advance(run_id=run.pk, by=HOUSE, at=at)
    return run


def test_where_it_would_have_to_read_everything_it_leaves_that_to_people(tenant: Tenant) -> None:
    at = timezone.now()
    moved(tenant, at=at - 60 * MINUTE)
    conserved = readiness.conserved(tenant_id=tenant.pk, at=at)
    assert conserved.outcome is Outcome.PASS
    last = standing_run(tenant, "flights", at=at - 9 * MINUTE, state=RunState.SUCCEEDED)
    standing_run(tenant, "airports", at=at - 8 * MINUTE, state=RunState.SUCCEEDED, changed=1)
    fail(tenant, at=at - 7 * MINUTE)
    again = fail(tenant, at=at - 5 * MINUTE)
    left = Run.objects.filter(entity="flights", standing=True).order_by("requested_at")
    assert [run.pk for run in left] == [last.pk, again.pk]
    assert entries().count("backfills.run.failed") == 1
    assert lags.behind(tenant_id=tenant.pk, at=at).words_of("flights") == "9 minutes"
    found = readiness.conserved(tenant_id=tenant.pk, at=at)
    assert (found.outcome, found.facts) == (conserved.outcome, conserved.facts)
    why = queries.why_not(tenant_id=tenant.pk, entities=["flights"])
    assert why == "Flights cannot be caught up by themselves. Airports changed, which they look up."
    switch_on(tenant, at=at)
    assert "flights" not in {run.entity for run in standing.catch_up(tenant_id=tenant.pk, by=HOUSE, at=at)}
    moved(tenant, at=at + MINUTE, entity="flights")
    assert queries.why_not(tenant_id=tenant.pk, entities=["flights"]) == ""
