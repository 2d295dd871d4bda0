"""A parity report: one comparison of everything a tenant was promised, and what it found."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from core.models import Audit, TenantModel
from parity_reports.domain.differences import Kind
from parity_reports.domain.ladder import Engine, Method
from parity_reports.domain.redaction import Exposure
from parity_reports.domain.verdict import Tally, Verdict

VERDICTS = [(verdict.value, verdict.value.capitalize()) for verdict in Verdict]


class Counts(models.Model):
    """The counts that `Tally` explains, of an entity or a report."""

    expected = models.BigIntegerField(default=0)
    actual = models.BigIntegerField(default=0)
    compared = models.BigIntegerField(default=0)
    missing = models.BigIntegerField(default=0)
    extra = models.BigIntegerField(default=0)
    different = models.BigIntegerField(default=0)
    duplicate = models.BigIntegerField(default=0)
    dropped = models.BigIntegerField(default=0)
    on_hold = models.BigIntegerField(default=0)

    class Meta:
        abstract = True

    @property
    def tally(self) -> Tally:
        """The counts as a value."""
        return Tally(**{name: getattr(self, name) for name in Tally.__slots__})


class Report(TenantModel, Counts):
    """One comparison of a tenant's data on both platforms. Sealed by its digest once it is finished."""

    audit: ClassVar[Audit] = Audit.LEDGERED

    class State(models.TextChoices):
        """How far it is."""

        RUNNING = "running"
        FINISHED = "finished"

    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    method = models.CharField(
        max_length=10,
        choices=[(method.value, method.words) for method in Method],
        default=Method.FULL.value,
        help_text="What was asked for. Only a full comparison is evidence.",
    )
    requested_at = models.DateTimeField()
    requested_by = models.UUIDField(null=True, help_text="The actor's id: a user or a part of the house.")
    finished_at = models.DateTimeField(null=True, blank=True)
    verdict = models.CharField(max_length=12, choices=VERDICTS, blank=True)
    problem = models.TextField(blank=True, help_text="Why it is incomplete, in words fit for the customer.")
    mapping_sha256 = models.CharField(max_length=64, help_text="SHA-256 over the digests of every entity's mapping.")
    invariants_total = models.PositiveIntegerField(default=0)
    invariants_passed = models.PositiveIntegerField(default=0)
    invariants_unknown = models.PositiveIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the report's canonical JSON.")

    class Meta:
        ordering = ("-requested_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("tenant",), condition=Q(state="running"), name="parity_reports_report_one_running"
            ),
            models.CheckConstraint(
                condition=Q(state="running", verdict="", finished_at=None, sha256="")
                | (Q(state="finished", finished_at__isnull=False) & ~Q(verdict="") & ~Q(sha256="")),
                name="parity_reports_report_finished",
            ),
            models.CheckConstraint(
                condition=~Q(verdict="equal") | Q(missing=0, extra=0, different=0, duplicate=0, problem=""),
                name="parity_reports_report_equal",
            ),
            models.CheckConstraint(
                condition=~Q(verdict="equal")
                | Q(invariants_passed=F("invariants_total"), invariants_unknown=0, compared__gt=0),
                name="parity_reports_report_equal_invariants",
            ),
            models.CheckConstraint(
                condition=~Q(verdict="sampled")
                | Q(method="sample", missing=0, extra=0, different=0, duplicate=0, problem=""),
                name="parity_reports_report_sampled",
            ),
        )
        indexes = (models.Index(fields=("tenant", "-requested_at"), name="parity_reports_report_recent"),)

    def __str__(self) -> str:
        return f"Parity report {self.run}"

    @property
    def run(self) -> str:
        """The short run id that screens and files show."""
        return self.pk.hex[:8]


class EntityResult(TenantModel, Counts):
    """The comparison of one entity: its checkpoint while it runs, its counts afterwards."""

    audit: ClassVar[Audit] = Audit.OPERATIONAL

    report = models.ForeignKey(Report, on_delete=models.CASCADE, related_name="entities")
    position = models.PositiveSmallIntegerField()
    entity = models.CharField(max_length=60)
    title = models.CharField(max_length=120)
    spec = models.CharField(max_length=120, help_text="Entity, version and digest of the mapping it was judged by.")
    engine = models.CharField(
        max_length=10, choices=[(engine.value, engine.value) for engine in Engine], default=Engine.TYPED.value
    )
    because = models.CharField(max_length=300, blank=True, help_text="Why in this way, in words fit for the customer.")
    one_in = models.PositiveIntegerField(default=1, help_text="Of so many records, one was compared.")
    fewer_than_one_in = models.PositiveBigIntegerField(
        null=True, help_text="Of a sample: 99 % confident that fewer than 1 in so many records differ."
    )
    segments = models.JSONField(null=True, help_text="What to compare one by one; null until the entity was divided.")
    segments_done = models.PositiveIntegerField(default=0)
    sums = models.JSONField(default=dict, help_text="Per number column: the exact sums so far, as text.")
    reckoned = models.JSONField(
        default=dict, help_text="Per declared invariant: rows, failed ones and figure of both sides so far."
    )
    rules = models.JSONField(default=dict, help_text="Per named rule of the mapping: the records it left behind.")
    held = models.JSONField(default=dict, help_text="Per named rule: the missing records it keeps in quarantine.")
    kinds = models.JSONField(default=dict, help_text="Per column and kind: how many differences; redacted at the end.")
    examples = models.JSONField(default=dict, help_text="Per kind of difference its smallest case, as it may be shown.")
    differing = models.JSONField(
        null=True, help_text="The names of the records that differ, so that drift is told from them; null: too many."
    )
    checksums = models.JSONField(
        null=True, help_text="Bucket checksums of what the new platform holds, in the published encoding."
    )
    verdict = models.CharField(max_length=12, choices=VERDICTS, blank=True)
    problem = models.TextField(blank=True)

    class Meta:
        ordering = ("position",)
        constraints = (
            models.UniqueConstraint(fields=("tenant", "report", "entity"), name="parity_reports_entityresult_entity"),
            models.CheckConstraint(
                condition=Q(compared__gte=F("missing") + F("extra") + F("different") + F("duplicate")),
                name="parity_reports_entityresult_counts",
            ),
            models.CheckConstraint(
                condition=~Q(verdict="sampled") | Q(engine="sampled", fewer_than_one_in__isnull=False),
                name="parity_reports_entityresult_sampled",
            ),
            models.CheckConstraint(
                condition=~Q(verdict="equal") | ~Q(engine="sampled"), name="parity_reports_entityresult_equal"
            ),
        )

    def __str__(self) -> str:
        return self.entity

    @property
    def segments_total(self) -> int | None:
        """How many segments there are; None until the entity was divided."""
        return None if self.segments is None else len(self.segments)


class Sample(TenantModel):
    """One difference as the customer may see it: redacted before it is written."""

    audit: ClassVar[Audit] = Audit.OPERATIONAL

    entity = models.ForeignKey(EntityResult, on_delete=models.CASCADE, related_name="samples")
    record = models.CharField(max_length=16, help_text="The record's name in this tenant's reports (keyed HMAC).")
    kind = models.CharField(max_length=12, choices=[(kind.value, kind.value) for kind in Kind])
    column = models.CharField(max_length=63, blank=True, help_text="Empty when the whole record is concerned.")
    exposure = models.CharField(max_length=10, choices=[(item.value, item.value) for item in Exposure])
    expected = models.TextField(blank=True)
    actual = models.TextField(blank=True)

    class Meta:
        ordering = ("entity", "kind", "column", "record")
        constraints = (
            models.UniqueConstraint(fields=("tenant", "entity", "record", "column"), name="parity_reports_sample_once"),
            models.CheckConstraint(
                condition=Q(exposure="public") | Q(expected="", actual=""), name="parity_reports_sample_redacted"
            ),
        )

    def __str__(self) -> str:
        return f"{self.record} {self.column} {self.kind}"


class InvariantResult(TenantModel):
    """One invariant and whether it holds."""

    audit: ClassVar[Audit] = Audit.OPERATIONAL

    class Outcome(models.TextChoices):
        """What the evaluation found."""

        PASS = "pass"  # noqa: S105 - not a password
        FAIL = "fail"
        UNKNOWN = "unknown"

    report = models.ForeignKey(Report, on_delete=models.CASCADE, related_name="invariants")
    entity = models.CharField(max_length=60)
    code = models.CharField(max_length=120)
    title = models.CharField(max_length=200)
    family = models.CharField(max_length=12)
    outcome = models.CharField(max_length=10, choices=Outcome)
    expected = models.CharField(max_length=60, blank=True)
    actual = models.CharField(max_length=60, blank=True)
    checked = models.BigIntegerField(null=True, help_text="Of what is asked of each record: how many were asked.")
    rate = models.CharField(
        max_length=20, blank=True, help_text="Of what is asked of each record: the share that passes."
    )

    class Meta:
        ordering = ("entity", "code")
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "report", "entity", "code"), name="parity_reports_invariantresult_code"
            ),
        )

    def __str__(self) -> str:
        return f"{self.entity}: {self.title}"
