"""Invariants that a mapping declares."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("parity_reports", "0004_examples")]

    operations = [
        migrations.AddField(
            model_name="entityresult",
            name="reckoned",
            field=models.JSONField(
                default=dict, help_text="Per declared invariant: rows, failed ones and figure of both sides so far."
            ),
        ),
        migrations.AddField(
            model_name="invariantresult",
            name="checked",
            field=models.BigIntegerField(help_text="Of what is asked of each record: how many were asked.", null=True),
        ),
        migrations.AddField(
            model_name="invariantresult",
            name="rate",
            field=models.CharField(
                blank=True,
                default="",
                help_text="Of what is asked of each record: the share that passes.",
                max_length=20,
            ),
            preserve_default=False,
        ),
    ]
