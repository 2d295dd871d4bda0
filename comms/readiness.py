"""What comms asks before a tenant may move."""

from datetime import datetime, timedelta
from uuid import UUID

from comms.domain import timeline
from comms.domain.mailings import MailingState
from comms.queries import cases, mailings
from core.findings import Finding, Outcome
from core.readiness import check
from cutover.queries import cutovers


@check("comms.announced", title="The move is announced", owner="cs", due="T-14", valid_for=timedelta(days=1),
       link="messages/")  # fmt: skip
def announced(*, tenant_id: UUID, at: datetime) -> Finding:
    """Admins and end users were told of the window, or will be before it begins; that they skip it is their choice."""
    cutover = cutovers.find(tenant_id=tenant_id)
    if cutover is not None and cutover.phase not in timeline.BEFORE:
        return Finding(Outcome.PASS, "The move has begun, and people were told")
    if cutover is None or cutover.window_starts_at is None or cutover.window_ends_at is None:
        return Finding(
            Outcome.BLOCK,
            "There is no date to announce yet",
            fix="Set the cutover window. Your people are told of it by themselves, in the order you find here.",
            link="cutover/",
        )
    about = timeline.about(cutover.window_starts_at, cutover.window_ends_at)
    rows = {row.mailing.template: row for row in mailings.announced(tenant_id=tenant_id, about=about)}
    admins, users = rows.get("announce.admins"), rows.get("announce.users")
    if admins is None or users is None:
        return Finding(
            Outcome.BLOCK,
            "The window is not announced yet",
            fix="It is planned within a minute of setting the window. Run this check again then.",
        )
    refused = [row.mailing for row in (admins, users) if row.people and row.troubled == row.people]
    if refused:
        return Finding(
            Outcome.BLOCK,
            "An announcement reached nobody: the mail server refused every copy",
            fix="Correct the addresses under Members, then ask us to send it again.",
            link="members/",
        )
    facts = {"skipped": users.mailing.state == MailingState.SKIPPED}
    if facts["skipped"]:
        return Finding(Outcome.WARN, "Your admin chose not to announce the move to end users", facts=facts)
    later = [row.mailing for row in (admins, users) if row.mailing.state == MailingState.PLANNED]
    if later:
        return Finding(Outcome.PASS, "The announcement is planned and leaves before the window begins", facts=facts)
    return Finding(Outcome.PASS, "Admins and end users were told of the move", facts=facts)


@check("comms.no_urgent_case", title="No urgent support case is open", owner="cs", due="T-2",
       valid_for=timedelta(days=1), link="support/")  # fmt: skip
def no_urgent_case(*, tenant_id: UUID, at: datetime) -> Finding:
    """Nobody signs while something urgent is unsettled."""
    urgent = cases.urgent(tenant_id=tenant_id)
    facts = {"urgent": bool(urgent)}
    if not urgent:
        return Finding(Outcome.PASS, "No urgent case is open", facts=facts)
    waits = [case for case in urgent if case.state == "waiting"]
    count = f"{len(urgent)} urgent support cases are" if len(urgent) > 1 else "An urgent support case is"
    return Finding(
        Outcome.BLOCK,
        f"{count} open",
        facts=facts,
        fix="Read our answer under Support. If it settles the matter, confirm it there; if not, say what is missing."
        if waits
        else "We are at it; you find what we know under Support.",
    )
