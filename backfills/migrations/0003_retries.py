"""Every time the rejected rows of a run are judged again: by which spec, and what became of them."""

import uuid

import django.db.models.deletion
from django.db import migrations, models

from core.rls import TenantTable


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_sso"),
        ("backfills", "0002_inspections"),
    ]

    operations = [
        migrations.CreateModel(
            name="Retry",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "state",
                    models.CharField(
                        choices=[("running", "Running"), ("done", "Done"), ("failed", "Failed")],
                        default="running",
                        max_length=20,
                    ),
                ),
                (
                    "spec",
                    models.CharField(
                        help_text="Entity, version and digest of the spec that judged them.", max_length=120
                    ),
                ),
                ("asked", models.BigIntegerField(help_text="Rows that were rejected when it began.")),
                (
                    "settled",
                    models.BigIntegerField(default=0, help_text="Of these, how many are rejected no more."),
                ),
                (
                    "changed",
                    models.BigIntegerField(default=0, help_text="Rows of the new platform that it wrote."),
                ),
                ("after_batch", models.IntegerField(help_text="Batches that the run had before.")),
                ("problem", models.TextField(blank=True, help_text="Why it was not finished; fit for the customer.")),
                ("requested_by", models.UUIDField(blank=True, editable=False, null=True)),
                ("requested_at", models.DateTimeField(editable=False)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="retries", to="backfills.run"
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.tenant",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "retries",
                "ordering": ("-requested_at", "-id"),
            },
        ),
        migrations.RemoveField(model_name="run", name="retry_after_key"),
        migrations.AlterField(
            model_name="deadletter",
            name="state",
            field=models.CharField(
                choices=[("open", "Open"), ("retrying", "Being tried again"), ("resolved", "Resolved")],
                default="open",
                max_length=20,
            ),
        ),
        migrations.AddConstraint(
            model_name="deadletter",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["open", "retrying", "resolved"])), name="backfills_letter_state"
            ),
        ),
        migrations.AddConstraint(
            model_name="retry",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["running", "done", "failed"])), name="backfills_retry_state"
            ),
        ),
        migrations.AddConstraint(
            model_name="retry",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "running")), fields=("tenant", "run"), name="backfills_retry_one_running"
            ),
        ),
        migrations.AddConstraint(
            model_name="retry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("finished_at", None), ("state", "running")),
                    models.Q(models.Q(("state", "running"), _negated=True), ("finished_at__isnull", False)),
                    _connector="OR",
                ),
                name="backfills_retry_finished",
            ),
        ),
        migrations.AddConstraint(
            model_name="retry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "failed"), _negated=True),
                    models.Q(("problem", ""), _negated=True),
                    _connector="OR",
                ),
                name="backfills_retry_says_why",
            ),
        ),
        migrations.AddConstraint(
            model_name="retry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("asked__gt", 0), ("changed__gte", 0), ("settled__gte", 0), ("settled__lte", models.F("asked"))
                ),
                name="backfills_retry_figures",
            ),
        ),
        TenantTable("backfills_retry", references={"run_id": "backfills_run"}),
    ]
