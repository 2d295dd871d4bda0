"""Addresses that receive a tenant's webhooks, and the harness that tries them."""

from typing import ClassVar

from django.db import models

from core.models import Audit, TenantModel
from integrations.models.inventory import Item


class Endpoint(TenantModel):
    """An address of the customer that receives signed messages, with a signing secret of its own."""

    audit: ClassVar[Audit] = Audit.LEDGERED

    class Off(models.TextChoices):
        """Why nothing is sent any more."""

        CUSTOMER = "customer", "switched off by you"
        GONE = "gone", "it answered 410: no more messages"
        FAILING = "failing", "nothing arrived for five days"

    url = models.CharField(max_length=2048)
    item = models.ForeignKey(Item, on_delete=models.PROTECT, null=True, blank=True, related_name="endpoints")
    secret = models.TextField(help_text="Sealed: only the server can read it.")
    secret_changed_at = models.DateTimeField(
        null=True,
        editable=False,
        help_text="When the present secret took another one's place; empty: it was the first.",
    )
    secret_changed_by = models.UUIDField(null=True, editable=False)
    old_secret = models.TextField(blank=True, help_text="The one before, sealed too, while both sign.")
    old_ends_at = models.DateTimeField(null=True, editable=False, help_text="Until when the old secret signs as well.")
    registered_at = models.DateTimeField(editable=False)
    registered_by = models.UUIDField(editable=False)
    failing_since = models.DateTimeField(null=True, editable=False)
    off_at = models.DateTimeField(null=True, editable=False)
    off_by = models.UUIDField(null=True, editable=False)
    off_why = models.CharField(max_length=20, blank=True, choices=Off.choices)

    class Meta:
        ordering = ("registered_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "url"), condition=models.Q(off_at=None), name="integrations_endpoint_once"
            ),
            models.UniqueConstraint(
                fields=("tenant", "item"),
                condition=models.Q(off_at=None, item__isnull=False),
                name="integrations_endpoint_one_per_item",
            ),
            models.CheckConstraint(
                condition=models.Q(off_at=None, off_by=None, off_why="")
                | (models.Q(off_at__isnull=False, off_by__isnull=False) & ~models.Q(off_why="")),
                name="integrations_endpoint_off_pair",
            ),
            models.CheckConstraint(
                condition=models.Q(secret_changed_at=None, secret_changed_by=None)
                | models.Q(secret_changed_at__isnull=False, secret_changed_by__isnull=False),
                name="integrations_endpoint_secret_pair",
            ),
            models.CheckConstraint(
                condition=models.Q(old_secret="", old_ends_at=None)
                | (
                    ~models.Q(old_secret="")
                    & models.Q(old_ends_at__isnull=False, off_at=None, secret_changed_at__isnull=False)
                ),
                name="integrations_endpoint_old_pair",
            ),
        )

    def __str__(self) -> str:
        return self.url


class HarnessRun(TenantModel):
    """One run of the harness against an endpoint; its end leaves one entry in the ledger."""

    audit: ClassVar[Audit] = Audit.OPERATIONAL

    endpoint = models.ForeignKey(Endpoint, on_delete=models.PROTECT, related_name="runs")
    requested_at = models.DateTimeField()
    requested_by = models.UUIDField()
    finished_at = models.DateTimeField(null=True)
    has_passed = models.BooleanField(null=True)
    results = models.JSONField(default=list, help_text="What came of each message.")

    class Meta:
        ordering = ("-requested_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "endpoint"),
                condition=models.Q(finished_at=None),
                name="integrations_harnessrun_one_at_a_time",
            ),
            models.CheckConstraint(
                condition=models.Q(finished_at=None, has_passed=None)
                | models.Q(finished_at__isnull=False, has_passed__isnull=False),
                name="integrations_harnessrun_finished_pair",
            ),
        )
        indexes = (models.Index(fields=("endpoint", "-requested_at"), name="integrations_run_latest"),)

    def __str__(self) -> str:
        return f"{self.endpoint_id} {self.requested_at:%Y-%m-%d %H:%M}"
