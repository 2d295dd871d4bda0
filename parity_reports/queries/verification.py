"""What a customer needs to check a report alone: its code, the names of its entities, and the verifier."""

import ast
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from uuid import UUID

from django.conf import settings
from django.db.models.fields.json import KT, KeyTransform
from django.utils.crypto import salted_hmac

from parity_reports import verifier
from parity_reports.domain import checksums, encoding
from parity_reports.models import Report
from parity_reports.queries import files

FILE = "crossing_verify_parity.py"
_DIGITS = 32


@dataclass(frozen=True, slots=True)
class Export:
    """What an export of an entity must be called and hold."""

    entity: str
    columns: Sequence[str]


@dataclass(frozen=True, slots=True)
class Verification:
    """What of a report can be checked, and by which command.

    `has_code` tells whether the command is whole: the code is for a tenant's own owners and administrators, and it is
    lost with the secret that it was made with (`is_lost`).
    """

    exports: Sequence[Export]
    command: str
    has_code: bool
    is_lost: bool


def of(report: Report, *, slug: str, with_code: bool) -> Verification | None:
    """Return how a finished report is checked; None for one without checksums."""
    if report.state != Report.State.FINISHED:
        return None
    rows = report.entities.filter(checksums__isnull=False).order_by("-actual", "position")
    named = rows.annotate(named=KT("checksums__code_sha256"), columns=KeyTransform("columns", "checksums"))
    found = list(named.values_list("entity", "named", "columns"))
    if not found:
        return None
    entity, commitment, _ = found[0]
    codes = (_code(report.pk, secret) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))
    code = next((code for code in codes if hashlib.sha256(code.encode()).hexdigest() == commitment), "")
    shown = code if with_code and code else "CODE"
    return Verification(
        exports=[Export(entity, [column["name"] for column in columns]) for entity, _, columns in found],
        command=f"python3 {FILE} {files.name(slug, report, 'json')} {entity}={entity}.csv --code {shown}",
        has_code=shown == code,
        is_lost=not code,
    )


def new_code(report_id: UUID) -> str:
    """Return the code that a report's records are digested with: never stored, another one for every report."""
    return _code(report_id, settings.SECRET_KEY)


def _code(report_id: UUID, secret: str) -> str:
    mac = salted_hmac("parity_reports.checksums", str(report_id), secret=secret, algorithm="sha256")
    return mac.hexdigest()[:_DIGITS]


@cache
def script() -> bytes:
    """Return the verifier as one file: the encoding and the checksums stand in it instead of being imported."""
    docstring, body = _parts(verifier)
    inner = [f"\n\n# {encoding.VERSION}: {part}\n\n{_parts(module)[1]}" for part, module in _INNER]
    return "".join((docstring, *inner, "\n\n# The verifier\n\n", body)).encode()


_INNER: tuple[tuple[str, ModuleType], ...] = (("the encoding", encoding), ("the checksums", checksums))


def _parts(module: ModuleType) -> tuple[str, str]:
    """Return a module's docstring and the rest of it, without what it imports from the house."""
    source = Path(module.__file__ or "").read_text(encoding="utf-8")
    lines, tree = source.splitlines(keepends=True), ast.parse(source).body
    start = tree[0].end_lineno or 0
    house = {
        number
        for node in tree
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("parity_reports.")
        for number in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    rest = [line for number, line in enumerate(lines, start=1) if number > start and number not in house]
    return "".join(lines[:start]), "".join(rest).strip() + "\n"
