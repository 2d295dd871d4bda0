"""The identity map: the people of both platforms, what becomes of each, who decided what, and the way back.

Where rows come by the hundred thousand, a reference is kept by its composite key alone (`core.rls`), not by two.
"""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from accounts.domain.identity_map.decisions import WORDS
from accounts.domain.identity_map.outcomes import OUTCOMES, RULES
from core.models import Audit, TenantModel

PENDING = "pending"
"""The outcome of somebody who was read and not judged yet; no run can be closed over one."""

_OUTCOMES = [(PENDING, "Not judged yet"), *((each.value, look.one) for each, look in OUTCOMES.items())]
_RULES = [("", "–"), *((each.value, words.title) for each, words in RULES.items())]


class TenantLink(TenantModel):
    """The lasting pair of a tenant's legacy and new identity. Whoever changes the identity map locks this row."""

    audit: ClassVar[Audit] = Audit.LEDGERED

    legacy_ref = models.CharField("legacy key", max_length=100, help_text="What legacy calls the customer.")
    account_id = models.UUIDField("new account", help_text="What the new platform calls the customer.")
    linked_at = models.DateTimeField()
    linked_by = models.UUIDField()
    erased_at = models.DateTimeField(null=True, help_text="When the names of its people were erased.")
    erased_by = models.UUIDField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("tenant",), name="accounts_tenantlink_one"),
            models.CheckConstraint(
                condition=Q(erased_at=None, erased_by=None) | Q(erased_at__isnull=False, erased_by__isnull=False),
                name="accounts_tenantlink_erased_pair",
            ),
        )

    def __str__(self) -> str:
        return f"{self.legacy_ref} ↔ {self.account_id}"


class MapRun(TenantModel):
    """One reading of the people of both platforms, and the judging of all of them.

    Batches move `legacy_after` and `new_after` in their own transaction, so a run goes on where it was killed. The
    database closes it only while every person read has exactly one outcome.
    """

    audit: ClassVar[Audit] = Audit.OPERATIONAL

    class State(models.TextChoices):
        """How far it is."""

        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    requested_at = models.DateTimeField()
    requested_by = models.UUIDField()
    finished_at = models.DateTimeField(null=True)
    members_after = models.TextField(blank=True, help_text="The last member read.")
    new_after = models.TextField(blank=True, help_text="The last person read of the new platform.")
    legacy_after = models.TextField(blank=True, help_text="The last person read of legacy.")
    is_members_read = models.BooleanField(default=False)
    is_new_read = models.BooleanField(default=False)
    is_legacy_read = models.BooleanField(default=False)
    members_read = models.PositiveIntegerField(default=0, help_text="Members whom the directory knows.")
    new_read = models.PositiveIntegerField(default=0)
    legacy_read = models.PositiveIntegerField(default=0)
    outcomes = models.JSONField(default=dict, help_text="How many people ended where; adds up to all.")
    problem = models.CharField(max_length=500, blank=True)

    class Meta:
        verbose_name = "mapping of people"
        verbose_name_plural = "mappings of people"
        ordering = ("-requested_at",)
        constraints = (
            models.UniqueConstraint(fields=("tenant",), condition=Q(state="running"), name="accounts_maprun_one"),
            models.CheckConstraint(
                condition=Q(state="running", finished_at=None) | (~Q(state="running") & Q(finished_at__isnull=False)),
                name="accounts_maprun_finished",
            ),
        )
        indexes = (models.Index(fields=("tenant", "-requested_at"), name="accounts_maprun_latest"),)

    def __str__(self) -> str:
        return self.state

    @property
    def read(self) -> int:
        """How many were read, of everybody."""
        return self.members_read + self.new_read + self.legacy_read


class MapBatch(TenantModel):
    """Whom one batch of a run read, until the run ends: who is in none of them is gone."""

    audit: ClassVar[Audit] = Audit.OPERATIONAL

    run = models.ForeignKey(MapRun, on_delete=models.CASCADE, related_name="batches")
    is_legacy = models.BooleanField()
    ids = ArrayField(models.UUIDField())

    def __str__(self) -> str:
        return f"{len(self.ids)} people"


class Known(TenantModel):
    """Somebody of a platform, as it was last read, with the keys by which both sides are matched."""

    # No index of its own: the planner would take it for checks of foreign keys, and read a whole tenant for each.
    tenant = models.ForeignKey(
        "accounts.Tenant", on_delete=models.PROTECT, related_name="+", editable=False, db_index=False
    )
    key = models.CharField(max_length=255, help_text="The platform's own, never given to another.")
    external_id = models.CharField(max_length=320, blank=True)
    user_name = models.CharField(max_length=320, blank=True, help_text="In lower case.")
    email = models.CharField("e-mail address", max_length=320, blank=True, help_text="In lower case, as DNS sees it.")
    name = models.CharField(max_length=200, blank=True)
    role = models.CharField(max_length=100, blank=True)
    is_owner = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    gone_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name or self.user_name or self.key


class NewPerson(Known):
    """Somebody of the new platform, or a member whom the directory knows and that platform does not tell of yet."""

    audit: ClassVar[Audit] = Audit.OPERATIONAL

    is_member = models.BooleanField(default=False, help_text="A member here; the id is the member's.")

    class Meta:
        verbose_name = "person of the new platform"
        verbose_name_plural = "people of the new platform"
        constraints = (models.UniqueConstraint(fields=("tenant", "key"), name="accounts_newperson_once"),)


class LegacyPerson(Known):
    """Somebody of the legacy platform, under their canonical id, with the one outcome they have.

    `person` is who they are: themselves, or whom they were merged into. `decision` is what people decided last and has
    not been undone; without one, each run judges them anew.
    """

    audit: ClassVar[Audit] = Audit.LEDGERED

    outcome = models.CharField(max_length=12, choices=_OUTCOMES, default=PENDING)
    rule = models.CharField(max_length=20, choices=_RULES, blank=True)
    new = models.ForeignKey(
        NewPerson, on_delete=models.PROTECT, db_constraint=False, db_index=False, null=True, related_name="legacy"
    )
    person = models.ForeignKey(
        "self", on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="same"
    )
    decision = models.ForeignKey(
        "accounts.PersonDecision",
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        null=True,
        related_name="standing",
    )

    class Meta:
        verbose_name = "person of legacy"
        verbose_name_plural = "people of legacy"
        constraints = (
            models.UniqueConstraint(fields=("tenant", "key"), name="accounts_legacyperson_once"),
            models.CheckConstraint(
                condition=Q(outcome__in=[value for value, _ in _OUTCOMES]), name="accounts_legacyperson_outcome"
            ),
            models.CheckConstraint(
                condition=~Q(outcome__in=["mapped", "proposed"]) | Q(new__isnull=False),
                name="accounts_legacyperson_mapped_to",
            ),
            models.CheckConstraint(
                condition=(Q(outcome="merged") & ~Q(person=F("id"))) | (~Q(outcome="merged") & Q(person=F("id"))),
                name="accounts_legacyperson_merged_into",
            ),
            models.CheckConstraint(
                condition=~Q(outcome__in=["merged", "split"]) | Q(decision__isnull=False),
                name="accounts_legacyperson_decided",
            ),
        )
        indexes = (
            models.Index(fields=("tenant", "outcome", "key"), name="accounts_legacyperson_list"),
            models.Index(fields=("person",), condition=Q(outcome="merged"), name="accounts_legacyperson_same"),
        )


class PersonDecision(TenantModel):
    """What somebody decided about people: why, who agreed where two are needed, and whether it was undone."""

    audit: ClassVar[Audit] = Audit.LEDGERED

    class State(models.TextChoices):
        """Where it stands."""

        WAITING = "waiting", "Waits for a second person"
        STANDING = "standing", "Stands"
        DECLINED = "declined", "Declined"
        UNDONE = "undone", "Undone"

    kind = models.CharField(max_length=10, choices=[(kind.value, words) for kind, words in WORDS.items()])
    state = models.CharField(max_length=10, choices=State)
    people = models.PositiveIntegerField(help_text="How many it changes.")
    reason = models.CharField(max_length=300)
    evidence = models.JSONField(default=dict, help_text="What spoke for it when it was asked for.")
    second_person = models.CharField(max_length=100, blank=True, help_text="Why somebody else has to agree.")
    is_about_owner = models.BooleanField(default=False)
    decided_at = models.DateTimeField()
    decided_by = models.UUIDField()
    agreed_at = models.DateTimeField(null=True)
    agreed_by = models.UUIDField(null=True)
    declined_at = models.DateTimeField(null=True)
    declined_by = models.UUIDField(null=True)
    undone_at = models.DateTimeField(null=True)
    undone_by = models.UUIDField(null=True)

    class Meta:
        verbose_name = "decision about people"
        verbose_name_plural = "decisions about people"
        ordering = ("-decided_at",)
        constraints = (
            models.CheckConstraint(
                condition=Q(agreed_by=None) | ~Q(agreed_by=F("decided_by")), name="accounts_persondecision_four_eyes"
            ),
            models.CheckConstraint(
                condition=Q(second_person="") | Q(agreed_at__isnull=False) | Q(state__in=["waiting", "declined"]),
                name="accounts_persondecision_agreed",
            ),
            models.CheckConstraint(
                condition=Q(agreed_at=None, agreed_by=None) | Q(agreed_at__isnull=False, agreed_by__isnull=False),
                name="accounts_persondecision_agreed_pair",
            ),
            models.CheckConstraint(
                condition=(Q(state="declined") & Q(declined_at__isnull=False, declined_by__isnull=False))
                | (~Q(state="declined") & Q(declined_at=None, declined_by=None)),
                name="accounts_persondecision_declined_pair",
            ),
            models.CheckConstraint(
                condition=(Q(state="undone") & Q(undone_at__isnull=False, undone_by__isnull=False))
                | (~Q(state="undone") & Q(undone_at=None, undone_by=None)),
                name="accounts_persondecision_undone_pair",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="accounts_persondecision_reason"),
        )
        indexes = (models.Index(fields=("tenant", "-decided_at"), name="accounts_persondecision_latest"),)

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.people}"


class PersonChange(TenantModel):
    """What a decision makes of one person, and what was before: undoing it restores exactly that."""

    audit: ClassVar[Audit] = Audit.OPERATIONAL

    decision = models.ForeignKey(
        PersonDecision, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="changes"
    )
    legacy = models.ForeignKey(
        LegacyPerson, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="changes"
    )
    before_outcome = models.CharField(max_length=12)
    before_rule = models.CharField(max_length=20, blank=True)
    before_new = models.ForeignKey(
        NewPerson, on_delete=models.PROTECT, db_constraint=False, db_index=False, null=True, related_name="+"
    )
    before_person = models.ForeignKey(
        LegacyPerson, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    before_decision = models.ForeignKey(
        PersonDecision, on_delete=models.PROTECT, db_constraint=False, db_index=False, null=True, related_name="+"
    )
    after_outcome = models.CharField(max_length=12)
    after_rule = models.CharField(max_length=20, blank=True)
    after_new = models.ForeignKey(
        NewPerson, on_delete=models.PROTECT, db_constraint=False, db_index=False, null=True, related_name="+"
    )
    after_person = models.ForeignKey(
        LegacyPerson, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("tenant", "decision", "legacy"), name="accounts_personchange_once"),
        )
        indexes = (models.Index(fields=("legacy",), name="accounts_personchange_person"),)

    def __str__(self) -> str:
        return f"{self.before_outcome} → {self.after_outcome}"


class PersonPart(TenantModel):
    """One of the people who used an account of legacy together; counts while its decision stands."""

    audit: ClassVar[Audit] = Audit.OPERATIONAL

    decision = models.ForeignKey(
        PersonDecision, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="parts"
    )
    legacy = models.ForeignKey(
        LegacyPerson, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="parts"
    )
    guid = models.UUIDField(help_text="Their canonical id.")
    new = models.ForeignKey(
        NewPerson, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="parts"
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("tenant", "decision", "legacy", "guid"), name="accounts_personpart_once"),
        )

    def __str__(self) -> str:
        return str(self.guid)


class LinkCheckpoint(TenantModel):
    """The whole identity map as it was at one moment, to which it can be restored."""

    audit: ClassVar[Audit] = Audit.LEDGERED

    number = models.PositiveIntegerField()
    reason = models.CharField(max_length=300)
    people = models.PositiveIntegerField()
    outcomes = models.JSONField(default=dict)
    taken_at = models.DateTimeField()
    taken_by = models.UUIDField()

    class Meta:
        ordering = ("-number",)
        constraints = (
            models.UniqueConstraint(fields=("tenant", "number"), name="accounts_linkcheckpoint_number"),
            models.CheckConstraint(condition=~Q(reason=""), name="accounts_linkcheckpoint_reason"),
        )

    def __str__(self) -> str:
        return f"Checkpoint {self.number}"


class CheckpointPerson(TenantModel):
    """One person as they stood at a checkpoint."""

    audit: ClassVar[Audit] = Audit.OPERATIONAL

    checkpoint = models.ForeignKey(
        LinkCheckpoint, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="rows"
    )
    legacy = models.ForeignKey(
        LegacyPerson, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    outcome = models.CharField(max_length=12)
    rule = models.CharField(max_length=20, blank=True)
    new = models.ForeignKey(
        NewPerson, on_delete=models.PROTECT, db_constraint=False, db_index=False, null=True, related_name="+"
    )
    person = models.ForeignKey(
        LegacyPerson, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    decision = models.ForeignKey(
        PersonDecision, on_delete=models.PROTECT, db_constraint=False, db_index=False, null=True, related_name="+"
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("tenant", "checkpoint", "legacy"), name="accounts_checkpointperson_once"),
        )

    def __str__(self) -> str:
        return self.outcome
