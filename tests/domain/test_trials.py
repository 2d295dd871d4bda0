"""What a customer relies on blocks until it was tried, bridged or accepted, as it is now."""

import pytest

from parity_reports.domain import trials, workflows
from parity_reports.domain.trials import Decisions, Trial
from tests.changes import WORKFLOWS

THERE, NOT_THERE = workflows.load(WORKFLOWS)
NOW, BEFORE = THERE.fingerprint, "0123456789abcdef"
ABSENT = NOT_THERE.fingerprint


@pytest.mark.parametrize(
    ("workflow", "decisions", "wanted"),
    [
        (THERE, Decisions(), Trial.TO_TRY),
        (THERE, Decisions(tried_as=NOW), Trial.TRIED),
        (THERE, Decisions(tried_as=BEFORE), Trial.TO_TRY),
        (THERE, Decisions(accepted_as=NOW), Trial.TO_TRY),
        (THERE, Decisions(is_bridged=True), Trial.BRIDGED),
        (THERE, Decisions(tried_as=NOW, is_bridged=True), Trial.TRIED),
        (NOT_THERE, Decisions(), Trial.MISSING),
        (NOT_THERE, Decisions(tried_as=ABSENT), Trial.MISSING),
        (NOT_THERE, Decisions(accepted_as=ABSENT), Trial.ACCEPTED),
        (NOT_THERE, Decisions(accepted_as=BEFORE), Trial.MISSING),
        (NOT_THERE, Decisions(is_bridged=True), Trial.MISSING),  # it has no toggle
    ],
)
def test_how_a_relied_on_workflow_stands(workflow: workflows.Workflow, decisions: Decisions, wanted: Trial) -> None:
    assert trials.of(workflow, decisions) is wanted
    assert wanted.blocks is (wanted in (Trial.TO_TRY, Trial.MISSING))
