"""Legal holds that stand, are over, or are placed while something works."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from core import holds
from core.models import Hold
from tests import make


def place(tenant_id: UUID, *, at: datetime | None = None, days: int = 300) -> Hold:
    """Let a legal hold stand on an account, without waiting for anybody; needs a scope of the account or of staff."""
    at = at or timezone.now()
    return Hold.objects.create(
        tenant_id=tenant_id, kind=holds.LEGAL_HOLD, reason="Litigation", placed_at=at, placed_by=make.SYSTEM.known_id,
        expires_at=at + timedelta(days=days),
    )  # fmt: skip


def release(hold: Hold) -> None:
    """Let a legal hold be over."""
    Hold.objects.filter(pk=hold.pk).update(ended_at=hold.placed_at, ended_by=make.SYSTEM.known_id)


def overtake(monkeypatch: pytest.MonkeyPatch, owner: object, name: str, tenant_id: UUID) -> None:
    """Let a legal hold be placed right after `owner.name` has done its work for the first time."""
    work = getattr(owner, name)

    def slowly(*given: Any, **how: Any) -> Any:
        done = work(*given, **how)
        if not Hold.objects.filter(tenant_id=tenant_id).exists():
            place(tenant_id)
        return done

    monkeypatch.setattr(owner, name, slowly)
