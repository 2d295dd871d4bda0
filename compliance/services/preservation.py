"""Handing out what was preserved under a legal hold: to whoever has to produce it, and to nobody unnoticed."""

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.db import transaction

from core import ledger, ports, tenancy
from core.actor import Actor
from core.errors import UseCaseError
from core.moving import Preserved
from core.permissions import Permission

FORMAT = "crossing-preserved-1"


class UnableToHandOut(UseCaseError):
    """The copies cannot be handed out."""


def export(*, tenant_id: UUID, reason: str, by: Actor, at: datetime) -> Iterator[bytes]:
    """Return every copy as lines of JSON, read while they are taken, and leave in the ledger who took them, and why.

    The first line tells the format, the account, the time and how many copies there are; the last one how many came
    and the SHA-256 of all lines before it. A file without that last line was cut off.
    """
    by.require(Permission.MANAGE_OBLIGATIONS, tenant_id=tenant_id)
    tenancy.forbid_transaction("Reading what was preserved")
    if not reason.strip():
        raise UnableToHandOut("Say why they are handed out: the reason is kept in the activity log.")
    try:
        copies = ports.mover().staged(account_id=tenant_id).get("preserved", 0)
    except ports.Unavailable as error:
        raise UnableToHandOut(
            "The new platform, where the copies lie, does not answer.", fix="Try again in a few minutes."
        ) from error
    except ports.Rejected as refusal:
        raise UnableToHandOut(str(refusal)) from refusal
    if not copies:
        raise UnableToHandOut(
            "No copy is kept of this account.",
            fix="Objects are copied once a run writes over them while a legal hold stands; nothing else makes copies.",
        )
    with transaction.atomic(durable=True):
        ledger.record(
            "compliance.preserved.exported",
            by=by,
            at=at,
            tenant_id=tenant_id,
            subject=("accounts.tenant", tenant_id),
            data={"copies": copies},
            personal={"reason": reason.strip()},
        )
    first = {"format": FORMAT, "account": str(tenant_id), "exported_at": at.isoformat(), "copies": copies}
    return _lines(first, ports.mover().preserved(account_id=tenant_id))


def _lines(first: dict[str, object], copies: Iterator[Preserved]) -> Iterator[bytes]:
    digest, count = hashlib.sha256(), 0

    def line(fields: dict[str, object]) -> bytes:
        made = json.dumps(fields, ensure_ascii=False).encode() + b"\n"
        digest.update(made)
        return made

    yield line(first)
    for copy in copies:
        count += 1
        yield line(
            {
                "entity": copy.entity,
                "key": copy.key,
                "written_over_by": str(copy.run_id),
                "at": copy.at.isoformat(),
                "object": json.loads(copy.image),
            }
        )
    yield line({"end": True, "copies": count, "sha256": digest.hexdigest()})
