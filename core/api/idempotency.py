"""Idempotency-Key: a write that is sent again is done once and answered again.

After draft-ietf-httpapi-idempotency-key-header. Per tenant, token and key one row says that a request is in flight, or
what was answered. Server errors are not kept: what failed on our side may be tried again under the same key.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.http import HttpResponse, HttpResponseBase

from core.api.problems import Problem
from core.models import KeptAnswer
from core.tokens import Bearer

KEPT = timedelta(hours=24)
LOST_AFTER = timedelta(minutes=2)
"""A request without an answer for so long died with its process; the next one with its key takes over."""

REPLAYED = "Idempotency-Replayed"
_LONGEST = 255
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to answer one request."""

    row_id: UUID
    started_at: datetime


def fingerprint(*, method: str, path: str, body: bytes) -> str:
    """Return what makes two requests the same."""
    return hashlib.sha256(b"\0".join((method.encode(), path.encode(), body))).hexdigest()


def claim(*, bearer: Bearer, key: str | None, print_of: str, at: datetime) -> Claim | HttpResponse:
    """Take a key for this request, or return what the same request was answered before.

    Raises `Problem`: no or no fit key (400), the first request still runs (409), the key stood for another (422).
    """
    if key is None or not _KEY.fullmatch(key):
        raise Problem(
            "missing-idempotency-key",
            "The request has no Idempotency-Key."
            if not key
            else f"An Idempotency-Key has 1 to {_LONGEST} visible ASCII characters.",
        )
    ours = KeptAnswer.objects.filter(tenant_id=bearer.tenant_id, token_id=bearer.token_id, key=key)
    ours.filter(expires_at__lte=at).delete()
    made = KeptAnswer(
        tenant_id=bearer.tenant_id,
        token_id=bearer.token_id,
        key=key,
        fingerprint=print_of,
        started_at=at,
        expires_at=at + KEPT,
    )
    try:
        with transaction.atomic():
            made.save(force_insert=True)
        return Claim(made.pk, at)
    except IntegrityError:  # somebody was first
        return _second(ours.first(), print_of=print_of, at=at)


def _second(first: KeptAnswer | None, *, print_of: str, at: datetime) -> Claim | HttpResponse:
    if first is not None and first.fingerprint != print_of:
        raise Problem(
            "idempotency-key-reused", "This Idempotency-Key stood for a request with another address or body."
        )
    if first is not None and first.answered_at is not None:
        return _again(first)
    lost = first is not None and first.started_at <= at - LOST_AFTER
    if first is not None and lost:
        taken = KeptAnswer.objects.filter(pk=first.pk, started_at=first.started_at, answered_at=None)
        if taken.update(started_at=at, expires_at=at + KEPT):
            return Claim(first.pk, at)
    raise Problem(
        "request-in-flight", "The first request with this Idempotency-Key has not ended.", headers={"Retry-After": "5"}
    )


def _again(kept: KeptAnswer) -> HttpResponse:
    response = HttpResponse(bytes(kept.body), content_type=kept.content_type, status=kept.status)
    if not kept.content_type:
        del response.headers["Content-Type"]
    if kept.location:
        response.headers["Location"] = kept.location
    response.headers[REPLAYED] = "true"
    return response


def keep(claimed: Claim, response: HttpResponseBase, *, at: datetime) -> None:
    """Keep what a request was answered; a server error gives its key back instead."""
    row = KeptAnswer.objects.filter(pk=claimed.row_id, started_at=claimed.started_at, answered_at=None)
    if response.status_code >= 500 or not isinstance(response, HttpResponse):
        row.delete()
        return
    row.update(
        answered_at=at,
        status=response.status_code,
        content_type=response.headers.get("Content-Type", ""),
        location=response.headers.get("Location", ""),
        body=response.content,
    )


def prune(*, at: datetime) -> int:
    """Delete what is kept no longer; needs a staff scope."""
    return KeptAnswer.objects.filter(expires_at__lte=at).delete()[0]
