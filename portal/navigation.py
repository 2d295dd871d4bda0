"""The dashboard's pages in the sidebar."""

from uuid import UUID

from django.utils import timezone

from core import navigation
from core.navigation import Entry, Section
from core.permissions import Permission
from portal.dashboard.queries import checks, jobs


def _waiting(tenant_id: UUID) -> int:
    return checks.waiting(tenant_id, at=timezone.now())


for entry in (
    Entry(
        id="dashboard.overview",
        label="Overview",
        url="dashboard:overview",
        icon="layout-dashboard",
        permission=Permission.VIEW_TENANT,
        section=Section.MOVE,
        order=10,
        words="start progress phases",
    ),
    Entry(
        id="dashboard.preflight",
        label="Preflight",
        url="dashboard:preflight",
        icon="list-checks",
        permission=Permission.VIEW_TENANT,
        section=Section.MOVE,
        order=20,
        words="checks blockers readiness",
        count=_waiting,
    ),
    Entry(
        id="dashboard.jobs",
        label="Live jobs",
        url="dashboard:jobs",
        icon="activity",
        permission=Permission.VIEW_RUNS,
        section=Section.DATA,
        order=40,
        words="backfill progress queue runs",
        count=jobs.running,
    ),
    Entry(
        id="dashboard.activity",
        label="Activity",
        url="dashboard:activity",
        icon="history",
        permission=Permission.VIEW_LEDGER,
        section=Section.RECORDS,
        order=70,
        words="ledger audit log history",
    ),
):
    navigation.add(entry)
