"""How often and how fast a tenant's rows are brought over."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from backfills.domain import lag
from core.models import Audit, TenantModel

EVERY = 2
"""Minutes between the beginnings of two catch-ups: what changes in legacy then arrives within five (the RPO)."""
LONGEST_EVERY = 15
"""So that the wait and the work of one round stay well below half an hour, from which on lateness counts as a fault."""


class Pace(TenantModel):
    """The pace of one tenant's runs. Whether they are caught up by themselves says a toggle.

    What people set is in the ledger; the moments are those of the work.
    """

    audit: ClassVar[Audit] = Audit.LEDGERED

    every = models.PositiveSmallIntegerField(default=EVERY, help_text="Minutes between two standing catch-ups.")
    rows_per_second = models.PositiveIntegerField(null=True, blank=True, help_text="At most; none: as fast as it goes.")
    free_at = models.DateTimeField(null=True, blank=True, help_text="When the limit lets the next batch be read.")
    due_at = models.DateTimeField(null=True, blank=True, help_text="When the next standing catch-up is due.")
    asked_at = models.DateTimeField(null=True, blank=True, help_text="When the last one was due.")
    trying_since = models.DateTimeField(
        null=True, blank=True, help_text="Since when it has been at it; half an hour of it is too long."
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("tenant",), name="backfills_pace_one"),
            models.CheckConstraint(condition=Q(every__range=(1, LONGEST_EVERY)), name="backfills_pace_every"),
            models.CheckConstraint(condition=~Q(rows_per_second=0), name="backfills_pace_limit"),
        )

    def __str__(self) -> str:
        return self.how_often

    @property
    def how_often(self) -> str:
        """How many minutes lie between two standing catch-ups, in words."""
        return lag.often(self.every)
