"""Runs can be ended early."""

from django.db import migrations, models
from django.db.models import Q

STATES = ["queued", "running", "paused", "retrying", "succeeded", "stopped", "failed", "cancelled"]


class Migration(migrations.Migration):
    dependencies = [("backfills", "0013_at_it_since")]

    operations = [
        migrations.AlterField(
            "run",
            "state",
            models.CharField(choices=[(state, state.capitalize()) for state in STATES], max_length=20),
        ),
        migrations.RemoveConstraint("run", "backfills_run_state"),
        migrations.AddConstraint(
            "run", models.CheckConstraint(condition=Q(state__in=STATES), name="backfills_run_state")
        ),
        migrations.RemoveConstraint("run", "backfills_run_says_why"),
        migrations.AddConstraint(
            "run",
            models.CheckConstraint(
                condition=~Q(state__in=["failed", "stopped", "cancelled"]) | ~Q(problem=""),
                name="backfills_run_says_why",
            ),
        ),
    ]
