"""Runs that read only what changed since an earlier one."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("backfills", "0005_dry_run")]

    operations = [
        migrations.AddField(
            "run",
            "since",
            models.DateTimeField(
                blank=True, null=True, help_text="It reads only what changed since, by legacy's clock: a catch-up."
            ),
        ),
        migrations.AddField(
            "run",
            "watermark",
            models.DateTimeField(blank=True, null=True, help_text="Legacy's clock when the run began."),
        ),
        migrations.AddField(
            "run",
            "removed",
            models.BigIntegerField(default=0, help_text="Objects of the new platform that the run removed."),
        ),
        migrations.AddField(
            "run",
            "whole_because",
            models.TextField(blank=True, help_text="Why it reads every row although a catch-up was asked for."),
        ),
        migrations.AddConstraint(
            "run",
            models.CheckConstraint(
                condition=Q(whole_because="") | Q(since__isnull=True), name="backfills_run_whole_or_since"
            ),
        ),
    ]
