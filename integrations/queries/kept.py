"""What is kept of the messages that were sent to try an account's endpoints."""

from collections.abc import Mapping
from uuid import UUID

from integrations.models import Attempt, HarnessRun, Message


def count(*, tenant_id: UUID) -> Mapping[str, int]:
    """Count an account's messages, attempts and harness runs."""
    return {
        model._meta.model_name or "": model.objects.filter(tenant_id=tenant_id).count()
        for model in (Attempt, Message, HarnessRun)
    }
