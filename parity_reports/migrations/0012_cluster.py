"""One more way to compare an entity: on a cluster."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("parity_reports", "0011_shadow_reads"),
    ]

    operations = [
        migrations.AlterField(
            model_name="entityresult",
            name="engine",
            field=models.CharField(
                choices=[
                    ("typed", "typed"),
                    ("pushdown", "pushdown"),
                    ("sampled", "sampled"),
                    ("cluster", "cluster"),
                ],
                default="typed",
                max_length=10,
            ),
        ),
    ]
