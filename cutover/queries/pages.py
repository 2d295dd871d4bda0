"""What the go/no-go's pages show."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib.auth import get_user_model
from django.db.models import QuerySet

from core import readiness
from core.actor import Actor
from core.approvals import reading
from core.domain.approvals import Method, RequestState
from core.models import ApprovalRequest, Signature
from core.permissions import Permission
from core.readiness import Standing
from cutover.domain.go_no_go import ACTION, CUSTOMER, SEAT_NAMES
from cutover.models import Cutover
from cutover.queries import cutovers, gates

_STATES = {
    Standing.PASSED: ("pass", ""),
    Standing.WARNED: ("warn", ""),
    Standing.COVERED: ("warn", "Excepted"),
    Standing.BLOCKED: ("block", ""),
    Standing.UNKNOWN: ("unknown", ""),
    Standing.EXPIRED: ("expired", ""),
    Standing.MISSING: ("none", ""),
}


@dataclass(frozen=True, slots=True)
class FindingRow:
    """One finding of the gate, as it stands or as it was frozen."""

    title: str
    state: str
    words: str
    summary: str
    expires_at: datetime | None
    link: str = ""


@dataclass(frozen=True, slots=True)
class SeatRow:
    """One signature that is needed: who may give it, and who did."""

    name: str
    who: str
    signed_by: str
    signed_at: datetime | None
    method: Method | None

    @property
    def lower_assurance(self) -> bool:
        """Whether the signature is vouched for by the server alone."""
        return self.method is not None and self.method.lower_assurance


@dataclass(frozen=True, slots=True)
class PartRow:
    """One part of the pack."""

    title: str
    name: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Draft:
    """What would be frozen if the go/no-go were asked for now."""

    cutover: Cutover | None
    findings: list[FindingRow]
    open: bool
    shut: str
    holds_until: datetime | None
    """When the first finding expires: until then both must have signed."""
    last: ApprovalRequest | None
    """The newest request, which has ended."""


@dataclass(frozen=True, slots=True)
class RequestPage:
    """A request with its frozen evidence and its signatures."""

    request: ApprovalRequest
    window: str
    """When the account moves, as it was frozen: in the tenant's zone of then."""
    window_utc: str
    findings: list[FindingRow]
    parts: list[PartRow]
    seats: list[SeatRow]
    your_seat: str
    """The name of the place in which this person may sign, or nothing."""
    you_signed: bool
    why_void: str
    why_not_now: str
    may_veto: bool
    witness: str
    witnessed_at: datetime | None

    @property
    def is_open(self) -> bool:
        """Whether the request still takes signatures."""
        return self.request.state == RequestState.OPEN

    @property
    def may_sign(self) -> bool:
        """Whether this person can sign now."""
        return self.is_open and bool(self.your_seat) and not (self.you_signed or self.why_void or self.why_not_now)


def draft(*, tenant_id: UUID, at: datetime) -> Draft:
    """Return what would be frozen now."""
    gate = readiness.gate(tenant_id=tenant_id, name=readiness.GO_NO_GO, at=at)
    findings = [
        FindingRow(
            title=line.check.title,
            state=_STATES[line.standing][0],
            words=_STATES[line.standing][1],
            summary=line.answer.finding.summary if line.answer else "Not run yet",
            expires_at=line.answer.expires_at if line.answer else None,
            link=line.link,
        )
        for line in sorted(gate.lines, key=lambda line: not line.blocks)
    ]
    return Draft(
        cutover=cutovers.find(tenant_id=tenant_id),
        findings=findings,
        open=gate.open,
        shut="" if gate.open else gates.shut(gate),
        holds_until=gate.open_until,
        last=reading.newest(tenant_id=tenant_id, action=ACTION),
    )


def newest(*, tenant_id: UUID) -> ApprovalRequest | None:
    """Return the tenant's newest go/no-go."""
    return reading.newest(tenant_id=tenant_id, action=ACTION)


def every(*, tenant_id: UUID) -> QuerySet[ApprovalRequest]:
    """Return all of the tenant's go/no-gos, newest first."""
    return reading.every(tenant_id=tenant_id, action=ACTION)


def signatures(request: ApprovalRequest) -> list[Signature]:
    """Return a go/no-go's signatures with their people."""
    return reading.signatures(request)


def find(*, request_id: UUID) -> ApprovalRequest | None:
    """Return one go/no-go that the scope lets through."""
    return reading.find(request_id=request_id, action=ACTION)


def waiting() -> list[ApprovalRequest]:
    """Return every go/no-go that waits for signatures, of those that the scope lets through."""
    return list(reading.waiting(action=ACTION))


def count_waiting() -> int:
    """Return how many wait, of those that the scope lets through."""
    return reading.waiting(action=ACTION).count()


def ended(*, tenant_id: UUID) -> list[ApprovalRequest]:
    """Return the tenant's earlier requests, newest first."""
    return list(reading.earlier(tenant_id=tenant_id, action=ACTION)[:20])


def page(*, request: ApprovalRequest, by: Actor, at: datetime) -> RequestPage:
    """Return a request as `by` sees it."""
    tenant_id = request.tenant_id
    signatures = reading.signatures(request)
    waits = request.state == RequestState.OPEN
    checkpoint = reading.witness(tenant_id=tenant_id)
    seat, window = gates.seat_for(request, by=by), reading.frozen(request, "cutover.window")
    return RequestPage(
        request=request,
        window=_span(window, zone=str(window.get("time_zone", "UTC"))),
        window_utc=_span(window, zone="UTC"),
        findings=[_frozen(finding) for finding in reading.frozen_findings(request)],
        parts=_parts(request),
        seats=_seats(request, signatures),
        your_seat=SEAT_NAMES[seat] if seat else "",
        you_signed=any(signature.user_id == by.id for signature in signatures),
        why_void=gates.why_void(request, at=at) if waits else "",
        why_not_now=gates.why_not_now(tenant_id=tenant_id, at=at) if waits else "",
        may_veto=waits and (seat == CUSTOMER or by.can(Permission.VETO_CUTOVER, tenant_id=tenant_id)),
        witness=checkpoint.witness if checkpoint else "",
        witnessed_at=checkpoint.at if checkpoint else None,
    )


def _frozen(finding: dict[str, Any]) -> FindingRow:
    excepted = finding["exception"] is not None
    return FindingRow(
        title=finding["title"],
        state="warn" if excepted else finding["outcome"],
        words="Excepted" if excepted else "",
        summary=finding["summary"],
        expires_at=datetime.fromisoformat(finding["expires_at"]),
    )


def _span(window: dict[str, Any], *, zone: str) -> str:
    """Write a frozen window: `1 Dec 2026, 15:33 EST to 2 Dec 2026, 01:33 EST`."""
    if not window.get("window_starts_at"):
        return "Not set"
    ends = (datetime.fromisoformat(window[key]) for key in ("window_starts_at", "window_ends_at"))
    return " to ".join(f"{at.day} {at:%b %Y, %H:%M %Z}" for at in (end.astimezone(ZoneInfo(zone)) for end in ends))


def _parts(request: ApprovalRequest) -> list[PartRow]:
    titles = dict(request.pack.parts.values_list("name", "title"))
    listed = json.loads(bytes(request.pack.manifest))["parts"]
    return [PartRow(titles[part["name"]], part["name"], part["sha256"], part["size"]) for part in listed]


def _seats(request: ApprovalRequest, signatures: list[Any]) -> list[SeatRow]:
    by_seat = {signature.seat: signature for signature in signatures}
    named = [UUID(seat["user_id"]) for seat in request.seats if seat["user_id"]]
    people = get_user_model().objects.in_bulk(named)
    rows = []
    for seat in request.seats:
        signature = by_seat.get(seat["name"])
        person = people.get(UUID(seat["user_id"])) if seat["user_id"] else None
        rows.append(
            SeatRow(
                name=SEAT_NAMES[seat["name"]],
                who=str(person) if person else "Any owner of the account",
                signed_by=str(signature.user) if signature else "",
                signed_at=signature.signed_at if signature else None,
                method=Method(signature.method) if signature else None,
            )
        )
    return rows
