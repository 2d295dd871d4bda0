"""The ledger: what was done, by whom, in an order that nobody can rewrite unnoticed.

Each tenant has a chain of its own, the programme (entries without a tenant) another; `core.chain` says how
entries are hashed and checkpoints signed. An entry holds no personal data: ids, digests, numbers, and salted
digests of data that stand outside and can be erased.
"""

import hashlib
import secrets
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection, models, transaction
from django.db.models.functions import Coalesce

from core import chain
from core.activity import recent, sentences
from core.actor import Actor
from core.models.ledger import LedgerCheckpoint, LedgerDatum, LedgerEntry, LedgerHead

PROGRAMME = UUID(chain.PROGRAMME)

__all__ = [
    "PROGRAMME",
    "append",
    "checkpoint",
    "checkpoint_all",
    "digest",
    "erase",
    "export",
    "public_key",
    "recent",
    "record",
    "sentences",
]

type Subject = models.Model | tuple[str, Any]


def record(
    event: str,
    *,
    by: Actor,
    at: datetime,
    tenant_id: UUID | None,
    subject: Subject,
    data: Mapping[str, Any] | None = None,
    personal: Mapping[str, str] | None = None,
) -> UUID:
    """Append what was done to the tenant's chain (None: the programme's) and return the entry's id.

    Call it inside the transaction of the change itself, as the last write: the chain stays locked until the
    commit. `data` holds no personal data; each value of `personal` enters as a salted digest, and stands
    beside the chain until `erase` removes it. Raises RuntimeError outside a transaction.
    """
    if all(getattr(block, "_from_testcase", False) for block in connection.atomic_blocks):
        raise RuntimeError("Record a change inside the transaction that makes it.")
    return append(
        event,
        by=by,
        at=at,
        tenant_id=tenant_id,
        subject=subject,
        data=data,
        personal=personal,
    )


def append(
    event: str,
    *,
    by: Actor,
    at: datetime,
    tenant_id: UUID | None,
    subject: Subject,
    data: Mapping[str, Any] | None = None,
    personal: Mapping[str, str] | None = None,
) -> UUID:
    """Append an entry that accompanies no change of a row (a scope opened, an export made); otherwise `record`."""
    if personal and tenant_id is None:
        raise ValueError("Personal data belong to a tenant's chain.")
    entry_id, salts = (
        uuid4(),
        {name: secrets.token_bytes(16) for name in personal or {}},
    )
    kind, identity = _subject(subject)
    body = {
        "v": 1,
        "id": str(entry_id),
        "chain": str(tenant_id or PROGRAMME),
        "event": event,
        "at": _instant(at),
        "actor": {"kind": by.kind.value, "id": str(by.id) if by.id else None},
        "subject": {"type": kind, "id": identity},
        "data": _plain(data or {}),
        "personal": {name: digest(salts[name], value) for name, value in (personal or {}).items()},
    }
    if personal and tenant_id is not None:
        LedgerDatum.objects.bulk_create(
            LedgerDatum(
                tenant_id=tenant_id,
                entry_id=entry_id,
                name=name,
                salt=salts[name],
                value=value,
            )
            for name, value in personal.items()
        )
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO core_ledger_entry (body) VALUES (%s)",
            [chain.canonical(body).decode()],
        )
    return entry_id


def digest(salt: bytes, value: str) -> str:
    """Return the salted digest of a personal datum: equal to the entry's while the datum is what it was."""
    return hashlib.sha256(salt + value.encode()).hexdigest()


def erase(*, tenant_id: UUID, entry_id: UUID, by: Actor, at: datetime) -> int:
    """Erase the personal data of an entry and return how many; the chain keeps only their salted digests."""
    with transaction.atomic():
        erased, _ = LedgerDatum.objects.filter(tenant_id=tenant_id, entry_id=entry_id).delete()
        if erased:
            record(
                "core.ledger.datum_erased", by=by, at=at, tenant_id=tenant_id,
                subject=("core.ledgerentry", entry_id), data={"count": erased},
            )  # fmt: skip
    return erased


def checkpoint(*, tenant_id: UUID | None, at: datetime) -> LedgerCheckpoint | None:
    """Sign the head of a chain and return the checkpoint, whose `witness` belongs into receipts.

    Returns the last checkpoint when nothing happened since, None for a chain without entries.
    """
    chain_id = tenant_id or PROGRAMME
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT seq, hash FROM crossing.ledger_head(%s)", [chain_id])
            head = cursor.fetchone()
        last = LedgerCheckpoint.objects.filter(chain=chain_id).order_by("-number").first()
        if head is None or (last is not None and last.seq == head[0]):
            return last
        seed = signing_seed()
        body = chain.canonical({
            "v": 1,
            "chain": str(chain_id),
            "number": last.number + 1 if last else 1,
            "prev": last.witness if last else chain.genesis(str(chain_id)).hex(),
            "seq": head[0],
            "head": bytes(head[1]).hex(),
            "at": _instant(at),
            "key": chain.key_id(chain.public_bytes(seed)),
        })  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO core_ledger_checkpoint (body, signature) VALUES (%s, %s)",
                [body.decode(), chain.sign(seed, body)],
            )
        return LedgerCheckpoint.objects.filter(chain=chain_id).order_by("-number").first()


def checkpoint_all(*, at: datetime) -> int:
    """Sign every chain that grew since its last checkpoint and return how many; needs a staff scope."""
    covered = models.Subquery(
        LedgerCheckpoint.objects.filter(chain=models.OuterRef("pk")).order_by("-number").values("seq")[:1]
    )
    heads = LedgerHead.objects.annotate(covered=Coalesce(covered, 0))
    grown = heads.filter(seq__gt=models.F("covered")).values_list("pk", flat=True)
    return sum(checkpoint(tenant_id=None if head == PROGRAMME else head, at=at) is not None for head in list(grown))


def export(*, tenant_id: UUID | None, at: datetime) -> Iterator[str]:
    """Yield the lines of a chain's export for `core.chain.verify`, sealed up to its last entry.

    What is recorded while the lines are read is left to the next export, or it would stand there unsealed.
    """
    chain_id = tenant_id or PROGRAMME
    last = checkpoint(tenant_id=tenant_id, at=at)
    header = {
        "format": chain.FORMAT,
        "chain": str(chain_id),
        "exported_at": _instant(at),
        "public_key": public_key(),
    }
    yield chain.canonical(header).decode() + "\n"
    if last is None:
        return
    seals = iter(LedgerCheckpoint.objects.filter(chain=chain_id, number__lte=last.number).order_by("number"))
    seal = next(seals, None)
    for entry in (
        LedgerEntry.objects.filter(chain=chain_id, seq__lte=last.seq).order_by("seq").iterator(chunk_size=1000)
    ):
        line = {
            "seq": entry.seq,
            "prev": bytes(entry.prev).hex(),
            "hash": bytes(entry.hash).hex(),
            "body": entry.body,
        }
        yield chain.canonical(line).decode() + "\n"
        while seal is not None and seal.seq <= entry.seq:
            yield (chain.canonical({"body": seal.body, "signature": bytes(seal.signature).hex()}).decode() + "\n")
            seal = next(seals, None)


def signing_seed() -> bytes:
    """Return the Ed25519 seed that signs checkpoints."""
    return bytes.fromhex(settings.LEDGER_SIGNING_KEY)


def public_key() -> str:
    """Return the public key to hand to whoever verifies an export."""
    return chain.public_bytes(signing_seed()).hex()


def _subject(subject: Subject) -> tuple[str, str]:
    if isinstance(subject, models.Model):
        return subject._meta.label_lower, str(subject.pk)
    return subject[0], str(subject[1])


def _instant(at: datetime) -> str:
    if at.tzinfo is None:
        raise ValueError("A time in the ledger says its zone.")
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _plain(value: Any) -> Any:
    """Return the value as canonical JSON can hold it: what is no text, number or truth becomes text."""
    match value:
        case Enum():
            return _plain(value.value)
        case None | bool() | int():
            return value
        case str():
            return value.replace("\0", "\N{REPLACEMENT CHARACTER}")  # PostgreSQL's JSON holds no zero character
        case datetime():
            return _instant(value)
        case date():
            return value.isoformat()
        case UUID() | Decimal() | float():
            return str(value)
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case set() | frozenset():
            return sorted(_plain(item) for item in value)
    raise TypeError(f"The ledger cannot hold a {type(value).__name__}.")
