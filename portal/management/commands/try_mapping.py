"""`manage.py try_mapping TENANT`: check, move and compare one tenant from a shell, as its own pages would."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.queries import tenants
from backfills.queries import inspections as inspected
from backfills.queries import runs as moved
from backfills.services import inspections, runs
from core import queue, tenancy
from core.actor import Actor
from core.errors import UseCaseError
from parity_reports.domain.verdict import Verdict
from parity_reports.queries import files
from parity_reports.services import reports

BY = Actor.system("try_mapping")


class Command(BaseCommand):
    """The way in for whoever writes a mapping: the same use cases as behind the pages, carried out here and now."""

    help = "Judge every row of a tenant by the mapping, writing nothing; or move the rows, or compare the platforms."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the tenant's slug, whether to move, and where to put the report."""
        parser.add_argument("slug")
        steps = parser.add_mutually_exclusive_group()
        steps.add_argument("--move", action="store_true", help="Move what can be moved, then compare both platforms.")
        steps.add_argument("--compare", action="store_true", help="Compare both platforms, and nothing else.")
        parser.add_argument("--report", type=Path, help="Write the parity report of a comparison here, as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it, one step after the other; CommandError where rows would be rejected or the platforms differ."""
        with tenancy.staff_scope(by=BY, reason="try a mapping"):
            tenant = tenants.every().filter(slug=options["slug"]).first()
        if tenant is None:
            raise CommandError(f"There is no tenant {options['slug']!r}: `manage.py import_tenants` registers them.")
        with tenancy.scope(tenant_id=tenant.pk):
            try:
                rejected = 0 if options["compare"] else self._check(tenant.pk)
                if options["move"]:
                    self._move(tenant.pk)
                if options["move"] or options["compare"]:
                    self._compare(tenant.pk, options["report"])
                elif rejected:
                    raise CommandError(f"{_rows(rejected)} would be rejected.")
            except UseCaseError as refusal:
                raise CommandError(f"{refusal.message} {refusal.fix}".strip()) from refusal

    def _check(self, tenant_id: UUID) -> int:
        inspection = inspections.request(tenant_id=tenant_id, by=BY, at=_now())
        _work(tenant_id)
        inspection.refresh_from_db()
        told = inspected.latest(tenant_id=tenant_id)
        if not told.is_done:
            why = told.trouble or inspection.problem or _ELSEWHERE
            raise CommandError(f"The check did not come to its end. {why}")
        for row in told.rows:
            read, rejected = (row.seen.rows, row.seen.rejected) if row.seen else (0, 0)
            self.stdout.write(
                f"{row.spec.entity}: {_rows(read)}; {row.moves:,} would move, {row.dropped:,} stay behind,"
                f" {rejected:,} be rejected"
            )
            for fault in row.faults:
                self.stdout.write("\n".join(_told(fault)))
        return told.rejected

    def _move(self, tenant_id: UUID) -> None:
        runs.start(tenant_id=tenant_id, by=BY, at=_now())
        _work(tenant_id)
        for row in moved.moves(tenant_id=tenant_id).rows:
            state = row.run.state if row.run else "not begun"
            self.stdout.write(f"{row.spec.entity}: {state}")
            for one in row.outcomes:
                self.stdout.write(f"  {one.count:,} {one.fate} {one.rule}".rstrip())
            if problem := row.trouble or (row.run.problem if row.run else ""):
                self.stdout.write(f"  {problem}")

    def _compare(self, tenant_id: UUID, place: Path | None) -> None:
        report = reports.request(tenant_id=tenant_id, by=BY, at=_now())
        _work(tenant_id)
        report.refresh_from_db()
        for entity in report.entities.order_by("position"):
            amiss = ((getattr(entity, name), said) for name, said in _AMISS.items())
            told = [f"{entity.compared:,} compared", *(f"{count:,} {said}" for count, said in amiss if count)]
            self.stdout.write(f"{entity.entity}: {entity.verdict}, {', '.join(told)} {entity.problem}".rstrip())
            for column, kinds in entity.kinds.items():
                # A few differences of a column that is not public are no number: “<5”.
                numbers = (f"{one:,}" if isinstance(one, int) else one for one in kinds.values())
                self.stdout.write(f"  {column}: " + ", ".join(map(" ".join, zip(numbers, kinds, strict=True))))
        if place:
            place.write_bytes(files.sealed(report))
        if report.verdict != Verdict.EQUAL:
            raise CommandError(f"The comparison ended {report.verdict or 'unfinished'}. {report.problem}".strip())
        self.stdout.write("Both platforms are equal.")


def _told(fault: inspected.Fault) -> Iterator[str]:
    yield f"  {fault.count:,} × {fault.words.because} ({fault.rule}{f', {fault.column}' if fault.column else ''})"
    for key, value in fault.shown[:3]:
        yield f"    {key}{'' if value is None else f': {value!r}'}"


_AMISS = {"missing": "missing", "extra": "only new", "different": "different", "duplicate": "twice"}
_ELSEWHERE = "A worker has taken it, by the settings that it was started with: end the demo and its workers first."


def _rows(number: int) -> str:
    return f"{number:,} row{'' if number == 1 else 's'}"


def _now() -> datetime:
    return datetime.now(UTC)


def _work(tenant_id: UUID) -> None:
    """Carry out what the tenant's queue holds; a job that failed is left to a worker, or to the next call."""
    ran = True
    while ran:
        states = [queue.run(job_id=job, tenant_id=of) for job, of in queue.waiting() if of == tenant_id]
        ran = any(state is not None for state in states)


__all__ = ["Command"]
