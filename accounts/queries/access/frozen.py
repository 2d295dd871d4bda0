"""What is signed of a finished review: its summary, and the digest of its lines as exact bytes. Nobody is named."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from accounts.models import AccessLine, AccessReview
from accounts.queries import access

_COLUMNS = (
    "number", "member_id", "legacy_id", "new_id", "old_role", "platform_role", "role", "is_old_owner",
    "is_platform_owner", "difference", "verdict", "decided_by", "agreed_by",
)  # fmt: skip
_AT_ONCE = 2000


def lines(review: AccessReview) -> Iterator[bytes]:
    """Yield a review's lines as JSON, a line each after one that names the columns: always the same bytes."""
    yield _written(_COLUMNS)
    rows = AccessLine.objects.filter(tenant_id=review.tenant_id, review=review).order_by("number")
    last = 0
    while some := list(rows.filter(number__gt=last).values_list(*_COLUMNS)[:_AT_ONCE]):
        yield b"".join(map(_written, some))
        last = some[-1][0]


def digest(review: AccessReview) -> str:
    """Return the SHA-256 of `lines`, in hex."""
    made = hashlib.sha256()
    for some in lines(review):
        made.update(some)
    return made.hexdigest()


def summary(review: AccessReview) -> Mapping[str, Any]:
    """Return what a signature stands under: how many were decided how and by whom, as ids, and the lines' digest."""
    return {
        "review": review.pk,
        "begun_at": review.begun_at,
        "begun_by": review.begun_by,
        "due_on": review.due_on,
        "finished_at": review.finished_at,
        "finished_by": review.finished_by,
        **review.summary,
        "by_reviewer": access.by_reviewer(review),
        "lines_sha256": review.sha256,
    }


def _written(row: tuple[Any, ...]) -> bytes:
    return json.dumps(row, default=str, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
