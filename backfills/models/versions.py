"""The versions of the mapping that were used, word for word."""

from typing import ClassVar
from uuid import uuid4

from django.db import models
from django.db.models import Q

from core.models import Audit


class SpecVersion(models.Model):
    """The text of an entity's mapping spec as it was used first; neither changed nor removed afterwards.

    It belongs to the installation: one mapping serves every tenant, and none of their data stands in it.
    """

    audit: ClassVar[Audit] = Audit.LEDGERED

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    entity = models.CharField(max_length=60)
    version = models.IntegerField()
    label = models.CharField(max_length=120, unique=True, help_text="Entity, version and digest, as runs name it.")
    sha256 = models.CharField(max_length=64, unique=True, help_text="Of the text.")
    text = models.TextField()
    first_used_at = models.DateTimeField(editable=False)

    class Meta:
        ordering = ("entity", "-first_used_at", "-id")
        constraints = (
            models.CheckConstraint(condition=Q(version__gte=1) & ~Q(text=""), name="backfills_specversion_whole"),
        )

    def __str__(self) -> str:
        return self.label
