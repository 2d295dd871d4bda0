"""What was asked, signed and frozen, for the apps whose actions need approval."""

import json
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from core.domain.approvals import RequestState
from core.domain.gates import GateState
from core.evidence import packs
from core.models import ApprovalRequest, LedgerCheckpoint, Signature

RELATED = ("pack", "tenant")


def newest(*, tenant_id: UUID, action: str) -> ApprovalRequest | None:
    """Return the tenant's newest request for an action, whatever became of it."""
    rows = ApprovalRequest.objects.select_related(*RELATED).filter(tenant_id=tenant_id, action=action)
    return rows.order_by("-requested_at").first()


def every(*, tenant_id: UUID, action: str) -> QuerySet[ApprovalRequest]:
    """Return all of the tenant's requests for an action, newest first."""
    rows = ApprovalRequest.objects.select_related(*RELATED).filter(tenant_id=tenant_id, action=action)
    return rows.order_by("-requested_at")


def earlier(*, tenant_id: UUID, action: str) -> QuerySet[ApprovalRequest]:
    """Return the tenant's requests that have ended, newest first."""
    rows = ApprovalRequest.objects.select_related(*RELATED).filter(tenant_id=tenant_id, action=action)
    return rows.exclude(state=RequestState.OPEN.value).order_by("-requested_at")


def find(*, request_id: UUID, action: str) -> ApprovalRequest | None:
    """Return one request that the scope lets through."""
    return ApprovalRequest.objects.select_related(*RELATED).filter(pk=request_id, action=action).first()


def waiting(*, action: str) -> QuerySet[ApprovalRequest]:
    """Return every open request for an action that the scope lets through, longest waiting first."""
    rows = ApprovalRequest.objects.select_related(*RELATED).filter(action=action, state=RequestState.OPEN.value)
    return rows.order_by("requested_at")


def signatures(request: ApprovalRequest) -> list[Signature]:
    """Return a request's signatures with their people, in order of signing."""
    return list(request.signatures.select_related("user"))


def frozen(request: ApprovalRequest, part: str) -> dict[str, Any]:
    """Return one part of a request's pack as it was frozen; empty where the pack has no such part."""
    body = request.pack.parts.filter(name=part).values_list("body", flat=True).first()
    values: dict[str, Any] = json.loads(bytes(body)) if body else {}
    return values


def frozen_findings(request: ApprovalRequest) -> list[dict[str, Any]]:
    """Return the findings as they were frozen."""
    findings: list[dict[str, Any]] = frozen(request, packs.FINDINGS)["findings"]
    return findings


def findings_of(state: GateState) -> list[dict[str, Any]]:
    """Return a gate's findings as they go into a pack: without evidence rows, which may hold personal data."""
    return [
        {
            "check": line.check_id,
            "title": line.check.title,
            "owner": line.check.owner,
            "outcome": line.answer.outcome.value,
            "summary": line.answer.finding.summary,
            "facts": dict(line.answer.finding.facts),
            "exception": line.cover.exception_id if line.cover else None,
            "evaluated_at": packs.moment(line.answer.evaluated_at),
            "expires_at": packs.moment(line.answer.expires_at),
        }
        for line in state.lines
        if line.answer is not None
    ]


def moved(*, frozen: Iterable[dict[str, Any]], now: Iterable[dict[str, Any]]) -> list[str]:
    """Return the titles of the checks whose material facts differ between two sets of findings."""

    def by_check(findings: Iterable[dict[str, Any]]) -> dict[str, tuple[bytes, str]]:
        return {finding["check"]: (packs.material([finding]), finding["title"]) for finding in findings}

    before, after = by_check(frozen), by_check(now)
    titles = {check: title for check, (_, title) in (before | after).items()}
    changed = {check for check in titles if before.get(check, (b"",))[0] != after.get(check, (b"",))[0]}
    return sorted(titles[check] for check in changed)


def witness(*, tenant_id: UUID) -> LedgerCheckpoint | None:
    """Return the newest signed checkpoint of the tenant's ledger; its `witness` belongs into receipts."""
    return LedgerCheckpoint.objects.filter(chain=tenant_id).order_by("-number").first()
