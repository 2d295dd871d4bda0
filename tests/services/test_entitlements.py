"""Snapshots, choices, subscriptions and the checks that judge them, on a real database with contracts in memory."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import Member
from core import queue, readiness, tenancy
from core.errors import PermissionRefused
from core.findings import Finding, Outcome
from core.models import Job, LedgerEntry
from core.permissions import StaffRole, TenantRole
from core.ports import Unavailable
from core.readiness import CHECKS
from core.subscriptions import AddOn, Subscription, Use
from entitlements import evidence, tasks
from entitlements.domain.preview import Choice
from entitlements.models import Decision, Mismatch, Snapshot
from entitlements.queries import previews
from entitlements.readiness import IDS
from entitlements.services import choices, snapshots, subscriptions
from tests import contracts, make
from tests.fakes.contracts import FakeBilling, FakeContracts

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_contracts")]

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
LATER = AT + timedelta(hours=1)


@pytest.fixture
def owner() -> Iterator[Member]:
    """An owner whose tenant has a contract on both platforms that agree, in the tenant's scope."""
    made = make.member(make.tenant("Zebra Air"))
    contracts.sign(made.tenant)
    with tenancy.scope(tenant_id=made.tenant_id):
        yield made


def take(owner: Member, at: datetime = AT) -> Snapshot:
    return snapshots.take(tenant_id=owner.tenant_id, by=make.SYSTEM, at=at)


def asked(owner: Member, check: str, at: datetime = AT) -> Finding:
    return CHECKS[f"entitlements.{check}"].ask(tenant_id=owner.tenant_id, at=at)


def outcomes(owner: Member, at: datetime = AT) -> list[Outcome]:
    return [asked(owner, check.partition(".")[2], at).outcome for check in IDS]


def events() -> list[str]:
    return list(
        LedgerEntry.objects.filter(event__startswith="entitlements.").order_by("seq").values_list("event", flat=True)
    )


def open_subjects() -> list[str]:
    return list(Mismatch.objects.filter(settled_in=None).order_by("subject").values_list("subject", flat=True))


def choose(owner: Member, choice: Choice, at: datetime = LATER) -> Decision:
    state = previews.state(tenant_id=owner.tenant_id, at=at)
    assert state
    option = next(one for one in state.preview.options if one.subject == "addon:TTY-FAX")
    return choices.choose(
        tenant_id=owner.tenant_id, subject=option.subject, choice=choice, basis=option.basis,
        by=make.actor(owner), at=at,
    )  # fmt: skip


def test_a_look_keeps_what_was_seen_and_enters_the_ledger(owner: Member) -> None:
    snapshot = take(owner)
    assert (snapshot.unmapped, snapshot.choices, snapshot.mismatches, snapshot.difference) == (0, 0, 0, 0)
    assert snapshot.legacy is not None
    assert snapshot.legacy["plan"] == "OPS-PRO"
    assert snapshot.use["roles"] == {"OWN": 1, "ADM": 2, "DSP": 22}
    assert events() == ["entitlements.snapshot.taken"]
    assert outcomes(owner) == [Outcome.PASS] * 4
    assert asked(owner, "billing_matches").summary.endswith("promised: no price change")


def test_before_anybody_looked_nothing_passes(owner: Member) -> None:
    assert outcomes(owner) == [Outcome.BLOCK] * 4
    assert "Compare again" in asked(owner, "all_mapped").fix


def test_what_was_seen_too_long_ago_is_unknown(owner: Member) -> None:
    take(owner)
    assert outcomes(owner, AT + timedelta(hours=30)) == [Outcome.PASS] * 4
    assert outcomes(owner, AT + timedelta(hours=31)) == [Outcome.UNKNOWN] * 4


def test_a_price_typed_in_by_hand_blocks_until_it_is_set_up_as_promised(owner: Member) -> None:
    contracts.bill(owner.tenant, 165_000)
    take(owner)
    finding = asked(owner, "billing_matches")
    assert finding.outcome is Outcome.BLOCK
    assert finding.summary == "1 difference between the new platform and what was promised: Price of the plan"
    (row,) = previews.open_mismatches(tenant_ids=[owner.tenant_id])
    assert (row.promised, row.found) == ("USD 1,450.00 a month", "USD 1,650.00 a month")
    lead = make.staff_actor(make.staff(StaffRole.IDENTITY_BILLING_LEAD))
    subscriptions.provision(tenant_id=owner.tenant_id, by=lead, at=LATER)
    assert FakeBilling.held[owner.tenant_id].price == 145_000
    assert asked(owner, "billing_matches", LATER).outcome is Outcome.PASS
    assert events() == [
        "entitlements.mismatch.opened",
        "entitlements.snapshot.taken",
        "entitlements.subscription.ordered",
        "entitlements.mismatch.settled",
        "entitlements.snapshot.taken",
    ]


def test_a_mismatch_stays_one_while_nothing_changes_and_is_another_when_it_does(owner: Member) -> None:
    contracts.bill(owner.tenant, 165_000)
    take(owner)
    take(owner, LATER)
    assert Mismatch.objects.count() == 1
    contracts.bill(owner.tenant, 170_000)
    take(owner, LATER + timedelta(hours=1))
    assert open_subjects() == ["price"]
    assert Mismatch.objects.count() == 2


def test_who_looked_earlier_but_comes_later_changes_nothing_known(owner: Member) -> None:
    take(owner, LATER)
    contracts.bill(owner.tenant, 165_000)
    take(owner, AT)
    assert open_subjects() == []


def test_nothing_set_up_blocks(owner: Member) -> None:
    FakeBilling.held.clear()
    take(owner)
    assert open_subjects() == ["subscription"]
    assert asked(owner, "billing_matches").outcome is Outcome.BLOCK


def test_an_outage_keeps_nothing_and_is_tried_again(owner: Member) -> None:
    FakeBilling.is_down = True
    with pytest.raises(Unavailable):
        take(owner)
    assert not Snapshot.objects.exists()


def test_a_retired_addon_blocks_until_the_owner_accepts_what_takes_its_place(owner: Member) -> None:
    contracts.sign(owner.tenant, contracts.TELEX)
    take(owner)
    assert outcomes(owner) == [Outcome.PASS, Outcome.BLOCK, Outcome.PASS, Outcome.BLOCK]
    assert "A choice is yours: Telex and fax" in asked(owner, "choices_made").summary
    assert open_subjects() == []
    choose(owner, Choice.ACCEPT)
    assert asked(owner, "choices_made", LATER).outcome is Outcome.PASS
    take(owner, LATER)
    assert open_subjects() == ["addon:ops-mail"]
    subscriptions.provision(tenant_id=owner.tenant_id, by=make.SYSTEM, at=LATER + timedelta(minutes=1))
    assert outcomes(owner, LATER + timedelta(minutes=1)) == [Outcome.PASS] * 4
    told = asked(owner, "billing_matches", LATER)
    assert (told.outcome, "USD" in told.summary) == (Outcome.PASS, False)  # members read it, and prices are not theirs


def test_a_retired_addon_may_be_given_up(owner: Member) -> None:
    contracts.sign(owner.tenant, contracts.TELEX)
    take(owner)
    choose(owner, Choice.GIVE_UP)
    take(owner, LATER)
    assert outcomes(owner, LATER) == [Outcome.PASS] * 4


def test_a_choice_can_be_changed_and_the_earlier_one_stays_on_record(owner: Member) -> None:
    contracts.sign(owner.tenant, contracts.TELEX)
    take(owner)
    first = choose(owner, Choice.ACCEPT)
    assert choose(owner, Choice.ACCEPT).pk == first.pk
    choose(owner, Choice.GIVE_UP, LATER + timedelta(minutes=1))
    first.refresh_from_db()
    assert first.replaced_by == owner.user_id
    assert previews.decided(tenant_id=owner.tenant_id)["addon:TTY-FAX"].choice is Choice.GIVE_UP
    assert events().count("entitlements.choice.made") == 2


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"subject": "addon:NONE"}, "nothing to choose here any more"),
        ({"choice": "perhaps"}, "Choose one of the answers shown"),
        ({"basis": "ops-mail for nothing"}, "The offer has changed since you saw it"),
    ],
)
def test_a_choice_of_something_not_offered_is_refused(owner: Member, changed: dict[str, str], words: str) -> None:
    contracts.sign(owner.tenant, contracts.TELEX)
    take(owner)
    state = previews.state(tenant_id=owner.tenant_id, at=LATER)
    assert state
    given = {"subject": "addon:TTY-FAX", "choice": "accept", "basis": state.preview.options[0].basis, **changed}
    with pytest.raises(choices.UnableToChoose, match=words):
        choices.choose(tenant_id=owner.tenant_id, **given, by=make.actor(owner), at=LATER)
    assert not Decision.objects.exists()


def test_only_an_owner_chooses_and_only_the_billing_lead_sets_up(owner: Member) -> None:
    admin = make.actor(make.member(owner.tenant, TenantRole.ADMIN))
    with pytest.raises(PermissionRefused):
        choices.choose(tenant_id=owner.tenant_id, subject="price", choice="accept", basis="", by=admin, at=AT)
    for by in (admin, make.actor(owner), make.staff_actor(make.staff(StaffRole.CS_LEAD))):
        with pytest.raises(PermissionRefused):
            subscriptions.provision(tenant_id=owner.tenant_id, by=by, at=AT)
    auditor = make.actor(make.member(owner.tenant, TenantRole.AUDITOR))
    with pytest.raises(PermissionRefused):
        snapshots.request(tenant_id=owner.tenant_id, by=auditor)


def test_nothing_is_set_up_while_something_is_open(owner: Member) -> None:
    contracts.sign(owner.tenant, contracts.TELEX)
    before = FakeBilling.held[owner.tenant_id]
    with pytest.raises(subscriptions.UnableToProvision, match="not settled yet"):
        subscriptions.provision(tenant_id=owner.tenant_id, by=make.SYSTEM, at=AT)
    assert FakeBilling.held[owner.tenant_id] is before
    assert events() == []


def test_an_outage_while_setting_up_is_said_and_the_order_stays_on_record(owner: Member) -> None:
    FakeBilling.is_down = True
    with pytest.raises(subscriptions.UnableToProvision, match="does not answer"):
        subscriptions.provision(tenant_id=owner.tenant_id, by=make.SYSTEM, at=AT)
    assert events() == ["entitlements.subscription.ordered"]


def test_an_item_that_nobody_mapped_blocks(owner: Member) -> None:
    contracts.sign(owner.tenant, AddOn("FREIGHT", "Freight desk", 1, 1))
    take(owner)
    assert asked(owner, "all_mapped").outcome is Outcome.BLOCK
    assert "Freight desk" in asked(owner, "all_mapped").summary
    assert asked(owner, "choices_made").outcome is Outcome.PASS
    assert asked(owner, "billing_matches").outcome is Outcome.BLOCK


@pytest.mark.parametrize(
    ("resources", "outcome"),
    [
        ({"seats": 61, "flights_per_year": 1}, Outcome.BLOCK),
        ({"seats": 60, "flights_per_year": 200_001}, Outcome.WARN),
        ({"flights_per_year": 1}, Outcome.UNKNOWN),
    ],
)
def test_more_use_than_the_new_limit_is_said(owner: Member, resources: dict[str, int], outcome: Outcome) -> None:
    contracts.sign(owner.tenant, use=Use(resources))
    take(owner)
    assert asked(owner, "within_limits").outcome is outcome


def test_facts_move_with_the_promise_and_not_with_what_is_used(owner: Member) -> None:
    take(owner)
    before = {check: asked(owner, check.partition(".")[2]).facts for check in IDS}
    FakeContracts.used[owner.tenant.legacy_ref] = Use({"seats": 26, "flights_per_year": 9_001}, contracts.USE.roles)
    take(owner, LATER)
    assert {check: asked(owner, check.partition(".")[2], LATER).facts for check in IDS} == before
    FakeContracts.used[owner.tenant.legacy_ref] = Use({"seats": 1, "flights_per_year": 9_001}, {"OWN": 1})
    take(owner, LATER + timedelta(seconds=30))
    at = LATER + timedelta(seconds=30)
    assert {check: asked(owner, check.partition(".")[2], at).facts for check in IDS} == before
    FakeContracts.held[owner.tenant.legacy_ref] = replace(contracts.OLD, price=1)
    take(owner, LATER + timedelta(minutes=1))
    assert asked(owner, "billing_matches", LATER + timedelta(minutes=1)).facts != before["entitlements.billing_matches"]


def test_every_night_every_tenant_is_reconciled_and_its_checks_answer_anew(owner: Member, settings) -> None:
    settings.QUEUE_RINGS = False
    other = make.member(make.tenant("Yak Air"))
    contracts.sign(other.tenant)
    contracts.bill(other.tenant, 1)
    with make.arranging():
        tasks.reconcile(at=AT)
        assert Job.objects.filter(task=previews.TASK).count() == 2
    queue.run_pending()
    with make.arranging():
        assert Snapshot.objects.count() == 2
        assert [row.tenant_id for row in Mismatch.objects.all()] == [other.tenant_id]
        answers = readiness.latest_of_many(tenant_ids=[owner.tenant_id, other.tenant_id])
    assert answers[owner.tenant_id]["entitlements.billing_matches"].finding.outcome is Outcome.PASS
    assert answers[other.tenant_id]["entitlements.billing_matches"].finding.outcome is Outcome.BLOCK


def test_a_choice_has_both_platforms_looked_at_again(owner: Member, settings) -> None:
    settings.QUEUE_RINGS = False
    contracts.sign(owner.tenant, contracts.TELEX)
    take(owner)
    choose(owner, Choice.ACCEPT)
    queue.run_pending()
    assert Snapshot.objects.count() == 2
    assert open_subjects() == ["addon:ops-mail"]


def test_the_evidence_pack_holds_the_promise_and_what_was_found(owner: Member) -> None:
    assert evidence.promise(tenant_id=owner.tenant_id, at=AT) == {"compared_at": None}
    take(owner)
    part = evidence.promise(tenant_id=owner.tenant_id, at=AT)
    assert part["promise"]["price"] == part["found"]["price"] == 145_000
    assert part["mismatches"] == []


def test_another_tenants_contract_is_not_seen(owner: Member) -> None:
    take(owner)
    with tenancy.scope(tenant_id=make.tenant("Stranger").pk):
        assert previews.latest(tenant_id=owner.tenant_id) is None
        assert previews.open_mismatches(tenant_ids=[owner.tenant_id]) == []


def test_a_subscription_is_kept_as_it_was_told(owner: Member) -> None:
    snapshot = take(owner)
    assert snapshot.new is not None
    assert Subscription(**{**snapshot.new, "addons": contracts.NEW.addons, "terms": ()}) == contracts.NEW
