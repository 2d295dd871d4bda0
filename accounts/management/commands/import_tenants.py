"""`manage.py import_tenants FILE`: register the vendor's customers from a CSV file."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_slug
from django.utils import timezone

from accounts.services import imports
from core import tenancy
from core.actor import Actor
from core.errors import UseCaseError

COLUMNS = ("slug", "name", "segment", "legacy_ref", "time_zone")
BY = Actor.system("import")


class Command(BaseCommand):
    """All rows are judged before the first is registered; a second import of the same file changes nothing."""

    help = f"Register tenants from a CSV file (UTF-8, heading: {','.join(COLUMNS)})."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the file."""
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        """Judge every row, then register them."""
        rows = list(_read(options["file"]))
        if problems := [problem for number, row in rows if (problem := _problem(row, line=number))]:
            raise CommandError("Nothing was registered:\n" + "\n".join(problems))
        with tenancy.staff_scope(by=BY, reason="import tenants"):
            for number, row in rows:
                try:
                    imports.tenant(**row, by=BY, at=timezone.now())
                except UseCaseError as refusal:
                    raise CommandError(f"Line {number}: {refusal.message} {refusal.fix}".strip()) from refusal
        self.stdout.write(f"{len(rows)} tenants are registered.")


def _read(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise CommandError(f"{path}: the heading lacks {', '.join(missing)}; expected {','.join(COLUMNS)}.")
            for row in reader:
                yield reader.line_num, {name: (row[name] or "").strip() for name in COLUMNS}
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} cannot be read: {error}. A UTF-8 file is expected.") from error


def _problem(row: dict[str, str], *, line: int) -> str:
    if empty := [name for name in ("slug", "name", "legacy_ref") if not row[name]]:
        return f"Line {line}: {', '.join(empty)} is empty."
    try:
        validate_slug(row["slug"])
    except ValidationError:
        return f"Line {line}: the slug {row['slug']!r} may hold letters, digits, hyphens and underscores only."
    if row["time_zone"] not in available_timezones():
        return f"Line {line}: {row['time_zone']!r} is no time zone; expected one like Europe/Berlin."
    return ""
