"""Comparisons count what a hold keeps apart, and reconciliations leave it."""

from django.db import migrations, models

OUTCOMES = [
    ("written", "written"),
    ("removed", "removed"),
    ("equal", "equal"),
    ("kept", "kept"),
    ("refused", "refused"),
    ("held", "held"),
    ("restored", "restored"),
    ("expired", "expired"),
]


class Migration(migrations.Migration):
    dependencies = [("parity_reports", "0015_plurals")]

    operations = [
        *(
            migrations.AddField(model, "on_hold", models.BigIntegerField(default=0))
            for model in ("report", "entityresult")
        ),
        migrations.AddField(
            "reconciliation",
            "aside",
            models.CharField(
                blank=True, default="", help_text="What is left under a legal hold, and why.", max_length=200
            ),
            preserve_default=False,
        ),
        *(
            migrations.AlterField(
                "reconciliationitem", name, models.CharField(blank=True, choices=OUTCOMES, max_length=10)
            )
            for name in ("outcome", "undone")
        ),
    ]
