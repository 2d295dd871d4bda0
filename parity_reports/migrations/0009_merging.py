"""Merging column by column: what a preview foresaw of each record."""

from django.db import migrations, models

STRATEGIES = [
    ("source", "Legacy wins: move the row again"),
    ("target", "The new platform wins: accept the difference for a time"),
    ("newest", "The newest wins, where it is known which that is"),
    ("merge", "Merge column by column, as the mapping says"),
    ("ask", "Leave for now"),
]


class Migration(migrations.Migration):
    dependencies = [("parity_reports", "0008_reconciliation")]

    operations = [
        migrations.AddField(
            model_name="reconciliationitem",
            name="fields",
            field=models.JSONField(
                default=dict,
                help_text="Of a merged one: per column that differs whether the new platform's value stays; public"
                " values.",
            ),
        ),
        migrations.AddField(
            model_name="reconciliationitem",
            name="foreseen",
            field=models.CharField(blank=True, help_text="A digest of what merging makes of it.", max_length=1000),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name="reconciliationitem",
            name="strategy",
            field=models.CharField(choices=STRATEGIES, max_length=10),
        ),
    ]
