"""Status updates: dated news about a tenant's move, written by staff."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from comms.domain.letters import one_line, own_words
from comms.models import StatusUpdate
from core import ledger
from core.actor import Actor
from core.errors import UseCaseError
from core.permissions import Permission


class UnableToTell(UseCaseError):
    """The update cannot be published so."""


def tell(*, tenant_id: UUID, kind: str, title: str, text: str, by: Actor, at: datetime) -> StatusUpdate:
    """Publish one piece of news on a tenant's status page. Raises UnableToTell with what is missing."""
    by.require(Permission.MANAGE_COMMS, tenant_id=tenant_id)
    heading, words = one_line(title)[:120], own_words(text, longest=2000)
    if not heading or not words:
        raise UnableToTell("An update needs a title and what happened.")
    if kind not in StatusUpdate.Kind.values:
        raise UnableToTell("There is no such kind of update.")
    with transaction.atomic(durable=True):
        update = StatusUpdate.objects.create(
            tenant_id=tenant_id, kind=kind, title=heading, text=words, written_at=at, written_by_id=by.known_id
        )
        data = {"kind": kind, "title": heading}
        ledger.record("comms.status.told", by=by, at=at, tenant_id=tenant_id, subject=update, data=data)
    return update
