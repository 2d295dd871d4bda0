"""What a customer says of its workflows, who may say it, and what the checks make of it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from accounts.models import Member
from core import ledger, readiness, tenancy, toggles
from core.actor import Actor
from core.errors import NotFound, PermissionRefused
from core.findings import Finding, Outcome
from core.permissions import TenantRole
from parity_reports.models import GuideMark, Reliance
from parity_reports.queries import marks, reliances
from parity_reports.services import guides, workflows
from tests import make
from tests.changes import GUIDE, WORKFLOWS

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 25, 9, tzinfo=UTC)
OLD_WAY = "compat.codes"


@pytest.fixture(autouse=True)
def declared(settings: Settings, tmp_path: Path) -> Path:
    (tmp_path / "flights.yaml").write_text(WORKFLOWS)
    (tmp_path / "delays.md").write_text(GUIDE)
    settings.WORKFLOWS_FOLDER = settings.GUIDES_FOLDER = str(tmp_path)
    return tmp_path


@pytest.fixture
def admin() -> Iterator[Member]:
    member = make.member(make.tenant(segment="major"), TenantRole.ADMIN)
    with tenancy.scope(tenant_id=member.tenant_id):
        yield member


def said(member: Member, use, workflow_id: str = "log_delay", *, at: datetime = AT, **more) -> None:
    use(tenant_id=member.tenant_id, workflow_id=workflow_id, by=make.actor(member), at=at, **more)


def ask(member: Member, check: str, *, at: datetime = AT) -> Finding:
    return readiness.CHECKS[f"parity_reports.{check}"].ask(tenant_id=member.tenant_id, at=at)


def events(member: Member) -> list[str]:
    return [entry.event for entry in reversed(ledger.recent(tenant_id=member.tenant_id)) if "toggle" not in entry.event]


def test_relying_confirming_and_releasing_leave_one_entry_each_however_often_they_are_said(admin: Member) -> None:
    for use in (workflows.rely, workflows.confirm, workflows.release):
        said(admin, use)
        said(admin, use, at=AT + timedelta(minutes=1))
    assert events(admin) == [f"parity_reports.workflow.{verb}" for verb in ("relied_on", "tried", "released")]
    assert not Reliance.objects.exists()


def test_only_owners_and_admins_decide() -> None:
    tenant = make.tenant()
    for role, may in ((TenantRole.OWNER, True), (TenantRole.AUDITOR, False), (TenantRole.MEMBER, False)):
        member = make.member(tenant, role)
        with tenancy.scope(tenant_id=tenant.pk):
            if may:
                said(member, workflows.rely)
                continue
            for use in (workflows.rely, workflows.release, workflows.confirm, workflows.end_old_way):
                with pytest.raises(PermissionRefused):
                    said(member, use)
            with pytest.raises(PermissionRefused):
                said(member, workflows.accept, reason="x")
            with pytest.raises(PermissionRefused):
                said(member, workflows.keep_old_way, until=AT + timedelta(days=3), reason="x")


def test_a_workflow_of_another_segment_is_not_there(admin: Member) -> None:
    with make.arranging():
        type(admin.tenant).objects.update(segment="national")
    with pytest.raises(NotFound):
        said(admin, workflows.rely)


@pytest.mark.parametrize(
    ("use", "workflow_id", "more", "words"),
    [
        (workflows.confirm, "log_delay", {}, "Nobody has said that you rely on “Log a delay”."),
        (workflows.confirm, "swap_crew", {}, "“Swap crew” is not there yet, so nobody can have tried it."),
        (workflows.accept, "log_delay", {"reason": "x"}, "“Log a delay” is there; there is nothing to accept."),
        (workflows.accept, "swap_crew", {"reason": " "}, "Say why you can do without it"),
        (workflows.accept, "swap_crew", {"reason": "x" * 501}, "The reason is longer than 500 characters."),
        (workflows.accept, "swap_crew", {"reason": "x"}, "Nobody has said that you rely on “Swap crew”."),
        (workflows.end_old_way, "swap_crew", {}, "The old way of “Swap crew” cannot be kept."),
    ],
)
def test_what_cannot_be_said_is_refused_with_its_reason(admin: Member, use, workflow_id, more, words) -> None:
    with pytest.raises(workflows.UnableToDecide) as refused:
        said(admin, use, workflow_id, **more)
    assert words in refused.value.message
    assert events(admin) == []


def test_the_old_way_ends_by_itself_and_is_never_kept_longer_than_declared(admin: Member) -> None:
    said(admin, workflows.rely)
    with pytest.raises(workflows.UnableToSwitch, match="must end within 60 days"):
        said(admin, workflows.keep_old_way, until=AT + timedelta(days=61), reason="Winter")
    said(admin, workflows.keep_old_way, until=AT + timedelta(days=60), reason="Winter")
    assert ask(admin, "workflows_tried").outcome is Outcome.PASS
    assert toggles.is_on(OLD_WAY, tenant_id=admin.tenant_id, at=AT)
    late = AT + timedelta(days=60)
    assert ask(admin, "workflows_tried", at=late).outcome is Outcome.BLOCK
    said(admin, workflows.end_old_way)
    assert ask(admin, "workflows_tried").outcome is Outcome.BLOCK


def test_nothing_relied_on_is_advice_and_shuts_no_gate(admin: Member) -> None:
    finding = ask(admin, "workflows_tried")
    assert (finding.outcome, finding.summary) == (Outcome.WARN, "Nobody has said which workflows you rely on")


def test_what_is_relied_on_blocks_until_it_was_tried(admin: Member) -> None:
    said(admin, workflows.rely)
    finding = ask(admin, "workflows_tried")
    assert finding.outcome is Outcome.BLOCK
    assert finding.summary == "1 of 1 you rely on: “Log a delay” is not tried yet"
    assert finding.link == "what-changed/workflows/log_delay/"
    said(admin, workflows.confirm)
    assert ask(admin, "workflows_tried").outcome is Outcome.PASS


def test_what_is_not_there_blocks_until_its_absence_is_accepted_with_a_reason(admin: Member) -> None:
    said(admin, workflows.rely, "swap_crew")
    finding = ask(admin, "workflows_tried")
    assert finding.summary == "1 of 1 you rely on: “Swap crew” is not on the new platform"
    assert finding.fix == "On its page, keep the old way for a time, or accept the difference with a reason."
    said(admin, workflows.accept, "swap_crew", reason="Two reassignments will do.")
    assert ask(admin, "workflows_tried").outcome is Outcome.PASS
    assert "Two reassignments" not in str([entry.data for entry in ledger.recent(tenant_id=admin.tenant_id)])


def test_a_workflow_that_changed_since_has_to_be_tried_again(admin: Member, declared: Path, settings: Settings) -> None:
    said(admin, workflows.rely)
    said(admin, workflows.confirm)
    changed = declared / "next"
    changed.mkdir()
    (changed / "flights.yaml").write_text(WORKFLOWS.replace("Codes have names.", "Codes are gone."))
    settings.WORKFLOWS_FOLDER = str(changed)
    assert ask(admin, "workflows_tried").outcome is Outcome.BLOCK


def test_a_workflow_that_is_no_longer_described_blocks_and_can_be_released(
    admin: Member, declared: Path, settings: Settings
) -> None:
    said(admin, workflows.rely, "swap_crew")
    changed = declared / "next"
    changed.mkdir()
    (changed / "flights.yaml").write_text(WORKFLOWS[: WORKFLOWS.index("  - id: swap_crew")])
    settings.WORKFLOWS_FOLDER = str(changed)
    finding = ask(admin, "workflows_tried")
    assert (finding.outcome, finding.link) == (Outcome.BLOCK, "")
    assert "“swap_crew” is no longer described" in finding.summary
    said(admin, workflows.release, "swap_crew")
    assert ask(admin, "workflows_tried").outcome is Outcome.WARN


def test_a_change_without_a_guide_for_everyone_who_does_it_blocks(
    admin: Member, declared: Path, settings: Settings
) -> None:
    finding = ask(admin, "workflows_covered")
    assert finding.outcome is Outcome.BLOCK
    assert finding.summary == "1 of 2 workflows that change have no guide for everyone who does them"
    assert finding.facts["unguided"] == ["swap_crew: member", "swap_crew: admin"]
    whole = declared / "whole"
    whole.mkdir()
    (whole / "delays.md").write_text(
        GUIDE.replace("[log_delay]", "[log_delay, swap_crew]").replace("[member]", "[member, admin]")
    )
    settings.GUIDES_FOLDER = str(whole)
    assert ask(admin, "workflows_covered").outcome is Outcome.PASS


def test_a_segment_of_which_nothing_is_described_blocks(admin: Member) -> None:
    with make.arranging():
        type(admin.tenant).objects.update(segment="")
    finding = ask(admin, "workflows_covered")
    assert (finding.outcome, finding.summary) == (Outcome.BLOCK, "The workflows of your segment are not described yet")


def test_a_broken_file_is_unknown_to_the_check_and_never_passes(admin: Member, declared: Path) -> None:
    (declared / "flights.yaml").write_text("format: nothing")
    readiness.evaluate(tenant_id=admin.tenant_id, by=make.SYSTEM, at=AT, checks=["parity_reports.workflows_covered"])
    answer = readiness.latest(tenant_id=admin.tenant_id)["parity_reports.workflows_covered"]
    assert answer.finding.outcome is Outcome.UNKNOWN


def test_ux_parity_of_many_tenants_costs_as_many_queries_as_of_one() -> None:
    ids = []
    for _ in range(12):
        member = make.member(make.tenant())
        ids.append(member.tenant_id)
        with tenancy.scope(tenant_id=member.tenant_id):
            said(member, workflows.rely)

    def cost(tenant_ids) -> int:
        with make.arranging(), CaptureQueriesContext(connection) as counted:
            found = reliances.ux_parity(tenant_ids=tenant_ids, at=AT)
        assert {ux.words for ux in found.values()} == {"1 without guide"}
        assert all(len(ux.open) == 1 and not ux.is_ready for ux in found.values())
        return len(counted)

    assert cost(ids) == cost(ids[:1])


def test_a_mark_belongs_to_one_reader_and_ends_with_the_guides_next_version(
    admin: Member, declared: Path, settings: Settings
) -> None:
    reader = make.member(admin.tenant, TenantRole.MEMBER)
    asked = {"tenant_id": admin.tenant_id, "role": "member", "segment": "major"}

    def mark(by: Actor, *, is_read: bool) -> None:
        guides.mark(tenant_id=admin.tenant_id, guide="delays", is_read=is_read, by=by, at=AT)

    mark(make.actor(reader), is_read=False)
    mark(make.actor(reader), is_read=True)
    assert GuideMark.objects.get().mark == "read"
    assert marks.unread(user_id=reader.user_id, **asked) == []
    assert [guide.slug for guide in marks.unread(user_id=admin.user_id, **asked)] == ["delays"]
    newer = declared / "newer"
    newer.mkdir()
    (newer / "delays.md").write_text(GUIDE.replace("version: 2", "version: 3"))
    settings.GUIDES_FOLDER = str(newer)
    assert [guide.slug for guide in marks.unread(user_id=reader.user_id, **asked)] == ["delays"]
    with pytest.raises(NotFound):
        guides.mark(tenant_id=admin.tenant_id, guide="zeppelins", is_read=True, by=make.actor(reader), at=AT)
    assert events(admin) == []
