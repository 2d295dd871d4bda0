"""The tokens that domains are asked to publish."""

import secrets
from datetime import datetime

from accounts.domain import cadence, challenge
from accounts.models import Domain

MOST_EARLIER = 10


def new() -> str:
    """Draw a token."""
    return challenge.token_from(secrets.token_bytes(challenge.TOKEN_BYTES))


def replace(domain: Domain, *, at: datetime) -> bool:
    """Ask for a new token instead of the one that `domain` knows; False where somebody was first.

    A proof that stands keeps standing. The caller's transaction records why.
    """
    changed = Domain.objects.filter(pk=domain.pk, tenant_id=domain.tenant_id, token=domain.token).update(
        token=new(),
        earlier_tokens=[domain.token, *domain.earlier_tokens][:MOST_EARLIER],
        token_issued_at=at,
        failed_at=None,
        next_check_at=cadence.next_check_at(issued_at=at, at=at),
    )
    return bool(changed)
