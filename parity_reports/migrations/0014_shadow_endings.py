"""How a shadow read that was answered differently came to stand no more."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("parity_reports", "0013_answered_reads")]

    operations = [
        migrations.AddField(
            model_name="shadowmismatch",
            name="ended",
            field=models.CharField(
                blank=True,
                choices=[
                    ("alike", "Alike again"),
                    ("known", "Differs as your last comparison says"),
                    ("gone", "No longer there to be read"),
                ],
                default="",
                help_text="How it ended.",
                max_length=8,
            ),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            model_name="shadowmismatch",
            constraint=models.CheckConstraint(
                condition=models.Q(("resolved_at__isnull", False), ("ended", ""), _connector="OR"),
                name="parity_reports_shadowmismatch_ended",
            ),
        ),
    ]
